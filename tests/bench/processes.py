"""What a process takes, as the kernel counts it."""

import os
from pathlib import Path


def memory_bytes(process: int) -> int:
    """Its proportional set size: shared pages count in part."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {process} has no Pss")


def cpu_s(process: int) -> float:
    """Seconds of processor time so far, of all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
