"""Tests of ``ebpfd.objects``."""
