"""What a program type says of itself beside its context and helpers."""

from collections.abc import Callable
from typing import Any

import pytest

from ebpfd_sdk import U32, Context, DeclarationError, FunctionModule, Hook, ProgramType

GUID = "5e1d9a3c-2b4f-4c6d-8e7f-0a1b2c3d4e5f"


class Door(Context):
    """Sixteen bytes."""

    visitor: U32 = 0
    floor: U32 = 0
    rest: U32 = 0
    more: U32 = 0


def test_results_have_names_and_may_stop_a_chain() -> None:
    """As the contract has them."""
    doors = ProgramType(
        GUID,
        Door,
        results={0: "OPEN", 1: "SHUT"},
        stop_on={1},
        other_results_stop=True,
        default_result=1,
    )
    data = doors.program_data()
    assert [(each.value, each.name, each.stops_chain) for each in data.results] == [
        (0, "OPEN", False),
        (1, "SHUT", True),
    ]
    assert (data.other_results_stop, data.default_result) == (True, 1)


def test_what_is_no_guid_is_named() -> None:
    """With what it is of, and what to write."""
    with pytest.raises(DeclarationError, match=r"program type Door: 'door' is no GUID: write 32"):
        ProgramType("door", Door)
    doors = ProgramType(GUID, Door)
    with pytest.raises(DeclarationError, match=r"hook entry: '' is no GUID"):
        Hook("", doors, name="entry")
    with pytest.raises(DeclarationError, match=r"module locks: 'x' is no GUID"):
        FunctionModule("x", name="locks")


def test_nothing_is_said_by_default() -> None:
    """No names, nothing stops a chain."""
    data = ProgramType(GUID, Door).program_data()
    assert (len(data.results), data.other_results_stop, data.default_result) == (0, False, 0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"results": {-1: "NO"}}, "result -1 is no u32"),
        ({"default_result": 2**32}, "result 4294967296 is no u32"),
        ({"default_result": "open"}, "result 'open' is no u32"),
        ({"results": {"OPEN": 0}}, "result 'OPEN' is no u32"),
        ({"results": {0: "OPEN"}, "stop_on": {1}}, "stop_on has 1, which results does not name"),
    ],
)
def test_what_makes_no_sense_is_told_where_it_is_declared(given: Any, says: str) -> None:
    """Not when the extension connects."""
    with pytest.raises(DeclarationError, match=says):
        ProgramType(GUID, Door, **given)


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (lambda: Hook(GUID, wrong(Door)), "a ProgramType is wanted, not Door"),
        (lambda: Hook(GUID, wrong(7)), "a ProgramType is wanted, not int"),
        (
            lambda: Hook(GUID, ProgramType(GUID, Door), name="entry", closed_result=wrong("no")),
            "hook entry: closed_result 'no' is no u32",
        ),
        (lambda: ProgramType(GUID, wrong(7)), "7 has no fields"),
    ],
)
def test_what_a_hook_cannot_be_made_of_is_named(declare: Callable[[], object], says: str) -> None:
    """Where it is declared."""
    with pytest.raises(DeclarationError, match=says):
        declare()


def wrong(given: object) -> Any:
    """What type checkers would refuse."""
    return given
