"""What survives the daemon comes back as it was; leaving a world's block is as good as a kill."""

import asyncio
import errno
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from ebpfd.host import restorer
from ebpfd.host.maps import MapDeclaration
from ebpfd.host.verification_frames import Rejection, Verdict
from ebpfd.objects import DAEMON, Link, LinkState, Owner, Program, ProgramState
from ebpfd.objects.chains import Batch
from ebpfd.store import Change, KeptObjects, StateDirectory, StoreError
from ebpfd.store.kept_objects import read_all, write
from ebpfd.store.map_files import MapFiles
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError
from tests.daemon.contracts.samples import ATTACH_TYPE, SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, object_file, refused, world

COUNT = "count.o"
PACKET = Batch(data=bytes(64), data_lengths=b"@\0\0\0")
KEY = bytes(4)


@pytest.fixture(name="state")
def _state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


def counted(w: World, map_id: int) -> dict[bytes, bytes]:
    """All entries of a map."""
    return dict(w.objects.map(map_id).map.entries(None, 1000))


async def test_a_legacy_link_comes_back_with_all_that_it_reaches(state: StateDirectory) -> None:
    """Under its id it waits for its hook, and goes on counting when that returns."""
    async with world(state=state) as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached(COUNT, b"eth0")
        (used,) = link.program.maps
        assert (await w.invoke(link, extension, PACKET)).codes == b"\0"
        before = counted(w, used.id)
    async with world(state=state) as w:
        again = w.objects.link(link.id)
        assert (again.state, again.binding, again.parameter) == (LinkState.ATTACHED, 0, b"eth0")
        assert (again.program.id, again.program.name) == (link.program.id, link.program.name)
        assert again.program.state is ProgramState.WAITING
        assert "since the daemon was restarted" in again.program.provider.reason
        assert counted(w, used.id) == before
        extension = FakeExtension()
        await w.provide(extension)
        assert (again.provider, again.program.state) == ("fake", ProgramState.READY)
        assert (await w.invoke(again, extension, PACKET)).codes == b"\0"
        assert counted(w, used.id) == {key: b"\2" + value[1:] for key, value in before.items()}
        await w.links.detach(link.id)
        await w.programs.unload(link.program.id)
    async with world(state=state) as w:
        assert w.leftovers() == []
        assert await asyncio.to_thread(state.map_files.found) == []


async def test_what_is_nobodys_for_long_does_not_come_back(state: StateDirectory) -> None:
    """Neither what an owner has, nor what the daemon has that nothing durable reaches."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        owner = Owner("a client")
        (program,) = await w.programs.load(object_file(COUNT), COUNT, [], owner=owner)
        await w.links.attach(program.id, ATTACH_TYPE, b"", owner=owner)
        await w.load(COUNT)
        await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 16))
        last = w.objects.last_id
    async with world(state=state) as w:
        assert w.leftovers() == []
        await refused(w.links.detach(program.id), Result.STALE_ID)
        assert w.objects.next_id() > last


async def test_pins_keep_one_of_each_kind(state: StateDirectory) -> None:
    """Several paths for one object; what nothing leads to any more is gone the next time."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        owner = Owner("a client")
        (program,) = await w.programs.load(object_file(COUNT), COUNT, [], owner=owner)
        link = await w.links.attach(program.id, ATTACH_TYPE, b"", owner=owner)
        created = await w.maps.create(MapDeclaration(MapType.ARRAY, 4, 8, 2, name="made"), owner)
        created.map.update(KEY, b"contents")
        for path, each in (("/p", program), ("/l", link), ("/m", created), ("/m/2", created)):
            await w.pins.pin(path, each.id)
    async with world(state=state) as w:
        assert {path: type(each) for path, each in w.objects.pins()} == {
            "BPF:\\p": Program,
            "BPF:\\l": Link,
            "BPF:\\m": type(created),
            "BPF:\\m\\2": type(created),
        }
        assert w.objects.pinned("/m") is w.objects.map(created.id)
        assert counted(w, created.id)[KEY] == b"contents"
        assert not w.objects.program(program.id).loaded
        for path in ("BPF:\\l", "BPF:\\p", "BPF:\\m"):
            await w.pins.unpin(path)
    async with world(state=state) as w:
        assert [each.id for each in w.objects.maps()] == [created.id]
        assert [path for path, _ in w.objects.pins()] == ["BPF:\\m\\2"]
        assert [*w.objects.programs(), *w.objects.links()] == []


