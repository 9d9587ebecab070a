"""Custom maps and their providers, in virtual time: who waits for whom, and what is lost."""

import asyncio
from dataclasses import replace

import pytest

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.modules import MapCall
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.quotas import Quotas
from ebpfd.objects import MapObject
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd.objects.users import Owner
from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from tests.daemon.host.map_scene import (
    DATA,
    DEADLINES,
    PROGRAM_TYPE,
    WANTED,
    F,
    FakeMaps,
    refused,
    scene,
    turns,
)
from tests.virtual_time import virtual


@virtual
async def test_a_provider_does_not_unload_before_its_map_goes() -> None:
    """PENDING; the map works meanwhile; its end comes first, element by element."""
    async with scene() as s:
        provider = FakeMaps()
        handle = await s.provide(provider)
        made = await s.create()
        await s.maps.update(made, b"a", b"1", 0)
        leaving = asyncio.ensure_future(s.registrar.withdraw(handle))
        await turns()
        assert s.registrar.providers(MAP_INFORMATION)[0].deregistering
        assert await s.maps.lookup(made, b"a") == b"1"
        await s.maps.update(made, b"b", b"2", 0)
        await asyncio.sleep(3600)  # however long: it waits for the map, not for a clock
        assert not leaving.done()
        provider.functions()
        await s.remove(made)
        await leaving
        assert provider.functions() == [
            (F.POSTPROCESS_MAP_DELETE_ELEMENT, MapOperation.MAP_CLEANUP),
            (F.POSTPROCESS_MAP_DELETE_ELEMENT, MapOperation.MAP_CLEANUP),
            (F.POSTPROCESS_MAP_DELETE, 0),
        ]
        assert provider.journal[-2:] == [
            f"detach {provider_binding(provider)}",
            f"cleanup {provider_binding(provider)}",
        ]
        assert s.nobody_is_left()


def provider_binding(provider: FakeMaps) -> str:
    """The binding that its journal ends with."""
    return provider.journal[-1].split()[1]


@virtual
async def test_a_map_outlives_its_provider_and_gets_another() -> None:
    """EXTENSION_FAILED_TO_LOAD meanwhile; then its entries are there, and its program types."""
    async with scene() as s:
        first, second = FakeMaps("first"), FakeMaps("second")
        await s.provide(first)
        made = await s.create()
        await s.maps.update(made, b"a", b"1", 0)
        await s.maps.associate(made, PROGRAM_TYPE)
        s.lose(first)
        await turns()
        for operation in (
            s.maps.lookup(made, b"a"),
            s.maps.update(made, b"a", b"2", 0),
            s.maps.delete(made, b"a"),
            s.maps.next_key(made, None),
            s.maps.associate(made, PROGRAM_TYPE),
        ):
            said = await refused(operation, Result.EXTENSION_FAILED_TO_LOAD)
            assert "the extension first has gone" in said
        assert made.custom is not None
        assert (made.custom.provider, made.custom.reason) == (
            "",
            "the extension first has gone",
        )
        await s.provide(second)
        create, associate = second.asked
        assert (create.call.restored, create.map_context) == (True, b"")
        assert (associate.map_context, associate.call.program_type) == (
            b"s",
            PROGRAM_TYPE.bytes,
        )
        assert (made.custom.provider, made.custom.reason) == ("second", "")
        assert await s.maps.lookup(made, b"a") == b"1"
        assert second.asked[-1].call.value == b"f1"
        await s.remove(made)
        assert s.nobody_is_left()


