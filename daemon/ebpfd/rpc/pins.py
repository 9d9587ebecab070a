"""The ``Pins`` service."""

from typing import Any, TypeAlias

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.errors import RequestError
from ebpfd.host.owners import Owners
from ebpfd.host.pins import Pins
from ebpfd.host.services import Services
from ebpfd.objects import Kind, Link, MapObject, Object, Objects, Program, kind_of
from ebpfd.rpc.link_codec import encode_link
from ebpfd.rpc.map_codec import encode_map
from ebpfd.rpc.objects import TYPES, decode_type
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.programs import encode_program
from ebpfd.rpc.status import answering
from ebpfd_api.result import Result
from ebpfd_api.v1 import pins_pb2 as pb
from ebpfd_api.v1 import pins_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class PinsServicer(services_pb.PinsServicer):
    """Pin, unpin, list and open."""

    def __init__(
        self,
        *,
        pins: Pins,
        owners: Owners,
        objects: Objects,
        contracts: KnownContracts,
        services: Services,
    ) -> None:
        self._pins = pins
        self._owners = owners
        self._objects = objects
        self._contracts = contracts
        self._services = services

    async def Pin(self, request: pb.PinRequest, context: _Context) -> pb.PinResponse:
        """Pin an object."""
        del context
        response = pb.PinResponse()
        with answering(response.status):
            pinning = self._pins.pin(request.path, request.id)
            pinned = await self._services.finish(pinning, name=f"pin {request.path}")
            response.pin.CopyFrom(_encode(*pinned))
        return response

    async def Unpin(self, request: pb.UnpinRequest, context: _Context) -> pb.UnpinResponse:
        """Remove a pin."""
        del context
        response = pb.UnpinResponse()
        with answering(response.status):
            unpinning = self._pins.unpin(request.path)
            await self._services.finish(unpinning, name=f"unpin {request.path}")
        return response

    async def List(self, request: pb.PinsListRequest, context: _Context) -> pb.PinsListResponse:
        """All pins by path."""
        del context
        response = pb.PinsListResponse()
        with answering(response.status):
            kinds: list[Kind] = [decode_type(each) for each in request.types]
            response.pins.extend(_encode(*each) for each in self._objects.pins(kinds=kinds))
        return response

    async def Next(self, request: pb.PinsNextRequest, context: _Context) -> pb.PinsNextResponse:
        """The pin that follows."""
        del context
        response = pb.PinsNextResponse()
        with answering(response.status):
            kinds: list[Kind] = [decode_type(each) for each in request.types]
            found = next(self._objects.pins(request.after, kinds), None)
            if found is None:
                raise RequestError(Result.NO_MORE_KEYS, "there are no more pins")
            response.pin.CopyFrom(_encode(*found))
        return response

    async def Open(self, request: pb.OpenRequest, context: _Context) -> pb.OpenResponse:
        """What a path leads to, or what has an id."""
        response = pb.OpenResponse()
        with answering(response.status):
            owner = self._owners.find(token_of(context))
            what = request.id if request.HasField("id") else request.path
            match self._pins.open(what, owner):
                case Program() as program:
                    response.program.CopyFrom(encode_program(program, self._objects))
                    response.maps.extend(encode_map(each) for each in program.maps)
                case MapObject() as map_object:
                    response.map.CopyFrom(encode_map(map_object))
                case Link() as link:
                    response.link.CopyFrom(encode_link(link, self._contracts))
        return response


def _encode(path: str, pinned: Object) -> pb.PinnedObject:
    name = pinned.program.name if isinstance(pinned, Link) else pinned.name
    return pb.PinnedObject(path=path, id=pinned.id, type=TYPES[kind_of(pinned)], name=name)
