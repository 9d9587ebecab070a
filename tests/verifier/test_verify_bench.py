"""The bench of verifiers counts what it says it counts."""

from typing import Any

import pytest

from tests.bench import verify, verify_cases

MS = 1_000_000


def row(
    *, program: str, ours: dict[str, Any], linux: dict[str, Any], safe: bool = True
) -> dict[str, Any]:
    """A row of the bench, with what two judges said."""
    said = {"ours": ours, "linux": linux, "prevail": {"verdict": "refused"}}
    return {"table": "loops", "program": program, "safe": safe, "judged": said}


def accepted(ms: float, **more: int) -> dict[str, Any]:
    """An acceptance that took so long."""
    return {"verdict": "accepted", "ns": int(ms * MS), **more}


REFUSED = {"verdict": "refused", "ns": MS}


def test_bars_compare_what_both_accept() -> None:
    """A refusal of Linux says nothing of our time, but an unsafe acceptance is counted."""
    rows = [
        row(program="a", ours=accepted(1, proved_loops=1), linux=accepted(4)),
        row(program="b", ours=accepted(6), linux=accepted(2)),
        row(program="c", ours=accepted(90), linux=REFUSED),
        row(program="d", ours=accepted(1), linux=REFUSED, safe=False),
        row(program="e", ours=REFUSED, linux=accepted(1)),
    ]
    values = {bar["name"]: bar["value"] for bar in verify.bars(rows)}
    assert values == {
        "unsafe programs that ours accepts": 1,
        "safe programs that Linux or prevail accepts and ours does not": 1,
        "time / Linux, total": pytest.approx(7 / 6, abs=1e-3),
        "time / Linux, worst program": 3,
        "time / Linux, worst program with proved loops": 0.25,
    }


def test_there_are_no_bars_without_our_own_verifier() -> None:
    """Rows of an absent judge are no failures."""
    absent = {"verdict": "absent"}
    assert verify.bars([row(program="a", ours=absent, linux=accepted(1))]) == []


def test_every_program_has_a_form_for_the_kernel() -> None:
    """The same function of the same source, or the same bytes."""
    cases = list(verify_cases.own(quick=True))
    assert all(
        case.kernel and case.kernel.program.name == case.sample.program.name for case in cases
    )
    assert len({(case.table, case.name) for case in cases}) == len(cases)
