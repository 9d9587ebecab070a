"""The daemon's process in the words that Prometheus has for every process."""

import os
import resource
import time
from pathlib import Path
from typing import Final

from ebpfd.metrics.families import single

_SELF: Final = Path("/proc/self")


def process_metrics(started_s: float) -> str:
    """Memory, processor time, descriptors, start; this reads files."""
    resident = int((_SELF / "statm").read_text().split()[1]) * resource.getpagesize()
    most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return "".join(
        single(f"process_{name}", kind, told, value)
        for name, kind, told, value in (
            ("resident_memory_bytes", "gauge", "What is in memory.", resident),
            ("cpu_seconds_total", "counter", "Processor time taken.", time.process_time()),
            ("open_fds", "gauge", "Open descriptors.", len(os.listdir(_SELF / "fd"))),  # noqa: PTH208 (names only)
            ("max_fds", "gauge", "Descriptors that may be open.", most_files),
            ("threads", "gauge", "Threads.", len(os.listdir(_SELF / "task"))),  # noqa: PTH208 (same)
            ("start_time_seconds", "gauge", "When it started, since the epoch.", started_s),
        )
    )
