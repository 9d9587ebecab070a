"""Tests of ``ebpfd.app``."""
