"""The ``Maps`` service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

import grpc

from ebpfd.errors import RequestError
from ebpfd.objects import MapObject, Objects
from ebpfd.rpc.status import answering
from ebpfd_api.map_type import map_type_name
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_api.v1 import maps_pb2_grpc as services_pb
from ebpfd_vm import EngineError, Map

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

ENTRIES_A_MESSAGE: Final = 256


class MapsServicer(services_pb.MapsServicer):
    """Read and write maps."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    async def List(self, request: pb.MapsListRequest, context: _Context) -> pb.MapsListResponse:
        """All maps by id."""
        del request, context
        return pb.MapsListResponse(maps=[encode_map(each) for each in self._objects.maps()])

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        """One value."""
        del context
        response = pb.LookupResponse()
        with answering(response.status):
            try:
                response.value = self._objects.map(request.id).map.lookup(request.key)
            except EngineError as error:
                raise _refused(error) from None
        return response

    async def Update(self, request: pb.UpdateRequest, context: _Context) -> pb.UpdateResponse:
        """Write one value."""
        del context
        response = pb.UpdateResponse()
        with answering(response.status):
            try:
                written = self._objects.map(request.id).map
                written.update(request.key, request.value, request.flags)
            except EngineError as error:
                raise _refused(error) from None
        return response

    async def Delete(self, request: pb.DeleteRequest, context: _Context) -> pb.DeleteResponse:
        """Delete one entry."""
        del context
        response = pb.DeleteResponse()
        with answering(response.status):
            try:
                self._objects.map(request.id).map.delete(request.key)
            except EngineError as error:
                raise _refused(error) from None
        return response

    async def Dump(
        self, request: pb.DumpRequest, context: _Context
    ) -> AsyncIterator[pb.DumpResponse]:
        """All entries, in the map's own order."""
        del context
        response = pb.DumpResponse()
        with answering(response.status):
            dumped = self._objects.map(request.id).map
            after: bytes | None = None
            while entries := _entries(dumped, after):
                yield pb.DumpResponse(
                    entries=[pb.Entry(key=key, value=value) for key, value in entries]
                )
                after = entries[-1][0]
                await asyncio.sleep(0)  # a huge map must not hold up the loop
        if response.status.code:
            yield response


def encode_map(each: MapObject) -> pb.Map:
    """A map for listings."""
    return pb.Map(
        id=each.id,
        name=each.name,
        type=each.map.type,
        type_name=map_type_name(each.map.type),
        key_size=each.map.key_size,
        value_size=each.map.value_size,
        max_entries=each.map.max_entries,
        flags=each.map.flags,
        program_ids=sorted(each.program_ids),
    )


def _entries(dumped: Map, after: bytes | None) -> list[tuple[bytes, bytes]]:
    try:
        return dumped.entries(after, ENTRIES_A_MESSAGE)
    except EngineError as error:
        raise _refused(error) from None


def _refused(error: EngineError) -> RequestError:
    return RequestError(Result(error.code), error.message)
