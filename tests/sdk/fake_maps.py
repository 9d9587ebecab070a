"""Maps of a daemon without an engine: one map that is a dict, and records that are scripted."""

from collections.abc import AsyncGenerator
from typing import Any, Final

from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2, maps_pb2_grpc, status_pb2

MAP: Final = maps_pb2.Map(
    id=5,
    name="counts",
    type=1,
    type_name="hash",
    key_size=4,
    value_size=8,
    user_value_size=8,
    max_entries=9,
)
EVENTS: Final = (
    maps_pb2.EventsResponse(
        lanes=bytes([1, 0, 0, 0, 0, 0, 0, 0]),
        lengths=bytes([3, 0, 0, 0, 2, 0, 0, 0]),
        data=b"onetw",
        lost=[4, 0],
        lost_now=[4, 0],
    ),
    maps_pb2.EventsResponse(
        status=status_pb2.Status(code=Result.CANCELED, message="map 5 has gone")
    ),
)


class FakeMaps(maps_pb2_grpc.MapsServicer):
    """One map, which is a dict."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}
        self.map = MAP
        self.asked: list[Any] = []

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 (named as the RPC)
        """List the one map."""
        return maps_pb2.MapsListResponse(maps=[self.map])

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Get the one map."""
        if request.id != self.map.id:
            status = status_pb2.Status(code=Result.KEY_NOT_FOUND, message="no such map")
            return maps_pb2.MapsGetResponse(status=status)
        return maps_pb2.MapsGetResponse(map=self.map)

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Say that the one map is what was wanted."""
        self.asked.append(request)
        return maps_pb2.CreateResponse(map=self.map)

    async def Remove(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Say that map 7 still holds it."""
        return maps_pb2.RemoveResponse(map_ids=[7])

    async def Lookup(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Look up."""
        if request.key not in self.entries:
            return maps_pb2.LookupResponse(status=status_pb2.Status(code=Result.OBJECT_NOT_FOUND))
        return maps_pb2.LookupResponse(value=self.entries[request.key])

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Write, unless it exists and must not."""
        self.asked.append(request)
        if request.flags == 1 and request.key in self.entries:
            status = status_pb2.Status(code=Result.KEY_ALREADY_EXISTS, message="it is there")
            return maps_pb2.UpdateResponse(status=status)
        self.entries[request.key] = request.value
        return maps_pb2.UpdateResponse()

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Delete."""
        known = self.entries.pop(request.key, None) is not None
        code = Result.SUCCESS if known else Result.KEY_NOT_FOUND
        return maps_pb2.DeleteResponse(status=status_pb2.Status(code=code))

    async def Take(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Look up and delete."""
        value = self.entries.pop(request.key, None)
        if value is None:
            return maps_pb2.TakeResponse(status=status_pb2.Status(code=Result.OBJECT_NOT_FOUND))
        return maps_pb2.TakeResponse(value=value)

    async def Next(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Find the next key in their order."""
        keys = sorted(key for key in self.entries if key > request.key or not request.key)
        if not keys:
            return maps_pb2.NextResponse(status=status_pb2.Status(code=Result.NO_MORE_KEYS))
        return maps_pb2.NextResponse(key=keys[0])

    async def LookupBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Give a page in the order of keys."""
        keys = sorted(key for key in self.entries if key > request.after or not request.after)
        page = keys[: request.count]
        if not page:
            status = status_pb2.Status(code=Result.NO_MORE_KEYS)
            return maps_pb2.LookupBatchResponse(status=status)
        return maps_pb2.LookupBatchResponse(
            count=len(page),
            keys=b"".join(page),
            values=b"".join(self.entries[key] for key in page),
            next=page[-1] if len(keys) > len(page) else b"",
        )

    async def TakeBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Give a page, and forget it."""
        found = await self.LookupBatch(request, context)
        answer = maps_pb2.TakeBatchResponse.FromString(found.SerializeToString())
        for at in range(0, len(answer.keys), self.map.key_size):
            del self.entries[answer.keys[at : at + self.map.key_size]]
        return answer

    async def UpdateBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Write all."""
        self.asked.append(request)
        size, count = self.map.key_size, len(request.keys) // self.map.key_size
        width = len(request.values) // count
        for at in range(count):
            key = request.keys[at * size : (at + 1) * size]
            self.entries[key] = request.values[at * width : (at + 1) * width]
        return maps_pb2.UpdateBatchResponse()

    async def DeleteBatch(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Fail at the second entry."""
        self.asked.append(request)
        status = status_pb2.Status(code=Result.KEY_NOT_FOUND, message="entry 1: no such key")
        return maps_pb2.DeleteBatchResponse(status=status)

    async def Dump(  # noqa: N802 (same)
        self, request: Any, context: Any
    ) -> AsyncGenerator[maps_pb2.DumpResponse]:
        """Give one entry in each message."""
        for key, value in self.entries.items():
            yield maps_pb2.DumpResponse(entries=[maps_pb2.Entry(key=key, value=value)])

    async def Events(  # noqa: N802 (same)
        self, request: Any, context: Any
    ) -> AsyncGenerator[maps_pb2.EventsResponse]:
        """Give the script; with a count only what comes before its end."""
        self.asked.append(request)
        for each in EVENTS[: 1 if request.count else None]:
            yield each
