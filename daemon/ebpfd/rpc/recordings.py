"""The ``Recordings`` service."""

import asyncio

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.errors import RequestError
from ebpfd.host.links import Links
from ebpfd.host.recording import Recording
from ebpfd.host.recordings import Recordings
from ebpfd.objects import Objects
from ebpfd.rpc.attach_type import decode_attach_type
from ebpfd.rpc.recording_codec import encode_entry
from ebpfd.rpc.streams import Streams
from ebpfd_api.result import Result
from ebpfd_api.v1 import recordings_pb2 as pb
from ebpfd_api.v1 import recordings_pb2_grpc as services_pb
from ebpfd_api.v1 import status_pb2


class RecordingsServicer(services_pb.RecordingsServicer):
    """Recordings for whoever reads them."""

    def __init__(
        self,
        *,
        recordings: Recordings,
        links: Links,
        objects: Objects,
        contracts: KnownContracts,
        streams: Streams,
    ) -> None:
        self._recordings = recordings
        self._links = links
        self._objects = objects
        self._contracts = contracts
        self._streams = streams

    async def Record(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request: pb.RecordRequest,
        context: "grpc.aio.ServicerContext[pb.RecordRequest, pb.RecordResponse]",
    ) -> None:
        """Record, until it is enough or the caller hangs up."""
        try:
            recording = self._begin(request)
        except RequestError as error:
            status = status_pb2.Status(code=error.code, message=error.message)
            await context.write(pb.RecordResponse(status=status))
            return
        self._streams.opened(context, lambda: recording.end("the daemon stopped"))
        loop = asyncio.get_running_loop()
        time_up = None
        if request.within_ms:
            time_up = loop.call_later(request.within_ms / 1000, recording.end)
        try:
            async for entry in recording.entries():
                await context.write(pb.RecordResponse(entry=encode_entry(entry)))
        finally:
            recording.end()
            if time_up is not None:
                time_up.cancel()

    def _begin(self, request: pb.RecordRequest) -> Recording:
        match request.WhichOneof("what"):
            case "hook":
                attach_type = self._links.find_attach_type(decode_attach_type(request.hook))
                link_id = 0
            case "link_id":
                link_id = request.link_id
                attach_type = self._objects.link(link_id).attach_type
            case _:
                message = "what: name a hook or a link"
                raise RequestError(Result.INVALID_ARGUMENT, message)
        name = self._contracts.name_of(attach_type)
        return self._recordings.begin(attach_type, name, link_id, request.limit)
