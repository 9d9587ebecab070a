"""The ``Access`` service."""

from typing import Any, TypeAlias

import grpc

from ebpfd.access import Role
from ebpfd.rpc.callers import Callers, subjects_of
from ebpfd.rpc.peers import encode_peer
from ebpfd_api.v1 import access_pb2 as pb
from ebpfd_api.v1 import access_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class AccessServicer(services_pb.AccessServicer):
    """Tells callers who they are."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    async def WhoAmI(self, request: pb.WhoAmIRequest, context: _Context) -> pb.WhoAmIResponse:
        """The caller, and his roles."""
        del request
        peer, roles = self._callers.peers.of(context), self._callers.roles
        held = () if roles is None else roles.held(subjects_of(peer))
        return pb.WhoAmIResponse(
            peer=encode_peer(peer), restricted=roles is not None, roles=map(_encode, held)
        )


def _encode(role: Role) -> pb.HeldRole:
    rights = [
        pb.Right(action=action.value, things=patterns) for action, patterns in role.may.items()
    ]
    return pb.HeldRole(name=role.name, rights=rights)
