"""Programs that a hook's process runs: handed over, counted, taken back, left behind."""

import asyncio
import mmap
import os
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ebpfd.errors import RequestError
from ebpfd.host.helpers import HelperCalls
from ebpfd.host.local_process import LocalProcess
from ebpfd.host.local_runs import MOST_INSIDE, LocalRun, LocalRuns
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.records import RecordReader
from ebpfd.objects import Link
from ebpfd.store import StateDirectory
from ebpfd_vm import EngineError, Map, Program, lane_count
from ebpfd_vm.sharing import Gate, descriptors, sealed, trace_through
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, soon, until, world

CONTEXT = bytes(32)
MALFORMED = b"\xff" * 4
INSIDE = 64
"""Where a gate says who is inside."""


@dataclass
class Scene:
    """A link that can be handed over."""

    w: World
    extension: FakeExtension
    link: Link
    runs: LocalRuns
    state: StateDirectory
    processes: list[LocalProcess] = field(default_factory=list[LocalProcess])

    def process(self, pid: int = 7) -> LocalProcess:
        """A process as the socket sees it."""
        self.processes.append(LocalProcess(pid, self.w.trace))
        return self.processes[-1]

    def take(self, process: LocalProcess) -> tuple[LocalRun, Program]:
        """What the daemon has of it, and what the process has."""
        run = self.runs.hand_over(self.link.binding, self.extension, process)
        descriptor = sealed(run.image.data)
        gate, *led = (Gate(each.fileno()) for each in run.gates)
        maps = descriptors([each.map for each in run.maps])
        trace = trace_through(*descriptors([process.ring()]))
        program = Program.of_image(descriptor, maps, gate, led=led, trace=trace, lane=run.lane)
        os.close(descriptor)
        return run, program


@asynccontextmanager
async def scene(
    folder: Path, patience_s: float = 5.0, file: str = "count.o"
) -> AsyncGenerator[Scene]:
    """A daemon with a state directory, so that its maps are in files."""
    state, extension = StateDirectory(folder), FakeExtension()
    async with world(state=state) as w:
        await w.provide(extension)
        link = await w.attached(file)
        new_maps = NewMaps(state.map_files)
        runs = LocalRuns(
            targets=w.targets,
            new_maps=new_maps,
            helper_calls=HelperCalls(30.0),
            services=w.services,
            patience_s=patience_s,
        )
        s = Scene(w, extension, link, runs, state)
        yield s
        for each in s.processes:
            each.end()


def counted(map_: Map) -> int:
    """Events that the program has counted."""
    return int.from_bytes(map_.lookup(MALFORMED), "little")


async def test_what_a_process_runs_is_counted_and_seen_at_once(tmp_path: Path) -> None:
    """And with the detach it can run no more."""
    async with scene(tmp_path) as s:
        run, program = s.take(s.process())
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
        run, program = s.take(s.process())
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
        run, program = s.take(s.process())
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
        process = s.process()
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
        first, _ = s.take(s.process())
        other = await s.w.links.attach(s.link.program.id, s.link.attach_type, b"other")
        s.link, detached = other, s.link
        second, program = s.take(s.process(8))
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
            s.runs.hand_over(s.link.binding, FakeExtension("thief"), s.process())
        s.take(s.process())
        with pytest.raises(RequestError, match="handed over already"):
            s.runs.hand_over(s.link.binding, s.extension, s.process())


async def test_a_program_whose_provider_goes_is_taken_back(tmp_path: Path) -> None:
    """What it was verified against may be another when that comes back."""
    async with scene(tmp_path) as s:
        run, _ = s.take(s.process())
        s.w.lose(s.extension)
        await run.over.wait()
        assert run.gate.closed


async def test_records_of_who_stays_inside_reach_no_reader(tmp_path: Path) -> None:
    """What it wrote before is read, what it writes afterwards is nobody's."""
    async with scene(tmp_path, patience_s=0.0, file="records.o") as s:
        run, program = s.take(s.process())
        program.run_batch(CONTEXT, 1)
        (reports,) = run.maps
        old = Map(13, 0, 0, 4096, file=reports.map.fileno(), event=reports.map.event())
        with mmap.mmap(run.gate.fileno(), 0) as words:
            words[INSIDE] = 1
            await s.w.links.detach(s.link.id)
        old.write(b"late")
        records, _ = reports.map.read(10, 1000)
        assert [data for _, data in records] == [bytes(4) + b"reported"]


async def test_a_reader_looks_when_a_process_has_ended(tmp_path: Path) -> None:
    """That may have written a record, and not have come to signal it."""
    async with scene(tmp_path, file="records.o") as s:
        run, _ = s.take(s.process())
        (reports,) = run.maps
        silent = Map(13, 0, 0, 4096, file=reports.map.fileno())
        reader = RecordReader(reports.map)
        reading = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        silent.write(b"unsaid")
        run.close()
        assert (await reading).records == [(0, b"unsaid")]


