"""An extension that is connected: registered, serving, and leaving in the right order.

enter   hello -> data stream -> program types registered, then hooks
leave   no new invocation -> every started one answered -> hooks deregistered, then
        program types -> streams ended
"""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Final, Self

from ebpfd_api.address import default_address
from ebpfd_api.metadata import SESSION
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2, hook_pb2_grpc
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._connection import Connection
from ebpfd_sdk._errors import DaemonUnavailable, DeclarationError
from ebpfd_sdk._fire import fire_return
from ebpfd_sdk._helper_calls import HelperCalls
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._provider import Declaration, Provider
from ebpfd_sdk._session import Session
from ebpfd_sdk._stream import InvokeStream
from ebpfd_sdk._tasks import Tasks, logger

GRACE_S: Final = 30.0
"""How long each step of leaving may take before the rest is left to the daemon."""


class Extension:
    """Program types and hooks, registered with a daemon for as long as the block lasts."""

    def __init__(
        self, *declarations: Declaration, address: str | None = None, name: str | None = None
    ) -> None:
        if not declarations:
            raise DeclarationError("an extension declares a program type or a hook at least")
        # A hook is of no use before its program type is known.
        self._declarations = sorted(declarations, key=lambda each: isinstance(each, Hook))
        # A daemon that hosts this process has a name for it.
        self.name = os.environ.get("EBPFD_EXTENSION") or name or declarations[0].name
        self._address = address
        self._tasks = Tasks()
        self._providers: list[Provider] = []
        self._stack = AsyncExitStack()
        self._stopping = asyncio.Event()
        self._lost: DaemonUnavailable | None = None

    @property
    def address(self) -> str:
        """Where the daemon is, or is expected."""
        return self._address or default_address()

    @property
    def offering(self) -> str:
        """What is registered, in words."""
        return ", ".join(provider.label for provider in self._providers)

    def stop(self) -> None:
        """Ask the extension to leave; whoever waits in ``stopped`` does the leaving."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until somebody asks to stop; raise DaemonUnavailable if the daemon is gone."""
        await self._stopping.wait()
        if self._lost:
            raise self._lost

    async def drain(self) -> None:
        """Refuse new invocations, and wait for the answers to those that were started."""
        for provider in self._providers:
            provider.close("the extension is stopping")
        try:
            async with asyncio.timeout(GRACE_S):
                for provider in self._providers:
                    await provider.drained()
        except TimeoutError:
            logger.warning("%s: some invocations got no answer in time", self.name)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            # Not before: a channel belongs to the loop that runs when it is made.
            connection = Connection(self.address)
            stack.push_async_callback(connection.close)
            stack.push_async_callback(self._tasks.close)
            session = Session(connection, HelperCalls(self._tasks), self._tasks, self._lose)
            stack.push_async_callback(session.close)
            session_id = await session.open(self.name, len(self._declarations))
            stream = self._open_stream(connection, session_id)
            for declared in self._declarations:
                provider = declared.provider(stream)
                provider.open()
                self._providers.append(provider)
                registration = await session.register(provider)
                stack.push_async_callback(self._deregister, session, registration)
            stack.push_async_callback(self.drain)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def _open_stream(self, connection: Connection, session_id: str) -> InvokeStream:
        stub = hook_pb2_grpc.HookStub(connection.channel)
        call = stub.Invoke(metadata=((SESSION, session_id),))
        stream = InvokeStream(call, lambda fire: self._start_fire(stream, fire))
        self._tasks.start(stream.write(), name="data stream writer")
        self._tasks.start(self._read(connection, stream), name="data stream reader")
        return stream

    async def _read(self, connection: Connection, stream: InvokeStream) -> None:
        reason = await stream.read()
        stream.lose(reason)
        self._lose(connection.unavailable(reason))

    def _start_fire(self, stream: InvokeStream, fire: hook_pb2.Fire) -> None:
        self._tasks.start(self._answer_fire(stream, fire), name="fire")

    async def _answer_fire(self, stream: InvokeStream, fire: hook_pb2.Fire) -> None:
        for provider in self._providers:
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
        for provider in self._providers:
            provider.close("the daemon is gone")
        self._lost = self._lost or lost
        self._stopping.set()