@pytest.mark.parametrize(
    ("data", "returns", "said"),
    [
        (replace(DATA, updates_original_value=False), {}, "with another table"),
        (DATA, {F.PREPROCESS_MAP_CREATE: ProviderReturn(6, "no")}, "second: no"),
        (DATA, {F.PREPROCESS_MAP_CREATE: ProviderReturn(actual_value_size=9)}, "9 bytes"),
        (DATA, {F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE: ProviderReturn(20, "nor it")}, "nor it"),
    ],
    ids=["table", "refused", "stored size", "program type"],
)
@virtual
async def test_a_provider_that_comes_back_otherwise_is_not_taken(
    data: MapProviderData, returns: dict[MapFunction, ProviderReturn], said: str
) -> None:
    """The map waits on, says why, and takes the next one that will do."""
    async with scene() as s:
        first, second, third = FakeMaps("first"), FakeMaps("second"), FakeMaps("third")
        await s.provide(first)
        made = await s.create()
        await s.maps.associate(made, PROGRAM_TYPE)
        s.lose(first)
        await turns()
        second.returns = returns
        await s.provide(second, data)
        assert s.registrar.bindings() == []
        message = await refused(s.maps.lookup(made, b"a"), Result.EXTENSION_FAILED_TO_LOAD)
        assert said in message
        announced = [each.call.function for each in second.asked]
        if F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE in announced or said == "9 bytes":
            assert announced[-1] == F.POSTPROCESS_MAP_DELETE
        await s.provide(third)
        await refused(s.maps.lookup(made, b"a"), Result.OBJECT_NOT_FOUND)
        await s.remove(made)


@virtual
async def test_of_two_providers_the_first_has_the_map_and_the_second_takes_it_over() -> None:
    """As soon as the first is lost."""
    async with scene() as s:
        first, second = FakeMaps("first"), FakeMaps("second")
        await s.provide(first)
        await s.provide(second)
        made = await s.create()
        assert second.attached == []
        s.lose(first)
        await turns()
        assert made.custom is not None
        assert made.custom.provider == "second"
        await s.remove(made)
        assert second.functions()[-1] == (F.POSTPROCESS_MAP_DELETE, 0)


@virtual
async def test_a_provider_that_vanishes_in_a_call_fails_it() -> None:
    """EXTENSION_FAILED_TO_LOAD, and nothing is stored."""
    async with scene() as s:
        provider, made = await s.provided()
        provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        updating = asyncio.ensure_future(s.maps.update(made, b"a", b"1", 0))
        await provider.reached.get()
        s.lose(provider)
        said = await refused(updating, Result.EXTENSION_FAILED_TO_LOAD)
        assert "went away before it answered" in said
        assert made.map.count == 0
        await s.remove(made)
        assert s.nobody_is_left()


@pytest.mark.parametrize("agrees", [True, False])
@virtual
async def test_a_value_that_comes_too_late_is_given_back(agrees: bool) -> None:
    """TIMEOUT at the deadline; if the provider agrees after that, it is told to forget."""
    async with scene() as s:
        provider, made = await s.provided()
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        began = asyncio.get_running_loop().time()
        said = await refused(s.maps.update(made, b"a", b"1", 0), Result.TIMEOUT)
        assert asyncio.get_running_loop().time() - began == DEADLINES.map_s
        assert "took longer than 10 s for preprocess_map_update_element" in said
        provider.functions()
        if not agrees:
            provider.returns[F.PREPROCESS_MAP_UPDATE_ELEMENT] = ProviderReturn(6)
        gate.set()
        await turns()
        undone = [(F.POSTPROCESS_MAP_DELETE_ELEMENT, MapOperation.UPDATE)] if agrees else []
        assert [each.call.value for each in provider.asked] == [b"f1"] * agrees
        assert provider.functions() == undone
        assert made.map.count == 0
        await s.remove(made)