async def test_a_program_array_comes_back_filled(state: StateDirectory) -> None:
    """By its declaration and by users; a change of it is kept; tail calls work."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        loaded = await w.programs.load(object_file("ready_steps.o"), "ready_steps.o", [])
        finish, begin = sorted(loaded, key=lambda each: len(each.maps))
        (array,) = begin.maps
        await w.pins.pin("/begin", begin.id)
        other = await w.load(COUNT)
        await w.maps.put_program(array.id, b"\1\0\0\0", other.id, 0)
        await w.maps.put_program(array.id, b"\3\0\0\0", other.id, 0)
        await w.maps.delete(array.id, b"\3\0\0\0")
    async with world(state=state) as w:
        extension = FakeExtension()
        await w.provide(extension)
        (array,) = w.objects.program(begin.id).maps
        held = {key[0]: each.id for key, each in array.held.items()}
        assert held == {0: begin.id, 1: other.id, 2: finish.id}
        link = await w.links.attach(begin.id, ATTACH_TYPE, b"")
        outcome = await w.invoke(link, extension, PACKET)
        assert (outcome.codes, outcome.results) == (b"\0", (42).to_bytes(4, "little"))
        await w.maps.put_program(array.id, b"\2\0\0\0", other.id, 0)
        await w.programs.unload(other.id)
    async with world(state=state) as w:
        (array,) = w.objects.program(begin.id).maps
        assert {key[0]: each.id for key, each in array.held.items()} == {
            0: begin.id,
            1: other.id,
            2: other.id,
        }


async def test_a_map_of_maps_comes_back_with_those_in_it(state: StateDirectory) -> None:
    """And their contents."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        link = await w.attached("nested.o")
        outer = next(each for each in link.program.maps if each.is_container)
        inner = await w.maps.create(MapDeclaration(MapType.ARRAY, 4, 8, 1, name="later"))
        inner.map.update(KEY, b"contents")
        await w.maps.put_map(outer.id, b"\2\0\0\0", inner.id, 0)
        await w.maps.remove(inner.id)
        names = {key: each.name for key, each in outer.held.items()}
    async with world(state=state) as w:
        again = w.objects.map(outer.id)
        assert {key: each.name for key, each in again.held.items()} == names
        assert again.map.lookup(b"\2\0\0\0") == inner.id.to_bytes(4, "little")
        assert counted(w, inner.id) == {KEY: b"contents"}


@pytest.mark.parametrize("kind", ["kinds.o", "trace.o", "records.o"])
async def test_programs_with_maps_of_all_kinds_come_back(state: StateDirectory, kind: str) -> None:
    """Read-only data too: what a program was verified to rely on is what it finds."""
    async with world(state=state) as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached(kind)
        first = await w.invoke(link, extension, PACKET)
        await w.invoke(link, extension, PACKET)
        shapes = {each.id: (each.name, each.map.type, each.map.count) for each in w.objects.maps()}
    async with world(state=state) as w:
        extension = FakeExtension()
        await w.provide(extension)
        again = {each.id: (each.name, each.map.type, each.map.count) for each in w.objects.maps()}
        assert again == shapes
        last = await w.invoke(w.objects.link(link.id), extension, PACKET)
        assert (last.codes, last.results) == (first.codes, first.results)


