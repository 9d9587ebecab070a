"""Three verifiers on the same programs: ours, `prevail`, and Linux's where it is permitted.

    python tests/bench/verify.py [--quick] [--limit-s 20] [FOLDER ...]

Without a folder: the corpora of ``tests/verifier``, hostile programs, and those of the bench of
the engine.  A folder has ``NAME.o`` of the sample type, with ``NAME.xdp.o`` beside it for the
kernel, or the sources of such a bench (which are compiled).  One row a program::

    {"table": "loops", "program": "fixed_64", "slots": 15, "safe": true,
     "judged": {"ours": {...}, "prevail": {...}, "linux": {...}}}

where a judge says ``verdict`` (accepted, refused, gave up, timeout, crashed, absent), ``reason``,
``ns``, ``steps`` (instructions processed), ``states``, ``peak_bytes`` and ``worst_case`` as far as
it knows them.  Of unsafe programs that Linux accepts, ``linux_strict`` tells what it says to a
user without CAP_PERFMON.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import ebpfd_vm  # noqa: E402 (found through the line above)
from tests.bench import (  # noqa: E402 (found through the line above)
    report,
    verify_cases,
    verify_linux,
    verify_prevail,
    vm_build,
)
from tests.bench.report import Bar  # noqa: E402
from tests.bench.verify_cases import Case  # noqa: E402
from tests.bench.verify_prevail import Limits  # noqa: E402

Row: TypeAlias = dict[str, Any]

OURS_TIMES: Final = 5
BESIDE_LINUX_TOTAL: Final = 2.0
BESIDE_LINUX_WORST: Final = 10.0
STRAIGHT_S: Final = 0.010
HOSTILE_S: Final = 1.0
HOSTILE_BYTES: Final = 256 << 20


def ours(cases: Sequence[Case]) -> list[Row]:
    """What our own verifier says, in the order of *cases*."""
    return [_ours(case) for case in cases]


def _ours(case: Case) -> Row:
    """One verdict; its time is the least of some, for the machine is shared."""
    maps, information = case.sample.maps, case.information
    verdicts = [
        ebpfd_vm.verify(case.sample.program, maps, information, judges="ours")
        for _ in range(OURS_TIMES)
    ]
    verdict = verdicts[-1]
    row: Row = {
        "judge": "ours",
        "verdict": "accepted" if verdict.accepted else "refused",
        "ns": min(each.duration_ns for each in verdicts),
        "steps": verdict.steps,
        "states": verdict.states,
        "peak_bytes": verdict.peak_bytes,
        "worst_case": verdict.worst_case,
        "proved_loops": verdict.proved_loops,
    }
    if verdict.rejection is not None:
        row["reason"] = verdict.rejection.reason
        if not verdict.decided and "gave up" in verdict.rejection.reason:
            row["verdict"] = "gave up"
    return row


def judged(case: Case, limits: Limits) -> Row:
    """One program's row, without our own verdict."""
    prevail = verify_prevail.judge(case.sample.program, case.sample.maps, case.information, limits)
    row: Row = {
        "table": case.table,
        "program": case.name,
        "slots": len(case.sample.program.instructions) // 8,
        "safe": case.safe,
        "judged": {"ours": {}, "prevail": prevail, "linux": linux(case)},
    }
    if case.safe is False and row["judged"]["linux"]["verdict"] == "accepted":
        row["judged"]["linux_strict"] = linux(case, strict=True)
    return row


def linux(case: Case, *, strict: bool = False) -> Row:
    """The kernel's verdict, on its own form of the program."""
    if case.kernel is None:
        return {"judge": "linux", "verdict": "absent", "reason": "no form for the kernel"}
    return verify_linux.judge(case.kernel.program, case.kernel.maps, strict=strict)


def accepted(row: Row, *judges: str) -> bool:
    """Whether one of *judges* accepts the program."""
    return any(row["judged"][judge].get("verdict") == "accepted" for judge in judges)


