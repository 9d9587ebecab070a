"""Who makes a call, in the eyes of roles."""

import os
from typing import Any, TypeAlias

import grpc

from ebpfd.access import ANYBODY, EVERYBODY, Caller, Roles
from ebpfd.host.peers import Peer
from ebpfd.rpc.peers import Peers

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Callers:
    """Callers by their calls; without *roles* each of them may do all."""

    def __init__(self, peers: Peers, roles: Roles | None) -> None:
        self.peers = peers
        self.roles = roles

    def of(self, context: _Context) -> Caller:
        """Who makes this call."""
        return ANYBODY if self.roles is None else self.at(self.peers.of(context))

    def at(self, peer: Peer) -> Caller:
        """Who is at the far end of a session, or has begun an owner."""
        if self.roles is None:
            return ANYBODY
        return Caller(caller_name(peer), subjects_of(peer), self.roles)


def subjects_of(peer: Peer) -> frozenset[str]:
    """All that a peer is, so that roles may name it; of one that is not known, everybody."""
    subjects = {EVERYBODY}
    if process := peer.process:
        subjects |= {f"uid:{process.uid}", f"gid:{process.gid}"}
        if process.uid == os.geteuid():
            subjects.add("owner")
    if certificate := peer.certificate:
        subjects.update(f"cert:{name}" for name in certificate.names)
    return frozenset(subjects)


def caller_name(peer: Peer) -> str:
    """A peer in a message."""
    if process := peer.process:
        return f"uid {process.uid} (pid {process.pid})"
    if certificate := peer.certificate:
        return f"the certificate of {', '.join(certificate.names) or 'nobody'}"
    return "a caller without a token"
