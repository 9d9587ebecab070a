"""Wire API of ebpfd: the schema beside this file, and the Python generated from it."""
