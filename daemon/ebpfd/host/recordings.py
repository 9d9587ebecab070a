"""Recording hooks: what stands between a target and the executor while it is recorded.

A program and its maps are written down before the first of its batches, so that what a recording
holds can be run again.  Nothing of this is on the way of a target that is not recorded.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.invocation import Cause, Columns, Executor, Runner
from ebpfd.host.map_contents import check_size, check_types, contents, reached
from ebpfd.host.maps import Maps
from ebpfd.host.recording import Recording
from ebpfd.host.targets import Tap, Targets
from ebpfd.objects import Link, MapObject, Objects, Program
from ebpfd.objects.recordings import (
    Entry,
    Head,
    RecordedBatch,
    RecordedProgram,
    RecordedWrite,
    Tapes,
    Unseen,
)
from ebpfd_api.result import Result
from ebpfd_vm import BatchResult, lane_count

MAX_OBJECT_BYTES: Final = 8 << 20
"""A larger object file is not part of a recording."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Recordings:
    """The recordings that are under way: one of a hook at a time."""

    def __init__(
        self, *, targets: Targets, objects: Objects, executor: Executor, maps: Maps
    ) -> None:
        self._maps = maps
        self._targets = targets
        self._objects = objects
        self._executor = executor
        self._by_hook: dict[UUID, Recording] = {}

    def begin(self, attach_type: UUID, name: str, link_id: int = 0, limit: int = 0) -> Recording:
        """Record a hook, or one link of it, until *limit* events are there or it is ended."""
        if attach_type in self._by_hook:
            message = f'"{name}" is being recorded already: end that first'
            raise RequestError(Result.INVALID_STATE, message)
        head = Head(time.time_ns(), attach_type, name, link_id, lane_count())

        def wanted(link: Link) -> bool:
            return link.attach_type == attach_type and link_id in (0, link.id)

        recording = Recording(head, limit, lambda: self._ended(attach_type, tap, recorder))
        recorder = _Recorder(recording, self._objects, wanted)
        recorder.meet_all(link.program for link in self._objects.links() if wanted(link))
        tap = Tap(wanted, partial(_Recorded, recorder=recorder, executor=self._executor), True)
        self._by_hook[attach_type] = recording
        self._targets.tap(tap)
        self._maps.when_written.add(recorder.wrote)
        self._executor.when_tested.add(recorder.tested)
        _log.info("recording begun", hook=name, link=link_id)
        return recording

    def _ended(self, attach_type: UUID, tap: Tap, recorder: "_Recorder") -> Iterable[Entry]:
        recording = self._by_hook.pop(attach_type)
        self._targets.untap(tap)
        self._maps.when_written.discard(recorder.wrote)
        self._executor.when_tested.discard(recorder.tested)
        name = recording.head.attach_type_name
        _log.info("recording ended", hook=name, events=recording.events, lost=recording.lost)
        return recorder.unseen()


class _Recorder:
    """What all recorded targets have in common."""

    def __init__(
        self, recording: Recording, objects: Objects, wanted: Callable[[Link], bool]
    ) -> None:
        self.recording = recording
        self._objects = objects
        self._wanted = wanted
        self._unseen: set[Unseen] = set()
        self._programs: set[int] = set()
        self._maps: set[int] = set()
        self._running = self._begun = 0

    def meet(self, program: Program) -> None:
        """Write down a program that is new here, with its maps as they are now."""
        if program.id not in self._programs:
            self.meet_all([program])

    def meet_all(self, programs: Iterable[Program]) -> None:
        """The same of several: whoever else may write to their maps is looked for once."""
        for program in programs:
            self._write_down(program)
        self.recording.announce(self.unseen())

    def _write_down(self, program: Program) -> None:
        if program.id in self._programs:
            return
        maps = reached(program)
        self._announce(f"program {program.id}", maps)
        self._programs.add(program.id)
        self.recording.announce([_described(program, maps)])

    def wrote(self, write: RecordedWrite, inner: MapObject | None) -> None:
        """A user is about to write to a map, or to put *inner* into it."""
        if write.map_id not in self._maps or self.recording.ended:
            return
        if inner is not None:
            try:
                self._announce(f"map {inner.id}", reached(inner))
            except RequestError as error:
                self.recording.end(error.message)
                return
        self._begun += 1  # whatever runs just now may meet it or not
        self.recording.add_write(write)

    def unseen(self) -> list[Unseen]:
        """What may write to recorded maps, and is not recorded; each once."""
        found = {
            each
            for link in self._objects.links()
            if not self._wanted(link)
            for each in self._shared(link.program, link.id)
        }
        return self._new(found)

    def tested(self, program: Program) -> None:
        """A test run is about to begin, which is not recorded."""
        if not self.recording.ended:
            self.recording.announce(self._new(self._shared(program)))

    def _shared(self, program: Program, link_id: int = 0) -> set[Unseen]:
        """The recorded maps that *program* may write to."""
        return {
            Unseen(each.id, link_id, program.name)
            for each in reached(program)
            if each.id in self._maps and not each.map.read_only
        }

    def _new(self, found: set[Unseen]) -> list[Unseen]:
        new = found - self._unseen
        self._unseen |= new
        return sorted(new, key=lambda each: (each.map_id, each.link_id))

    def _announce(self, of: str, maps: Iterable[MapObject]) -> None:
        new = [each for each in maps if each.id not in self._maps]
        check_types(new)
        check_size(of, new)
        self._maps.update(each.id for each in new)
        for each in new:
            self.recording.announce(contents(each))

    def begin(self) -> tuple[bool, int]:
        """A batch begins: whether others run, and its number."""
        self._running += 1
        self._begun += 1
        return self._running > 1, self._begun

    def end(self, begun: tuple[bool, int]) -> bool:
        """A batch has ended; whether others ran at the same time."""
        self._running -= 1
        others, number = begun
        return others or self._begun != number


