"""The ``Maps`` service."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, TypeAlias

import grpc

from ebpfd.host.maps import MapDeclaration, Maps
from ebpfd.host.owners import Owners
from ebpfd.host.records import RecordReaders
from ebpfd.host.services import Services
from ebpfd.objects import Objects
from ebpfd.rpc.map_codec import encode_map, encode_page, encode_records
from ebpfd.rpc.owner import owner_names, token_of
from ebpfd.rpc.status import answering
from ebpfd.rpc.streams import Streams
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_api.v1 import maps_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

ENTRIES_A_MESSAGE: Final = 256
BYTES_A_MESSAGE: Final = 1 << 20
"""Of a dump; one entry at least."""


class MapsServicer(services_pb.MapsServicer):
    """Make, read, write, follow and remove maps."""

    def __init__(
        self,
        *,
        maps: Maps,
        readers: RecordReaders,
        objects: Objects,
        owners: Owners,
        services: Services,
        streams: Streams,
    ) -> None:
        self._owners = owners
        self._maps = maps
        self._readers = readers
        self._objects = objects
        self._services = services
        self._streams = streams

    async def List(self, request: pb.MapsListRequest, context: _Context) -> pb.MapsListResponse:
        """All maps by id."""
        del request, context
        await self._services.finish(self._maps.settle_all(), name="settle maps")
        return pb.MapsListResponse(maps=[encode_map(each) for each in self._objects.maps()])

    async def Get(self, request: pb.MapsGetRequest, context: _Context) -> pb.MapsGetResponse:
        """One map."""
        del context
        response = pb.MapsGetResponse()
        with answering(response.status):
            response.map.CopyFrom(encode_map(self._objects.map(request.id)))
        return response

    async def Create(self, request: pb.CreateRequest, context: _Context) -> pb.CreateResponse:
        """A map of the caller's own."""
        response = pb.CreateResponse()
        with answering(response.status):
            named = request.type_name
            wanted = MapDeclaration(
                self._maps.custom.type_number(named) if named else request.type,
                request.key_size,
                request.value_size,
                request.max_entries,
                request.flags,
                request.name,
                request.inner_map_id,
            )
            creating = self._maps.create(wanted, self._owners.find(token_of(context)))
            made = await self._services.finish(creating, name="create map")
            response.map.CopyFrom(encode_map(made))
        return response

    async def Remove(self, request: pb.RemoveRequest, context: _Context) -> pb.RemoveResponse:
        """Give up a created map."""
        response = pb.RemoveResponse()
        with answering(response.status):
            owner = self._owners.find(token_of(context))
            removing = self._maps.remove(request.id, owner)
            removed = await self._services.finish(removing, name=f"remove map {request.id}")
            response.map_ids.extend(sorted(removed.holder_ids))
            response.pin_paths.extend(sorted(removed.users.paths))
            response.owners.extend(owner_names(removed.users))
        return response

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        """One value."""
        del context
        response = pb.LookupResponse()
        with answering(response.status):
            response.value = await self._maps.lookup(request.id, request.key)
        return response

    async def Update(self, request: pb.UpdateRequest, context: _Context) -> pb.UpdateResponse:
        """Write one value, or put a program or map under a key."""
        del context
        response = pb.UpdateResponse()
        with answering(response.status):
            await self._update(request)
        return response

    async def Delete(self, request: pb.DeleteRequest, context: _Context) -> pb.DeleteResponse:
        """Delete one entry."""
        del context
        response = pb.DeleteResponse()
        with answering(response.status):
            deleting = self._maps.delete(request.id, request.key)
            await self._services.finish(deleting, name="delete")
        return response

    async def Take(self, request: pb.TakeRequest, context: _Context) -> pb.TakeResponse:
        """Look up and delete."""
        del context
        response = pb.TakeResponse()
        with answering(response.status):
            response.value = await self._maps.take(request.id, request.key)
        return response

    async def Next(self, request: pb.NextRequest, context: _Context) -> pb.NextResponse:
        """The key that follows."""
        del context
        response = pb.NextResponse()
        with answering(response.status):
            after = request.key if request.HasField("key") else None
            response.key = await self._maps.next_key(request.id, after)
        return response

    async def LookupBatch(
        self, request: pb.LookupBatchRequest, context: _Context
    ) -> pb.LookupBatchResponse:
        """Many entries."""
        del context
        response = pb.LookupBatchResponse()
        with answering(response.status):
            page = await self._maps.page(request.id, _after(request), request.count)
            encode_page(page, response)
        return response

    async def TakeBatch(
        self, request: pb.TakeBatchRequest, context: _Context
    ) -> pb.TakeBatchResponse:
        """Many entries, which are deleted."""
        del context
        response = pb.TakeBatchResponse()
        with answering(response.status):
            taking = self._maps.take_page(request.id, _after(request), request.count)
            encode_page(await self._services.finish(taking, name="take"), response)
        return response

    async def UpdateBatch(
        self, request: pb.UpdateBatchRequest, context: _Context
    ) -> pb.UpdateBatchResponse:
        """Write many values."""
        del context
        response = pb.UpdateBatchResponse()
        with answering(response.status):
            await self._maps.update_batch(request.id, request.keys, request.values, request.flags)
        return response

    async def DeleteBatch(
        self, request: pb.DeleteBatchRequest, context: _Context
    ) -> pb.DeleteBatchResponse:
        """Delete many entries."""
        del context
        response = pb.DeleteBatchResponse()
        with answering(response.status):
            deleting = self._maps.delete_batch(request.id, request.keys)
            await self._services.finish(deleting, name="delete")
        return response

    async def Dump(
        self, request: pb.DumpRequest, context: _Context
    ) -> AsyncIterator[pb.DumpResponse]:
        """All entries, in the map's own order."""
        del context
        response = pb.DumpResponse()
        with answering(response.status):
            if self._objects.map(request.id).custom is not None:
                async for key, value in self._maps.custom.entries(self._objects.map(request.id)):
                    yield pb.DumpResponse(entries=[pb.Entry(key=key, value=value)])
                return
            source = self._objects.map(request.id).map
            fit = BYTES_A_MESSAGE // max(source.key_size + source.user_value_size, 1)
            count, after = min(ENTRIES_A_MESSAGE, max(fit, 1)), None
            while entries := await self._maps.entries(request.id, after, count):
                yield pb.DumpResponse(
                    entries=[pb.Entry(key=key, value=value) for key, value in entries]
                )
                after = entries[-1][0]
                await asyncio.sleep(0)  # a huge map must not hold up the loop
        if response.status.code:
            yield response

    async def Events(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request: pb.EventsRequest,
        context: "grpc.aio.ServicerContext[pb.EventsRequest, pb.EventsResponse]",
    ) -> None:
        """Records as they come, until the caller hangs up or the map goes."""
        self._streams.opened(context)
        response = pb.EventsResponse()
        with answering(response.status):
            await self._send_records(request, context)
        if response.status.code:
            await context.write(response)

    async def _send_records(
        self,
        request: pb.EventsRequest,
        context: "grpc.aio.ServicerContext[pb.EventsRequest, pb.EventsResponse]",
    ) -> None:
        left = request.count or None
        with self._readers.reading(self._objects.map(request.id)) as reader:
            # Tells the caller that it is the reader, before there is any record.
            await context.send_initial_metadata(())
            while left is None or left > 0:
                batch = await reader.next(left)
                await context.write(encode_records(batch))
                left = None if left is None else left - len(batch.records)

    async def _update(self, request: pb.UpdateRequest) -> None:
        match request.WhichOneof("object"):
            case "program_id":
                putting = self._maps.put_program(
                    request.id, request.key, request.program_id, request.flags
                )
                await self._services.finish(putting, name="put program")
            case "map_id":
                putting = self._maps.put_map(request.id, request.key, request.map_id, request.flags)
                await self._services.finish(putting, name="put map")
            case _:
                await self._maps.update(request.id, request.key, request.value, request.flags)


def _after(request: pb.LookupBatchRequest | pb.TakeBatchRequest) -> bytes | None:
    return request.after if request.HasField("after") else None
