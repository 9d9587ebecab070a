"""Hooks as a client sees them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.v1 import links_pb2
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._decode import guid
from ebpfd_sdk._program import AttachedLink, link_of


@dataclass(frozen=True, slots=True)
class HookInfo:
    """A hook that the daemon knows, and who is attached to it, when it was asked."""

    attach_type: UUID
    name: str
    program_type: UUID
    program_type_name: str
    capability: AttachCapability
    """How many links it takes; UNSPECIFIED: by a rule of its provider's own."""

    wildcards: tuple[bytes, ...]
    """Parameters of links that are for every event."""

    closed_result: int | None
    """What stops an event; None: the hook does not say."""

    provider: str
    """Who provides it now; empty: nobody does."""

    link_type: int
    bpf_attach_type: int
    links: tuple[AttachedLink, ...]
    """In invocation order: specific parameters before wildcards, then priority, then age."""

    hosted: bool = False
    """The daemon provides it itself, by ``Client.create_hook`` or its contract."""

    default_result: int = 0
    """Of events that reach nobody."""


def hook_of(message: links_pb2.HookInfo, daemon: Daemon) -> HookInfo:
    """Read a hook's description."""
    return HookInfo(
        attach_type=guid(message.attach_type),
        name=message.name,
        program_type=guid(message.program_type),
        program_type_name=message.program_type_name,
        capability=_capability(message.capability),
        wildcards=tuple(message.wildcards),
        closed_result=message.closed_result if message.HasField("closed_result") else None,
        provider=message.provider,
        hosted=message.hosted,
        default_result=message.default_result,
        link_type=message.link_type,
        bpf_attach_type=message.bpf_attach_type,
        links=tuple(link_of(each, daemon) for each in message.links),
    )


def named_result(field: str, result: int | str | None) -> dict[str, Any]:
    """Say a result in *field*, or its name in that for names."""
    if result is None:
        return {}
    return {field if isinstance(result, int) else f"{field}_name": result}


def _capability(number: int) -> AttachCapability:
    """A newer daemon may know one that we do not."""
    known = number in AttachCapability._value2member_map_
    return AttachCapability(number) if known else AttachCapability.UNSPECIFIED
