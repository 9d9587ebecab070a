"""The layout of a context as types that the loader understands."""

from typing import Annotated

import pytest

from ebpfd_sdk import I32, U16, U64, Context, Data, DataEnd, Length, ProgramType, hidden
from ebpfd_sdk._btf import context_btf
from ebpfd_vm import EngineError, parse_object
from tests.e2e.test_program_reload import VISITS

GUID = "5e1d9a3c-2b4f-4c6d-8e7f-0a1b2c3d4e5f"


class Everything(Context):
    """Each kind of field."""

    data: Data = 0
    data_end: DataEnd = 0
    visitor: I32 = 0
    label: Annotated[bytes, Length(6)] = b""
    floor: U16 = 0
    large: U64 = 0
    secret: U64 = hidden(0)


def test_each_field_has_its_type_and_place() -> None:
    """A program that was compiled for another layout finds them."""
    (spec,) = parse_object(VISITS.read_bytes()).programs
    relocated = spec.relocated(context_btf("visit_t", Everything.layout))
    loads = [relocated.instructions[at : at + 8] for at in range(0, 32, 8)]
    offsets = {int.from_bytes(each[2:4], "little") for each in loads if each[0] & 7 == 1}
    assert offsets == {16, 26}


def test_what_is_hidden_is_not_told() -> None:
    """Its name is in no type."""
    content = context_btf("visit_t", Everything.layout)
    assert b"label\0" in content
    assert b"secret" not in content


def test_a_program_type_ships_its_layout() -> None:
    """Under the name that its C header has."""
    named = ProgramType(GUID, Everything, name="my type", section="x")
    data = named.program_data()
    assert data.context_type == "my_type_context_t"
    assert b"_my_type_context\0" in data.context_btf


def test_types_of_another_name_do_not_fit() -> None:
    """The error names what was looked for, where it is used."""
    (spec,) = parse_object(VISITS.read_bytes()).programs
    try:
        relocated = spec.relocated(context_btf("other_t", Everything.layout))
    except EngineError as error:
        assert "visit" in str(error)  # noqa: PT017 (either way is right)
    else:
        assert relocated.instructions != spec.instructions
    with pytest.raises(EngineError, match="BTF"):
        spec.relocated(b"\x9f\xeb")
