"""Programs that run beside a link's own and decide nothing: only their results are compared.

A shadow sees copies, and what the link's program was told from outside is told to it again, so
that it asks no extension and fills no ring.  It has maps of its own.  All shadows together have one
thread of low priority, which no event waits for; what it is too slow for is dropped and counted.
Each has a share of a processor's time: beyond it events are skipped, and not even copied.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from ebpfd.errors import RequestError
from ebpfd.host.invocation import Cause, Columns, Runner
from ebpfd.host.map_contents import reached
from ebpfd.host.recordings import taped_batch
from ebpfd.host.targets import Tap, Targets
from ebpfd.host.worker_process import give_way
from ebpfd.objects import Link, Objects, Program
from ebpfd.objects.recordings import RecordedBatch, Tapes
from ebpfd.objects.time_share import TimeShare
from ebpfd_api.result import Result
from ebpfd_vm import BatchResult, EngineError

MAX_WAITING: Final = 256
"""Batches that wait for one shadow."""

MAX_WAITING_BYTES: Final = 8 << 20
"""Of those batches."""

MOST_PERCENT: Final = 100
SHARE_PERCENT: Final = 20
"""Of one processor's time, what a shadow may take if nobody says how much."""

KEPT: Final = 10
"""Events that differed, of each shadow: the latest."""


_Compared: TypeAlias = tuple[BatchResult, bytes] | None
"""What a batch came to, and which events asked what is unknown; None: there was no time for it."""


@dataclass(frozen=True, slots=True)
class ShadowDifference:
    """The *event*-th that was compared, from 1: (code, result) of the link's program and ours."""

    event: int
    context: bytes
    data: bytes
    was: tuple[int, int]
    shadow: tuple[int, int]


@dataclass(slots=True, eq=False)
class Shadow:
    """A program beside a link's own, and what came of it."""

    link: Link
    program: Program
    share_percent: int = SHARE_PERCENT
    events: int = 0
    differing: int = 0
    dropped: int = 0
    skipped: int = 0
    unknown: int = 0
    stopped: str = ""
    recent: deque[ShadowDifference] = field(default_factory=lambda: deque(maxlen=KEPT))


class Shadows:
    """The shadows of all links: one each at most.  They go with the daemon.

    *clock* and the *processor* time of the thread that asks are in seconds.
    """

    def __init__(
        self,
        *,
        targets: Targets,
        objects: Objects,
        clock: Callable[[], float] = time.monotonic,
        processor: Callable[[], float] = time.thread_time,
    ) -> None:
        self._targets = targets
        self._objects = objects
        self._clock = clock
        self._processor = processor
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shadow", initializer=_give_way)
        self._by_link: dict[int, _Worker] = {}

    async def set(self, link_id: int, program_id: int, share_percent: int = 0) -> Shadow:
        """Let a program see what a link's program sees, in place of the shadow before it.

        *share_percent* of a processor's time is what it may take; 0: the daemon's default.
        """
        if not 0 <= share_percent <= MOST_PERCENT:
            message = f"share_percent: {share_percent} is not from 1 to {MOST_PERCENT}"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        self._forget_gone()
        link, program = self._objects.link(link_id), self._objects.program(program_id)
        if program.program_type != link.program.program_type:
            message = (
                f"program {program_id} is of type {program.contract.name}, "
                f"and link {link_id} runs {link.program.contract.name}"
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        if program.link_ids:
            message = f"program {program_id} is attached: load it from its file again"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        if problem := _shared(program, link.program):
            raise RequestError(Result.INVALID_ARGUMENT, problem)
        old = self._by_link.pop(link_id, None)
        shadow = Shadow(link, program, share_percent or SHARE_PERCENT)
        share = TimeShare(shadow.share_percent / 100, self._clock)
        worker = _Worker(shadow, self._thread, share, self._processor)
        self._by_link[link_id] = worker
        if old is not None:
            self._targets.untap(old.tap)
        self._targets.tap(worker.tap)
        if old is not None:
            await old.settled()
        return worker.shadow

    async def clear(self, link_id: int) -> Shadow:
        """Take a link's shadow away; it runs no more when this returns."""
        worker = self._find(link_id)
        del self._by_link[link_id]
        self._targets.untap(worker.tap)
        await worker.settled()
        return worker.shadow

    def get(self, link_id: int) -> Shadow:
        """The shadow of a link."""
        return self._find(link_id).shadow

    def close(self) -> None:
        """Run nothing more, at the daemon's end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _find(self, link_id: int) -> "_Worker":
        self._forget_gone()
        self._objects.link(link_id)
        if link_id not in self._by_link:
            message = f"link {link_id} has no shadow: `ebpfctl link shadow set` gives it one"
            raise RequestError(Result.OBJECT_NOT_FOUND, message)
        return self._by_link[link_id]

    def _forget_gone(self) -> None:
        """Links are detached without a word to us."""
        there = {link.id for link in self._objects.links()}
        for link_id in self._by_link.keys() - there:
            self._targets.untap(self._by_link.pop(link_id).tap)


class _Worker:
    """Hands a shadow its batches, one after the other, and compares."""

    def __init__(
        self,
        shadow: Shadow,
        thread: ThreadPoolExecutor,
        share: TimeShare,
        processor: Callable[[], float],
    ) -> None:
        self.shadow = shadow
        self._share = share
        self._processor = processor
        self.tap = Tap(lambda link: link is shadow.link, partial(_Shadowed, worker=self))
        self._thread = thread
        self._waiting: set[asyncio.Future[_Compared]] = set()
        self._waiting_bytes = 0
        self._beside: Program | None = None
        """The link's program that was checked last."""

    def takes(self, count: int) -> bool:
        """Whether there is time for *count* events; if not, they are skipped."""
        shadow = self.shadow
        if shadow.stopped or self._share.left:
            return True
        shadow.skipped += count or 1
        return False

    def see(self, program: Program, batch: RecordedBatch) -> None:
        """Run the shadow on what *program* has just run on, if there is time for it."""
        shadow = self.shadow
        if shadow.stopped or not self._goes_with(program):
            return
        full = self._waiting_bytes + batch.size > MAX_WAITING_BYTES
        if full or len(self._waiting) >= MAX_WAITING:
            shadow.dropped += batch.count
            return
        rundown = shadow.program.provider.rundown
        if not rundown.acquire():
            shadow.dropped += batch.count
            return
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._thread, self._run, batch)
        except RuntimeError:  # the daemon ends
            rundown.release()
            return
        self._waiting.add(running)
        self._waiting_bytes += batch.size
        running.add_done_callback(partial(self._ran, batch))

    async def settled(self) -> None:
        """Wait until nothing of it runs or waits."""
        if self._waiting:
            await asyncio.wait(tuple(self._waiting))

    def _goes_with(self, program: Program) -> bool:
        """Whether the shadow may still run; asked of each program that the link gets."""
        shadow = self.shadow
        if not shadow.program.kept:
            shadow.stopped = "its program was unloaded"
        elif shadow.program.link_ids:
            shadow.stopped = "its program is attached now"
        elif program is not self._beside:
            shadow.stopped = _shared(shadow.program, program)
            self._beside = program
        return not shadow.stopped

    def _run(self, batch: RecordedBatch) -> _Compared:
        """Run a batch on the shadows' thread, unless those before it took all the time."""
        if not self._share.left:
            return None
        began = self._processor()
        try:
            return _run(self.shadow.program, batch)
        finally:
            self._share.spend(self._processor() - began)

    def _ran(self, batch: RecordedBatch, running: asyncio.Future[_Compared]) -> None:
        shadow = self.shadow
        self._waiting.discard(running)
        self._waiting_bytes -= batch.size
        shadow.program.provider.rundown.release()
        if running.cancelled():
            return
        if error := running.exception():
            shadow.stopped = error.message if isinstance(error, EngineError) else str(error)
            return
        ran = running.result()
        if ran is None:
            shadow.skipped += batch.count
            return
        outcome, unknown = ran
        if (outcome.codes, outcome.results) != (batch.codes, batch.results):
            self._compare(batch, outcome)
        shadow.events += batch.count
        shadow.unknown += sum(unknown)

    def _compare(self, batch: RecordedBatch, outcome: BatchResult) -> None:
        shadow = self.shadow
        was = _decided(batch.codes, batch.results)
        ours = _decided(outcome.codes, outcome.results)
        differing = [at for at in range(batch.count) if was[at] != ours[at]]
        shadow.differing += len(differing)
        contexts, data = batch.contexts_of(batch.contexts), batch.data_of(batch.data)
        for at in differing[-KEPT:]:
            event = shadow.events + at + 1
            shadow.recent.append(ShadowDifference(event, contexts[at], data[at], was[at], ours[at]))


