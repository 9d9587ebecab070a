"""The engine: compiled and interpreted programs, maps, the way in from Python, beside their peers.

    python tests/bench/vm.py [--quick]

Needs ``clang`` and ``cargo``, for this bench only.  Programs run on one prepared context: what a
batch adds (copying, pinning, counting) has rows of its own.  *native scalar* is the same C for
this machine without vectors, unrolled loops and library idioms: what a compiler of single
instructions can reach at best.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.bench import (  # noqa: E402 (found through the line above)
    report,
    vm_build,
    vm_linux,
    vm_python,
    vm_python_maps,
    vm_python_queues,
)
from tests.bench.report import Bar  # noqa: E402
from tests.bench.vm_python import Row  # noqa: E402

COMPUTE: Final = (
    "csum_1480",
    "fnv_1500",
    "localcall_64",
    "log2_256",
    "memcpy_700",
    "mix64_256",
    "prime_500",
    "strcmp_600",
    "switch_512",
)
ARRAYS: Final = ("array_inc", "array_lookup", "lookup10")
PARTS: Final = ("programs", "compile", "maps", "lives", "batch")


def measured(binary: Path, part: str, folder: Path, *, quick: bool) -> list[Row]:
    """The rows of one part of the bench crate."""
    sys.stderr.write(f"{part}\n")
    command = [str(binary), part, str(folder), *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def linux(folder: Path, rows: Sequence[Row], *, quick: bool) -> list[Row]:
    """Put the kernel's times beside the others, or say why there are none."""
    sys.stderr.write("linux\n")
    try:
        times = vm_linux.programs(folder, quick=quick)
    except vm_linux.RefusedError as refused:
        return [{"table": "programs", "peer": "linux", "reason": str(refused)}]
    for row in rows:
        if row["table"] == "programs":
            row["ns"]["linux"] = times[row["program"]]
    return []


def ratios(rows: Sequence[Row], programs: Sequence[str], peer: str, floor: str) -> list[float]:
    """How *peer* compares with *floor* on each of *programs*; empty if it did not run."""
    times = [row["ns"] for row in rows if row.get("program") in programs and "code" in row]
    return [each[peer] / each[floor] for each in times if peer in each]


def lower(name: str, values: Sequence[float], limit: float, *, mean: bool = True) -> list[Bar]:
    """One bar over *values*, their geometric mean or the worst; none over nothing."""
    if not values:
        return []
    value = statistics.geometric_mean(values) if mean else max(values)
    return [report.bar(name, value, limit, "lower")]


def program_bars(rows: Sequence[Row]) -> list[Bar]:
    """What compiled and interpreted programs must reach."""
    jit, scalar, other = "jit", "native_scalar", "rbpf_jit"
    beside = ratios(rows, COMPUTE, jit, other)
    arrays = ratios(rows, ARRAYS, jit, "native")
    slow = ratios(rows, COMPUTE, "interpreter", scalar)
    compiling = [row["ratio"] for row in rows if row["table"] == "compile time"]
    return [
        *lower("JIT / native scalar, mean", ratios(rows, COMPUTE, jit, scalar), 1.10),
        *lower("JIT / rbpf's JIT, mean", beside, 0.85),
        *lower("JIT / rbpf's JIT, worst", beside, 1.05, mean=False),
        *lower("JIT, array programs / native, worst", arrays, 1.0, mean=False),
        *lower("interpreter / native scalar, mean", slow, 30.0),
        *lower("compile time / Cranelift alone, mean", compiling, 1.3),
    ]


def map_bars(rows: Sequence[Row]) -> list[Bar]:
    """Hash lookups beside hashbrown, at each size."""
    return [
        report.bar(
            f"hash lookup / hashbrown, {row['entries']} entries",
            row["ns"]["find"] / row["ns"]["hashbrown_lookup"],
            1.5,
            "lower",
        )
        for row in rows
        if row["table"] == "maps" and "hashbrown_lookup" in row.get("ns", {})
    ]


def boundary_bars(rows: Sequence[Row]) -> list[Bar]:
    """The way into compiled code: they are no bars for the interpreter."""
    compiled = [row for row in rows if row.get("executor") == "jit"]
    calls = [row["invoke_over_len"] for row in compiled if row["table"] == "python calls"]
    batches = [row["ratio"] for row in compiled if row["table"] == "batch"]
    return [
        *lower("one call from Python / len(b)", calls, 3.0),
        *lower("batch of 1,000 / the code alone", batches, 2.0),
    ]


def missing(rows: Sequence[Row]) -> list[Row]:
    """What is asked for and cannot be measured yet, with the reason."""
    absent: list[Row] = []
    if not any(row.get("executor") == "jit" for row in rows):
        absent.append({"table": "programs", "executor": "jit", "reason": "the engine has none yet"})
    return absent


def bench(*, quick: bool) -> None:
    """Build, run all parts, print the report."""
    binary = vm_build.crate()
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        vm_build.programs(folder)
        rows = [row for part in PARTS for row in measured(binary, part, folder, quick=quick)]
        plan = vm_python.Plan.of(quick=quick)
        vm_python.on_core({0})
        rows += linux(folder, rows, quick=quick)
        sys.stderr.write("python\n")
        rows += vm_python.calls(folder / "verdict.o", plan)
        vm_python.on_core({0, 1})
        rows += vm_python_maps.maps(folder / "verdict.o", plan, quick=quick)
        rows += vm_python_queues.queues(plan, quick=quick) + vm_python_queues.rings(plan)
    rows += missing(rows)
    for row in rows:
        assert row.get("results_agree", True), f"peers disagree on {row['program']}"
    bars = [*program_bars(rows), *map_bars(rows), *boundary_bars(rows)]
    report.emit("vm", bars, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run under 50 s once built")
    try:
        bench(quick=parser.parse_args().quick)
    except vm_build.CannotBuildError as error:
        sys.exit(f"vm: {error}")
