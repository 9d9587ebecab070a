"""Tests of ``ebpfd.host``."""
