"""Tests of ``ebpfd.cli``."""
