"""Contracts as structures in memory: every version that there was, and what is wrong with bytes."""

import ctypes
import dataclasses
import os
import struct
from typing import Final

import pytest
from hypothesis import given, settings

from ebpfd.contracts import ContractError, ProgramData
from ebpfd.contracts.flat_codec import decode_flat
from tests.daemon.contracts import flat_oracle
from tests.daemon.contracts.flat_oracle import Data, Info, Prototype, Version, image
from tests.daemon.contracts.samples import SAMPLE, helper, with_helper, with_info
from tests.daemon.contracts.valid import valid_program_data
from tests.extensions.test_shipped_contracts import NAMES, contract

CASES: Final = int(os.environ.get("EBPFD_CASES", "100"))
OWN: Final = "program_type_specific_helpers"
FULL: Final = dataclasses.replace(
    with_helper(
        with_info(SAMPLE, global_helpers=(helper(19, "bpf_get_current_pid_tgid"),)),
        1,
        reallocate_packet=True,
    ),
    required_irql=2,
    capabilities=6,
)
"""The sample with something in each field that the structures have."""

CONTENT: Final = image(FULL)


def without_ours(data: ProgramData) -> ProgramData:
    """What the structures have a place for."""
    return ProgramData(
        program_info=data.program_info,
        required_irql=data.required_irql,
        capabilities=data.capabilities,
        helper_addresses=data.helper_addresses,
    )


def test_the_structures_have_the_sizes_of_the_64_bit_abi() -> None:
    """So what the other tests make is what an extension of eBPF for Windows has in its memory."""
    kinds = (flat_oracle.Context, flat_oracle.Header, flat_oracle.Descriptor, Prototype, Info, Data)
    assert [ctypes.sizeof(each) for each in kinds] == [16, 24, 64, 72, 64, 72]


@pytest.mark.parametrize("name", NAMES)
def test_structures_become_a_contract(name: str) -> None:
    """Each that comes with ebpfd."""
    assert decode_flat(image(contract(name))) == without_ours(contract(name))


@settings(max_examples=CASES, deadline=None)
@given(data=valid_program_data())
def test_the_structures_of_any_contract_become_it_again(data: ProgramData) -> None:
    """But for what ebpfd adds to them."""
    assert decode_flat(image(data)) == without_ours(data)


@pytest.mark.parametrize(
    ("version", "reallocate_packet", "implicit_context"),
    [
        (Version(prototype="arguments", stride=64), False, False),
        (Version(prototype="flags"), True, False),
        (Version(), True, True),
    ],
)
def test_an_older_prototype_has_defaults(
    version: Version, *, reallocate_packet: bool, implicit_context: bool
) -> None:
    """What it does not have is not looked at: there the next one begins."""
    flagged = with_helper(SAMPLE, 3, reallocate_packet=True, implicit_context=True)
    helpers = decode_flat(image(flagged, version)).program_info.program_type_specific_helpers
    assert len(helpers) == 5
    assert helpers[3] == dataclasses.replace(
        SAMPLE.program_info.program_type_specific_helpers[3],
        reallocate_packet=reallocate_packet,
        implicit_context=implicit_context,
    )


def test_an_older_program_data_has_no_capabilities() -> None:
    """Whatever stands behind its end."""
    data = decode_flat(image(FULL, Version(data="required_irql")))
    assert (data.required_irql, data.capabilities) == (2, 0)


def test_the_first_prototype_says_how_far_they_are_apart() -> None:
    """Those of a later version are longer."""
    stride = ctypes.sizeof(flat_oracle.LongerPrototype)
    assert decode_flat(image(FULL, Version(stride=stride))) == without_ours(FULL)


def test_without_a_table_of_addresses_no_helper_is_served() -> None:
    """Prototypes alone are enough to verify by."""
    data = dataclasses.replace(FULL, helper_addresses=frozenset())
    assert decode_flat(image(data)).helper_addresses == frozenset()


def pointer(at: int) -> int:
    """The pointer at an offset of the image."""
    (target,) = struct.unpack_from("<Q", CONTENT, at)
    return int(target)


def patched(at: int, value: int, size: int = 8) -> bytes:
    """The image with another number at *at*."""
    return CONTENT[:at] + value.to_bytes(size, "little") + CONTENT[at + size :]


