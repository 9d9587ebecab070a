"""An extension that sends invocations and does not read the replies."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import grpc
import pytest

from ebpfd.host.services import Services
from ebpfd.objects.chains import ChainOutcome
from ebpfd.rpc.hook import MAX_UNSENT, InvokeStream
from ebpfd.rpc.session import ModuleIdentity, RemoteModule
from ebpfd.rpc.single_events import SingleEvents
from ebpfd_api.v1 import hook_pb2 as hook
from tests.virtual_time import virtually


class _Target:
    """Runs whatever is asked, never at once."""

    def find(self, *_: Any) -> "_Target":
        return self

    def run_now(self, *_: Any) -> None:
        return None

    def enqueue(self, *_: Any) -> None:
        return None

    async def run_queued(self, *_: Any, **__: Any) -> ChainOutcome:
        return ChainOutcome(bytes(1), bytes(4), b"", b"")


class _Deaf:
    """The far end of a stream: takes replies when ``reads`` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.asked = 0
        self.written: list[int] = []
        self._requests = self._made()

    async def write(self, reply: hook.InvokeResponse) -> None:
        await self.reads.wait()
        self.written.append(reply.sequence)

    async def read(self) -> object:
        return await anext(self._requests, grpc.aio.EOF)

    async def _made(self) -> AsyncGenerator[hook.InvokeRequest]:
        for sequence in range(1, 3 * MAX_UNSENT + 1):
            self.asked = sequence
            yield hook.InvokeRequest(sequence=sequence, binding=1)
            for _ in range(5):  # let its reply get as far as it can
                await asyncio.sleep(0)


def test_replies_that_nobody_reads_are_bounded() -> None:
    """The daemon reads no further; when the extension reads, all is answered."""

    async def scene() -> None:
        deaf, target = _Deaf(), _Target()
        module = RemoteModule(ModuleIdentity("deaf", "s", uuid4().bytes, 1))
        async with Services() as services:
            parts: Any = (deaf, module, target, None, services, SingleEvents())
            serving = asyncio.create_task(InvokeStream(*parts).serve())
            await asyncio.sleep(3600)
            assert not serving.done()
            assert deaf.asked <= MAX_UNSENT + 2
            deaf.reads.set()
            await serving
            await asyncio.sleep(3600)
            assert deaf.written == list(range(1, 3 * MAX_UNSENT + 1))

    virtually(scene())


def test_a_reply_that_is_being_written_is_not_cut() -> None:
    """GRPC could not send the call's status any more; what comes after it is not written."""

    async def scene() -> None:
        deaf, target = _Deaf(), _Target()
        module = RemoteModule(ModuleIdentity("deaf", "s", uuid4().bytes, 1))
        async with Services() as services:
            parts: Any = (deaf, module, target, None, services, SingleEvents())
            stream = InvokeStream(*parts)
            serving = asyncio.create_task(stream.serve())
            await asyncio.sleep(3600)
            stream.end()
            await asyncio.sleep(3600)
            assert not serving.done()
            deaf.reads.set()
            await serving
            assert deaf.written == [1]

    virtually(scene())


class _Quick(_Target):
    """Runs it at once."""

    def run_now(self, *_: Any) -> ChainOutcome:  # type: ignore[override]
        return ChainOutcome(bytes(1), bytes(4), b"", b"")


class _Bulky(_Deaf):
    """Sends a single event, which it reads the reply to, and after a pause long messages."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self._pause_s = pause_s

    async def write(self, reply: hook.InvokeResponse) -> None:
        if reply.sequence > 1:
            await self.reads.wait()
        self.written.append(reply.sequence)

    async def _made(self) -> AsyncGenerator[hook.InvokeRequest]:
        for sequence, count in enumerate((1, 8, 8, 8), start=1):
            if sequence == 2:
                await asyncio.sleep(self._pause_s)
            self.asked = sequence
            yield hook.InvokeRequest(sequence=sequence, binding=1, count=count)


@pytest.mark.parametrize(("pause_s", "asked"), [(0.0, 2), (1.0, 3)])
def test_long_messages_are_taken_one_by_one_beside_single_events(
    pause_s: float, asked: int
) -> None:
    """While one is answered the next is not read: a single event would wait for both."""

    async def scene() -> None:
        bulky = _Bulky(pause_s)
        module = RemoteModule(ModuleIdentity("bulky", "s", uuid4().bytes, 1))
        async with Services() as services:
            parts: Any = (bulky, module, _Quick(), None, services, SingleEvents())
            serving = asyncio.create_task(InvokeStream(*parts).serve())
            await asyncio.sleep(3600)
            assert bulky.asked == asked
            bulky.reads.set()
            await serving
            assert bulky.written == [1, 2, 3, 4]

    virtually(scene())
