"""A hook's description as it is kept: JSON, in which what is not said has its default."""

from uuid import UUID

import msgspec

from ebpfd.contracts import AttachProviderData, ContractError
from ebpfd_api.attach_capability import AttachCapability


class _Hook(msgspec.Struct, forbid_unknown_fields=True):
    supported_program_type: UUID
    bpf_attach_type: int = 0
    link_type: int = 0
    name: str = ""
    capability: AttachCapability = AttachCapability.UNSPECIFIED
    wildcards: list[str] = []
    closed_result: int | None = None
    default_result: int | None = None
    hosted: bool = False


def encode_hook(data: AttachProviderData) -> str:
    """*data* as text."""
    hook = _Hook(
        supported_program_type=data.supported_program_type,
        bpf_attach_type=data.bpf_attach_type,
        link_type=data.link_type,
        name=data.name,
        capability=data.capability,
        wildcards=[wildcard.hex() for wildcard in data.wildcards],
        closed_result=data.closed_result,
        default_result=data.default_result,
        hosted=data.hosted,
    )
    return msgspec.json.encode(hook).decode()


def decode_hook(text: str) -> AttachProviderData:
    """What *text* describes; ``ContractError`` says why it describes nothing."""
    try:
        hook = msgspec.json.decode(text, type=_Hook)
        wildcards = tuple(map(bytes.fromhex, hook.wildcards))
    except (msgspec.DecodeError, ValueError) as error:
        raise ContractError("hook", str(error)) from None
    return AttachProviderData(
        supported_program_type=hook.supported_program_type,
        bpf_attach_type=hook.bpf_attach_type,
        link_type=hook.link_type,
        name=hook.name,
        capability=hook.capability,
        wildcards=wildcards,
        closed_result=hook.closed_result,
        default_result=hook.default_result,
        hosted=hook.hosted,
    )
