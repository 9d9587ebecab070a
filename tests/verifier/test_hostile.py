"""What is hard to judge is harmless to run."""

import pytest

import ebpfd_vm
from tests.bench import verify_hostile
from tests.engine.sample import CONTEXT_SIZE, INFORMATION, context

NUMBER_AT = 16
PROGRAMS = list(verify_hostile.programs(number_at=NUMBER_AT))
BUDGET = 100_000_000


@pytest.mark.parametrize("number", [0, 0x8000_0001])
@pytest.mark.parametrize("hostile", PROGRAMS, ids=lambda hostile: hostile.name)
def test_a_hostile_program_ends(hostile: verify_hostile.Hostile, number: int) -> None:
    """It never leaves its stack, and ends."""
    [spec] = hostile.parsed().programs
    program = ebpfd_vm.Program(spec, [], INFORMATION, budget=BUDGET)
    code, *_ = program.test_run(context(number)[:CONTEXT_SIZE], b"", 0, 1)
    assert code == 0


def test_the_table_has_what_once_hurt() -> None:
    """Long code, branches, loops side by side and inside of each other, calls that multiply."""
    slots = {each.name: len(each.code) // 8 for each in PROGRAMS}
    assert slots["straight_4000"] == 4_000
    assert slots["branches_1000"] >= 1_000
    assert slots["nested_12"] == 26
    assert slots["calls_8_at_5"] == 47
    assert {"nested_1000", "loops_1000", "two_heads_500"} <= slots.keys()
