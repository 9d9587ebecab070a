"""Who a client is in the daemon's eyes, and what it may do there."""

from collections.abc import Mapping
from dataclasses import dataclass

from ebpfd_api.v1 import access_pb2
from ebpfd_sdk._decode import peer_of
from ebpfd_sdk._values import Peer


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a client has."""

    name: str
    rights: Mapping[str, tuple[str, ...]]
    """By action, such as ``load`` or ``read``, the things that it is allowed for.

    They are ``*``, or begin with their kind: ``guid:``, ``name:``, ``path:``, ``of:``; and ``own``
    are maps that the client itself holds.
    """


@dataclass(frozen=True, slots=True)
class Me:
    """A client as its daemon knows it."""

    peer: Peer
    restricted: bool
    """Whether there are roles; if there are none, everybody may do all."""

    roles: tuple[HeldRole, ...]


def me_of(message: access_pb2.WhoAmIResponse) -> Me:
    """What the daemon has answered."""
    roles = tuple(
        HeldRole(each.name, {right.action: tuple(right.things) for right in each.rights})
        for each in message.roles
    )
    return Me(peer_of(message.peer), message.restricted, roles)
