"""Tests of what the daemon shows to Prometheus."""