@virtual
async def test_a_provider_that_answers_nothing_is_not_asked_for_ever() -> None:
    """NO_MEMORY at once, also after the deadlines; other maps go on, and this when it answers."""
    async with scene(Quotas(map_calls=3)) as s:
        provider = FakeMaps()
        await s.provide(provider)
        made, other = await s.create(), await s.create()
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        waiting = [s.maps.update(made, bytes([n]), b"1", 0) for n in range(3)]
        late = asyncio.gather(*waiting, return_exceptions=True)
        await turns()
        said = await refused(s.maps.update(made, b"a", b"1", 0), Result.NO_MEMORY)
        assert "the extension fake has yet to answer 3 calls" in said
        await refused(s.maps.lookup(other, b"a"), Result.OBJECT_NOT_FOUND)
        for each in await late:
            assert isinstance(each, RequestError)
            assert each.code is Result.TIMEOUT
        await refused(s.maps.update(made, b"a", b"1", 0), Result.NO_MEMORY)
        gate.set()
        await turns()
        await s.maps.update(made, b"a", b"1", 0)
        assert await s.maps.lookup(made, b"a") == b"1"
        for each_map in (made, other):
            await s.remove(each_map)
        assert s.nobody_is_left()


@pytest.mark.parametrize("agrees", [True, False])
@virtual
async def test_a_key_whose_deletion_is_in_doubt_is_not_written(agrees: bool) -> None:
    """TIMEOUT until the provider has answered; then the value is gone, or there as before."""
    async with scene() as s:
        provider, asks = FakeMaps(), F.PREPROCESS_MAP_DELETE_ELEMENT
        functions = DATA.functions - {F.POSTPROCESS_MAP_DELETE_ELEMENT} | {asks}
        await s.provide(provider, replace(DATA, functions=functions))
        made = await s.create()
        await s.maps.update(made, b"a", b"1", 0)
        gate = provider.hold(asks.name)
        await refused(s.maps.delete(made, b"a"), Result.TIMEOUT)
        for tried in (s.maps.update(made, b"a", b"2", 0), s.maps.delete(made, b"a")):
            assert "has yet to answer" in await refused(tried, Result.TIMEOUT)
        assert await s.maps.lookup(made, b"a") == b"1"
        await s.maps.update(made, b"b", b"2", 0)
        if not agrees:
            provider.returns[asks] = ProviderReturn(Result.ACCESS_DENIED)
        gate.set()
        await turns()
        assert made.map.count == (1 if agrees else 2)
        await s.maps.update(made, b"a", b"3", 0)
        await s.remove(made)


@virtual
async def test_a_map_that_is_announced_too_late_is_given_back() -> None:
    """postprocess_map_delete with the context that came late."""
    async with scene() as s:
        provider = FakeMaps()
        await s.provide(provider)
        gate = provider.hold(F.PREPROCESS_MAP_CREATE.name)
        await refused(s.maps.create(WANTED), Result.EXTENSION_FAILED_TO_LOAD)
        assert s.nobody_is_left()
        provider.functions()
        gate.set()
        await turns()
        (undone,) = provider.asked
        assert (undone.call.function, undone.map_context) == (F.POSTPROCESS_MAP_DELETE, b"f")


@virtual
async def test_a_provider_that_never_answers_holds_a_removal_up_once() -> None:
    """A map of many entries goes after one deadline for elements, and one for the map."""
    async with scene() as s:
        provider, made = await s.provided()
        for key in b"abcdefg":
            await s.maps.update(made, bytes([key]), b"1", 0)
        provider.hold(F.POSTPROCESS_MAP_DELETE_ELEMENT.name)
        provider.hold(F.POSTPROCESS_MAP_DELETE.name)
        began = asyncio.get_running_loop().time()
        await s.remove(made)
        assert asyncio.get_running_loop().time() - began == 2 * DEADLINES.map_s
        assert s.nobody_is_left()


@virtual
async def test_a_map_is_removed_while_nobody_provides_it() -> None:
    """Nobody is told, and nobody is left."""
    async with scene() as s:
        provider, made = await s.provided()
        s.lose(provider)
        await turns()
        provider.functions()
        await s.remove(made)
        assert provider.functions() == []
        assert s.nobody_is_left()


