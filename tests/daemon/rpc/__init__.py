"""Tests of ``ebpfd.rpc``."""
