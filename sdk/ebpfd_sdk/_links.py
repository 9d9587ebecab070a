"""A link as the hook that it is attached to sees it."""

from dataclasses import dataclass, field

from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._policy import LinkPolicy, policy_of


@dataclass(frozen=True, slots=True)
class Link:
    """A program that somebody attached, or wants to attach, to a hook."""

    binding: int
    parameter: bytes
    """Its layout is the hook's own."""

    flags: int
    """The link's own, or its program's; what they mean is the hook's to say."""

    link_id: int
    program_id: int = field(compare=False)
    program_name: str = field(compare=False)
    """Of the program that it had when it was read: the link's user may have replaced it since."""

    priority: int = 0
    """Of links with one parameter, those with a lower one run first."""

    policy: LinkPolicy = field(default=LinkPolicy(), compare=False)
    """What its user wants for events that find something in their way, as of when it was read."""


def link_of(callback: registrar_pb2.AttachCallback) -> Link:
    """Read who wants to attach."""
    said = callback.peer.characteristics.extension_data
    return Link(
        binding=callback.binding,
        parameter=said.data,
        flags=said.prog_attach_flags,
        link_id=said.link_id,
        program_id=said.program_id,
        program_name=said.program_name,
        priority=said.priority,
        policy=policy_of(said.policy),
    )