class _Recorded:
    """A target's runner while it is recorded."""

    def __init__(
        self, link: Link, runner: Runner, *, recorder: _Recorder, executor: Executor
    ) -> None:
        del runner  # it is the executor: an inner tap
        self._link = link
        self._recorder = recorder
        self._executor = executor

    def fits_loop(self, programs: Iterable[Program], columns: Columns) -> bool:
        return self._executor.fits_loop(programs, columns)

    def run(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        if not self._meets(program):
            return self._executor.run(program, columns, cause, taped)
        tapes: list[Tapes] = [] if taped is None else taped
        begun = self._recorder.begin()
        try:
            outcome = self._executor.run(program, columns, cause, tapes)
        finally:
            overlapped = self._recorder.end(begun)
        batch = taped_batch(self._link, program, columns, cause, outcome, tapes[-1])
        self._recorder.recording.add(replace(batch, overlapped=overlapped))
        return outcome

    async def run_on_thread(
        self, program: Program, columns: Columns, cause: Cause, taped: list[Tapes] | None = None
    ) -> BatchResult:
        if not self._meets(program):
            return await self._executor.run_on_thread(program, columns, cause, taped)
        tapes: list[Tapes] = [] if taped is None else taped
        begun, outcome, overlapped = self._recorder.begin(), None, False
        try:
            outcome = await self._executor.run_on_thread(program, columns, cause, tapes)
        except RequestError:
            raise  # nothing has run
        except BaseException:
            # It runs on, and nobody waits for what it comes to.
            self._recorder.recording.lose(columns.count or 1)
            raise
        finally:
            overlapped = self._recorder.end(begun)
        batch = taped_batch(self._link, program, columns, cause, outcome, tapes[-1])
        self._recorder.recording.add(replace(batch, overlapped=overlapped))
        return outcome

    def _meets(self, program: Program) -> bool:
        """Whether the recording goes on, with this program in it."""
        recording = self._recorder.recording
        if not recording.ended:
            try:
                self._recorder.meet(program)
            except RequestError as error:
                recording.end(error.message)
        return not recording.ended


def taped_batch(
    link: Link,
    program: Program,
    columns: Columns,
    cause: Cause,
    outcome: BatchResult,
    tapes: Tapes,
) -> RecordedBatch:
    """What ran, what it came to, and what it was told."""
    count, size = columns.count or 1, program.contract.context.size
    lane, tape, lengths = tapes
    return RecordedBatch(
        link_id=link.id,
        program_id=program.id,
        count=count,
        contexts=columns.contexts or bytes(count * size),
        data=columns.data,
        data_lengths=columns.data_lengths,
        meta_lengths=columns.meta_lengths,
        origin=cause.origin,
        codes=outcome.codes,
        results=outcome.results,
        contexts_after=outcome.contexts,
        data_after=outcome.data,
        lane=lane,
        tape=tape,
        tape_lengths=lengths,
    )


def _described(program: Program, maps: Iterable[MapObject]) -> RecordedProgram:
    source = program.source.object_file
    return RecordedProgram(
        id=program.id,
        name=program.name,
        section=program.spec.section,
        file_name=program.file_name,
        object_sha256=hashlib.sha256(source).digest(),
        program_sha256=program.spec.sha256,
        object_file=source if len(source) <= MAX_OBJECT_BYTES else b"",
        contract=program.contract,
        functions=program.functions,
        map_ids=tuple(each.id for each in maps),
    )
