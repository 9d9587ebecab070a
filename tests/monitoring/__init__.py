"""Tests of the alert rules and the dashboard that come with the daemon."""
