"""Running what is attached: contexts in, codes and results out.

Most batches run where they arrive, on the event loop, since handing one to a thread costs more
than it takes.  Two kinds do not: programs that call helpers of an extension, which wait; and
batches that would hold up the loop for long.  Each kind has threads of its own, so that programs
that wait for an extension never keep those that only compute from running.  Either way the order
per target is kept.
"""

import asyncio
import os
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Final, ParamSpec, Protocol, Self, TypeVar

from ebpfd.errors import RequestError
from ebpfd.host.attempts import Attempt, admitted, now
from ebpfd.host.helpers import answer_by, as_batch
from ebpfd.host.modules import Module
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.shares import Shares
from ebpfd.host.trace import TraceLog
from ebpfd.host.turns import Turn, Turns
from ebpfd.objects import Link, Program, Rundown
from ebpfd.objects.breaker import Breaker, BreakerState
from ebpfd.objects.chains import Outcome, decided
from ebpfd.objects.origin import Origin
from ebpfd.objects.recordings import Tapes
from ebpfd_api.failure import Failure, failure_of
from ebpfd_api.result import Result
from ebpfd_vm import BatchResult, EngineError, Tally

LONGEST_ON_LOOP_NS: Final = 150_000
"""A batch that is expected to take longer leaves the event loop, which takes about as long."""

MAX_BATCH_BYTES: Final = 15 << 20
"""Contexts, data, codes and results of one batch: what surely fits into one reply."""

CODE_AND_RESULT: Final = 5
"""What the answer to one context takes at least."""

COMPUTING_THREADS: Final = max(2, len(os.sched_getaffinity(0)))
"""Long batches at once: more than one, so that one leaves room for others."""

_P = ParamSpec("_P")
_Value = TypeVar("_Value")


class Columns(Protocol):
    """A batch as it arrives: packed columns."""

    @property
    def count(self) -> int:
        """Contexts; 0 means 1."""
        ...

    @property
    def contexts(self) -> bytes:
        """The contexts, of equal size; empty: zeros."""
        ...

    @property
    def data(self) -> bytes:
        """The data of all contexts, one after the other."""
        ...

    @property
    def data_lengths(self) -> bytes:
        """A little-endian u32 for each context."""
        ...

    @property
    def meta_lengths(self) -> bytes:
        """The same, of the metadata that the data begins with."""
        ...


@dataclass(slots=True)  # a frozen one takes twice as long to make
class Cause:
    """Why a batch runs: the link that counts it, who caused it if that is known, and until when."""

    tally: Tally
    origin: Origin | None = None
    deadline: float | None = None
    """The loop's time from which nobody wants the answer: helpers are not waited for any longer."""


class RefusalError(RequestError):
    """A link has run nothing of a batch; ``result`` is what its hook does with each event."""

    def __init__(self, code: Result, message: str, result: int) -> None:
        super().__init__(code, message)
        self.result = result


