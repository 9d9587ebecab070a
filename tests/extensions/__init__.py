"""Tests of the shipped extensions."""
