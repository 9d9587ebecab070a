"""What is said of a program's end, and when several opinions are an acceptance."""

from typing import Any, cast

import pytest

from ebpfd.cli.programs import all_accepted, metering
from ebpfd_sdk import Program, Verdict

OURS, PREVAIL = "ebpfd 0.1.0", "prevail 0.2.6"


def program(**fields: Any) -> Program:
    """A program of which only this is known."""
    blank = dict.fromkeys(Program.__dataclass_fields__)
    return Program(**cast("dict[str, Any]", {**blank, **fields}))


def verdict(name: str, *, accepted: bool, decided: bool = True) -> Verdict:
    """A verdict of which only this is known."""
    blank = dict.fromkeys(Verdict.__dataclass_fields__)
    known = {"program": name, "accepted": accepted, "decided": decided}
    return Verdict(**cast("dict[str, Any]", {**blank, **known}))


@pytest.mark.parametrize(
    ("judge", "metered", "worst", "said"),
    [
        (
            OURS,
            False,
            10_509,
            f"runs without a budget: at most 10,509 instructions, proved by {OURS}",
        ),
        (OURS, True, 2_000_000, "metered: worst case 2,000,000 is above the budget of 1,000,000"),
        (PREVAIL, True, None, f"metered: accepted by {PREVAIL}, which proves no end"),
        (
            OURS,
            True,
            7,
            f"metered, as all that is interpreted: at most 7 instructions, proved by {OURS}",
        ),
        ("", False, None, "runs without a budget"),
        ("", None, None, ""),
    ],
)
def test_how_it_is_made_sure_that_runs_end(
    judge: str, metered: bool | None, worst: int | None, said: str
) -> None:
    """In one sentence: who has proved what, or what ends a run; nothing for an older daemon."""
    told = program(judge=judge, metered=metered, worst_case=worst, budget=1_000_000)
    assert metering(told) == said


@pytest.mark.parametrize(
    ("verdicts", "accepted"),
    [
        ([verdict("a", accepted=True)], True),
        ([verdict("a", accepted=True), verdict("b", accepted=False)], False),
        ([verdict("a", accepted=True), verdict("a", accepted=False)], True),
        ([verdict("a", accepted=False), verdict("a", accepted=True)], False),
        ([verdict("a", accepted=False, decided=False), verdict("a", accepted=True)], True),
        ([verdict("a", accepted=False, decided=False), verdict("a", accepted=False)], False),
        ([verdict("a", accepted=False, decided=False)], False),
    ],
)
def test_the_first_that_decides_counts(verdicts: list[Verdict], accepted: bool) -> None:
    """As when the program is loaded; an undecided one alone is no acceptance."""
    assert all_accepted(verdicts) is accepted
