"""The daemon as a client's objects call it: the stubs of one connection."""

from collections.abc import AsyncGenerator
from typing import Final, TypeVar

import grpc

from ebpfd_api.metadata import OWNER
from ebpfd_api.v1 import (
    access_pb2_grpc,
    contracts_pb2_grpc,
    daemon_pb2_grpc,
    extensions_pb2_grpc,
    hook_pb2_grpc,
    links_pb2_grpc,
    maps_pb2_grpc,
    objects_pb2_grpc,
    pins_pb2_grpc,
    programs_pb2_grpc,
    recordings_pb2_grpc,
    registrar_pb2_grpc,
    shadows_pb2_grpc,
    stats_pb2_grpc,
)
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._connection import Connection

Request = TypeVar("Request")
Response = TypeVar("Response")

CALL_S: Final = 30.0
"""Deadline of an ordinary call."""

LONG_CALL_S: Final = 300.0
"""Deadline where the verifier or an extension's answer decides."""


class Daemon:
    """Everything that a daemon can be asked."""

    def __init__(self, address: str, certificates: Certificates | None = None) -> None:
        self.connection = Connection(address, certificates)
        channel = self.connection.channel
        self.registrar = registrar_pb2_grpc.RegistrarStub(channel)
        self.hook = hook_pb2_grpc.HookStub(channel)
        self.programs = programs_pb2_grpc.ProgramsStub(channel)
        self.maps = maps_pb2_grpc.MapsStub(channel)
        self.links = links_pb2_grpc.LinksStub(channel)
        self.contracts = contracts_pb2_grpc.ContractsStub(channel)
        self.objects = objects_pb2_grpc.ObjectsStub(channel)
        self.stats = stats_pb2_grpc.StatsStub(channel)
        self.pins = pins_pb2_grpc.PinsStub(channel)
        self.access = access_pb2_grpc.AccessStub(channel)
        self.recordings = recordings_pb2_grpc.RecordingsStub(channel)
        self.shadows = shadows_pb2_grpc.ShadowsStub(channel)
        self.daemon = daemon_pb2_grpc.DaemonStub(channel)
        self.owner = ""
        """The token of the owner that calls are made for; empty: the daemon itself."""

        self.extensions = extensions_pb2_grpc.ExtensionsStub(channel)

    async def ask(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        timeout_s: float = CALL_S,
    ) -> Response:
        """Call a method with a deadline, and speak of failures in the SDK's words."""
        owner = ((OWNER, self.owner),) if self.owner else ()
        identity = await self.connection.identity()
        async with self.connection.translated():
            try:
                return await method(request, timeout=timeout_s, metadata=(*identity, *owner))
            except grpc.aio.AioRpcError as error:
                if not self.connection.refused(identity, error):
                    raise
            # Of a daemon that has started anew, for example.
            identity = await self.connection.identity()
            return await method(request, timeout=timeout_s, metadata=(*identity, *owner))

    async def follow(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[Request, Response]",
        request: Request,
    ) -> AsyncGenerator[Response]:
        """Read a stream to its end; whoever stops early ends the call."""
        async with self.connection.translated():
            for again in (True, False):
                identity = await self.connection.identity()
                call = method(request, metadata=identity)
                try:
                    async for response in call:
                        yield response
                except grpc.aio.AioRpcError as error:
                    if not (self.connection.refused(identity, error) and again):
                        raise
                else:
                    return
                finally:
                    call.cancel()
