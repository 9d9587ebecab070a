"""Which helper gets which map, as far as instructions say it plainly."""

import struct

from ebpfd.host.map_uses import helper_calls
from ebpfd_vm import parse_object
from tests.daemon.host.world import object_file


def instruction(
    opcode: int, to: int = 0, source: int = 0, offset: int = 0, value: int = 0
) -> bytes:
    """One instruction of eight bytes."""
    return struct.pack("<BBhi", opcode, source << 4 | to, offset, value)


def load_map(register: int, index: int) -> bytes:
    """``lddw`` of a map by its place."""
    return instruction(0x18, register, 1, value=index) + instruction(0)


def call(helper: int) -> bytes:
    """A call of a helper."""
    return instruction(0x85, value=helper)


def move(to: int, source: int) -> bytes:
    """A copy of a register."""
    return instruction(0xBF, to, source)


EXIT = instruction(0x95)


def found(*code: bytes) -> list[tuple[int, int]]:
    """(helper, map) of all calls that plainly have one."""
    return [(helper, used) for helper, used in helper_calls(b"".join(code)) if used is not None]


def test_a_map_goes_straight_into_a_call() -> None:
    """Each call names its own."""
    assert found(load_map(1, 3), call(2), load_map(1, 4), call(1), EXIT) == [(2, 3), (1, 4)]


def test_a_map_goes_through_another_register() -> None:
    """Calls leave r6 to r9 alone, and take r1 to r5."""
    code = load_map(6, 3), move(1, 6), call(2), call(1), move(1, 6), call(3), EXIT
    assert found(*code) == [(2, 3), (3, 3)]


def test_what_overwrites_a_register_ends_it() -> None:
    """A move of a number, a load from memory, a 64-bit number."""
    for over in (
        instruction(0xB7, 1, value=3),
        instruction(0x79, 1, 10, -8),
        instruction(0x18, 1, value=3) + instruction(0),
        move(1, 7),
    ):
        assert found(load_map(1, 3), over, call(2), EXIT) == []


def test_where_ways_meet_nothing_is_known() -> None:
    """A jump's target, and the beginning of a function that is called."""
    jump = instruction(0x15, 2, offset=2)
    assert found(jump, load_map(1, 3), call(2), EXIT) == []
    function = instruction(0x85, source=1, value=2)
    assert found(function, load_map(1, 3), call(2), EXIT) == []
    assert found(load_map(1, 3), instruction(0x05), call(2), EXIT) == []


def test_a_map_whose_value_is_meant_is_not_the_map() -> None:
    """``lddw`` with source 2 is an address of data."""
    value = instruction(0x18, 1, 2) + instruction(0)
    assert found(value, call(2), EXIT) == []


def test_what_a_compiler_makes_is_found() -> None:
    """Every call of three programs, and no mere mention."""
    programs = parse_object(object_file("custom.o")).programs
    uses = {each.name: sorted(found(each.instructions)) for each in programs}
    assert uses == {"count": [(1, 0), (2, 0)], "mention": [], "touch": [(3, 1)]}
