"""Changes that meet while the disk is slow: what was acknowledged is what comes back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.host.maps import MapDeclaration
from ebpfd.objects import LinkState
from ebpfd.store import KeptObjects, StateDirectory, StoreError
from ebpfd.store.kept_objects import Change
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.map_scene import DATA, WANTED, FakeMaps
from tests.daemon.host.test_keeping import FIRST, SECOND, Scene, on_disk, survives
from tests.daemon.host.world import object_file, refused, soon, until, world
from tests.daemon.store.states import kept


@pytest.fixture(name="state")
def _state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path)


class SlowDisk:
    """Holds the first change back until it is let on; with *full* that one fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, full: bool = False) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        write = KeptObjects.change

        async def held(
            rows: KeptObjects, change: Change, before: Callable[[], None] | None = None
        ) -> None:
            first = not self.asked.is_set()
            self.asked.set()
            await self.go_on.wait()
            if first and full:
                raise StoreError("the disk is full")
            await write(rows, change, before)

        monkeypatch.setattr(KeptObjects, "change", held)


async def _attach(scene: Scene) -> None:
    await scene.w.links.attach(scene.other.id, ATTACH_TYPE, b"eth1")


async def _detach_it(scene: Scene) -> None:
    await scene.w.links.detach(max(each.id for each in scene.w.objects.links()))


async def _unlink_it(scene: Scene) -> None:
    await scene.w.links.unlink(ATTACH_TYPE, b"eth1")


async def _replace_it(scene: Scene) -> None:
    newest = max(each.id for each in scene.w.objects.links())
    await scene.w.links.replace(newest, scene.link.program.id)


async def _unload_it(scene: Scene) -> None:
    await scene.w.programs.unload(scene.other.id)


async def _reload_it(scene: Scene) -> None:
    await scene.w.programs.reload(scene.other.id)


