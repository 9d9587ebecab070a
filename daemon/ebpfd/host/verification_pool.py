"""A pool of verification workers: processes that may be killed, and are when they are late.

A worker that dies or is late is a clean rejection of the program it was judging.  Only prevail is
asked here, which has no limits of its own.  Workers are started before they are needed; one that
was killed or has judged enough programs is followed by another.
"""

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

import msgspec
import structlog

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames
from ebpfd.host.worker_process import WorkerDiedError, WorkerLimits, WorkerProcess

T = TypeVar("T")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """What one verification may take, and how many workers there are.

    ``seconds`` are of the clock on the wall, ``cpu_seconds`` of the processor: on a machine that
    is busy the former pass sooner.  ``prestarted`` workers are there before anybody asks, each
    until it has judged ``programs_per_worker``.
    """

    seconds: float = 20.0
    cpu_seconds: int = 15
    memory_bytes: int = 2 << 30
    stack_bytes: int = 64 << 20
    workers: int = 2
    prestarted: int = 2
    programs_per_worker: int = 128

    @property
    def on_a_verdict(self) -> tuple[float, ...]:
        """Those that a verdict may hang on."""
        return (self.seconds, self.cpu_seconds, self.memory_bytes, self.stack_bytes)

    @property
    def of_a_worker(self) -> WorkerLimits:
        """Those that a worker sets itself."""
        return WorkerLimits(self.cpu_seconds, self.memory_bytes, self.stack_bytes)


class VerificationPool:
    """Judges programs in worker processes; at most ``limits.workers`` at once."""

    def __init__(self, limits: VerificationLimits | None = None) -> None:
        self._limits: Final = limits or VerificationLimits()
        # A thread waits for each worker at work, and is free again when that answers or dies.
        self._threads = ThreadPoolExecutor(self._limits.workers, thread_name_prefix="verification")
        self._permits = asyncio.Semaphore(self._limits.workers)
        self._idle: list[WorkerProcess] = []
        self._starting: deque[asyncio.Future[WorkerProcess]] = deque()
        self._busy = 0
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(frames.Verdict)

    async def __aenter__(self) -> Self:
        """Begin to start workers; nobody waits for them here."""
        self._replenish()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the idle workers; busy ones have been killed by the end of their callers."""
        started = await asyncio.gather(*self._starting, return_exceptions=True)
        late = [each for each in started if not isinstance(each, BaseException)]
        for worker in (*self._idle, *late):
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
        request = frames.Request(object_file, program, information, context_btf)
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
                why = self._cause_of(death)
            return _gave_up(why, time.monotonic_ns() - start)

    async def _ask(self, payload: bytes) -> bytes:
        """The answer of an idle or a new worker, which is idle again if it has answered."""
        self._busy += 1
        try:
            worker = self._idle_worker() or await self._start_worker()
            answer = await self._answer_of(worker, payload)
            if worker.judged < self._limits.programs_per_worker:
                self._idle.append(worker)
            else:
                self._run(worker.close)
            return answer
        finally:
            self._busy -= 1
            self._replenish()

    async def _answer_of(self, worker: WorkerProcess, payload: bytes) -> bytes:
        """What *worker* says; it has ended if that is nothing."""
        asked = self._run(partial(worker.ask, payload))
        try:
            return await asyncio.shield(asked)
        except BaseException:
            worker.kill()
            await asyncio.wait([asked])
            worker.close()
            raise

    async def _start_worker(self) -> WorkerProcess:
        """One that is being started already, or a new one."""
        while self._starting:
            with contextlib.suppress(OSError):  # when it was begun is not when it is needed
                return await self._started(self._starting.popleft())
        return await self._started(self._begin_to_start())

    async def _started(self, starting: "asyncio.Future[WorkerProcess]") -> WorkerProcess:
        """The worker; if it comes too late, it is the next one's."""
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._starting.append(starting)
            raise

    def _idle_worker(self) -> WorkerProcess | None:
        """A worker that waits for work; those that were killed meanwhile are forgotten."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            worker.close()
        return None

    def _replenish(self) -> None:
        """Begin to start what is missing of those that shall be there before they are needed."""
        there = len(self._idle) + len(self._starting) + self._busy
        self._starting.extend(
            self._begin_to_start() for _ in range(self._limits.prestarted - there)
        )

    def _begin_to_start(self) -> "asyncio.Future[WorkerProcess]":
        return self._run(partial(WorkerProcess, self._limits.of_a_worker))

    def _run(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Something that blocks, on a thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _cause_of(self, death: WorkerDiedError) -> str:
        if death.exit_code == -signal.SIGXCPU:
            return f"took longer than {self._limits.cpu_seconds} s of processor time"
        return "ran out of memory or stack"


def _gave_up(why: str, duration_ns: int) -> frames.Verdict:
    reason = f"the verifier gave up: it {why}"
    hint = "make the program smaller, or its loops simpler"
    rejection = frames.Rejection(reason=reason, hint=hint)
    return frames.Verdict(
        judge="prevail", rejection=rejection, duration_ns=duration_ns, by_chance=True
    )