async def test_each_process_has_a_lane_until_there_are_no_more(tmp_path: Path) -> None:
    """Which its runs alone have; whoever gets none is told why."""
    async with scene(tmp_path, file="kinds.o") as s:
        lanes: set[int | None] = set()
        for number in range(lane_count() // 4):
            run, program = s.take(s.process(number))
            program.run_batch(CONTEXT, 1)
            by_lane = next(each.map for each in run.maps if each.map.name == "by_lane")
            assert run.lane is not None
            value = by_lane.lookup(bytes(4))[8 * run.lane :][:8]
            assert int.from_bytes(value, "little") == 1
            lanes.add(run.lane)
            s.link = await s.w.links.attach(s.link.program.id, s.link.attach_type, bytes([number]))
        assert len(lanes) == lane_count() // 4
        with pytest.raises(RequestError, match="other processes have a lane each"):
            s.take(s.process(99))


async def test_lines_are_taken_from_who_runs_the_program(tmp_path: Path) -> None:
    """Until it runs it no more; what is no line, or of another program, is none."""
    async with scene(tmp_path, file="trace.o") as s:
        process = s.process()
        run, program = s.take(process)
        program.run_batch(CONTEXT, 1)
        ring = Map(13, 0, 0, 1 << 16, file=process.ring().fileno(), event=process.ring().event())
        ring.write(b"short")
        ring.write(struct.pack("<QQ", 1, run.program.id + 1) + b"of another")
        ring.write(struct.pack("<QQ", 1, run.program.id) + b"\xff" * 2000)
        await s.w.links.detach(s.link.id)
        ring.write(struct.pack("<QQ", 1, run.program.id) + b"late")
        assert [line.text for line in s.w.trace.recent()] == ["got 0", "\ufffd" * 1024]
        process.end()


async def test_lines_come_without_being_asked_for_and_lost_ones_are_counted(
    tmp_path: Path,
) -> None:
    """Whoever follows sees them at once."""
    async with scene(tmp_path, file="trace.o") as s:
        process = s.process()
        _, program = s.take(process)
        lines = s.w.trace.follow()
        following = asyncio.ensure_future(soon(anext(lines)))
        await asyncio.sleep(0)
        program.run_batch(CONTEXT, 1)
        assert (await following).lost == 0
        program.run_batch(CONTEXT * 10_000, 10_000)
        assert (await soon(anext(lines))).lost > 1000
        await lines.aclose()
        process.end()


async def test_who_cannot_run_what_it_was_given_says_why(tmp_path: Path) -> None:
    """The link is the daemon's again."""
    async with scene(tmp_path) as s:
        run, _ = s.take(s.process())
        s.runs.refuse(s.link.binding, s.extension, "it has no engine")
        await run.over.wait()
        assert s.link.where == "remote: it has no engine"


async def test_a_process_has_what_a_program_leads_to(tmp_path: Path) -> None:
    """Which each count for themselves, and the link for its events."""
    async with scene(tmp_path, file="steps.o") as s:
        (steps,), first = s.link.program.maps, s.link.program
        counting = await s.w.load("count.o")
        await s.w.maps.put_program(steps.id, bytes(4), counting.id, 0)
        run, program = s.take(s.process())
        assert run.image.programs == (first, counting)
        assert run.image.arrays == (steps,)
        assert run.maps == tuple(counting.maps)
        program.run_batch(CONTEXT * 3, 3)
        assert counted(run.maps[0].map) == 3
        counts = (first.engine.counters(), counting.engine.counters(), s.link.tally.counters())
        assert [each.runs for each in counts] == [3, 3, 3]
        run.close()
        await run.over.wait()
        assert steps.elsewhere == set()
        assert counting.engine.counters().runs == 3
        assert s.link.elsewhere is None


async def test_a_change_of_an_array_waits_for_who_goes_on_with_what_it_held(
    tmp_path: Path,
) -> None:
    """The change is there at once; it is answered when nobody is inside any more."""
    async with scene(tmp_path, patience_s=3600.0, file="steps.o") as s:
        (steps,) = s.link.program.maps
        counting = await s.w.load("count.o")
        await s.w.maps.put_program(steps.id, bytes(4), counting.id, 0)
        run, program = s.take(s.process())
        with mmap.mmap(run.gate.fileno(), 0) as words:
            words[INSIDE] = 1
            changing = asyncio.ensure_future(s.w.maps.delete(steps.id, bytes(4)))
            await until(lambda: run.gate.closed)
            assert steps.held == {}
            assert not changing.done()
            words[INSIDE] = 0
            await soon(changing)
        with pytest.raises(EngineError, match="no more"):
            program.run_batch(CONTEXT, 1)
        again, program = s.take(s.process())
        assert again.image.programs == (s.link.program,)
        assert program.run_batch(CONTEXT, 1).results == (3).to_bytes(4, "little")


async def test_a_program_that_is_led_to_is_taken_back_with_its_provider(tmp_path: Path) -> None:
    """Whoever may go keeps nobody, and runs nowhere when it has gone."""
    async with scene(tmp_path, file="steps.o") as s:
        (steps,) = s.link.program.maps
        counting = await s.w.load("count.o")
        await s.w.maps.put_program(steps.id, bytes(4), counting.id, 0)
        run, _ = s.take(s.process())
        assert counting.provider.rundown in run.uses
        s.w.lose(s.extension)
        await run.over.wait()
        assert run.gate.closed