def count(name: str, rows: Sequence[Row], wrong: Callable[[Row], bool]) -> Bar:
    """A bar over programs of which there must be none."""
    return report.bar(name, sum(map(wrong, rows)), 0, "lower")


def bars(rows: Sequence[Row]) -> list[Bar]:
    """What our verifier must reach; none where it is absent."""
    mine = [row for row in rows if row["judged"]["ours"].get("verdict", "absent") != "absent"]
    if not mine:
        return []
    found = [
        count(
            "unsafe programs that ours accepts",
            mine,
            lambda row: row["safe"] is False and accepted(row, "ours"),
        ),
        count(
            "safe programs that Linux or prevail accepts and ours does not",
            mine,
            lambda row: (
                row["safe"] is not False
                and accepted(row, "linux", "prevail")
                and not accepted(row, "ours")
            ),
        ),
    ]
    return [*found, *beside_linux(mine), *hostile(mine)]


def beside_linux(rows: Sequence[Row]) -> list[Bar]:
    """Times of programs that both judges accept."""
    both = [
        (row["judged"]["ours"]["ns"], max(1000, row["judged"]["linux"]["ns"]), row)
        for row in rows
        if accepted(row, "ours") and accepted(row, "linux")
    ]
    if not both:
        return []
    total = sum(mine for mine, _, _ in both) / sum(theirs for _, theirs, _ in both)
    worst = max(mine / theirs for mine, theirs, _ in both)
    proved = [
        mine / theirs for mine, theirs, row in both if row["judged"]["ours"].get("proved_loops")
    ]
    found = [
        report.bar("time / Linux, total", total, BESIDE_LINUX_TOTAL, "lower"),
        report.bar("time / Linux, worst program", worst, BESIDE_LINUX_WORST, "lower"),
    ]
    if proved:
        name = "time / Linux, worst program with proved loops"
        found.append(report.bar(name, max(proved), 1.0, "lower"))
    return found


def hostile(rows: Sequence[Row]) -> list[Bar]:
    """Hostile programs are decided, whatever the verdict."""
    mine = {row["program"]: row["judged"]["ours"] for row in rows if row["table"] == "hostile"}
    if not mine:
        return []
    straight = mine["straight_4000"]["ns"] / 1e9
    slowest = max(row["ns"] for row in mine.values()) / 1e9
    largest = max(row["peak_bytes"] for row in mine.values())
    return [
        report.bar("4,000 straight instructions, s", straight, STRAIGHT_S, "lower"),
        report.bar("hostile programs, slowest, s", slowest, HOSTILE_S, "lower"),
        report.bar("hostile programs, largest, bytes", largest, HOSTILE_BYTES, "lower"),
    ]


def gather(folders: Sequence[Path], scratch: Path, *, quick: bool) -> list[Case]:
    """The programs that are asked about."""
    if folders:
        found = [case for each in folders for case in verify_cases.folder(each, scratch)]
        if not found:
            raise vm_build.CannotBuildError("no programs in these folders")
        return found
    cases = list(verify_cases.own(quick=quick))
    try:
        cases += verify_cases.folder(vm_build.SOURCES, scratch)
    except vm_build.CannotBuildError as error:
        sys.stderr.write(f"without the programs of the engine's bench: {error}\n")
    return cases


def bench(folders: Sequence[Path], limits: Limits, *, quick: bool) -> None:
    """Ask all judges about all programs, print the report."""
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        cases = gather(folders, Path(name), quick=quick)
        rows: list[Row] = []
        for case in cases:
            sys.stderr.write(f"{case.table} {case.name}\n")
            rows.append(judged(case, limits))
        for row, own in zip(rows, ours(cases), strict=True):
            row["judged"]["ours"] = own
    report.emit("verify", bars(rows), rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without what takes most of a minute")
    parser.add_argument("--limit-s", type=float, default=20.0, help="for each run of prevail")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    try:
        bench(options.folders, Limits(seconds=options.limit_s), quick=options.quick)
    except vm_build.CannotBuildError as error:
        sys.exit(f"verify: {error}")
