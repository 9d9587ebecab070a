"""``ebpfd-sdk init NAME``: a working extension to start from: program, tests, README."""
