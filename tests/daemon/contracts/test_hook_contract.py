"""Contracts of hooks as JSON: read back as they were written, and refused by the field."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.contracts import AttachProviderData, ContractError
from ebpfd.contracts.hook_contract import (
    HookContract,
    decode_hook_contract,
    encode_hook_contract,
)
from ebpfd_api.attach_capability import AttachCapability

GATE = HookContract(
    UUID(int=5),
    AttachProviderData(
        supported_program_type=UUID(int=6),
        name="gate",
        capability=AttachCapability.SINGLE_ATTACH,
        wildcards=(b"", b"\xff"),
        default_result=0,
        hosted=True,
    ),
)
numbers = st.integers(0, 2**32 - 1)


@given(
    st.uuids().filter(lambda guid: guid.int != 0),
    st.text(st.characters(categories=("L", "N", "P")), min_size=1),
    st.tuples(numbers, numbers, st.none() | numbers, st.none() | numbers),
    st.lists(st.binary(max_size=8)),
    st.booleans(),
)
def test_a_hook_is_read_as_it_was_written(
    guid: UUID,
    name: str,
    given_numbers: tuple[int, int, int | None, int | None],
    wildcards: list[bytes],
    hosted: bool,
) -> None:
    """Whatever is in it."""
    bpf_attach_type, link_type, closed_result, default_result = given_numbers
    data = replace(
        GATE.data,
        name=name,
        bpf_attach_type=bpf_attach_type,
        link_type=link_type,
        closed_result=closed_result,
        default_result=default_result,
        wildcards=tuple(wildcards),
        hosted=hosted,
    )
    contract = HookContract(guid, data)
    assert decode_hook_contract(encode_hook_contract(contract)) == contract


def test_what_has_its_default_may_be_left_out() -> None:
    """A hook needs its GUID, its programs' type and a name."""
    said = {"attach_type": str(UUID(int=5)), "supported_program_type": str(UUID(int=6))}
    read = decode_hook_contract(json.dumps(said | {"name": "gate"}).encode())
    wanted = AttachProviderData(supported_program_type=UUID(int=6), name="gate")
    assert read == HookContract(UUID(int=5), wanted)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"attach_type": None}, "attach_type: must be a GUID as text"),
        ({"attach_type": str(UUID(int=0))}, "attach_type: must not be the all-zero GUID"),
        ({"supported_program_type": str(UUID(int=0))}, "supported_program_type: must not be"),
        ({"name": ""}, "name: a hook needs one"),
        ({"name": "a\n"}, "name: a hook needs one"),
        ({"capability": "ANY"}, "capability: 'ANY' is no AttachCapability"),
        ({"capability": "UNSPECIFIED"}, "capability: the daemon hosts it"),
        ({"capability": "ONE_PER_PARAMETER"}, "wildcards: a hook with one link for each"),
        ({"wildcards": ["?"]}, r"wildcards\[0\]: is no base64"),
        ({"default_result": -1}, "default_result: -1 is no unsigned 32-bit number"),
        ({"closed_result": 2**32}, "closed_result: 4294967296 is no unsigned"),
        ({"link_type": True}, "link_type: must be a whole number"),
        ({"hosted": 1}, "hosted: must be true or false"),
        ({"provider": "me"}, "provider: is no field of a contract"),
        ({"version": 2}, "version: 2 is not 1"),
    ],
)
def test_one_clear_error_names_the_field(change: dict[str, Any], problem: str) -> None:
    """And nothing else is said."""
    said = json.loads(encode_hook_contract(GATE)) | change
    with pytest.raises(ContractError, match=problem):
        decode_hook_contract(json.dumps(said).encode())


def test_a_hook_needs_its_guid() -> None:
    """Which no name stands for."""
    said = json.loads(encode_hook_contract(GATE))
    del said["attach_type"]
    with pytest.raises(ContractError, match="attach_type: is missing"):
        decode_hook_contract(json.dumps(said).encode())
