"""Fires of a client: one stream for all of them, opened by the first."""

import asyncio
from typing import TypeAlias

import grpc

from ebpfd_api.metadata import LET_IN
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._batch import Columns, columns_of
from ebpfd_sdk._connection import Metadata
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._errors import EbpfdError
from ebpfd_sdk._tasks import Tasks

FireCall: TypeAlias = "grpc.aio.StreamStreamCall[hook_pb2.FireRequest, hook_pb2.FireResponse]"


class _RefusedError(Exception):
    """Nothing was fired: the daemon does not know, or not any more, who this client is."""

    def __init__(self, said: EbpfdError) -> None:
        super().__init__(str(said))
        self.said = said


class FireStream:
    """``Hook.Fire``; after a loss the next fire opens it anew."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._tasks = Tasks()
        self._call: FireCall | None = None
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Columns]] = {}
        self._opening, self._writing = asyncio.Lock(), asyncio.Lock()
        self._closed = False

    async def fire(self, request: hook_pb2.FireRequest) -> Columns:
        """Send a fire, wait for what it came to."""
        try:
            return await self._fire(request)
        except _RefusedError:  # the daemon has started anew, for example
            pass
        try:
            return await self._fire(request)
        except _RefusedError as refused:
            raise refused.said from None

    async def _fire(self, request: hook_pb2.FireRequest) -> Columns:
        call = await self._opened()
        self._sequence += 1
        request.sequence = self._sequence
        outcome: asyncio.Future[Columns] = asyncio.get_running_loop().create_future()
        self._waiting[request.sequence] = outcome
        # A task of its own, since a cancelled write would end the stream for all.
        self._tasks.start(self._write(call, request), name="fire writer")
        try:
            return await outcome
        finally:
            self._waiting.pop(request.sequence, None)

    async def close(self) -> None:
        """End the stream."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()
        self._fail(self._daemon.connection.unavailable("the client is closed"))
        await self._tasks.close()

    async def _opened(self) -> FireCall:
        """Who comes first opens the stream, and nobody overtakes those who wait for it."""
        connection = self._daemon.connection
        async with self._opening:
            if self._call is None:
                identity = await connection.identity()
                call = self._daemon.hook.Fire(metadata=identity)
                try:
                    # Of a write into a stream that was refused, gRPC would not say why it failed.
                    if LET_IN not in (await call.initial_metadata() or ()):
                        await call.read()  # raises what it ended with
                        raise connection.unavailable("it ended the stream of fires")
                except grpc.aio.AioRpcError as error:
                    refused = connection.refused(identity, error)
                    said = await connection.error_of(error)
                    raise (_RefusedError(said) if refused else said) from None
                except asyncio.CancelledError:
                    call.cancel()
                    raise
                if self._closed:
                    call.cancel()
                    raise connection.unavailable("the client is closed")
                self._call = call
                self._tasks.start(self._read(call, identity), name="fire reader")
            return self._call

    async def _write(self, call: FireCall, request: hook_pb2.FireRequest) -> None:
        try:
            async with self._writing:
                await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the reader meets the same end, and says why

    async def _read(self, call: FireCall, identity: Metadata) -> None:
        connection = self._daemon.connection
        lost = connection.unavailable("it ended the stream of fires")
        try:
            while isinstance(reply := await call.read(), hook_pb2.FireResponse):
                outcome = self._waiting.get(reply.sequence)
                if outcome is not None and not outcome.done():
                    outcome.set_result(columns_of(reply.result))
        except grpc.aio.AioRpcError as error:
            refused = connection.refused(identity, error)
            said = await connection.error_of(error)
            self._fail(_RefusedError(said) if refused else said)
        else:
            self._fail(lost)

    def _fail(self, error: Exception) -> None:
        self._call = None
        for outcome in self._waiting.values():
            if not outcome.done():
                outcome.set_exception(error)
