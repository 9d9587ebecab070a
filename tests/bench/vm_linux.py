"""The kernel's own executor on the same programs, where ``bpf()`` is permitted.

Programs run as XDP programs through ``BPF_PROG_TEST_RUN``.  With many repetitions the system
call also waits, so thread CPU time is taken, less that of a call with two repetitions.
"""

import ctypes
import os
import statistics
import struct
import time
from pathlib import Path
from typing import Final

import ebpfd_vm
from tests.bench.linux_bpf import Kernel, RefusedError, address, with_maps

__all__ = ["RefusedError", "programs"]

_TEST_RUN: Final = 10
_FILL: Final = {"map0_array": (64, 1), "map1_hash": (1024, 3)}
_SAMPLES: Final = 7


def programs(folder: Path, *, quick: bool) -> dict[str, float]:
    """Nanoseconds of a run, by program; `RefusedError` if there can be none at all."""
    kernel = Kernel()
    packet = (folder / "packet.bin").read_bytes()
    times: dict[str, float] = {}
    for path in sorted((folder / "kernel").glob("*.o")):
        parsed = ebpfd_vm.parse_object(path.read_bytes())
        with kernel.maps(parsed.maps) as files:
            for spec, file in zip(parsed.maps, files, strict=True):
                _fill(kernel, spec, file)
            program = kernel.load(with_maps(parsed.programs[0].instructions, files))
            try:
                times[path.stem] = _time(kernel, program, packet, 2e6 if quick else 16e6)
            finally:
                os.close(program)
    return times


def _fill(kernel: Kernel, spec: ebpfd_vm.MapSpec, file: int) -> None:
    """The same contents as everybody's."""
    entries, factor = _FILL[spec.name]
    for number in range(entries):
        kernel.update(file, number.to_bytes(4, "little"), (number * factor).to_bytes(8, "little"))


def _time(kernel: Kernel, program: int, packet: bytes, target_ns: float) -> float:
    """Nanoseconds of one run."""
    data = ctypes.create_string_buffer(packet, len(packet))

    def run(repeat: int) -> float:
        head = struct.pack("<IIIIQQI", program, 0, len(packet), 0, address(data), 0, repeat)
        began = time.thread_time_ns()
        kernel.bpf(_TEST_RUN, head)
        return float(time.thread_time_ns() - began)

    fixed = statistics.median(run(2) for _ in range(5))
    repeat = 64
    while (taken := run(repeat) - fixed) < target_ns / 8:
        repeat *= 4
    repeat = max(2, int(repeat * target_ns / taken))
    return statistics.median((run(repeat) - fixed) / repeat for _ in range(_SAMPLES))
