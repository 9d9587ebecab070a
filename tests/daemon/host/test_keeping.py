"""What cannot be kept does not happen in memory either; what is done at once is kept as it is."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ebpfd.host.maps import MapDeclaration
from ebpfd.objects import Durable, Objects
from ebpfd.objects.chains import Batch
from ebpfd.store import KeptObjects, StateDirectory, StoreError
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, object_file, refused, world
from tests.daemon.store.states import kept

PACKET = Batch(data=bytes(64), data_lengths=b"@\0\0\0")
FIRST, SECOND = bytes(4), b"\1\0\0\0"


@pytest.fixture(name="state")
def _state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


def survives(objects: Objects) -> tuple[object, ...]:
    """What there is to survive, comparable."""
    now: Durable = objects.durable()
    programs = {number: each.id for number, each in now.programs.items()}
    links = {number: each.program.id for number, each in now.links.items()}
    return programs, links, set(now.maps), now.entries, now.pins, now.owned


async def on_disk(state: StateDirectory) -> tuple[object, ...]:
    """The same, as the next daemon would find it."""
    async with world(state=state) as w:
        return survives(w.objects)


class Scene:
    """One of everything that survives, in memory and on disk."""

    def __init__(self, w: World) -> None:
        self.w = w

    async def set(self) -> None:
        """A linked program, a pinned array of programs that holds one, a pinned map."""
        w = self.w
        await w.provide(FakeExtension())
        self.link = await w.attached("count.o")
        self.loaded = await w.programs.load(object_file("ready_steps.o"), "ready_steps.o", [])
        (self.array,) = (each for each in w.objects.maps() if each.is_container)
        await w.pins.pin("/array", self.array.id)
        self.other = await w.load("trace.o")
        self.made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 16, name="made"))
        await w.pins.pin("/made", self.made.id)

    async def pin(self) -> None:
        """Add a pin."""
        await self.w.pins.pin("/other", self.other.id)

    async def unpin(self) -> None:
        """Take one away."""
        await self.w.pins.unpin("BPF:\\made")

    async def attach(self) -> None:
        """Add a legacy link."""
        await self.w.links.attach(self.other.id, ATTACH_TYPE, b"eth1")

    async def detach(self) -> None:
        """Take one away."""
        await self.w.links.detach(self.link.id)

    async def replace(self) -> None:
        """Give a link another program."""
        await self.w.links.replace(self.link.id, self.other.id)

    async def unload(self) -> None:
        """The daemon has a linked program no more."""
        await self.w.programs.unload(self.link.program.id)

    async def reload(self) -> None:
        """Make a linked program anew."""
        await self.w.programs.reload(self.link.program.id)

    async def remove_map(self) -> None:
        """The daemon has a pinned map no more."""
        await self.w.maps.remove(self.made.id)

    async def put(self) -> None:
        """Put a program over another one."""
        await self.w.maps.put_program(self.array.id, FIRST, self.other.id, 0)

    async def put_more(self) -> None:
        """Put a program where there is none."""
        await self.w.maps.put_program(self.array.id, SECOND, self.other.id, 0)

    async def delete(self) -> None:
        """Take one out of an array."""
        await self.w.maps.delete(self.array.id, FIRST)

    async def load_pinned(self) -> None:
        """Load a file whose maps are pinned by their names, and hold programs."""
        await self.w.programs.load(object_file("by_name.o"), "by_name.o", [])

    async def delete_many(self) -> None:
        """Take several out."""
        await self.w.maps.delete_batch(self.array.id, FIRST + b"\2\0\0\0")


CHANGES: list[Callable[[Scene], Awaitable[None]]] = [
    Scene.pin,
    Scene.unpin,
    Scene.attach,
    Scene.detach,
    Scene.replace,
    Scene.unload,
    Scene.reload,
    Scene.remove_map,
    Scene.put,
    Scene.put_more,
    Scene.delete,
    Scene.delete_many,
    Scene.load_pinned,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
async def test_a_change_is_on_disk_when_it_is_acknowledged(
    state: StateDirectory, change: Callable[[Scene], Awaitable[None]]
) -> None:
    """Whatever it is, the next daemon has what this one has."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        before = survives(w.objects)
        await change(scene)
        after = survives(w.objects)
        assert after != before
    assert await on_disk(state) == after


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
async def test_a_change_that_cannot_be_kept_does_not_happen(
    state: StateDirectory,
    change: Callable[[Scene], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither in memory nor on disk; what runs goes on, and the next change is kept again."""

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        before, everybody = survives(w.objects), everything(w)
        with monkeypatch.context() as patched, capture_logs() as logs:
            patched.setattr(KeptObjects, "change", full)
            message = await refused(change(scene), Result.OUT_OF_SPACE)
        assert ("state not written", "error") in {(e["event"], e["log_level"]) for e in logs}
        assert "nothing has changed: the disk is full" in message
        assert survives(w.objects) == before
        assert everything(w) == everybody
        await scene.pin()
        after = survives(w.objects)
    assert await on_disk(state) == after


def everything(w: World) -> tuple[object, ...]:
    """All objects, registrations and entries."""
    return (
        [each.id for each in w.objects.programs()],
        [each.id for each in w.objects.maps()],
        [(each.id, each.program.id, each.state) for each in w.objects.links()],
        [(each.id, dict(each.map.entries(None, 10))) for each in w.objects.maps() if each.held],
        len(list(w.registrar.clients())),
        len(list(w.registrar.bindings())),
    )


async def test_a_daemon_that_stops_refuses_what_it_could_not_keep(state: StateDirectory) -> None:
    """What it gives up then comes back, so nobody may be told that it has gone."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        before = survives(w.objects)
        await w.keeper.close()
        for change in (scene.detach, scene.unload, scene.remove_map, scene.put, scene.delete):
            assert "the daemon stops" in await refused(change(), Result.INVALID_STATE)
        for change in (scene.pin, scene.unpin, scene.attach):
            assert "the daemon stops" in await refused(change(), Result.OUT_OF_SPACE)
        assert survives(w.objects) == before
        await w.links.close()
        await w.pins.close()
        await w.maps.close()
        await w.programs.close()
        assert [*w.objects.programs(), *w.objects.maps(), *w.objects.links()] == []
    assert await on_disk(state) == before


async def test_changes_at_once_are_all_kept(state: StateDirectory) -> None:
    """In whatever order they come to the disk."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        maps = [await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 4)) for _ in range(20)]
        await asyncio.gather(
            *(w.pins.pin(f"/map/{number}", each.id) for number, each in enumerate(maps)),
            scene.attach(),
            scene.put(),
            scene.unpin(),
            scene.replace(),
            *(w.maps.remove(each.id) for each in maps[::2]),
        )
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_programs_that_take_pinned_maps_are_kept_with_them(state: StateDirectory) -> None:
    """Being loaded, they are users of a program array, as those are that have made it."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        first, second = [
            await w.programs.load(object_file("by_name.o"), "by_name.o", []) for _ in range(2)
        ]
        after = survives(w.objects)
        assert {each.id for each in (*first, *second)} == set(w.objects.durable().programs)
    assert await on_disk(state) == after


async def test_what_is_nobodys_business_is_not_written(state: StateDirectory) -> None:
    """Loading, creating and writing maps costs no transaction."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        before = await asyncio.to_thread(_size_of_log, state)
        program = await w.load("count.o")
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 16))
        await w.maps.update(made.id, FIRST, bytes(8), 0)
        await w.programs.unload(program.id)
        await w.maps.remove(made.id)
        assert await asyncio.to_thread(_size_of_log, state) == before


def _size_of_log(state: StateDirectory) -> int:
    return state.database.with_name("state.sqlite-wal").stat().st_size


async def test_what_programs_take_out_is_gone_after_a_restart(state: StateDirectory) -> None:
    """It is noticed with the next look at all maps."""
    async with world(state=state) as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("nested.o")
        outer = next(each for each in link.program.maps if each.is_container)
        assert list(outer.held) == [SECOND]
        take_out = Batch(contexts=bytes(16) + (101).to_bytes(4, "little") + bytes(12))
        assert (await w.invoke(link, extension, take_out)).codes == b"\0"
        await w.maps.settle_all()
        after = survives(w.objects)
    assert await on_disk(state) == after
    assert (await asyncio.to_thread(kept, state)).entries == {}


async def test_files_go_with_their_maps(state: StateDirectory) -> None:
    """Not before: one that is unpinned while it is used stays until it is not."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        link = await w.attached("count.o")
        (used,) = link.program.maps
        found = state.map_files.found
        assert await asyncio.to_thread(found) == [used.id]
        await w.links.detach(link.id)
        assert await asyncio.to_thread(found) == [used.id]
        await w.pins.pin("/again", used.id)
        await w.pins.unpin("BPF:\\again")
        await w.programs.unload(link.program.id)
        while await asyncio.to_thread(found):  # noqa: ASYNC110 (it is removed by a service)
            await asyncio.sleep(0)


async def test_a_state_that_is_damaged_stays_as_it_is(state: StateDirectory) -> None:
    """Nothing is restored, and nothing is cleaned up."""
    async with world(state=state) as w:
        await Scene(w).set()
    (map_file, *_) = await asyncio.to_thread(state.map_files.found)
    await asyncio.to_thread(state.map_files.remove, map_file)

    def extra() -> None:
        with sqlite3.connect(state.database) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    await asyncio.to_thread(extra)
    before = await asyncio.to_thread(state.database.read_bytes)
    with pytest.raises(ExceptionGroup) as caught:
        async with world(state=state):
            pass
    assert caught.group_contains(StoreError, match="is damaged: map .* has no file")
    assert await asyncio.to_thread(state.database.read_bytes) == before
