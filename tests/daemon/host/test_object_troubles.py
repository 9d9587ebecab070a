"""What is wrong with links and programs, for one who has no time to read much."""

from typing import Any

from ebpfd.contracts import KnownContracts
from ebpfd.host.object_troubles import MOST_LINKS, object_troubles
from ebpfd.host.trouble import Trouble, things
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.map_scene import scene
from tests.daemon.host.world import World, until, world


def told(w: World, lately: dict[int, Any]) -> list[Trouble]:
    """All of them."""
    return list(object_troubles(w.objects, w.contracts, lately))


def test_ids_are_told_as_far_as_somebody_reads_them() -> None:
    """Five, and how many more there are."""
    assert things([4], "link", "wait") == "link 4 waits"
    assert things([4, 7], "link", "wait") == "2 links wait (4, 7)"
    assert things(range(1, 8), "map", "wait") == "7 maps wait (1, 2, 3, 4, 5 and 2 more)"


async def test_the_worst_links_are_told_one_by_one_and_the_others_together() -> None:
    """A success is no trouble; of many links the first ten are enough to begin with."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load("trace.o")
        links = [
            await w.links.attach(program.id, ATTACH_TYPE, bytes([number]))
            for number in range(MOST_LINKS + 3)
        ]
        assert told(w, {links[0].id: {"success": 5}}) == []
        lately = {each.id: {"success": 1, "timeout": n} for n, each in enumerate(links, 1)}
        troubles = told(w, lately)
        assert len(troubles) == MOST_LINKS + 1
        assert {each.kind for each in troubles} == {"events"}
        assert troubles[0].told == (
            f"13 of 14 events of link {links[-1].id} (trace_event on sample_ext) "
            "failed within 2 minutes: 13 timeout"
        )
        assert f"`ebpfctl link show {links[-1].id}`" in troubles[0].advice
        assert troubles[-1].told == "3 more links have events that fail, too"
        assert set(troubles[-1].ids) == {each.id for each in links[:3]}


async def test_maps_whose_extension_is_away_are_told_by_type() -> None:
    """With why there is nobody who provides them."""
    async with scene() as s:
        contracts = KnownContracts(s.registrar.is_provided)
        provider, made = await s.provided()
        assert list(object_troubles(s.objects, contracts, {})) == []
        s.lose(provider)
        await until(lambda: made.custom is not None and not made.custom.provider)
        (found,) = object_troubles(s.objects, contracts, {})
        assert (found.kind, found.ids) == ("maps", (made.id,))
        assert found.told.startswith(f"map {made.id} waits for map type names: ")