@virtual
async def test_a_map_that_is_removed_while_it_is_announced_anew_is_given_back() -> None:
    """The removal waits for the announcement; then the provider is told of the end."""
    async with scene() as s:
        first, second = FakeMaps("first"), FakeMaps("second")
        await s.provide(first)
        made = await s.create()
        await s.maps.update(made, b"a", b"1", 0)
        s.lose(first)
        await turns()
        gate = second.hold(F.PREPROCESS_MAP_CREATE.name)
        registering = asyncio.ensure_future(s.provide(second))
        await second.reached.get()
        removing = asyncio.ensure_future(s.remove(made))
        await turns()
        gate.set()
        await asyncio.gather(registering, removing)
        assert second.functions() == [
            (F.PREPROCESS_MAP_CREATE, 0),
            (F.POSTPROCESS_MAP_DELETE_ELEMENT, MapOperation.MAP_CLEANUP),
            (F.POSTPROCESS_MAP_DELETE, 0),
        ]
        assert s.nobody_is_left()


@virtual
async def test_a_removal_waits_for_what_is_under_way() -> None:
    """What is written to the last is cleaned up too; what begins after it finds no map."""
    async with scene() as s:
        provider, made = await s.provided()
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        updating = asyncio.ensure_future(s.maps.update(made, b"a", b"1", 0))
        await provider.reached.get()
        removing = asyncio.ensure_future(s.remove(made))
        await turns()
        assert not removing.done()
        await refused(s.maps.lookup(made, b"a"), Result.KEY_NOT_FOUND)
        gate.set()
        await asyncio.gather(updating, removing)
        assert provider.functions()[-2:] == [
            (F.POSTPROCESS_MAP_DELETE_ELEMENT, MapOperation.MAP_CLEANUP),
            (F.POSTPROCESS_MAP_DELETE, 0),
        ]


@virtual
async def test_a_map_ends_with_whoever_has_it_last() -> None:
    """Its user, or the last pin; at the daemon's end also with pins."""
    async with scene() as s:
        provider = FakeMaps()
        await s.provide(provider)
        pinned, kept, owned = await s.create(), await s.create(), await s.create()
        owner = Owner("somebody")
        s.objects.open(owned, owner)
        for each, path in ((pinned, "one"), (kept, "two")):
            s.objects.pin(path, each)
        for each in (pinned, kept, owned):
            s.objects.remove_map(each)
        await turns()
        assert len(s.registrar.clients()) == 3
        s.objects.unpin("one")
        s.objects.end(owner)
        await turns()
        assert len(s.registrar.clients()) == 1
        await s.maps.close()
        assert s.nobody_is_left()
        ends = [each.map_id for each in provider.asked if _is_end(each)]
        assert sorted(ends) == [pinned.id, kept.id, owned.id]


@virtual
async def test_a_map_survives_its_daemon_and_is_revived_with_its_entries() -> None:
    """Its provider is let go without a word of its elements; another daemon's takes it again."""
    first, second = FakeMaps("first"), FakeMaps("second")
    async with scene() as s:
        await s.provide(first)
        s.maps = CustomMaps(
            registrar=s.registrar,
            objects=s.objects,
            services=s.services,
            deadlines=DEADLINES,
            new_maps=NewMaps(),
            survives=lambda _: True,
        )
        made = await s.create()
        await s.maps.update(made, b"a", b"1", 0)
        first.asked.clear()
        await s.maps.close()
        assert first.asked == []
        assert s.nobody_is_left()
    async with scene() as s:
        revived = MapObject(made.id, made.map)
        await s.maps.revive(revived, DATA, WANTED.value_size)
        assert revived.custom is not None
        assert revived.custom.program_map is not revived.map
        said = await refused(s.maps.lookup(revived, b"a"), Result.EXTENSION_FAILED_TO_LOAD)
        assert "start it and try again" in said
        await s.provide(second)
        assert second.asked[0].call.restored
        assert await s.maps.lookup(revived, b"a") == b"1"
        await s.maps.end(revived)
        assert _is_end(second.asked[-1])


def _is_end(call: MapCall) -> bool:
    return call.call.function is F.POSTPROCESS_MAP_DELETE
