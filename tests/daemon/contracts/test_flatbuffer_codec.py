"""Contracts as FlatBuffers: agreed with by flatc's code, and what is wrong with bytes."""

# pyright: basic

import dataclasses
import os
import struct
from enum import IntEnum
from types import SimpleNamespace
from typing import Final

import flatbuffers
import pytest
from hypothesis import given, settings

from ebpfd.contracts import ContractError, ProgramData
from ebpfd.contracts.flatbuffer_codec import decode_flatbuffer, encode_flatbuffer
from ebpfd_api.fbs import ArgumentType as GeneratedArguments
from ebpfd_api.fbs import ReturnType as GeneratedReturns
from ebpfd_api.prototype import ArgumentType, ReturnType
from tests.daemon.contracts import flatbuffer_oracle
from tests.daemon.contracts.samples import SAMPLE, with_descriptor, with_helper
from tests.daemon.contracts.valid import valid_program_data
from tests.extensions.test_shipped_contracts import NAMES, contract

CASES: Final = int(os.environ.get("EBPFD_CASES", "100"))
CONTENT: Final = encode_flatbuffer(SAMPLE)
(ROOT,) = struct.unpack_from("<I", CONTENT)


@pytest.mark.parametrize("name", NAMES)
def test_flatc_reads_ours_and_we_read_flatcs(name: str) -> None:
    """Of each contract that comes with ebpfd."""
    data = contract(name)
    assert flatbuffer_oracle.read_by_flatc(encode_flatbuffer(data)) == (
        flatbuffer_oracle.expected(data)
    )
    assert decode_flatbuffer(flatbuffer_oracle.written_by_flatc(data)) == data


@settings(max_examples=CASES, deadline=None)
@given(data=valid_program_data())
def test_flatc_agrees_about_any_contract(data: ProgramData) -> None:
    """Both ways."""
    assert flatbuffer_oracle.read_by_flatc(encode_flatbuffer(data)) == (
        flatbuffer_oracle.expected(data)
    )
    assert decode_flatbuffer(flatbuffer_oracle.written_by_flatc(data)) == data


@pytest.mark.parametrize(
    ("generated", "kind"),
    [
        (GeneratedArguments.ArgumentType, ArgumentType),
        (GeneratedReturns.ReturnType, ReturnType),
    ],
)
def test_the_schema_has_the_types_of_helpers(generated: type, kind: type[IntEnum]) -> None:
    """All of them, by the same numbers."""
    named = {name: value for name, value in vars(generated).items() if name.isupper()}
    assert named == {each.name: each.value for each in kind}


def table(*offsets: int) -> bytes:
    """A root table whose fields are all offsets, of which 0 is one that is left out."""
    entries = [4 + 4 * slot if offset else 0 for slot, offset in enumerate(offsets)]
    vtable = struct.pack(
        f"<{2 + len(offsets)}H", 4 + 2 * len(offsets), 4 + 4 * len(offsets), *entries
    )
    vtable += bytes(-len(vtable) % 4)
    header = struct.pack("<I4s", 8 + len(vtable), b"EBPD")
    return header + vtable + struct.pack(f"<i{len(offsets)}I", len(vtable), *offsets)


def patched(at: int, value: int) -> bytes:
    """The sample with other four bytes."""
    return CONTENT[:at] + struct.pack("<I", value) + CONTENT[at + 4 :]


WRONG: Final = {
    "nothing": (b"", "flatbuffers"),
    "another identifier": (CONTENT[:4] + b"EBPC" + CONTENT[8:], "flatbuffers"),
    "only a header": (CONTENT[:8], "program_data"),
    "root into itself": (patched(0, 0), "flatbuffers"),
    "root behind the end": (patched(0, 2**32 - 1), "program_data"),
    "vtable before the start": (patched(ROOT, 2**31 - 1), "program_data"),
    "vtable behind the end": (patched(ROOT, 2**31), "program_data"),
    "cut": (CONTENT[:-4], None),
    "no program information": (table(0, 0), "program_info"),
    "program information behind the end": (table(2**32 - 1), "program_info"),
    "program information that is itself": (table(0xFFFF_FFFC), "program_info"),
    "offset into itself": (table(1), "program_info"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """By the field that could not be read."""
    content, field = WRONG[case]
    with pytest.raises(ContractError) as caught:
        decode_flatbuffer(content)
    assert field is None or caught.value.field == field


OWN: Final = "program_type_specific_helpers"
UNSOUND: Final = {
    "return type": (with_helper(SAMPLE, 1, return_type=200), f"{OWN}[1].return_type"),
    "argument": (with_helper(SAMPLE, 1, arguments=(4, 16, 0, 0, 0)), f"{OWN}[1].arguments[1]"),
    "six arguments": (with_helper(SAMPLE, 1, arguments=(1,) * 6), f"{OWN}[1].arguments"),
    "GUID": (
        with_descriptor(SAMPLE, program_type=SimpleNamespace(bytes=bytes(15))),
        "type_descriptor.program_type",
    ),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_a_value_that_cannot_be_is_named(case: str) -> None:
    """In a buffer that is sound otherwise."""
    data, field = UNSOUND[case]
    with pytest.raises(ContractError) as caught:
        decode_flatbuffer(flatbuffer_oracle.written_by_flatc(data))
    assert caught.value.field == field


@pytest.mark.parametrize("bad", [b"function\xff\0", b"function1\1"])
def test_a_name_is_utf_8_up_to_a_zero(bad: bytes) -> None:
    """The error names whose it is."""
    with pytest.raises(ContractError) as caught:
        decode_flatbuffer(CONTENT.replace(b"function1\0", bad))
    assert caught.value.field == f"{OWN}[0].name"


def test_a_length_that_cannot_be_is_refused_before_anything_is_made() -> None:
    """Four billion bytes of a name."""
    length = struct.pack("<I", len("function1"))
    huge = CONTENT.replace(length + b"function1", struct.pack("<I", 2**32 - 1) + b"function1")
    with pytest.raises(ContractError) as caught:
        decode_flatbuffer(huge)
    assert caught.value.field == f"{OWN}[0].name"


def test_a_small_buffer_does_not_become_a_large_value() -> None:
    """A thousand prefixes, all of them the same hundred kilobytes."""
    data = dataclasses.replace(SAMPLE, section_prefixes=("x" * 100_000,) * 1000)
    content = flatbuffer_oracle.written_by_flatc(data)
    assert len(content) < 110_000
    with pytest.raises(ContractError, match="again and again") as caught:
        decode_flatbuffer(content)
    assert caught.value.field.startswith("section_prefixes[")


class LaterBuilder(flatbuffers.Builder):  # type: ignore[misc]  # it has no types
    """Writes tables of a later schema: each has one field more than we know."""

    def StartObject(self, numfields: int) -> None:  # noqa: N802
        """Make room for the field."""
        self.added = numfields
        super().StartObject(numfields + 1)

    def EndObject(self) -> int:  # noqa: N802
        """Write the field."""
        self.PrependUint32Slot(self.added, 7, 0)
        return int(super().EndObject())


def test_fields_that_a_later_schema_adds_are_passed_over() -> None:
    """So an older daemon reads what a newer one wrote."""
    content = flatbuffer_oracle.written_by_flatc(SAMPLE, LaterBuilder())
    assert len(content) > len(flatbuffer_oracle.written_by_flatc(SAMPLE))
    assert decode_flatbuffer(content) == SAMPLE
