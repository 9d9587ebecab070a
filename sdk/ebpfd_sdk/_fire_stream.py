"""Fires of a client: one stream for all of them, opened by the first."""

import asyncio
from typing import TypeAlias

import grpc

from ebpfd_api.metadata import LET_IN
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._batch import Columns, columns_of
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._tasks import Tasks

FireCall: TypeAlias = "grpc.aio.StreamStreamCall[hook_pb2.FireRequest, hook_pb2.FireResponse]"


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
        async with self._opening:
            if self._call is None:
                call = await self._let_in()
                if self._closed:
                    call.cancel()
                    raise self._daemon.connection.unavailable("the client is closed")
                self._call = call
                self._tasks.start(self._read(call), name="fire reader")
            return self._call

    async def _let_in(self) -> FireCall:
        """Open a stream that the daemon reads; anew if it does not know who this client is."""
        connection, anew = self._daemon.connection, False
        while True:
            identity = await connection.identity()
            if self._closed:
                raise connection.unavailable("the client is closed")
            call = self._daemon.hook.Fire(metadata=identity)
            try:
                # Of a write into a stream that was refused, gRPC would not say why it failed.
                if LET_IN not in (await call.initial_metadata() or ()):
                    await call.read()  # raises what it ended with
                    raise connection.unavailable("it ended the stream of fires")
            except grpc.aio.AioRpcError as error:
                if not connection.refused(identity, error) or anew:
                    raise await connection.error_of(error) from None
                anew = True  # the daemon has started anew, for example
                continue
            except asyncio.CancelledError:
                call.cancel()
                raise
            return call

    async def _write(self, call: FireCall, request: hook_pb2.FireRequest) -> None:
        try:
            async with self._writing:
                await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the reader meets the same end, and says why

    async def _read(self, call: FireCall) -> None:
        connection = self._daemon.connection
        lost = connection.unavailable("it ended the stream of fires")
        try:
            while isinstance(reply := await call.read(), hook_pb2.FireResponse):
                outcome = self._waiting.get(reply.sequence)
                if outcome is not None and not outcome.done():
                    outcome.set_result(columns_of(reply.result))
        except grpc.aio.AioRpcError as error:
            self._fail(await connection.error_of(error))
        else:
            self._fail(lost)

    def _fail(self, error: Exception) -> None:
        self._call = None
        for outcome in self._waiting.values():
            if not outcome.done():
                outcome.set_exception(error)
