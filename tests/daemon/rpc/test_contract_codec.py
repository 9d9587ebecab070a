"""Contracts through protobuf and back."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.contracts import AttachProviderData, ContractError, ExtensionData, ProgramData
from ebpfd.rpc.contract_codec import (
    decode_attach_data,
    decode_extension_data,
    decode_guid,
    decode_program_data,
    encode_attach_data,
    encode_extension_data,
    encode_program_data,
)
from ebpfd_api.v1 import contract_pb2 as pb
from tests.daemon.contracts.samples import HOOK_DATA, SAMPLE, program_data


@given(program_data)
def test_program_data_survives_the_wire(data: ProgramData) -> None:
    """Any value that fits, sensible or not, comes back equal, through its bytes."""
    received = pb.ProgramData.FromString(encode_program_data(data).SerializeToString())
    assert decode_program_data(received) == data


@given(
    st.builds(
        ExtensionData,
        data=st.binary(max_size=20),
        prog_attach_flags=st.integers(0, 2**64 - 1),
        link_id=st.integers(0, 2**64 - 1),
        program_id=st.integers(0, 2**64 - 1),
        program_name=st.text(max_size=8),
    )
)
def test_extension_data_survives_the_wire(data: ExtensionData) -> None:
    """What a hook is told of a link."""
    assert decode_extension_data(encode_extension_data(data)) == data


def test_attach_data_survives_the_wire() -> None:
    """What a hook says of itself."""
    assert decode_attach_data(encode_attach_data(HOOK_DATA)) == HOOK_DATA
    assert decode_program_data(encode_program_data(SAMPLE)) == SAMPLE


@pytest.mark.parametrize("length", [0, 1, 15, 17, 1000])
def test_a_guid_has_16_bytes(length: int) -> None:
    """The error names the field and the length."""
    with pytest.raises(ContractError, match=f"here: a GUID has 16 bytes, not {length}"):
        decode_guid(bytes(length), "here")


def test_a_guid_is_in_rfc_4122_order() -> None:
    """The bytes as they are written."""
    text = "f788ef4a-207d-4dc3-85cf-0f2ea107213c"
    assert decode_guid(bytes.fromhex(text.replace("-", "")), "here") == UUID(text)


def test_a_hook_supports_some_program_type() -> None:
    """Not the all-zero GUID."""
    nobody = AttachProviderData(supported_program_type=UUID(int=0))
    with pytest.raises(ContractError) as caught:
        decode_attach_data(encode_attach_data(nobody))
    assert caught.value.field == "supported_program_type"
