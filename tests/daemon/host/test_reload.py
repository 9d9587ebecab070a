"""Programs that are made anew in their own place: who keeps what, and who is first."""

import asyncio

import pytest

from ebpfd.contracts import ContextDescriptor
from ebpfd.errors import RequestError
from ebpfd.host.maps import MapDeclaration
from ebpfd.objects.chains import Batch
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import SAMPLE, with_descriptor
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import world

COUNT = "count.o"


async def test_it_keeps_maps_and_links_and_nothing_else_stays() -> None:
    """The old one is gone with its registrations."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached(COUNT)
        old = link.program
        new = await w.programs.reload(old.id)
        assert link.program is new
        assert (new.maps, new.link_ids, new.loaded) == (old.maps, {link.id}, True)
        assert list(w.objects.programs()) == [new]
        outcome = await w.invoke(link, extension, Batch(data=bytes(64), data_lengths=b"@\0\0\0"))
        assert outcome.codes == bytes([Result.SUCCESS])
        await w.programs.unload(new.id)
        await w.links.detach(link.id)
        assert list(w.objects.maps()) == []


async def test_one_that_only_its_link_keeps_stays_so() -> None:
    """Reloading does not load it again."""
    async with world() as w:
        await w.provide(FakeExtension())
        link = await w.attached(COUNT)
        await w.programs.unload(link.program.id)
        new = await w.programs.reload(link.program.id)
        assert not new.loaded
        assert list(w.objects.programs()) == [new]
        await w.links.detach(link.id)
        assert list(w.objects.programs()) == []
        assert list(w.objects.maps()) == []


async def test_one_in_a_program_array_is_replaced_there() -> None:
    """Calls that lead there lead to the new one."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load(COUNT)
        array = await w.maps.create(MapDeclaration(MapType.PROG_ARRAY, 4, 4, 1))
        key = bytes(4)
        await w.maps.put_program(array.id, key, program.id, 0)
        new = await w.programs.reload(program.id)
        assert int.from_bytes(array.map.lookup(key), "little") == new.id
        assert new.holder_ids == {array.id: 1}
        assert list(w.objects.programs()) == [new]


async def test_of_two_at_once_one_is_first() -> None:
    """The other one is told, and leaves nothing."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load(COUNT)
        both = await asyncio.gather(
            w.programs.reload(program.id), w.programs.reload(program.id), return_exceptions=True
        )
        (failed,) = [each for each in both if isinstance(each, RequestError)]
        assert failed.code is Result.STALE_ID
        assert len(list(w.objects.programs())) == 1
        assert len(w.registrar.clients()) == 2, "the general and the type client of one"


async def test_without_its_extension_it_stays_as_it_is() -> None:
    """It waits as before."""
    async with world() as w:
        handles = await w.provide(FakeExtension(), hook=False)
        program = await w.load(COUNT)
        for handle in handles:
            await w.registrar.withdraw(handle)
        with pytest.raises(RequestError, match="start the extension") as caught:
            await w.programs.reload(program.id)
        assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        assert list(w.objects.programs()) == [program]
        assert len(w.registrar.clients()) == 2


async def test_one_with_another_contract_is_replaced_in_its_arrays() -> None:
    """It is of the same type still; nothing of the old one stays."""
    async with world() as w:
        extension = FakeExtension()
        (handle,) = await w.provide(extension, hook=False)
        program = await w.load("trace.o")
        arrays = [await w.maps.create(MapDeclaration(MapType.PROG_ARRAY, 4, 4, 1)) for _ in "12"]
        for array in arrays:
            await w.maps.put_program(array.id, bytes(4), program.id, 0)
        await w.registrar.withdraw(handle)
        wider = ContextDescriptor(size=40, data=0, end=8)
        await w.provide(extension, with_descriptor(SAMPLE, context_descriptor=wider), hook=False)
        new = await w.programs.reload(program.id)
        assert list(w.objects.programs()) == [new]
        assert new.holder_ids == {array.id: 1 for array in arrays}
        assert len(w.registrar.clients()) == 2, "the general and the type client of one"
