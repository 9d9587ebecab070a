"""Maps that are pinned by their names: made once, then shared by all files that declare them."""

import asyncio
import threading
from typing import Any

import pytest

from ebpfd.host import programs as loader
from ebpfd.host.loading import Made, make
from ebpfd.host.maps import MapDeclaration
from ebpfd.objects import MapObject, Program
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, object_file, refused, soon, world

FILE = "by_name.o"
COUNT, STEPS, INNER = "/ebpf/global/shared_count", "shared_steps", "BPF:\\shared_inner"


async def load(w: World, *names: str) -> dict[str, Program]:
    """Programs of the file by name."""
    loaded = await w.programs.load(object_file(FILE), FILE, list(names))
    return {each.name: each for each in loaded}


def pinned(w: World, path: str) -> MapObject:
    """The map that is pinned there."""
    found = w.objects.pinned(path)
    assert isinstance(found, MapObject)
    return found


async def test_they_are_pinned_when_they_are_made() -> None:
    """Under their names, and stay when their programs are unloaded."""
    async with world() as w:
        await w.provide(FakeExtension())
        programs = await load(w)
        paths = [path for path, _ in w.objects.pins()]
        assert paths == ["BPF:\\shared_count", "BPF:\\shared_inner", "BPF:\\shared_steps"]
        assert set(programs["count"].maps) == {pinned(w, each) for each in (COUNT, STEPS, INNER)}
        for each in programs.values():
            await w.programs.unload(each.id)
        assert {each.name for each in w.objects.maps()} == {
            "shared_count", "shared_inner", "shared_steps",
        }  # fmt: skip
        assert [each.name for each in w.objects.programs()] == ["finish"], "the array holds it"
        for path in (COUNT, STEPS, INNER):
            await w.pins.unpin(path)
        assert (list(w.objects.maps()), list(w.objects.programs())) == ([], [])


async def test_the_next_load_has_the_same_maps_with_what_they_hold() -> None:
    """Values of its declaration are not put into a map that was there."""
    async with world() as w:
        await w.provide(FakeExtension())
        first = await load(w)
        table, steps = pinned(w, COUNT), pinned(w, STEPS)
        table.map.update(bytes(4), (7).to_bytes(8, "little"))
        await w.maps.delete(steps.id, (1).to_bytes(4, "little"))
        second = await load(w)
        assert second["count"].maps == first["count"].maps
        assert (pinned(w, COUNT), pinned(w, STEPS)) == (table, steps)
        assert (table.map.lookup(bytes(4)), steps.held) == ((7).to_bytes(8, "little"), {})
        assert table.loaders == {*first.values(), *second.values()}
        assert len(list(w.objects.maps())) == 3


async def test_who_keeps_a_files_map_is_said_to_whoever_removes_it() -> None:
    """It was not created, so it is not removed: its programs are unloaded, its pins taken away."""
    async with world() as w:
        await w.provide(FakeExtension())
        programs = await load(w)
        (first, second), table = sorted(each.id for each in programs.values()), pinned(w, COUNT)
        message = await refused(w.maps.remove(table.id), Result.INVALID_STATE)
        keepers = f"program {first}, program {second}, BPF:\\shared_count"
        assert message.endswith(f"goes when these are unloaded or unpinned: {keepers}")


async def test_a_map_without_a_name_is_reused_as_it_is() -> None:
    """What counts is the path; the map keeps its empty name."""
    async with world() as w:
        await w.provide(FakeExtension())
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 8))
        await w.pins.pin(COUNT, made.id)
        programs = await load(w)
        assert made in programs["count"].maps
        assert made.name == ""


@pytest.mark.parametrize(
    ("path", "declaration", "said"),
    [
        (COUNT, MapDeclaration(MapType.ARRAY, 4, 8, 8), "type array, the file declares hash"),
        (COUNT, MapDeclaration(MapType.HASH, 8, 8, 8), "key_size 8, the file declares 4"),
        (COUNT, MapDeclaration(MapType.HASH, 4, 4, 8), "value_size 4, the file declares 8"),
        (COUNT, MapDeclaration(MapType.HASH, 4, 8, 9), "max_entries 9, the file declares 8"),
    ],
    ids=["type", "key_size", "value_size", "max_entries"],
)
async def test_another_shape_is_refused_by_field(
    path: str, declaration: MapDeclaration, said: str
) -> None:
    """The load fails, and leaves nothing."""
    async with world() as w:
        await w.provide(FakeExtension())
        made = await w.maps.create(declaration)
        await w.pins.pin(path, made.id)
        message = await refused(load(w), Result.INVALID_ARGUMENT)
        assert f"map {made.id} has {said}: unpin that, or declare the same" in message
        assert (list(w.objects.maps()), list(w.objects.programs())) == ([made], [])
        assert [each for each, _ in w.objects.pins()] == ["BPF:\\shared_count"]


async def test_another_shape_of_inner_maps_is_refused() -> None:
    """By field too."""
    async with world() as w:
        await w.provide(FakeExtension())
        like = await w.maps.create(MapDeclaration(MapType.ARRAY, 4, 8, 2))
        outer = await w.maps.create(MapDeclaration(MapType.ARRAY_OF_MAPS, 4, 4, 2, inner=like.id))
        await w.pins.pin(INNER, outer.id)
        message = await refused(load(w), Result.INVALID_ARGUMENT)
        assert "has inner max_entries 2, the file declares 1" in message


async def test_something_else_under_the_name_is_refused() -> None:
    """A program is no map."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load("count.o")
        await w.pins.pin(COUNT, program.id)
        message = await refused(load(w), Result.INVALID_ARGUMENT)
        assert f"there is program {program.id}, which is no map" in message


async def test_a_load_that_fails_leaves_a_reused_map_alone() -> None:
    """The declaration names a program that was not asked for; what the map holds stays."""
    async with world() as w:
        await w.provide(FakeExtension())
        await refused(load(w, "count"), Result.INVALID_ARGUMENT)
        assert (list(w.objects.pins()), list(w.objects.maps())) == ([], [])
        first = await load(w)
        again = await load(w, "count")
        held = pinned(w, STEPS).held
        assert held == {(1).to_bytes(4, "little"): first["finish"]}
        assert again["count"].maps == first["count"].maps


async def test_two_loads_at_once_share_the_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever comes first has made them; the other one's are never seen."""
    compiling, go = asyncio.Event(), threading.Event()
    async with world() as w:
        loop = asyncio.get_running_loop()

        def slow(*arguments: Any) -> Made:
            loop.call_soon_threadsafe(compiling.set)
            go.wait()
            return make(*arguments)

        await w.provide(FakeExtension())
        monkeypatch.setattr(loader, "make", slow)
        late = asyncio.create_task(load(w), name="late")
        await soon(compiling.wait())
        monkeypatch.setattr(loader, "make", make)
        first = await load(w)
        go.set()
        second = await soon(late)
        assert second["count"].maps == first["count"].maps
        assert len(list(w.objects.pins())) == 3


async def test_a_removed_map_that_is_pinned_says_what_it_is_there_for() -> None:
    """It came with no file, so nobody is told so."""
    async with world() as w:
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 8, 8))
        await w.pins.pin(COUNT, made.id)
        await w.maps.remove(made.id)
        message = await refused(w.maps.remove(made.id), Result.INVALID_STATE)
        path = next(path for path, _ in w.objects.pins())
        assert message == f"map {made.id} is nobody's any more, and is there for: {path}"
