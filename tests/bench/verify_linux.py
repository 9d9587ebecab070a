"""What the kernel's verifier says of a program, and what it did to find out.

A program is loaded as XDP and let go at once.  The kernel itself tells how long its verifier
took, by the clock; on a machine with other work the CPU time of the system call is less, though
the compiler is in it.  The smaller of the two is the time.
"""

import ctypes
import os
import re
import statistics
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Final, TypeAlias

import ebpfd_vm
from tests.bench.linux_bpf import Kernel, RefusedError, with_maps, without_perfmon

Row: TypeAlias = dict[str, Any]

_LOG_SIZE: Final = 1 << 16
_TIMES: Final = 9
_ENOUGH_NS: Final = 20_000_000
"""A verification this long is not repeated."""
_STATISTICS: Final = re.compile(
    r"processed (?P<steps>\d+) insns \(limit \d+\) max_states_per_insn (?P<states_per_insn>\d+) "
    r"total_states (?P<states>\d+) peak_states (?P<peak_states>\d+)"
)
_TIME: Final = re.compile(r"verification time (\d+) usec")


def judge(
    program: ebpfd_vm.ProgramSpec, maps: Sequence[ebpfd_vm.MapSpec], *, strict: bool = False
) -> Row:
    """The verdict on a program; *strict*: as for a user without CAP_PERFMON."""
    kernel = Kernel()
    try:
        with kernel.maps(maps) as files, without_perfmon() if strict else nullcontext():
            code = with_maps(program.instructions, files)
            first = _load(kernel, code)
            rows = [first]
            if "ns" in first and first["ns"] < _ENOUGH_NS:
                rows += [_load(kernel, code) for _ in range(_TIMES - 1)]
    except RefusedError as refused:
        return {"judge": "linux", "verdict": "absent", "reason": str(refused)}
    times = [row["ns"] for row in rows if "ns" in row]
    return first | ({"ns": int(statistics.median(times))} if times else {})


def _load(kernel: Kernel, code: bytes) -> Row:
    log = ctypes.create_string_buffer(_LOG_SIZE)
    row: Row = {"judge": "linux", "verdict": "accepted"}
    began = time.thread_time_ns()
    try:
        program = kernel.load(code, log)
    except RefusedError as refused:
        row["verdict"] = "refused"
        row["reason"] = str(refused)
    else:
        os.close(program)
    cpu_ns = time.thread_time_ns() - began
    lines = log.value.decode(errors="replace").splitlines()
    for number, line in enumerate(lines):
        if counts := _STATISTICS.search(line):
            row |= {name: int(count) for name, count in counts.groupdict().items()}
        if taken := _TIME.search(line):
            row["ns"] = min(int(taken[1]) * 1000, cpu_ns)
            if row["verdict"] == "refused" and number:
                row["reason"] = lines[number - 1]
    return row