class _Shadowed:
    """A target's runner while its link has a shadow."""

    def __init__(self, link: Link, runner: Runner, *, worker: _Worker) -> None:
        self._link = link
        self._runner = runner
        self._worker = worker

    def fits_loop(self, programs: Iterable[Program], columns: Columns) -> bool:
        return self._runner.fits_loop(programs, columns)

    def run(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        if not self._worker.takes(columns.count):
            return self._runner.run(program, columns, cause, taped)
        tapes: list[Tapes] = [] if taped is None else taped
        outcome = self._runner.run(program, columns, cause, tapes)
        batch = taped_batch(self._link, program, columns, cause, outcome, tapes[-1])
        self._worker.see(program, batch)
        return outcome

    async def run_on_thread(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        if not self._worker.takes(columns.count):
            return await self._runner.run_on_thread(program, columns, cause, taped)
        tapes: list[Tapes] = [] if taped is None else taped
        outcome = await self._runner.run_on_thread(program, columns, cause, tapes)
        batch = taped_batch(self._link, program, columns, cause, outcome, tapes[-1])
        self._worker.see(program, batch)
        return outcome


def _run(program: Program, batch: RecordedBatch) -> tuple[BatchResult, bytes]:
    return program.engine.replay_batch(
        batch.contexts,
        batch.count,
        batch.data,
        batch.data_lengths,
        batch.meta_lengths,
        batch.origin,
        (batch.lane, batch.tape, batch.tape_lengths),
    )


def _decided(codes: bytes, results: bytes) -> list[tuple[int, int]]:
    numbers = (int.from_bytes(results[at : at + 4], "little") for at in range(0, len(results), 4))
    return list(zip(codes, numbers, strict=True))


def _shared(shadow: Program, program: Program) -> str:
    """Why the two cannot run side by side; empty: they can."""
    try:
        ours = {each.id: each for each in reached(shadow)}
    except RequestError as error:
        return error.message
    for each in ours.values():
        if each.custom is not None and each.custom.data.hears_of_programs:
            return (
                f"program {shadow.id} uses map {each.id} ({each.name}), whose extension must know "
                "of what is written: a shadow asks nobody"
            )
    if both := [ours[each.id] for each in reached(program) if each.id in ours]:
        return (
            f"program {shadow.id} shares map {both[0].id} ({both[0].name}) with program "
            f"{program.id}: a shadow has maps of its own, so load it from its file again"
        )
    return ""


def _give_way() -> None:
    give_way(threading.get_native_id())