INFO: Final = pointer(Data.program_info.offset)
DESCRIPTOR: Final = pointer(INFO + Info.type_descriptor.offset)
HELPER: Final = pointer(INFO + Info.own.offset)
SECOND: Final = HELPER + ctypes.sizeof(Prototype)
ADDRESSES: Final = pointer(Data.own_addresses.offset)
TABLE: Final = "program_type_specific_helper_function_addresses"
END: Final = len(CONTENT)
WRONG: Final = {
    "nothing": (b"", "program_data.header"),
    "another version": (patched(0, 2, 2), "program_data.header.version"),
    "larger": (patched(8, 80), "program_data.header.size"),
    "between two sizes": (patched(8, 68), "program_data.header.size"),
    "total below size": (patched(16, 71), "program_data.header.total_size"),
    "no information": (patched(Data.program_info.offset, 0), "program_info"),
    "information outside": (patched(Data.program_info.offset, END), "program_info"),
    "information far outside": (patched(Data.program_info.offset, 2**64 - 1), "program_info"),
    "information at the end": (
        patched(Data.program_info.offset, END - 1),
        "program_info.header",
    ),
    "information's size": (patched(INFO + 8, 72), "program_info.header.size"),
    "level": (patched(Data.required_irql.offset, 16, 1), "required_irql"),
    "no descriptor": (patched(INFO + Info.type_descriptor.offset, 0), "type_descriptor"),
    "descriptor's size": (patched(DESCRIPTOR + 8, 64), "type_descriptor.header.size"),
    "no name": (patched(DESCRIPTOR + 24, 0), "type_descriptor.name"),
    "no context": (patched(DESCRIPTOR + 32, 0), "type_descriptor.context_descriptor"),
    "context at the end": (
        patched(DESCRIPTOR + 32, END - 8),
        "type_descriptor.context_descriptor.end",
    ),
    "no helpers where some are counted": (patched(INFO + Info.own.offset, 0), OWN),
    "too many helpers": (patched(INFO + Info.own_count.offset, 2**32 - 1, 4), OWN),
    "helper's version": (patched(HELPER, 0, 2), f"{OWN}[0].header.version"),
    "second helper's version": (patched(SECOND, 0, 2), f"{OWN}[1].header.version"),
    "second helper's size": (patched(SECOND + 8, 63), f"{OWN}[1].header.size"),
    "helpers that are not apart": (patched(HELPER + 16, 0), f"{OWN}[0].header.total_size"),
    "helpers too far apart": (patched(HELPER + 16, 2**64 - 1), OWN),
    "helper's name": (patched(SECOND + Prototype.name.offset, END), f"{OWN}[1].name"),
    "return type": (
        patched(SECOND + Prototype.return_type.offset, 12, 4),
        f"{OWN}[1].return_type",
    ),
    "argument": (
        patched(SECOND + Prototype.arguments.offset + 4, 16, 4),
        f"{OWN}[1].arguments[1]",
    ),
    "reserved flags": (patched(SECOND + Prototype.flags.offset, 2, 1), f"{OWN}[1].flags"),
    "table's size": (patched(ADDRESSES + 8, 32), f"{TABLE}.header.size"),
    "no addresses": (patched(ADDRESSES + 24, 0, 4), f"{TABLE}.helper_function_count"),
    "too few addresses": (patched(ADDRESSES + 24, 4, 4), f"{TABLE}.helper_function_count"),
    "no array of addresses": (patched(ADDRESSES + 32, 0), f"{TABLE}.helper_function_address"),
    "addresses at the end": (patched(ADDRESSES + 32, END - 8), f"{TABLE}[1]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """By the field of the structure."""
    content, field = WRONG[case]
    with pytest.raises(ContractError) as caught:
        decode_flat(content)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("bad", "problem"), [(b"function\xff\0", "is no UTF-8"), (b"x" * 300 + b"\0", "does not end")]
)
def test_a_name_is_utf_8_and_ends_soon(bad: bytes, problem: str) -> None:
    """The error names whose it is."""
    content = patched(HELPER + Prototype.name.offset, END) + bad
    with pytest.raises(ContractError, match=problem) as caught:
        decode_flat(content)
    assert caught.value.field == f"{OWN}[0].name"