class Runner(Protocol):
    """Who runs the batches of a target: the executor, or what stands in front of it.

    *taped* gets what the runs were told from outside, if it is a list.
    """

    def fits_loop(self, programs: Iterable[Program], columns: Columns) -> bool:
        """Whether the batch may run on the event loop, through all of *programs*."""
        ...

    def run(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        """Run a batch here and now."""
        ...

    async def run_on_thread(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        """Run a batch on a thread, and the loop goes on."""
        ...


class Executor:
    """Runs batches of programs, in place or on threads, as a ``Runner`` does."""

    def __init__(self, trace: TraceLog, guard: QuotaGuard | None = None) -> None:
        self.trace: Final = trace
        self.guard: Final = guard or QuotaGuard()
        self.when_tested: set[Callable[[Program], None]] = set()
        """Told of each test run, which no link sees, right before it begins."""

        self.waiting_bytes = 0
        """What batches take that wait for a thread."""

        # Threads are made when they are needed; an extension that hangs has only its share.
        quotas = self.guard.quotas
        self._blocking = ThreadPoolExecutor(quotas.helper_threads, thread_name_prefix="waiting")
        self._shares = Shares(self._blocking, quotas.extension_helper_threads)
        self._computing = ThreadPoolExecutor(COMPUTING_THREADS, thread_name_prefix="computing")

    @property
    def helper_threads(self) -> tuple[int, int]:
        """Runs that wait for helpers, and those of the extension that has most of them."""
        return self._shares.running, self._shares.most_running

    async def __aenter__(self) -> Self:
        """Threads are started when they are first needed."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget what has not begun; what runs ends by its helpers' deadlines."""
        for threads in (self._blocking, self._computing):
            threads.shutdown(wait=False, cancel_futures=True)

    def fits_loop(self, programs: Iterable[Program], columns: Columns) -> bool:
        """Whether the batch may run on the event loop, through all of *programs*."""
        expected = 0.0
        for program in programs:
            if program.may_wait:
                return False
            expected += program.nanoseconds_per_run
        return expected * max(columns.count, 1) <= LONGEST_ON_LOOP_NS

    def run(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        """Run a batch here and now."""
        if not program.provider.rundown.acquire():
            raise _provider_gone(program)
        try:
            outcome = _run_batch(program, columns, cause, taped)
        finally:
            program.provider.rundown.release()
            self.trace.collect()
        return outcome

    async def run_on_thread(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        """Run a batch on a thread, and the loop goes on."""
        if not program.provider.rundown.acquire():
            raise _provider_gone(program)
        try:
            clock = asyncio.get_running_loop().time
            running = self.on_thread(program, _run_in_time, clock, program, columns, cause, taped)
        except RequestError:
            program.provider.rundown.release()
            raise
        # The thread runs on when the caller is cancelled, so the end of the run ends the use.
        running.add_done_callback(lambda _: program.provider.rundown.release())
        try:
            return await asyncio.shield(running)
        finally:
            self.trace.collect()

    def on_waiting_thread(
        self, user: Hashable, work: Callable[[], _Value]
    ) -> asyncio.Future[_Value]:
        """Start *work* on a thread that may wait, of those that *user* has a share of."""
        return self._shares.run(user, work)

    def on_thread(
        self,
        program: Program,
        work: Callable[_P, _Value],
        *arguments: _P.args,
        **named: _P.kwargs,
    ) -> asyncio.Future[_Value]:
        """Start *work* on a thread for runs of *program*."""
        run = partial(as_batch, work, *arguments, **named)
        try:
            # Asked anew each time: a program that a tail call leads to may be one that waits.
            if program.may_wait:
                return self._shares.run(program.provider.owner, run)
            return asyncio.get_running_loop().run_in_executor(self._computing, run)
        except RuntimeError as error:  # no thread can be started, or this executor has ended
            raise RequestError(Result.NO_MEMORY, f"no thread to run on: {error}") from None


class Target:
    """What one binding runs: the program of its link."""

    __slots__ = (
        "executor",
        "link",
        "owner",
        "queued",
        "queued_bytes",
        "rundown",
        "runner",
        "turns",
    )

    def __init__(self, link: Link, owner: Module, executor: Executor) -> None:
        self.link = link
        self.owner = owner
        self.rundown = Rundown()
        self.turns = Turns()
        """Who runs on a thread has its turn."""

        self.queued = self.queued_bytes = 0
        self.executor = executor
        self.runner: Runner = executor

    def run_now(self, columns: Columns, origin: Origin | None = None) -> Outcome | None:
        """Run a batch at once; None: it must queue (``enqueue``, then ``run_queued``)."""
        if self.link.breaker is not None:
            self.check_breaker(columns.count)
        if self.queued or not self.runner.fits_loop((self.link.program,), columns):
            return None
        return self.run_here(columns, origin)

    def run_here(self, columns: Columns, origin: Origin | None) -> Outcome:
        """Run a batch on the event loop, which it fits."""
        link = self.link
        attempt = None if link.breaker is None else self._attempt(link.breaker, columns.count)
        try:
            outcome = self.runner.run(link.program, columns, Cause(link.tally, origin))
        except RequestError as error:
            raise self._refusal(error, columns.count) from None
        else:
            if attempt is not None:
                attempt.ended(outcome)
        finally:
            if attempt is not None:
                attempt.give_up()
        return decided(outcome, link.result_of)

    def enqueue(self, count: int = 1, size_bytes: int = 0) -> None:
        """Take a place for *count* events: nothing that comes later overtakes them."""
        quota, problem = self._full(size_bytes)
        if quota:
            refusal = self.executor.guard.refusal(quota, f"{problem} waiting: send fewer at once")
            raise self._refusal(refusal, count)
        if not self.rundown.acquire():
            raise binding_gone()
        self.queued += 1
        self.link.queued += 1
        self.queued_bytes += size_bytes
        self.executor.waiting_bytes += size_bytes

    def dequeue(self, size_bytes: int = 0) -> None:
        """Give up a place."""
        self.queued -= 1
        self.link.queued -= 1
        self.queued_bytes -= size_bytes
        self.executor.waiting_bytes -= size_bytes
        self.rundown.release()

    async def run_queued(
        self,
        columns: Columns,
        origin: Origin | None = None,
        *,
        size_bytes: int = 0,
        deadline: float | None = None,
    ) -> Outcome:
        """Run a batch that has been given a place, in the order of these calls; gives it up.

        One that waits until the loop's time is *deadline* is refused with TIMEOUT.
        """
        turn = self.turns.take()
        try:
            await self.wait_for(turn, columns.count, deadline)
            return await self.run_in_turn(columns, origin, deadline)
        finally:
            turn.leave()
            self.dequeue(size_bytes)

    async def wait_for(self, turn: Turn, count: int, deadline: float | None) -> None:
        """Wait for *turn*; at *deadline*, *count* events are refused instead."""
        try:
            async with asyncio.timeout_at(deadline):
                await turn.wait()
        except TimeoutError:
            raise self._refusal(_too_late(), count) from None

    async def run_in_turn(
        self, columns: Columns, origin: Origin | None, deadline: float | None = None
    ) -> Outcome:
        """Run a batch on a thread; it is the caller's turn."""
        link = self.link
        cause = Cause(link.tally, origin, deadline)
        attempt = None if link.breaker is None else self._attempt(link.breaker, columns.count)
        link.in_turn += 1
        try:
            outcome = await self.runner.run_on_thread(link.program, columns, cause)
        except RequestError as error:
            raise self._refusal(error, columns.count) from None
        else:
            # What was cut short says nothing of the link.
            if attempt is not None and not _past(deadline):
                attempt.ended(outcome)
        finally:
            link.in_turn -= 1
            if attempt is not None:
                attempt.give_up()
        return decided(outcome, link.result_of)

    def check_breaker(self, count: int) -> None:
        """Refuse *count* events at once if the link is left alone; they need not queue for that."""
        breaker = self.link.breaker
        if breaker is None or breaker.state is BreakerState.WHOLE:
            return
        if breaker.refuses(now()):
            raise self._broken(breaker, count)

    def lose(self, count: int) -> None:
        """Count events whose answers reached nobody."""
        self.link.others[Failure.LOST] += count

    async def settled(self) -> None:
        """Wait until nothing runs any more that had begun before this call.

        Where the link's process runs the program itself, it was told to end.
        """
        if self.link.elsewhere is not None:
            await self.link.elsewhere.ended()
        turn = self.turns.take()
        try:
            await turn.wait()
        finally:
            turn.leave()

    def _full(self, size_bytes: int) -> tuple[str, str]:
        """The quota that leaves no room for another batch, if one does; who has how much."""
        quotas, link = self.executor.guard.quotas, f"link {self.link.id}"
        if self.queued >= quotas.link_batches:
            return "link_batches", f"{link} has {self.queued} batches"
        if self.queued and self.queued_bytes + size_bytes > quotas.link_batch_memory:
            return "link_batch_memory", f"{link} has {self.queued_bytes} bytes of batches"
        if self.executor.waiting_bytes + size_bytes > quotas.batch_memory:
            waiting = self.executor.waiting_bytes
            return "batch_memory", f"the daemon has {waiting} bytes of batches"
        return "", ""

    def _attempt(self, breaker: Breaker, count: int) -> Attempt:
        batch = admitted(breaker)
        if not batch:
            raise self._broken(breaker, count)
        return Attempt(self.link, breaker, batch)

    def _broken(self, breaker: Breaker, count: int) -> RefusalError:
        link, rule = self.link, breaker.rule
        link.broken += count or 1
        message = (
            f"link {link.id} is left alone after {rule.failures} failures in a row, "
            f"{rule.retry_s:g} s at a time: `ebpfctl link show {link.id}` says what they were"
        )
        return RefusalError(Result.BLOCKED_BY_POLICY, message, link.result_of(breaker.cause))

    def _refusal(self, error: RequestError, count: int) -> RefusalError:
        """Count events that did not run; how many a batch has that makes no sense is unknown."""
        malformed = error.code is Result.INVALID_ARGUMENT
        self.link.others[failure_of(error.code)] += 1 if malformed else count or 1
        return RefusalError(error.code, error.message, self.link.result_of(error.code))


def binding_gone() -> RequestError:
    """The error for a binding that is gone, or was never the caller's."""
    return RequestError(Result.OBJECT_NOT_FOUND, "the binding is gone: its link was detached")


def _run_batch(
    program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None
) -> BatchResult:
    # Each look at a column of a message is a copy of it.
    contexts, data = columns.contexts, columns.data
    count, size = columns.count or 1, program.contract.context.size
    total = (len(contexts) or count * size) + len(data) + count * CODE_AND_RESULT
    if total > MAX_BATCH_BYTES:
        message = (
            f"count is {count}: the batch and its answer take more than {MAX_BATCH_BYTES} bytes"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)
    try:
        if taped is None:
            outcome = program.engine.run_batch(
                contexts or bytes(count * size),
                count,
                data,
                columns.data_lengths,
                columns.meta_lengths,
                cause.origin,
                cause.tally,
            )
        else:
            outcome, tapes = program.engine.record_batch(
                contexts or bytes(count * size),
                count,
                data,
                columns.data_lengths,
                columns.meta_lengths,
                cause.origin,
                cause.tally,
            )
            taped.append(tapes)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None
    if not program.engine.blocking:  # who waits for a helper needs no processor
        program.took(outcome.elapsed_ns / count)
    return outcome


def _run_in_time(
    clock: Callable[[], float],
    program: Program,
    columns: Columns,
    cause: Cause,
    taped: list[Tapes] | None,
) -> BatchResult:
    """Run a batch on this thread, for which it may have waited too."""
    if cause.deadline is not None:
        if clock() >= cause.deadline:
            raise _too_late()
        answer_by(cause.deadline)
    return _run_batch(program, columns, cause, taped)


def _past(deadline: float | None) -> bool:
    return deadline is not None and asyncio.get_running_loop().time() >= deadline


def _too_late() -> RequestError:
    return RequestError(Result.TIMEOUT, "it waited until its deadline, and has not run")


def _provider_gone(program: Program) -> RequestError:
    message = f"program {program.id} ({program.name}) waits: {program.provider.reason}"
    return RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
