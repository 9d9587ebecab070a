"""Programs that a hook's process runs: handed over, counted, taken back, left behind."""

import asyncio
import mmap
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ebpfd.errors import RequestError
from ebpfd.host.local_runs import MOST_INSIDE, LocalRun, LocalRuns
from ebpfd.host.new_maps import NewMaps
from ebpfd.objects import Link
from ebpfd.store import StateDirectory
from ebpfd_vm import EngineError, Map, Program
from ebpfd_vm.sharing import Gate, sealed
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, world

CONTEXT = bytes(32)
MALFORMED = b"\xff" * 4
INSIDE = 64
"""Where a gate says who is inside."""


@dataclass(eq=False)
class Process:
    """A process as the socket sees it."""

    pid: int = 7
    gone: bool = False


@dataclass
class Scene:
    """A link that can be handed over."""

    w: World
    extension: FakeExtension
    link: Link
    runs: LocalRuns
    state: StateDirectory

    def take(self, process: Process) -> tuple[LocalRun, Program]:
        """What the daemon has of it, and what the process has."""
        run, image = self.runs.hand_over(self.link.binding, self.extension, process)
        descriptor = sealed(image)
        gate = Gate(run.gate.fileno())
        program = Program.of_image(descriptor, [each.map.fileno() for each in run.maps], gate)
        os.close(descriptor)
        return run, program


@asynccontextmanager
async def scene(folder: Path, patience_s: float = 5.0) -> AsyncGenerator[Scene]:
    """A daemon with a state directory, so that its maps are in files."""
    state, extension = StateDirectory(folder), FakeExtension()
    async with world(state=state) as w:
        await w.provide(extension)
        link = await w.attached("count.o")
        new_maps = NewMaps(state.map_files)
        runs = LocalRuns(
            targets=w.targets, new_maps=new_maps, services=w.services, patience_s=patience_s
        )
        yield Scene(w, extension, link, runs, state)


def counted(map_: Map) -> int:
    """Events that the program has counted."""
    return int.from_bytes(map_.lookup(MALFORMED), "little")


async def test_what_a_process_runs_is_counted_and_seen_at_once(tmp_path: Path) -> None:
    """And with the detach it can run no more."""
    async with scene(tmp_path) as s:
        run, program = s.take(Process())
        assert s.link.where == "local: in process 7"
        program.run_batch(CONTEXT * 3, 3)
        assert s.link.tally.counters().runs == s.link.program.engine.counters().runs == 3
        assert counted(run.maps[0].map) == 3
        await s.w.links.detach(s.link.id)
        with pytest.raises(EngineError, match="no more"):
            program.run_batch(CONTEXT, 1)
        assert s.link.tally.counters().runs == 3
        assert s.link.elsewhere is None


async def test_a_process_that_stays_inside_is_left_behind(tmp_path: Path) -> None:
    """The map goes on in another file, under its name; whoever has the old one writes to nobody."""
    async with scene(tmp_path, patience_s=0.0) as s:
        run, program = s.take(Process())
        program.run_batch(CONTEXT, 1)
        (by_protocol,) = run.maps
        named = [(by_protocol.id, by_protocol.map.fileno())]
        await asyncio.to_thread(s.state.map_files.name, named)
        old = Map(1, 4, 8, 258, file=by_protocol.map.fileno())
        with mmap.mmap(run.gate.fileno(), 0) as words:
            words[INSIDE] = 1
            await s.w.links.detach(s.link.id)
        old.update(MALFORMED, bytes(8))
        assert counted(by_protocol.map) == 1
        kept = await asyncio.to_thread(s.state.map_files.path(by_protocol.id).stat)
        assert kept.st_ino == os.fstat(by_protocol.map.fileno()).st_ino
        assert s.link.tally.counters().runs == 1


async def test_what_a_process_runs_now_is_in_flight(tmp_path: Path) -> None:
    """As it says: who makes numbers up, is believed no more than an answer has room for."""
    async with scene(tmp_path) as s:
        run, program = s.take(Process())
        program.run_batch(CONTEXT * 3, 3)
        assert (s.link.in_flight, s.link.running) == (0, 0)
        with mmap.mmap(run.gate.fileno(), 0) as words:
            words[INSIDE] = 2
            assert (s.link.in_flight, s.link.running) == (2, 2)
            words[INSIDE : INSIDE + 8] = b"\xff" * 8
            assert s.link.running == MOST_INSIDE
            words[INSIDE : INSIDE + 8] = bytes(8)


async def test_a_process_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    """Whatever it says of who is inside, nobody is."""
    async with scene(tmp_path, patience_s=3600.0) as s:
        process = Process()
        run, _ = s.take(process)
        file = os.fstat(run.maps[0].map.fileno()).st_ino
        with mmap.mmap(run.gate.fileno(), 0) as words:
            words[INSIDE] = 1
        process.gone = True
        await s.w.links.detach(s.link.id)
        assert os.fstat(run.maps[0].map.fileno()).st_ino == file


async def test_who_has_the_same_map_lets_go_before_it_moves(tmp_path: Path) -> None:
    """It must not write to what was left behind."""
    async with scene(tmp_path, patience_s=0.0) as s:
        first, _ = s.take(Process())
        other = await s.w.links.attach(s.link.program.id, s.link.attach_type, b"other")
        s.link, detached = other, s.link
        second, program = s.take(Process(8))
        with mmap.mmap(first.gate.fileno(), 0) as words:
            words[INSIDE] = 1
            await s.w.links.detach(detached.id)
        assert second.gate.closed
        assert other.where.startswith("remote: a map of its program has moved")
        with pytest.raises(EngineError):
            program.run_batch(CONTEXT, 1)


async def test_a_link_is_handed_over_once_and_to_its_hook_alone(tmp_path: Path) -> None:
    """Others are told why not, and the link says it."""
    async with scene(tmp_path) as s:
        with pytest.raises(RequestError, match="binding is gone"):
            s.runs.hand_over(s.link.binding, FakeExtension("thief"), Process())
        s.take(Process())
        with pytest.raises(RequestError, match="handed over already"):
            s.runs.hand_over(s.link.binding, s.extension, Process())


async def test_a_program_whose_provider_goes_is_taken_back(tmp_path: Path) -> None:
    """What it was verified against may be another when that comes back."""
    async with scene(tmp_path) as s:
        run, _ = s.take(Process())
        s.w.lose(s.extension)
        await run.over.wait()
        assert run.gate.closed
