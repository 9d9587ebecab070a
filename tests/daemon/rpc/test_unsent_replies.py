"""An extension that sends invocations and does not read the replies."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import grpc

from ebpfd.host.services import Services
from ebpfd.objects.chains import ChainOutcome
from ebpfd.rpc.hook import MAX_UNSENT, InvokeStream
from ebpfd.rpc.session import ModuleIdentity, RemoteModule
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

    async def run_queued(self, *_: Any) -> ChainOutcome:
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
            parts: Any = (deaf, module, target, None, services)
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
            parts: Any = (deaf, module, target, None, services)
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
