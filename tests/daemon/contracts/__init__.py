"""Tests of ``ebpfd.contracts``."""
