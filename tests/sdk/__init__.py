"""Tests of the SDK, against a fake daemon that speaks the real protocol."""
