"""Origins between protobuf and values, and the one of whoever names none."""

from typing import Final

from ebpfd.host.peers import Peer
from ebpfd.objects.origin import Origin
from ebpfd_api.v1 import hook_pb2 as pb
from ebpfd_api.v1 import recordings_pb2

NOBODY: Final = 65534
"""The user for whom there is none on this host."""


def decode_origin(
    message: pb.InvokeRequest | pb.FireRequest | recordings_pb2.RecordedBatch,
) -> Origin | None:
    """The origin that *message* names; None: it names none."""
    if not message.HasField("origin"):
        return None
    said = message.origin
    return said.pid, said.tid, said.uid if said.HasField("uid") else None


def encode_origin(origin: Origin | None) -> pb.Origin | None:
    """An origin for a message, if there is one."""
    if origin is None:
        return None
    pid, tid, uid = origin
    return pb.Origin(pid=pid, tid=tid, uid=uid)


def origin_of(peer: Peer) -> Origin | None:
    """The origin of what *peer* causes; one that has shown a certificate is nobody of this host."""
    if process := peer.process:
        return process.pid, process.pid, process.uid
    return (0, 0, NOBODY) if peer.certificate else None