async def test_another_contract_does_not_revive_it_and_the_same_does(state: StateDirectory) -> None:
    """As after the loss of its extension."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        link = await w.attached("helper_implicit_1.o")
    changed = replace(SAMPLE, helper_addresses=frozenset())
    async with world(state=state) as w:
        other = FakeExtension("other")
        handles = await w.provide(other, changed, hook=False)
        program = w.objects.program(link.program.id)
        assert "no longer serves helper" in program.provider.reason
        for handle in handles:
            await w.registrar.withdraw(handle)
        assert program.state is ProgramState.WAITING
        await w.provide(FakeExtension())
        assert w.objects.program(program.id).state is ProgramState.READY


async def test_verdicts_are_reused_unless_the_engine_is_another(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that a new engine refuses is there, and says so, and never runs."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        link = await w.attached(COUNT)

    def judged(*_: object) -> None:
        raise AssertionError("nobody is asked again")

    with monkeypatch.context() as patched:
        patched.setattr("ebpfd.host.verification.judge", judged)
        async with world(state=state) as w:
            await w.provide(FakeExtension())
            assert w.objects.program(link.program.id).state is ProgramState.READY
    monkeypatch.setattr(restorer, "engine_identity", lambda: b"another build")
    with monkeypatch.context() as patched:
        refuse_all(patched)
        async with world(state=state) as w:
            await w.provide(FakeExtension())
            program = w.objects.program(link.program.id)
            assert program.state is ProgramState.WAITING
            assert "refuses it: no more of these; load it anew" in program.provider.reason
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        assert w.objects.program(link.program.id).state is ProgramState.READY


def refuse_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the judges of another engine refuse everything."""

    def refusing(*_: object) -> Verdict:
        return Verdict(judge="new", rejection=Rejection(reason="no more of these"))

    monkeypatch.setattr("ebpfd.host.verification.judge", refusing)


async def test_what_a_link_runs_now_is_what_comes_back(state: StateDirectory) -> None:
    """After a replacement, and after a reload."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        link = await w.attached(COUNT)
        other = await w.load("trace.o")
        await w.links.replace(link.id, other.id)
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        assert w.objects.link(link.id).program.id == other.id
        reloaded = await w.programs.reload(other.id)
        await w.pins.pin("/it", reloaded.id)
    async with world(state=state) as w:
        assert w.objects.link(link.id).program.id == reloaded.id
        assert [each.id for each in w.objects.programs()] == [reloaded.id]


async def test_a_program_follows_its_contract_after_a_restart_too(state: StateDirectory) -> None:
    """As its user wanted when it was loaded."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        (program,) = await w.programs.load(
            object_file(COUNT), COUNT, [], execution="interpreter", follows_contract=True
        )
        await w.links.attach(program.id, ATTACH_TYPE, b"")
    async with world(state=state) as w:
        again = w.objects.program(program.id)
        assert again.source == program.source
        assert again.engine.executor == "interpreter"


async def test_values_of_other_lanes_are_set_aside(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine with another number of processors cannot read them: they are not lost."""
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.PERCPU_ARRAY, 4, 8, 1))
        made.map.update(KEY, b"contents" * made.map.lanes)
        await w.pins.pin("/lanes", made.id)
        values = state.map_files.path(made.id).read_bytes
        contents = await asyncio.to_thread(values)
    monkeypatch.setattr(restorer, "lane_count", lambda: made.map.lanes + 2)
    async with world(state=state) as w:
        assert set(counted(w, made.id)[KEY]) == {0}
        aside = state.map_files.folder / f"{made.id}.{made.map.lanes}-lanes"
        assert await asyncio.to_thread(aside.read_bytes) == contents


@pytest.mark.parametrize("size", [0, 4096])
async def test_a_map_that_another_process_had_and_spoiled_begins_anew(
    state: StateDirectory, size: int
) -> None:
    """Its file is set aside; where no process has files of maps, it is the directory's damage."""
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 1))
        await w.pins.pin("/spoiled", made.id)
    path = state.map_files.path(made.id)
    await asyncio.to_thread(os.truncate, path, size)
    with pytest.raises(ExceptionGroup) as caught:
        async with world(state=state):
            pass
    assert caught.group_contains(StoreError, match="is damaged: map ")
    async with world(state=state, local=True) as w:
        assert w.objects.map(made.id).map.count == 0
        aside = await asyncio.to_thread((path.parent / f"{made.id}.damaged").stat)
        assert aside.st_size == size


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EACCES, "Permission denied"), "Permission denied: give the files to user "),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files: raise `LimitNOFILE="),
        (
            EngineError(Result.NO_MEMORY, "no descriptor for a map: what (os error 24)"),
            "what (os error 24): raise `LimitNOFILE=",
        ),
    ],
)
async def test_what_the_system_does_not_allow_is_no_damage(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    """A backup would change nothing about it, and an older one would lose what is there."""
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 1))
        await w.pins.pin("/kept", made.id)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(MapFiles, "map_in", fail)
    with pytest.raises(ExceptionGroup) as caught:
        async with world(state=state):
            pass
    assert caught.group_contains(StoreError, match=f"cannot be opened: .*{re.escape(says)}")
    assert not caught.group_contains(StoreError, match="damaged")


