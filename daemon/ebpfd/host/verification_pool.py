"""A pool of verification workers: processes that may be killed, and are when they are late.

A worker that dies or is late is a clean rejection of the program it was judging.  Only prevail is
asked here, which has no limits of its own.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import msgspec
import structlog

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames
from ebpfd.host.worker_process import WorkerDiedError, WorkerProcess

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """What one verification may take."""

    seconds: float = 20.0
    memory_bytes: int = 2 << 30
    workers: int = 2

    @property
    def on_a_verdict(self) -> tuple[float, ...]:
        """Those that a verdict may hang on."""
        return (self.seconds, self.memory_bytes)


class VerificationPool:
    """Judges programs in worker processes; at most ``limits.workers`` at once."""

    def __init__(self, limits: VerificationLimits | None = None) -> None:
        self._limits: Final = limits or VerificationLimits()
        # A thread waits for each worker at work, and is free again when that answers or dies.
        self._threads = ThreadPoolExecutor(self._limits.workers, thread_name_prefix="verification")
        self._permits = asyncio.Semaphore(self._limits.workers)
        self._idle: list[WorkerProcess] = []
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
        """End the idle workers; busy ones have been killed by the end of their callers."""
        for worker in self._idle:
            worker.close()
        self._threads.shutdown()

    async def verify(
        self,
        object_file: bytes,
        program: int,
        information: EngineInformation,
        context_btf: bytes = b"",
    ) -> frames.Verdict:
        """Judge program number *program* of *object_file*, relocated for *context_btf*."""
        request = frames.Request(object_file, program, _frame(information), context_btf)
        payload = self._encoder.encode(request)
        async with self._permits:
            start = time.monotonic_ns()
            try:
                async with asyncio.timeout(self._limits.seconds):
                    return self._decoder.decode(await self._ask(payload))
            except TimeoutError:
                why = f"took longer than {self._limits.seconds:g} s"
            except OSError as error:
                _log.warning("no verification worker could be started", reason=error.strerror)
                why = f"could not be started ({error.strerror})"
            except WorkerDiedError as death:
                _log.warning("a verification worker died", exit_code=death.exit_code)
                why = "ran out of memory or stack"
            return _gave_up(why, time.monotonic_ns() - start)

    async def _ask(self, payload: bytes) -> bytes:
        """The answer of an idle or a new worker, which is idle again if it has answered."""
        loop, worker = asyncio.get_running_loop(), self._idle_worker()
        if worker is None:
            worker = await self._start_worker()
        asked = loop.run_in_executor(self._threads, worker.ask, payload)
        try:
            answer = await asyncio.shield(asked)
        except BaseException:
            worker.kill()
            await asyncio.wait([asked])
            worker.close()
            raise
        self._idle.append(worker)
        return answer

    async def _start_worker(self) -> WorkerProcess:
        """A new worker; one that starts too late is ended, not lost."""
        loop, memory = asyncio.get_running_loop(), self._limits.memory_bytes
        started = loop.run_in_executor(self._threads, WorkerProcess, memory)
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            await asyncio.wait([started])
            if started.exception() is None:
                await loop.run_in_executor(self._threads, started.result().close)
            raise

    def _idle_worker(self) -> WorkerProcess | None:
        """A worker that waits for work; those that were killed meanwhile are forgotten."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.close()
        return None


def _gave_up(why: str, duration_ns: int) -> frames.Verdict:
    reason = f"the verifier gave up: it {why}"
    hint = "make the program smaller, or its loops simpler"
    rejection = frames.Rejection(reason=reason, hint=hint)
    return frames.Verdict(
        judge="prevail", rejection=rejection, duration_ns=duration_ns, by_chance=True
    )


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
        functions=[
            frames.Function(
                str(function.module),
                function.name,
                int(function.return_type),
                [int(argument) for argument in function.arguments],
                function.reallocate_packet,
            )
            for function in information.functions
        ],
    )
