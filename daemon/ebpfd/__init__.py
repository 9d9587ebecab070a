"""The ebpfd daemon."""
