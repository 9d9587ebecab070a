"""The ``Objects`` service."""

from typing import Any, Final, TypeAlias

import grpc

from ebpfd.errors import RequestError
from ebpfd.host.owners import Owners
from ebpfd.host.services import Services
from ebpfd.objects import Kind, Objects
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.peers import Peers, encode_peer
from ebpfd.rpc.status import answering
from ebpfd.rpc.streams import Streams
from ebpfd_api.result import Result
from ebpfd_api.v1 import objects_pb2 as pb
from ebpfd_api.v1 import objects_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

TYPES: Final[dict[Kind, pb.ObjectType]] = {
    "program": pb.OBJECT_TYPE_PROGRAM,
    "map": pb.OBJECT_TYPE_MAP,
    "link": pb.OBJECT_TYPE_LINK,
}
_KINDS: Final[dict[int, Kind]] = {number: kind for kind, number in TYPES.items()}


def decode_type(number: pb.ObjectType) -> Kind:
    """A type of objects, or ``RequestError`` INVALID_ARGUMENT."""
    if number not in _KINDS:
        message = f"type is {number}: program (1), map (2) and link (3) are possible"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    return _KINDS[number]


class ObjectsServicer(services_pb.ObjectsServicer):
    """Owners and ids."""

    def __init__(
        self,
        *,
        objects: Objects,
        owners: Owners,
        peers: Peers,
        services: Services,
        streams: Streams,
    ) -> None:
        self._objects = objects
        self._owners = owners
        self._peers = peers
        self._services = services
        self._streams = streams

    async def Hold(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request: pb.HoldRequest,
        context: "grpc.aio.ServicerContext[pb.HoldRequest, pb.HoldResponse]",
    ) -> None:
        """An owner, until the caller hangs up or the daemon stops."""
        self._streams.opened(context)
        token = self._owners.begin(request.name, self._peers.of(context))
        try:
            await context.write(pb.HoldResponse(token=token))
            await self._owners.closed.wait()
        finally:
            self._services.start(self._owners.end(token), name=f"end of {request.name}")

    async def End(self, request: pb.EndRequest, context: _Context) -> pb.EndResponse:
        """End the caller's owner."""
        del request
        response = pb.EndResponse()
        with answering(response.status):
            token = token_of(context)
            self._owners.find(token)
            if token is not None:
                await self._services.finish(self._owners.end(token), name="end of an owner")
        return response

    async def ListOwners(
        self, request: pb.ListOwnersRequest, context: _Context
    ) -> pb.ListOwnersResponse:
        """Who holds what."""
        del request, context
        response = pb.ListOwnersResponse()
        for owner in self._owners.all():
            ids = sorted(each.id for each in self._objects.owned(owner))
            peer = encode_peer(self._owners.peer_of(owner))
            response.owners.add(name=owner.name, ids=ids, peer=peer)
        return response

    async def NextId(self, request: pb.NextIdRequest, context: _Context) -> pb.NextIdResponse:
        """The id that follows."""
        del context
        response = pb.NextIdResponse()
        with answering(response.status):
            response.id = self._objects.id_after(decode_type(request.type), request.after)
        return response
