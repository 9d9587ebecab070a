"""MS-RPCE type serialization: agreed with by impacket, and what is wrong with bytes."""

import dataclasses
import os
from typing import Final

import pytest
from hypothesis import given, settings

from ebpfd.contracts import ContractError, ProgramData
from ebpfd.contracts.rpce_codec import (
    HISTORIC_DEFAULTS,
    decode_historic,
    decode_rpce,
    encode_historic,
    encode_rpce,
)
from tests.daemon.contracts import ndr_oracle
from tests.daemon.contracts.samples import SAMPLE
from tests.daemon.contracts.valid import valid_program_data
from tests.extensions.test_shipped_contracts import NAMES, contract

CASES: Final = int(os.environ.get("EBPFD_CASES", "100"))
HEADER: Final = bytes.fromhex("01100800cccccccc")


@pytest.mark.parametrize("name", NAMES)
def test_impacket_reads_ours_and_we_read_impackets(name: str) -> None:
    """Of each contract that comes with ebpfd."""
    data = contract(name)
    assert ndr_oracle.read_by_impacket(encode_rpce(data)) == ndr_oracle.expected(data)
    assert decode_rpce(ndr_oracle.impackets(data)) == data


@settings(max_examples=CASES, deadline=None)
@given(data=valid_program_data())
def test_impacket_agrees_about_any_contract(data: ProgramData) -> None:
    """Both ways; of the historical shape what it holds comes over."""
    assert ndr_oracle.read_by_impacket(encode_rpce(data)) == ndr_oracle.expected(data)
    assert decode_rpce(ndr_oracle.impackets(data)) == data
    read = decode_historic(ndr_oracle.impackets_historic(data))
    assert encode_historic(read) == encode_historic(decode_historic(encode_historic(read)))
    info, said = read.program_info, data.program_info
    assert info.type_descriptor == dataclasses.replace(said.type_descriptor, bpf_prog_type=0)
    for helpers, known in (
        (info.program_type_specific_helpers, said.program_type_specific_helpers),
        (info.global_helpers, said.global_helpers),
    ):
        assert list(helpers) == [
            dataclasses.replace(each, reallocate_packet=False, implicit_context=False, code=b"")
            for each in known
        ]
    assert read.helper_addresses == {each.helper_id for each in info.helpers()}
    assert (read.required_irql, read.capabilities, read.fields) == (0, 0, ())
    assert HISTORIC_DEFAULTS["required_irql"] == 0


def test_the_headers_are_those_of_type_serialization() -> None:
    """Version 1, little-endian, and the length of what follows."""
    content = encode_rpce(SAMPLE)
    assert content[:8] == HEADER
    assert int.from_bytes(content[8:12], "little") == len(content) - 16
    assert content[12:16] == bytes(4)
    assert len(content) % 8 == 0


CONTENT: Final = encode_rpce(SAMPLE)
LONGER: Final = (len(CONTENT) - 8).to_bytes(4, "little")
WRONG: Final = {
    "short": (CONTENT[:10], "rpce"),
    "version": (b"\x02" + CONTENT[1:], "rpce.common_header"),
    "big-endian": (CONTENT[:1] + b"\x00" + CONTENT[2:], "rpce.common_header"),
    "cut": (CONTENT[:-8], "rpce.private_header"),
    "null": (CONTENT[:16] + bytes(4) + CONTENT[20:], "program_data"),
    "more": (CONTENT[:8] + LONGER + CONTENT[12:] + b"\x01" + bytes(7), "rpce"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """By the part of the serialization."""
    content, field = WRONG[case]
    with pytest.raises(ContractError) as caught:
        decode_rpce(content)
    assert caught.value.field == field


def test_a_count_that_cannot_be_is_refused_before_anything_is_made() -> None:
    """Four billion helpers in a kilobyte."""
    content = encode_rpce(SAMPLE)
    many = len(SAMPLE.program_info.program_type_specific_helpers).to_bytes(4, "little")
    huge = content.replace(many, (2**32 - 1).to_bytes(4, "little"))
    with pytest.raises(ContractError):
        decode_rpce(huge)
