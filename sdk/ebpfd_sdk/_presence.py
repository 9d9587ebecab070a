"""An extension's time with one daemon, from hello until it leaves or the connection is lost.

enter   hello -> data stream -> program types registered, then hooks
leave   no new invocation -> every started one answered -> hooks deregistered, then
        program types -> streams ended
lost    in flight: CANCELED -> every link detached, as if the daemon had asked for it
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final, Self

import grpc

from ebpfd_api.metadata import SESSION
from ebpfd_api.protocol import LEASE_TICKS
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._connection import Connection
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._errors import DaemonUnavailable
from ebpfd_sdk._fire import fire_return
from ebpfd_sdk._helper_calls import HelperCalls
from ebpfd_sdk._local import LocalPrograms
from ebpfd_sdk._provider import Declaration, Provider
from ebpfd_sdk._session import Session
from ebpfd_sdk._stream import InvokeStream
from ebpfd_sdk._tasks import Tasks, logger

GRACE_S: Final = 30.0
"""How long each step of an end may take before the rest is left to the daemon, or undone."""


class Presence:
    """Program types and hooks, registered on one connection."""

    def __init__(
        self, name: str, declarations: Sequence[Declaration], resume_token: bytes = b""
    ) -> None:
        self.name = name
        self.resume_token = resume_token
        """Names the last session of this process to the daemon, which may not know of its end."""

        self.providers: list[Provider] = []
        self._declarations = declarations
        self._tasks = Tasks()
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._streams: DataStreams | None = None
        self._end: asyncio.Future[DaemonUnavailable] = asyncio.get_running_loop().create_future()
        self._abandoning: asyncio.Task[None] | None = None
        self._left = False
        self._fires: set[asyncio.Task[None]] = set()
        self._declines = ""

    async def enter(self, address: str, certificates: Certificates | None = None) -> Self:
        """Connect and register; whatever raises, nothing is left behind."""
        async with AsyncExitStack() as stack:
            # Not before: a channel belongs to the loop that runs when it is made.
            connection = Connection(address, certificates)
            stack.push_async_callback(connection.close)
            stack.push_async_callback(self._tasks.close)
            identity, helpers = await connection.identity(), HelperCalls(self._tasks)
            session = Session(connection, identity, helpers, self._tasks, self._lose)
            self._session = session
            stack.push_async_callback(session.close)
            stack.push_async_callback(self._abandon_if_lost)
            own = sum(not declared.hosted for declared in self._declarations)
            welcome = await session.open(self.name, own, self.resume_token)
            self.resume_token = welcome.resume_token
            session_id = welcome.session_id
            local = LocalPrograms(welcome.local_socket, session_id)
            stack.callback(local.close)
            streams = DataStreams(lambda: self._open_stream(connection, session_id), local)
            self._streams = streams
            if welcome.lease_ms:
                listening = self._listen(connection, session, streams, welcome.lease_ms / 1000)
                self._tasks.start(listening, name="lease")
            for declared in self._declarations:
                if declared.hosted:
                    await declared.host(address, certificates)
                    continue
                provider = declared.provider(streams)
                provider.open()
                self.providers.append(provider)
                registration = await session.register(provider)
                provider.registered()
                stack.push_async_callback(self._deregister, session, registration)
            stack.push_async_callback(self._drain_unless_lost)
            self._stack = stack.pop_all()
        return self

    async def lost(self) -> DaemonUnavailable:
        """Wait until the connection is lost; return how."""
        return await asyncio.shield(self._end)

    async def drain(self, reason: str) -> None:
        """Refuse new invocations for *reason*, and wait for answers to those that were started.

        Fires that come from now on are for another extension, if there is one.
        """
        self._declines = reason
        try:
            async with asyncio.timeout(GRACE_S):
                # A fire that has begun may still invoke.
                while self._fires:
                    await asyncio.wait(self._fires)
                if self._streams is not None:
                    await self._streams.fires_written()
        except TimeoutError:
            logger.warning("%s: some fires got no answer in time", self.name)
        for provider in self.providers:
            provider.close(reason)
        try:
            async with asyncio.timeout(GRACE_S):
                for provider in self.providers:
                    await provider.drained()
        except TimeoutError:
            logger.warning("%s: some invocations got no answer in time", self.name)

    async def leave(self) -> None:
        """Deregister in good order; if the connection is lost, only ``abandon``."""
        await self._stack.aclose()

    async def abandon(self) -> None:
        """After a loss: let go of every link, once for all who ask."""
        await asyncio.shield(self._start_abandoning())

    def _start_abandoning(self) -> asyncio.Task[None]:
        if self._abandoning is None:
            work = self._abandon(self._end.result())
            self._abandoning = asyncio.create_task(work, name=f"end of {self.name}'s session")
        return self._abandoning

    async def _abandon(self, lost: DaemonUnavailable) -> None:
        for provider in self.providers:
            provider.lost("the daemon is gone")
        if self._streams is not None:
            self._streams.lose(lost.reason)
        if self._session is None:
            return
        try:
            async with asyncio.timeout(GRACE_S):
                await self._session.abandon(lost)
        except TimeoutError:
            logger.warning("%s: some links' callbacks did not end in time", self.name)

    async def _abandon_if_lost(self) -> None:
        self._left = True
        if self._end.done():
            await self.abandon()

    async def _drain_unless_lost(self) -> None:
        if not self._end.done():
            await self.drain("the extension is stopping")

    def _open_stream(self, connection: Connection, session_id: str) -> InvokeStream:
        stream = InvokeStream(lambda fire: self._start_fire(stream, fire))
        self._tasks.start(self._carry(stream, connection, session_id), name="data stream")
        return stream

    async def _carry(self, stream: InvokeStream, connection: Connection, session_id: str) -> None:
        # Not the stub's: requests are bytes already.
        invoke: grpc.aio.StreamStreamMultiCallable[bytes, hook_pb2.InvokeResponse] = (
            connection.channel.stream_stream(
                "/ebpfd_api.v1.Hook/Invoke",
                response_deserializer=hook_pb2.InvokeResponse.FromString,
            )
        )
        identity = await connection.identity()
        call = invoke(metadata=(*identity, (SESSION, session_id)))
        self._tasks.start(stream.write(call), name="data stream writer")
        reason = await stream.read(call)
        stream.lose(reason)
        self._lose(connection.unavailable(reason))

    async def _listen(
        self, connection: Connection, session: Session, streams: DataStreams, lease_s: float
    ) -> None:
        """A daemon that is silent for a whole lease is gone: in between it asks us."""
        silent = 0
        while silent < LEASE_TICKS:
            await asyncio.sleep(lease_s / LEASE_TICKS)
            heard = streams.take_heard() or session.heard
            silent = 0 if heard else silent + 1
            session.heard = False
        self._lose(connection.unavailable(f"nothing was heard of it for {lease_s:g} s"))

    def _start_fire(self, stream: InvokeStream, fire: hook_pb2.Fire) -> None:
        if self._declines:
            refusal = Columns(Result.CANCELED, f"{self.name}: {self._declines}")
            declined = fire_return(fire.fire_id, refusal)
            declined.declined = True
            stream.answer_fire(declined)
            return
        task = self._tasks.start(self._answer_fire(stream, fire), name="fire")
        self._fires.add(task)
        task.add_done_callback(self._fires.discard)

    async def _answer_fire(self, stream: InvokeStream, fire: hook_pb2.Fire) -> None:
        for provider in self.providers:
            if provider.guid.bytes == fire.attach_type:
                stream.answer_fire(await provider.answer(fire))
                return
        nobody = Columns(Result.OBJECT_NOT_FOUND, f"{self.name} does not provide this hook")
        stream.answer_fire(fire_return(fire.fire_id, nobody))

    async def _deregister(self, session: Session, registration: int) -> None:
        # A daemon that is gone has deregistered us already.
        with suppress(DaemonUnavailable, TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await session.deregister(registration)

    def _lose(self, lost: DaemonUnavailable) -> None:
        if self._end.done():
            return
        self._end.set_result(lost)
        if not self._left:
            # At once: whoever registers, drains or deregisters meanwhile would wait for nothing.
            self._start_abandoning()
