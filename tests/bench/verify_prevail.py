"""What `prevail` says of a program, in a process that may not live for long.

It has no limits of its own: some small programs take it minutes, or gigabytes.
"""

import multiprocessing
import os
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeAlias

import ebpfd_vm
from tests.engine.sample import Information

Row: TypeAlias = dict[str, Any]

_FORKING: Final = multiprocessing.get_context("fork")
_GAVE_UP: Final = "the verifier gave up"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a verification may take."""

    seconds: float = 20.0
    size_bytes: int = 2 << 30


def judge(
    program: ebpfd_vm.ProgramSpec,
    maps: Sequence[ebpfd_vm.MapSpec],
    information: Information,
    limits: Limits,
) -> Row:
    """The verdict on a program, or how its process ended."""
    receiving, sending = _FORKING.Pipe(duplex=False)

    def work() -> None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what a dying process prints
        resource.setrlimit(resource.RLIMIT_AS, (limits.size_bytes, limits.size_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sending.send(_judged(program, maps, information))

    worker = _FORKING.Process(target=work, name="prevail")
    worker.start()
    sending.close()
    row = _answer(receiving, limits)
    worker.kill()
    worker.join()
    if row is None:
        size = f"its memory was limited to {limits.size_bytes >> 20} MiB"
        row = {"verdict": "crashed", "reason": f"{_ending(worker.exitcode or 0)}; {size}"}
    return {"judge": "prevail"} | row


def _answer(receiving: Connection, limits: Limits) -> Row | None:
    with receiving:
        if not receiving.poll(limits.seconds):
            return {"verdict": "timeout", "ns": int(limits.seconds * 1e9)}
        try:
            row: Row = receiving.recv()
        except EOFError:
            return None
        return row


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"its process ended with {code}"


def _judged(
    program: ebpfd_vm.ProgramSpec,
    maps: Sequence[ebpfd_vm.MapSpec],
    information: Information,
) -> Row:
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory use begins anew
    before = _memory("VmRSS")
    verdict = ebpfd_vm.verify(program, maps, information, judges="prevail")
    row: Row = {
        "verdict": "accepted" if verdict.accepted else "refused",
        "ns": verdict.duration_ns,
        "peak_bytes": max(0, _memory("VmHWM") - before),
    }
    if verdict.rejection:
        row["reason"] = verdict.rejection.detail or verdict.rejection.reason
        row["decided_by"] = verdict.judge
        if verdict.rejection.reason.startswith(_GAVE_UP):
            row["verdict"] = "gave up"
    return row


def _memory(field: str) -> int:
    """Bytes of this process, as the kernel counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0
