"""A daemon without its engine: what is attached to a hook are functions of Python.

It is the wire and nothing else: no verifier, no maps, no client can call it.
"""

import inspect
import os
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._answer import Answer, result_of
from ebpfd_sdk._bulk import packed_numbers
from ebpfd_sdk._context import Context
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._origin import Origin, message_of
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._tasks import logger
from ebpfd_sdk.testing._peer import Peer
from ebpfd_sdk.testing._registrar import ScriptedRegistrar, scripted_registrar

K = TypeVar("K", bound=Context)

FakeProgram: TypeAlias = Callable[[K, bytes], int]
"""Takes the context, which it may change, and the data, its metadata in front; returns the
program's result.

That is a number of 32 bits, and a negative one what these bits are without a sign.  One that
returns anything else, or raises, is FAILED, and the extension's log says why.
"""


@dataclass(frozen=True, slots=True)
class FakeLink(Generic[K]):
    """A function that is attached to a hook."""

    binding: int
    hook: Hook[K]
    program: FakeProgram[K]
    parameter: bytes


class FakeDaemon:
    """One extension connects to it; its invocations run functions."""

    def __init__(self) -> None:
        self.address = ""
        """For ``Extension``."""

        self.registrar = ScriptedRegistrar()
        self._links: dict[int, FakeLink[Context]] = {}

    async def attach(
        self, hook: Hook[K], program: FakeProgram[K], *, parameter: bytes = b""
    ) -> FakeLink[K]:
        """Attach *program*; Refused is what the extension has against it."""
        peer = await self.registrar.arrived()
        registration = await _registration(peer, hook.guid)
        answer, binding = await peer.attach(registration, parameter)
        if answer.status != NtStatus.SUCCESS:
            raise Refused(answer.message, status=NtStatus(answer.status))
        link = FakeLink(binding, hook, program, parameter)
        self._links[binding] = link  # type: ignore[assignment]  # each runs on its own contexts
        return link

    async def detach(self, link: FakeLink[K]) -> None:
        """Detach; when it returns, nothing of the link is in flight."""
        peer = await self.registrar.arrived()
        await peer.detach(link.binding)
        del self._links[link.binding]

    async def fire(
        self,
        hook: Hook[K],
        *,
        context: K | None = None,
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        origin: Origin | None = None,
    ) -> Answer[K]:
        """Fire the hook once, as a client would; *origin* None is this process."""
        peer = await self.registrar.arrived()
        raw = context.pack() if context is not None else hook.program_type.context.layout.zeros
        batch = hook_pb2.Batch(count=1, contexts=raw, data=data)
        if meta_length:
            batch.meta_lengths = packed_numbers([meta_length])
        caused_by = message_of(origin or Origin(os.getpid(), os.getpid(), os.getuid()))
        done = (await peer.fire(hook.guid.bytes, batch, parameter, caused_by)).result
        return Answer(
            result_of(done.code or (done.codes[0] if done.codes else Result.FAILED)),
            int.from_bytes(done.results[:4], "little"),
            done.contexts or raw,
            done.data or data,
            done.message,
            hook.program_type.context,
        )

    def run(self, request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
        """Answer one message of the extension's."""
        bindings = request.chain.bindings or [request.binding]
        if not all(binding in self._links for binding in bindings):
            return hook_pb2.InvokeResponse(
                sequence=request.sequence,
                code=Result.OBJECT_NOT_FOUND,
                message="no such link is attached",
            )
        chain = [self._links[binding] for binding in bindings]
        kind = chain[0].hook.program_type
        if any(request.meta_lengths) and not kind.context.layout.has_meta:
            return hook_pb2.InvokeResponse(
                sequence=request.sequence,
                code=Result.INVALID_ARGUMENT,
                message=f"meta_lengths: {kind.context.__name__} has no field of type DataMeta",
            )
        response = hook_pb2.InvokeResponse(sequence=request.sequence)
        contexts: list[bytes] = []
        for raw, data in _events(request, kind.context.layout.size):
            context = kind.context.unpack(raw)
            try:
                result, code = _run(chain, context, data), Result.SUCCESS
                changed = context.pack()
            except Exception:  # noqa: BLE001 (as a program that a runtime check ends)
                logger.exception("hook %s: a function failed as its program", chain[0].hook.name)
                result, code, changed = 0, Result.FAILED, raw
            response.codes += bytes((code,))
            response.results += result.to_bytes(4, "little")
            contexts.append(changed)
        response.contexts = b"".join(contexts)
        return response


@asynccontextmanager
async def fake_daemon() -> AsyncGenerator[FakeDaemon]:
    """A daemon for tests of an extension alone, at once, without ``ebpfd``."""
    fake = FakeDaemon()
    with tempfile.TemporaryDirectory(prefix="ebpfd-") as folder:
        async with scripted_registrar(Path(folder), fake.run) as (registrar, address):
            fake.registrar, fake.address = registrar, address
            yield fake


def _run(chain: list[FakeLink[Context]], context: Context, data: bytes) -> int:
    """Run the programs of a chain until one's result stops it, as the contract says."""
    result = 0
    for link in chain:
        result = _result(link.program, link.program(context, data))
        if _stops(link.hook.program_type, result):
            break
    return result


def _result(program: object, returned: object) -> int:
    """Take what a function returned as a program's result: an int, of which 32 bits are left."""
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError(f"{program} is an async def: a program is a plain function")
    if not isinstance(returned, int):
        raise TypeError(f"{program} returned {returned!r}: a program returns an int")
    if not -(1 << 31) <= returned < 1 << 32:
        raise ValueError(f"{program} returned {returned}: a program's result has 32 bits")
    return returned & 0xFFFFFFFF


def _stops(kind: ProgramType[Context], result: int) -> bool:
    named = result in kind.results
    return result in kind.stop_on or (kind.other_results_stop and not named)


def _events(request: hook_pb2.InvokeRequest, size: int) -> list[tuple[bytes, bytes]]:
    """Contexts with their data, out of the columns."""
    count = request.count or 1
    raw = request.contexts or bytes(count * size)
    stride = len(raw) // count
    if request.data_lengths:
        packed = request.data_lengths
        lengths = [int.from_bytes(packed[at : at + 4], "little") for at in range(0, 4 * count, 4)]
    else:
        lengths = [len(request.data)] + [0] * (count - 1)
    events: list[tuple[bytes, bytes]] = []
    start = 0
    for index, length in enumerate(lengths):
        context = raw[index * stride : (index + 1) * stride]
        events.append((context, request.data[start : start + length]))
        start += length
    return events


async def _registration(peer: Peer, guid: UUID) -> int:
    def found() -> list[int]:
        return [
            registration
            for registration, instance in peer.registered.items()
            if instance.module_id.guid == guid.bytes
        ]

    await peer.until(lambda: bool(found()))
    return found()[0]
