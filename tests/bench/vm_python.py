"""What the engine costs a caller in Python: one invocation, and a batch.

Statements of one table take turns, round by round, in thread CPU time.  Times hold the loop
around a statement, for ours as for the bare ``len()`` that stands beside it.
"""

import os
import statistics
import struct
import time
import timeit
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import ebpfd_vm
from tests.engine.sample import Context, Information

Row: TypeAlias = dict[str, Any]

CONTEXT: Final = struct.pack("<QIIIIQQIIQQ", 1, 10, 20, 5, 6, 9000, 3, 0, 7, 100, 200)
CONTEXTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    rounds: int
    batch_s: float

    @classmethod
    def of(cls, *, quick: bool) -> "Plan":
        """A short plan, or one for figures."""
        return cls(5, 0.003) if quick else cls(25, 0.01)


def interleaved(
    statements: dict[str, str], names: dict[str, object], plan: Plan
) -> dict[str, float]:
    """Median nanoseconds of each statement."""
    timers = {
        name: timeit.Timer(statement, globals=names, timer=time.thread_time)
        for name, statement in statements.items()
    }
    counts: dict[str, int] = {}
    for name, timer in timers.items():
        count = 1
        while (taken := timer.timeit(count)) < plan.batch_s / 8:
            count *= 4
        counts[name] = max(1, int(count * plan.batch_s / taken))
    taken_ns: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(plan.rounds):
        for name, timer in timers.items():
            taken_ns[name].append(timer.timeit(counts[name]) / counts[name] * 1e9)
    return {name: statistics.median(times) for name, times in taken_ns.items()}


def program(file: Path, size: int = len(CONTEXT)) -> ebpfd_vm.Program:
    """The program that *file* is named for, compiled; of contexts it may write all *size* bytes."""
    parsed = ebpfd_vm.parse_object(file.read_bytes())
    spec = next(each for each in parsed.programs if each.name == file.stem)
    context = Context(size, data=-1, end=-1)
    information = Information("bench_event", context, helpers=(), writable=((0, size),))
    verdict = ebpfd_vm.verify(spec, parsed.maps, information)
    assert verdict.accepted, verdict
    return ebpfd_vm.Program(spec, [], information, verified=True, proved=verdict.worst_case)


def calls(verdict: Path, plan: Plan) -> list[Row]:
    """One invocation and a batch, beside a bare call of ``len``."""
    ready = program(verdict)
    names: dict[str, object] = {
        "invoke": ready.invoker(),
        "run_batch": ready.run_batch,
        "context": CONTEXT,
        "writable": bytearray(CONTEXT),
        "contexts": CONTEXT * CONTEXTS,
        "count": CONTEXTS,
    }
    statements = {
        "len(b)": "len(context)",
        "invoke(bytes)": "invoke(context)",
        "invoke(bytearray)": "invoke(writable)",
        "run_batch of 1": "run_batch(context, 1)",
        "run_batch of 1,000": "run_batch(contexts, count)",
    }
    ns = interleaved(statements, names, plan)
    ns["run_batch of 1,000, a context"] = ns.pop("run_batch of 1,000") / CONTEXTS
    ratio = ns["invoke(bytes)"] / ns["len(b)"]
    return [
        {"table": "python calls", "executor": ready.executor, "program": "verdict", "ns": ns}
        | {"invoke_over_len": ratio}
    ]


def on_core(cores: set[int]) -> None:
    """Keep this process on *cores*, as far as there are such."""
    os.sched_setaffinity(0, cores & os.sched_getaffinity(0) or os.sched_getaffinity(0))
