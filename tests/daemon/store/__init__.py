"""Tests of ``ebpfd.store``."""
