"""A pool of verification workers: processes that may be killed, and are when they are late.

A worker that dies or is late is a clean rejection of the program it was judging.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import msgspec
import structlog

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """What one verification may take."""

    seconds: float = 20.0
    memory_bytes: int = 2 << 30
    workers: int = 2


class Verifier:
    """Judges programs in worker processes; at most ``limits.workers`` at once."""

    def __init__(self, limits: VerificationLimits | None = None) -> None:
        self._limits: Final = limits or VerificationLimits()
        self._permits = asyncio.Semaphore(self._limits.workers)
        self._idle: list[Process] = []
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(frames.Verdict)

    async def __aenter__(self) -> Self:
        """Workers are started when they are first needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the idle workers; busy ones have been killed by the end of their callers."""
        for worker in self._idle:
            await _kill(worker)

    async def verify(
        self, object_file: bytes, program: int, information: EngineInformation
    ) -> frames.Verdict:
        """Judge program number *program* of *object_file*."""
        request = frames.Request(object_file, program, _frame(information))
        payload = self._encoder.encode(request)
        async with self._permits:
            worker = self._idle.pop() if self._idle else await self._start()
            answered = False
            try:
                async with asyncio.timeout(self._limits.seconds):
                    answer = await _exchange(worker, payload)
                answered = True
            except TimeoutError:
                return _gave_up(f"took longer than {self._limits.seconds:g} s")
            except (asyncio.IncompleteReadError, ConnectionError):
                return _gave_up("ran out of memory or stack")
            finally:
                if answered:
                    self._idle.append(worker)
                else:
                    await _kill(worker)
            return self._decoder.decode(answer)

    async def _start(self) -> Process:
        """Start a worker; the program is fixed and its only argument a number."""
        module = "ebpfd.host.verification_worker"
        memory = str(self._limits.memory_bytes)
        # Its output would be the traceback of a crash that is reported as a rejection.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, memory, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )


async def _exchange(worker: Process, payload: bytes) -> bytes:
    assert worker.stdin is not None, "started with a pipe"
    assert worker.stdout is not None, "started with a pipe"
    worker.stdin.write(frames.LENGTH.pack(len(payload)))
    worker.stdin.write(payload)
    await worker.stdin.drain()
    header = await worker.stdout.readexactly(frames.LENGTH.size)
    (size,) = frames.LENGTH.unpack(header)
    return await worker.stdout.readexactly(size)


async def _kill(worker: Process) -> None:
    if worker.returncode is None:
        try:
            worker.kill()
        except ProcessLookupError:
            _log.debug("a verification worker was gone already", pid=worker.pid)
    await worker.wait()


def _gave_up(why: str) -> frames.Verdict:
    reason = f"the verifier gave up: it {why}"
    hint = "make the program smaller, or its loops simpler"
    return frames.Verdict(judge="none", rejection=frames.Rejection(reason=reason, hint=hint))


def _frame(information: EngineInformation) -> frames.Information:
    context = information.context
    return frames.Information(
        name=information.name,
        context=frames.Context(context.size, context.data, context.end, context.meta),
        is_privileged=information.is_privileged,
        helpers=[
            frames.Helper(
                helper.helper_id,
                helper.name,
                int(helper.return_type),
                [int(argument) for argument in helper.arguments],
                helper.reallocate_packet,
                helper.implicit_context,
            )
            for helper in information.helpers
        ],
        writable=list(information.writable),
    )