async def test_values_are_set_aside_once(state: StateDirectory) -> None:
    """What is written afterwards comes back, and what was set aside is never overwritten."""
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.PERCPU_ARRAY, 4, 8, 1))
        made.map.update(KEY, b"contents" * made.map.lanes)
        await w.pins.pin("/lanes", made.id)
    values = await asyncio.to_thread(state.map_files.path(made.id).read_bytes)
    lanes = made.map.lanes
    await asyncio.to_thread(_claim_lanes, state, made.id, lanes + 2)
    aside = state.map_files.folder / f"{made.id}.{lanes + 2}-lanes"
    for _ in range(2):
        async with world(state=state) as w:
            w.objects.map(made.id).map.update(KEY, b"newvalue" * lanes)
    async with world(state=state) as w:
        assert counted(w, made.id) == {KEY: b"newvalue" * lanes}
    assert await asyncio.to_thread(aside.read_bytes) == values
    await asyncio.to_thread(_claim_lanes, state, made.id, lanes + 2)
    async with world(state=state) as w:
        assert set(counted(w, made.id)[KEY]) == {0}
    assert await asyncio.to_thread(aside.read_bytes) == values
    again = aside.with_name(f"{aside.name}-2")
    assert b"newvalue" in await asyncio.to_thread(again.read_bytes)


@pytest.mark.parametrize("step", ["map_anew", "change"])
async def test_a_kill_while_values_are_set_aside_loses_none(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next daemon starts, and the values are there under another name."""
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.PERCPU_ARRAY, 4, 8, 1))
        made.map.update(KEY, b"contents" * made.map.lanes)
        await w.pins.pin("/lanes", made.id)
    values = await asyncio.to_thread(state.map_files.path(made.id).read_bytes)
    lanes = made.map.lanes + 2
    await asyncio.to_thread(_claim_lanes, state, made.id, lanes)

    def killed(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(MapFiles if step == "map_anew" else KeptObjects, step, killed)
        with pytest.raises((SystemExit, BaseExceptionGroup)):
            async with world(state=state):
                pass
    async with world(state=state) as w:
        assert set(counted(w, made.id)[KEY]) == {0}
    aside = state.map_files.folder / f"{made.id}.{lanes}-lanes"
    assert await asyncio.to_thread(aside.read_bytes) == values


def _claim_lanes(state: StateDirectory, number: int, lanes: int) -> None:
    """Let a map's row say that it was written on another machine."""
    with closing(sqlite3.connect(state.database)) as connection, connection:
        row = read_all(connection).objects[number]
        write(connection, Change(put={number: structs.replace(row, lanes=lanes)}))


async def test_file_systems_without_nameless_files_serve_too(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their leftovers go at the next start."""
    opened = MapFiles.new

    def named(files: MapFiles) -> int:
        with monkeypatch.context() as patched:
            patched.setattr("ebpfd.store.map_files.os.O_TMPFILE", 0o20000000 | 0o200000)
            return opened(files)

    monkeypatch.setattr(MapFiles, "new", named)
    async with world(state=state) as w:
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 2))
        await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 2))
        made.map.update(KEY, b"contents")
        await w.pins.pin("/it", made.id)
    async with world(state=state) as w:
        assert counted(w, made.id) == {KEY: b"contents"}
        names = await asyncio.to_thread(lambda: [*state.map_files.folder.iterdir()])
        assert [each.name for each in names] == [str(made.id)]


async def test_ids_are_never_given_again(state: StateDirectory) -> None:
    """Whatever was made and has gone meanwhile."""
    last = 0
    for _ in range(3):
        async with world(state=state) as w:
            for _ in range(700):
                assert w.objects.next_id() > last
                last = w.objects.last_id
            made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 2))
            assert DAEMON in made.users.owners
            await w.pins.pin(f"/{made.id}", made.id)
            last = w.objects.last_id
