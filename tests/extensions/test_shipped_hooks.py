"""The hooks of eBPF for Windows that come with ebpfd, against the numbers of its headers."""

from typing import Final, cast
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.contracts.hook_contract import (
    HookContract,
    decode_hook_contract,
    encode_hook_contract,
)
from ebpfd.rpc.registration_codec import decode_instance
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_extensions.sample.extension import events
from ebpfd_sdk._data_streams import DataStreams
from tests.extensions.test_shipped_contracts import FOLDER, NAMES, contract

HOOKS: Final = FOLDER / "hooks"

MULTI = AttachCapability.MULTI_ATTACH_WITH_WILDCARD
SINGLE = AttachCapability.SINGLE_ATTACH
PER_HOOK = AttachCapability.SINGLE_ATTACH_PER_HOOK
ONE = AttachCapability.ONE_PER_PARAMETER
ITS_OWN = AttachCapability.UNSPECIFIED

ANY: Final = (b"",)
ANY_OR_ZERO: Final = (b"", bytes(4))
"""Of parameters that are a u32: a compartment, or a network interface."""

ALL_EVENTS: Final = (b"\1\0\0\0",)
"""``netevent_attach_opts`` whose capture type is all; there is none without options."""

# GUID, program type, bpf_attach_type, link type (plain 1, cgroup 2, XDP 3), capability, wildcards.
TABLE: Final = {
    "xdp": ("85e0d8ef-579e-4931-b072-8ee226bb2e9d", "xdp", 1, 3, ITS_OWN, ANY_OR_ZERO),
    "bind": ("b9707e04-8127-4c72-833e-05b1fb439496", "bind", 2, 1, SINGLE, ANY),
    "cgroup_inet4_connect": (
        "a82e37b1-aee7-11ec-9a30-18602489beee", "sock_addr", 3, 2, MULTI, ANY_OR_ZERO,
    ),
    "cgroup_inet6_connect": (
        "a82e37b2-aee7-11ec-9a30-18602489beee", "sock_addr", 4, 2, MULTI, ANY_OR_ZERO,
    ),
    "cgroup_inet4_recv_accept": (
        "a82e37b3-aee7-11ec-9a30-18602489beee", "sock_addr", 5, 2, PER_HOOK, ANY_OR_ZERO,
    ),
    "cgroup_inet6_recv_accept": (
        "a82e37b4-aee7-11ec-9a30-18602489beee", "sock_addr", 6, 2, PER_HOOK, ANY_OR_ZERO,
    ),
    "cgroup_sock_ops": (
        "837d02cd-3251-4632-8d94-60d3b45769f2", "sock_ops", 7, 2, PER_HOOK, ANY_OR_ZERO,
    ),
    "sample_ext": ("f788ef4b-207d-4dc3-85cf-0f2ea107213c", "sample", 8, 0, ONE, ()),
    "netevent": ("68011b08-ab6b-4b46-85e4-67bae1afe741", "netevent", 10, 0, MULTI, ALL_EVENTS),
    "process": ("66e20687-9805-4458-a0db-38e220d31685", "process", 11, 0, MULTI, ANY),
    "inet4_connect_authorization": (
        "6076c13a-f04f-4ff8-8380-908553f22276", "sock_addr", 12, 2, MULTI, ANY_OR_ZERO,
    ),
    "inet6_connect_authorization": (
        "54b0b6ed-432a-4674-8b27-8d9f5b40c675", "sock_addr", 13, 2, MULTI, ANY_OR_ZERO,
    ),
    "inet4_bind": (
        "0d7ce21a-7773-405c-93b6-d5bfb92e74bc", "sock_addr", 14, 2, MULTI, ANY_OR_ZERO,
    ),
    "inet6_bind": (
        "81de64c0-2973-468d-8382-6769f033d759", "sock_addr", 15, 2, MULTI, ANY_OR_ZERO,
    ),
    "inet4_listen": (
        "e1b0cb3d-d70c-4ee2-b23a-0742bedb06d6", "sock_addr", 16, 2, PER_HOOK, ANY_OR_ZERO,
    ),
    "inet6_listen": (
        "4e72f92e-5ed0-4fe5-b851-b124fe14074d", "sock_addr", 17, 2, PER_HOOK, ANY_OR_ZERO,
    ),
}  # fmt: skip


def hook(name: str) -> HookContract:
    """One of the files."""
    return decode_hook_contract((HOOKS / f"{name}.json").read_bytes())


def test_there_is_one_for_each_attach_type() -> None:
    """And none beside; each type that comes with ebpfd has its own."""
    assert {path.stem for path in HOOKS.glob("*.json")} == set(TABLE)
    types = {str(hook(name).data.supported_program_type) for name in TABLE}
    assert types == {str(contract(name).program_type) for name in NAMES}


@pytest.mark.parametrize("name", TABLE)
def test_its_numbers_are_those_of_the_headers(name: str) -> None:
    """And its capability is that of the extension that has it; nobody hosts it unasked."""
    guid, type_, bpf_attach_type, link_type, capability, wildcards = TABLE[name]
    found = hook(name)
    assert found.attach_type == UUID(guid)
    data = found.data
    assert (data.name, data.supported_program_type) == (name, contract(type_).program_type)
    assert (data.bpf_attach_type, data.link_type) == (bpf_attach_type, link_type)
    assert (data.capability, data.wildcards) == (capability, wildcards)
    assert (data.closed_result, data.default_result, data.hosted) == (None, None, False)


@pytest.mark.parametrize("name", TABLE)
def test_its_file_is_as_it_is_written(name: str) -> None:
    """``ebpfctl hook export`` writes it so."""
    assert encode_hook_contract(hook(name)) == (HOOKS / f"{name}.json").read_bytes()


def test_the_sample_extension_offers_the_same() -> None:
    """A hook that was imported is the one that comes."""
    no_streams = cast("DataStreams", None)
    offered = decode_instance(events.provider(no_streams).instance(), nmr.Role.PROVIDER)
    found = hook("sample_ext")
    assert (offered.module_id.value, offered.characteristics) == (found.attach_type, found.data)
