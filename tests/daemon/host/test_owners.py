"""Owners that end while something is made for them."""

import asyncio

from ebpfd.host.maps import MapDeclaration
from ebpfd.objects import DAEMON, LinkState, Objects
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import object_file, refused, soon, until, world

COUNT = "count.o"


def everything(objects: Objects) -> list[object]:
    """All objects that there are."""
    return [*objects.programs(), *objects.maps(), *objects.links()]


async def test_what_is_loaded_for_an_owner_that_ends_meanwhile_is_not_left() -> None:
    """The load is refused when it would be published; nothing of it stays."""
    async with world() as w:
        await w.provide(FakeExtension())
        token = w.owners.begin("a client")
        owner = w.owners.find(token)
        w.verifier.gate.clear()
        loading = asyncio.create_task(
            w.programs.load(object_file(COUNT), COUNT, [], owner=owner), name="load"
        )
        await soon(w.verifier.asked.wait())
        await w.owners.end(token)
        w.verifier.gate.set()
        assert "a client has ended" in await refused(loading, Result.INVALID_STATE)
        assert everything(w.objects) == []
        assert len(w.registrar.clients()) == 0


async def test_a_link_whose_owner_ends_while_it_is_attached_is_detached() -> None:
    """As soon as its hook has answered; its program was unloaded by then, and goes too."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        token = w.owners.begin("a client")
        owner = w.owners.find(token)
        (program,) = await w.programs.load(object_file(COUNT), COUNT, [], owner=owner)
        gate = extension.hold("attach")
        attaching = asyncio.create_task(
            w.links.attach(program.id, ATTACH_TYPE, b"", owner=owner), name="attach"
        )
        await until(lambda: bool(list(w.objects.links())))
        await w.owners.end(token)
        assert [each.id for each in w.objects.programs()] == [program.id]
        gate.set()
        await refused(attaching, Result.INVALID_STATE)
        assert everything(w.objects) == []
        called = [each.split()[0] for each in extension.journal]
        assert called.count("attach") == called.count("detach") == 2, "the program, and the link"


async def test_an_owner_that_has_ended_can_make_nothing() -> None:
    """Each way is refused, and changes nothing."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load(COUNT)
        token = w.owners.begin("")
        owner = w.owners.find(token)
        assert [each.name for each in w.owners.all()] == ["a client"]
        await w.owners.end(token)
        await w.owners.end(token)
        declaration = MapDeclaration(MapType.HASH, 4, 4, 8)
        before = everything(w.objects)
        await refused(
            w.links.attach(program.id, ATTACH_TYPE, b"", owner=owner), Result.INVALID_STATE
        )
        await refused(w.maps.create(declaration, owner), Result.INVALID_STATE)
        assert everything(w.objects) == before
        assert list(w.owners.all()) == []


async def test_others_cannot_give_up_what_an_owner_has() -> None:
    """INVALID_STATE says who has it; the owner itself can, and of the daemon's anybody."""
    async with world() as w:
        await w.provide(FakeExtension())
        owner = w.owners.find(w.owners.begin("first"))
        other = w.owners.find(w.owners.begin("second"))
        (program,) = await w.programs.load(object_file(COUNT), COUNT, [], owner=owner)
        made = await w.maps.create(MapDeclaration(MapType.HASH, 4, 4, 8), owner)
        for caller in (other, w.owners.find(None)):
            said = await refused(w.programs.unload(program.id, caller), Result.INVALID_STATE)
            assert said == "first has it: it goes when that ends"
            await refused(w.maps.remove(made.id, caller), Result.INVALID_STATE)
        await w.programs.unload(program.id, owner)
        await w.maps.remove(made.id, owner)
        plain = await w.load(COUNT)
        await w.programs.unload(plain.id, other)
        assert everything(w.objects) == []


async def test_all_that_an_owner_has_is_detached_at_once() -> None:
    """No hook waits for another one; the programs go when their links have."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        token = w.owners.begin("a client")
        owner = w.owners.find(token)
        for parameter in (b"\1", b"\2", b"\3"):
            (program,) = await w.programs.load(object_file(COUNT), COUNT, [], owner=owner)
            await w.links.attach(program.id, ATTACH_TYPE, parameter, owner=owner)
        gate = extension.hold("detach")
        ending = asyncio.create_task(w.owners.end(token), name="end")
        await until(lambda: [each.split()[0] for each in extension.journal].count("detach") == 3)
        assert len(list(w.objects.programs())) == 3
        gate.set()
        await soon(ending)
        assert everything(w.objects) == []


async def test_a_link_that_is_about_to_go_cannot_be_opened() -> None:
    """Nor one that is being attached: nobody would know when it ends; anybody may look."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        program = await w.load(COUNT)
        owner = w.owners.find(w.owners.begin("a client"))
        attach, detach = extension.hold("attach"), extension.hold("detach")
        attaching = asyncio.create_task(w.links.attach(program.id, ATTACH_TYPE, b""), name="attach")
        await until(lambda: bool(list(w.objects.links())))
        (link,) = w.objects.links()

        async def opening() -> object:
            return w.pins.open(link.id, owner)

        assert "is attaching" in await refused(opening(), Result.INVALID_STATE)
        attach.set()
        await soon(attaching)
        detaching = asyncio.create_task(w.links.detach(link.id), name="detach")
        await until(lambda: link.state is LinkState.DETACHING)
        assert "is detaching" in await refused(opening(), Result.INVALID_STATE)
        assert w.pins.open(link.id, DAEMON) is link
        detach.set()
        await soon(detaching)
        assert list(w.objects.owned(owner)) == []