@pytest.mark.parametrize(
    ("first", "second", "takes_away"),
    [
        (_attach, _detach_it, True),
        (_attach, _unlink_it, True),
        (_attach, _replace_it, False),
        (Scene.pin, _unload_it, True),
        (Scene.pin, _reload_it, False),
    ],
)
async def test_what_is_being_written_changes_on_disk_too(
    state: StateDirectory,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[[Scene], Awaitable[None]],
    second: Callable[[Scene], Awaitable[None]],
    *,
    takes_away: bool,
) -> None:
    """Somebody changes an object that somebody else's change brings to the disk at this moment."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        disk = SlowDisk(monkeypatch)
        begun = asyncio.ensure_future(first(scene))
        await soon(disk.asked.wait())
        before = survives(w.objects)
        changing = asyncio.ensure_future(second(scene))
        if takes_away:
            await asyncio.sleep(0)  # it has begun, and waits for the disk
        else:
            await until(lambda: survives(w.objects) != before)
        disk.go_on.set()
        await soon(asyncio.gather(begun, changing))
        after = survives(w.objects)
        assert after != before
    assert await on_disk(state) == after


async def test_what_a_map_that_is_being_written_gets_is_kept(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for all other changes."""
    async with world(state=state) as w:
        await w.provide(FakeExtension())
        await w.programs.load(object_file("ready_steps.o"), "ready_steps.o", [])
        (array,) = (each for each in w.objects.maps() if each.is_container)
        other = await w.load("trace.o")
        disk = SlowDisk(monkeypatch)
        pinning = asyncio.ensure_future(w.pins.pin("/array", array.id))
        await soon(disk.asked.wait())
        putting = asyncio.ensure_future(w.maps.put_program(array.id, SECOND, other.id, 0))
        await until(lambda: SECOND in array.held)
        disk.go_on.set()
        await soon(asyncio.gather(pinning, putting))
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_a_program_that_is_reloaded_meanwhile_is_not_unloaded(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its user is told that it has another id now, not that it is unloaded."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        disk = SlowDisk(monkeypatch)
        unloading = asyncio.ensure_future(refused(scene.unload(), Result.STALE_ID))
        await soon(disk.asked.wait())
        old = scene.link.program
        reloading = asyncio.ensure_future(scene.reload())
        await until(lambda: scene.link.program is not old)
        disk.go_on.set()
        await soon(asyncio.gather(unloading, reloading))
        assert scene.link.program.loaded
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_a_reload_is_undone_for_nobody(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be kept, but its program has been reloaded again meanwhile: that one stays."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        old = scene.link.program
        disk = SlowDisk(monkeypatch, full=True)
        refusing = asyncio.ensure_future(refused(scene.reload(), Result.OUT_OF_SPACE))
        await soon(disk.asked.wait())
        between = scene.link.program
        reloading = asyncio.ensure_future(scene.reload())
        await until(lambda: scene.link.program is not between)
        disk.go_on.set()
        await soon(asyncio.gather(refusing, reloading))
        assert not {old, between} & set(w.objects.programs())
        assert scene.link.program in w.objects.programs()
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_an_entry_is_undone_alone(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others have put into the same map meanwhile, and could be kept, stays."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        disk = SlowDisk(monkeypatch, full=True)
        refusing = asyncio.ensure_future(refused(scene.put(), Result.OUT_OF_SPACE))
        await soon(disk.asked.wait())
        putting = asyncio.ensure_future(scene.put_more())
        await until(lambda: SECOND in scene.array.held)
        disk.go_on.set()
        await soon(asyncio.gather(refusing, putting))
        assert scene.array.held[SECOND] is scene.other
        assert scene.array.held[FIRST] is not scene.other
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_unlinking_is_all_or_nothing(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several links go with one transaction; if it fails, all of them stay."""
    changes: list[Change] = []
    write = KeptObjects.change

    async def full(*_: object) -> None:
        raise StoreError("the disk is full")

    async def counted(
        rows: KeptObjects, change: Change, before: Callable[[], None] | None = None
    ) -> None:
        changes.append(change)
        await write(rows, change, before)

    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        links = [
            await w.links.attach(program.id, ATTACH_TYPE, b"eth1")
            for program in (scene.other, scene.link.program, scene.other)
        ]
        before = survives(w.objects)
        with monkeypatch.context() as patched:
            patched.setattr(KeptObjects, "change", full)
            await refused(w.links.unlink(ATTACH_TYPE, b"eth1"), Result.OUT_OF_SPACE)
        assert survives(w.objects) == before
        with monkeypatch.context() as patched:
            patched.setattr(KeptObjects, "change", counted)
            assert await w.links.unlink(ATTACH_TYPE, b"eth1") == links
        assert [each.state for each in links] == [LinkState.DETACHED] * 3
        assert [set(each.remove) >= {link.id for link in links} for each in changes] == [True]
        after = survives(w.objects)
    assert await on_disk(state) == after


async def test_a_daemon_that_stops_refuses_to_unlink(state: StateDirectory) -> None:
    """With one clear error, and nothing has changed."""
    async with world(state=state) as w:
        scene = Scene(w)
        await scene.set()
        await w.links.attach(scene.other.id, ATTACH_TYPE, b"")
        before = survives(w.objects)
        await w.keeper.close()
        await refused(w.links.unlink(ATTACH_TYPE, b""), Result.INVALID_STATE)
        assert survives(w.objects) == before


async def test_files_go_with_what_a_map_of_maps_held(state: StateDirectory) -> None:
    """A map that nobody but a durable map of maps keeps leaves no file behind."""
    async with world(state=state) as w:
        inner = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 16))
        outer = await w.maps.create(MapDeclaration(MapType.HASH_OF_MAPS, 4, 4, 8, inner=inner.id))
        await w.pins.pin("/outer", outer.id)
        await w.maps.put_map(outer.id, FIRST, inner.id, 0)
        await w.maps.remove(inner.id)
        found = state.map_files.found
        assert await asyncio.to_thread(found) == [inner.id]
        await w.maps.delete(outer.id, FIRST)
        assert inner.id not in (await asyncio.to_thread(kept, state)).objects
        while await asyncio.to_thread(found):  # noqa: ASYNC110 (it is removed by a service)
            await asyncio.sleep(0)


async def test_a_custom_map_that_survives_is_let_go_when_the_daemon_stops(
    state: StateDirectory,
) -> None:
    """Its provider is not told that the map goes."""
    async with world(state=state) as w:
        provider = FakeMaps()
        instance = nmr.RegistrationInstance(
            MAP_INFORMATION, nmr.ModuleId.guid(UUID(int=16)), characteristics=DATA
        )
        await w.registrar.register(nmr.Role.PROVIDER, instance, provider)
        made = await w.maps.create(WANTED)
        await w.pins.pin("/mine", made.id)
        await w.maps.remove(made.id)
        before = survives(w.objects)
        await w.keeper.close()
        await w.links.close()
        await w.pins.close()
        await w.maps.close()
        await w.maps.custom.close()
        told = [call.call.function for call in provider.asked]
        assert MapFunction.POSTPROCESS_MAP_DELETE not in told
        assert list(w.registrar.bindings()) == []
    assert await on_disk(state) == before
