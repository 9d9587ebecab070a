"""What ``ebpfctl top`` makes of two readings."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.cli.rates import period
from ebpfd.cli.top import as_json, as_text
from ebpfd_sdk import Latency, LinkOutcomes, LinkStats, ProgramCounters, ProgramStats, Result, Stats

SECOND: Final = 1_000_000_000


def link(number: int, runs: int = 0, each_ns: int = 100, timeout: int = 0) -> LinkStats:
    """A link whose runs all took as long."""
    return LinkStats(
        id=number,
        program_id=number + 1,
        program_name=f"p{number}",
        attach_type=UUID(int=1),
        attach_type_name="hook",
        parameter=b"\7",
        counters=ProgramCounters(runs, runs * each_ns, {Result.TIMEOUT: timeout}),
        latency=Latency((*[0] * 22, runs)) if runs else Latency(),
        outcomes=LinkOutcomes(success=runs - timeout, timeout=timeout, overload=number),
        in_flight=3,
        running=1,
    )


def program(number: int, runs: int = 0, failed: int = 0) -> ProgramStats:
    """A program, likewise."""
    counted = ProgramCounters(runs, runs * 100, {Result.FAILED: failed} if failed else {})
    return ProgramStats(number, f"p{number}", "sample", counted, Latency())


def stats(
    at_s: float,
    *links: LinkStats,
    programs: Sequence[ProgramStats] = (),
    started: int = 1,
) -> Stats:
    """A reading."""
    return Stats(
        int(at_s * SECOND), started, links, tuple(programs), 1, 2, 3, 4, 5 << 20, 6, 7, 8, 9
    )


def test_rates_are_of_the_period() -> None:
    """Runs a second, time a run, part of a processor, failures: since the reading before."""
    before = stats(10, link(3, runs=1_000, timeout=4))
    seen = period(before, stats(12, link(3, runs=5_000, timeout=5)))
    ((_, did),) = seen.links
    assert seen.seconds == 2
    assert (did.runs, did.runs_per_s, did.ns_per_run) == (4_000, 2_000, 100)
    assert did.busy == pytest.approx(0.0002)
    assert did.failures == {"timeout": 1}
    assert 96 <= (did.p50_ns or 0) <= (did.p99_ns or 0) <= 112


def test_the_busiest_come_first() -> None:
    """By the time that their runs took, not by how many there were."""
    before = stats(1, link(1), link(2), link(3))
    now = stats(2, link(1), link(2, runs=9), link(3, runs=2, each_ns=1_000))
    assert [each.id for each, _ in period(before, now).links] == [3, 2, 1]


def test_what_does_not_run_has_no_latency() -> None:
    """Nothing is divided by none."""
    ((_, did),) = period(stats(1, link(1, runs=5)), stats(2, link(1, runs=5))).links
    assert (did.runs_per_s, did.busy, did.ns_per_run, did.p50_ns) == (0, 0, None, None)


def test_what_came_or_went_meanwhile() -> None:
    """A new link has all its runs in its first period; one that is gone is not shown."""
    seen = period(stats(1, link(1, runs=7)), stats(2, link(2, runs=3)))
    assert [(each.id, did.runs) for each, did in seen.links] == [(2, 3)]


def test_a_daemon_that_has_started_anew() -> None:
    """Its counts are compared with nothing, and are of all the time since."""
    before = stats(100, link(1, runs=9_000), started=1)
    seen = period(before, stats(2, link(1, runs=10), started=2))
    ((_, did),) = seen.links
    assert (seen.seconds, did.runs, did.runs_per_s) == (2, 10, 5)


@given(
    st.dictionaries(st.integers(1, 5), st.integers(0, 10**9)),
    st.dictionaries(st.integers(1, 5), st.integers(0, 10**9)),
)
def test_counts_that_only_grow_give_no_negative_rate(
    then: dict[int, int], more: dict[int, int]
) -> None:
    """Whatever there was before, and whatever came."""
    before = stats(1, *(link(number, runs) for number, runs in sorted(then.items())))
    now = {number: then.get(number, 0) + more.get(number, 0) for number in {*then, *more}}
    seen = period(before, stats(2, *(link(number, runs) for number, runs in now.items())))
    assert {each.id: did.runs for each, did in seen.links} == {
        number: more.get(number, 0) for number in now
    }
    for _, did in seen.links:
        assert did.busy >= 0
        assert (did.p50_ns is None) == (did.runs == 0)


def test_a_period_as_people_read_it() -> None:
    """Units that suit, failures by name, a dash where nothing was."""
    before = stats(3_700, link(1), link(2), programs=[program(3)])
    now = stats(
        3_701, link(1, runs=2_000_000, timeout=7), link(2), programs=[program(3, runs=5, failed=2)]
    )
    text = "\n".join(as_text(now, period(before, now)))
    assert text.startswith(
        "up 1:01:41  sessions 1  registrations 2  bindings 3  in flight 8  running 9"
    )
    assert "map bytes 5 MiB" in text
    busy, idle = (line.split() for line in text.splitlines() if line.startswith(("1 ", "2 ")))
    assert busy[:6] == ["1", "p1", "hook", "2,000,000", "100", "20.0%"]
    assert busy[-1] == "timeout=7"
    assert "FAILED=2" in text
    assert idle == ["2", "p2", "hook", "-", "-", "0.0%", "-", "-", "3", "1", "-"]


def test_a_daemon_without_anything() -> None:
    """Says so."""
    text = list(as_text(stats(2), period(stats(1), stats(2))))
    assert text[1:] == ["", "no links", "", "no programs", ""]


def test_a_period_as_programs_read_it() -> None:
    """What happened in it, and all that was counted so far."""
    before = stats(1, link(1, runs=50, timeout=1))
    now = stats(2, link(1, runs=150, timeout=3))
    shown: dict[str, Any] = as_json(now, period(before, now))
    assert (shown["seconds"], shown["uptime_s"], shown["in_flight"]) == (1.0, 2.0, 8)
    assert shown["running"] == 9
    (row,) = shown["links"]
    assert (row["link"], row["program"], row["parameter"], row["in_flight"]) == (1, 2, "07", 3)
    assert row["running"] == 1
    assert (row["runs"], row["failures"]) == (100, {"timeout": 2})
    assert (row["total"]["runs"], row["total"]["nanoseconds"]) == (150, 15_000)
    assert row["total"]["failures"] == {"TIMEOUT": 3}
    assert row["total"]["outcomes"]["success"] == 147
    assert row["total"]["outcomes"]["overload"] == 1
