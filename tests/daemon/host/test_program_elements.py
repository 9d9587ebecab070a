"""Elements of custom maps that programs write: what their provider is asked, and what follows."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ebpfd.contracts import MapProviderData
from ebpfd.contracts.custom_maps import ELEMENT_FUNCTIONS
from ebpfd.errors import RequestError
from ebpfd.host.program_elements import DELETE, UPDATE, ProgramElements, check_uses, provided
from ebpfd.objects import MapObject
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, HelperError, ProgramSpec, parse_object
from tests.daemon.host.map_scene import DATA, DEADLINES, TABLE, FakeMaps, Scene, scene, turns
from tests.daemon.host.world import object_file
from tests.virtual_time import virtual, virtually

F = MapFunction
BEFORE, AFTER = F.PREPROCESS_MAP_DELETE_ELEMENT, F.POSTPROCESS_MAP_DELETE_ELEMENT
PLAIN = replace(DATA, updates_original_value=False)
"""Values are stored as they are seen."""


class Plain(FakeMaps):
    """A provider that stores values of one byte as they are."""

    async def _answer(self, function: MapFunction, call: Any) -> ProviderReturn:
        returned = await super()._answer(function, call)
        sizes = {F.PREPROCESS_MAP_CREATE: 1}
        return replace(returned, out_value=b"", actual_value_size=sizes.get(function, 0))


async def begin(s: Scene, data: MapProviderData = PLAIN) -> tuple[Plain, MapObject]:
    """A map and its provider, which has not been asked for elements yet."""
    provider = Plain()
    await s.provide(provider, data)
    made = await s.create()
    provider.functions()
    return provider, made


def of(s: Scene) -> ProgramElements:
    """What programs call."""
    return ProgramElements(s.maps, s.services, DEADLINES.map_s)


async def update(s: Scene, made: MapObject, key: bytes, value: bytes, flags: int = 0) -> int:
    """Call helper 2."""
    return await of(s).write(UPDATE, made.id, (key, value, flags), DEADLINES.map_s)


async def delete(s: Scene, made: MapObject, key: bytes) -> int:
    """Call helper 3."""
    return await of(s).write(DELETE, made.id, (key,), DEADLINES.map_s)


async def ended(run: Awaitable[int], code: Result) -> str:
    """The message with which the run must end."""
    with pytest.raises(HelperError) as caught:
        await run
    assert caught.value.code == code
    return caught.value.message


async def test_a_map_is_full_for_programs_that_ask_nobody_too() -> None:
    """Facts 2.7: the base map enforces max_entries, and they write to that."""
    silent = replace(PLAIN, functions=TABLE - ELEMENT_FUNCTIONS)
    async with scene() as s:
        _, made = await begin(s, silent)
        for number in range(8):
            made.program_map.update(bytes([number]), b"x", 0)
        with pytest.raises(EngineError) as full:
            made.program_map.update(b"\xff", b"x", 0)
        assert full.value.code == Result.OUT_OF_SPACE
        made.program_map.update(b"\0", b"y", 0)


@pytest.mark.parametrize("deletion", [BEFORE, AFTER])
def test_every_call_for_a_program_says_so(deletion: MapFunction) -> None:
    """HELPER in each: an update, a replacement, a value that does not fit, a deletion."""
    data = replace(PLAIN, functions=TABLE - {AFTER} | {deletion})

    async def work() -> None:
        async with scene() as s:
            provider, made = await begin(s, data)
            assert [await update(s, made, b"a", b"1"), await update(s, made, b"a", b"2")] == [0, 0]
            assert await update(s, made, b"a", b"3", 1) == -Result.OBJECT_ALREADY_EXISTS
            assert made.map.lookup(b"a") == b"2"
            assert await delete(s, made, b"a") == 0
            assert await delete(s, made, b"a") == -Result.KEY_NOT_FOUND
            asked = [(each.call.value, each.call.function) for each in provider.asked]
            assert asked == [
                (b"1", F.PREPROCESS_MAP_UPDATE_ELEMENT),
                (b"2", F.PREPROCESS_MAP_UPDATE_ELEMENT),
                (b"1", deletion),
                (b"3", F.PREPROCESS_MAP_UPDATE_ELEMENT),
                (b"3", deletion),
                (b"2", deletion),
            ]
            assert [flags for _, flags in provider.functions()] == [1, 1, 3, 1, 3, 1]
            await s.remove(made)

    virtually(work())


@pytest.mark.parametrize("code", [each for each in Result if each])
@virtual
async def test_a_refusal_is_what_the_helper_returns(code: Result) -> None:
    """Negative, with the provider's own code, whichever it is; nothing has changed."""
    async with scene() as s:
        provider, made = await begin(s, replace(PLAIN, functions=TABLE - {AFTER} | {BEFORE}))
        assert await update(s, made, b"a", b"1") == 0
        for function in (F.PREPROCESS_MAP_UPDATE_ELEMENT, BEFORE):
            provider.returns[function] = ProviderReturn(code)
        assert await update(s, made, b"a", b"2") == -code
        assert await delete(s, made, b"a") == -code
        assert made.map.lookup(b"a") == b"1"
        await s.remove(made)


@virtual
async def test_a_late_provider_ends_the_run_and_what_it_agrees_to_is_taken_back() -> None:
    """TIMEOUT at the deadline; the undo is a program's too."""
    async with scene() as s:
        provider, made = await begin(s)
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        await ended(update(s, made, b"a", b"1"), Result.TIMEOUT)
        provider.functions()
        gate.set()
        await turns()
        assert (provider.functions(), made.map.count) == ([(AFTER, 3)], 0)
        await s.remove(made)


@virtual
async def test_a_deletion_that_is_agreed_to_late_is_done() -> None:
    """As a user's; until then nobody writes the key."""
    async with scene() as s:
        provider, made = await begin(s, replace(PLAIN, functions=TABLE - {AFTER} | {BEFORE}))
        await update(s, made, b"a", b"1")
        gate = provider.hold(BEFORE.name)
        await ended(delete(s, made, b"a"), Result.TIMEOUT)
        await turns()
        await ended(update(s, made, b"a", b"2"), Result.TIMEOUT)
        gate.set()
        await turns()
        assert made.map.count == 0
        await s.remove(made)


@virtual
async def test_a_program_takes_its_turn_with_users() -> None:
    """It waits for a user who writes its key, not for longer than its deadline, and not after."""
    async with scene() as s:
        provider, made = await begin(s)
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        user = asyncio.ensure_future(s.maps.update(made, b"a", b"1", 0))
        await provider.reached.get()
        short = of(s).write(UPDATE, made.id, (b"a", b"2", 0), 1.0)
        await ended(short, Result.TIMEOUT)
        waits = asyncio.ensure_future(update(s, made, b"a", b"3"))
        other = asyncio.ensure_future(update(s, made, b"b", b"4"))
        await turns()
        assert [each.call.value for each in provider.asked] == [b"1", b"4"]
        gate.set()
        await user
        assert [await waits, await other] == [0, 0]
        assert (made.map.lookup(b"a"), made.map.lookup(b"b")) == (b"3", b"4")
        updates = [each.call.value for each in provider.asked if not each.call.flags & 2]
        assert updates == [b"1", b"4", b"3"]
        await s.remove(made)


@virtual
async def test_without_its_provider_a_map_ends_the_run() -> None:
    """EXTENSION_FAILED_TO_LOAD, also for a call that was under way."""
    async with scene() as s:
        provider, made = await begin(s)
        provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        under_way = asyncio.ensure_future(update(s, made, b"a", b"1"))
        await provider.reached.get()
        s.lose(provider)
        await ended(under_way, Result.EXTENSION_FAILED_TO_LOAD)
        await turns()
        await ended(update(s, made, b"a", b"1"), Result.EXTENSION_FAILED_TO_LOAD)
        await s.remove(made)
        await ended(delete(s, made, b"a"), Result.EXTENSION_FAILED_TO_LOAD)


def spec(name: str) -> ProgramSpec:
    """A program of the file."""
    programs = parse_object(object_file("elements.o")).programs
    return next(each for each in programs if each.name == name)


def a_map(data: MapProviderData) -> MapObject:
    """A custom map, as far as uses of it are concerned."""
    custom = SimpleNamespace(data=data, provider="fake")
    return cast("MapObject", SimpleNamespace(custom=custom, name="accounts"))


NOBODY = cast("MapObject", SimpleNamespace(custom=None, name="seen"))


@pytest.mark.parametrize(
    ("program", "places"), [("put", (0,)), ("drop", (0,)), ("add", ()), ("either", (0,))]
)
def test_only_who_may_write_elements_asks(program: str, places: tuple[int, ...]) -> None:
    """What is written to plainly is known when a program is loaded."""
    maps = {0: a_map(PLAIN), 1: NOBODY}
    check_uses(maps[0], spec(program), 0)
    assert provided(maps, spec(program), ()) == places
    assert provided(maps, spec(program), (2, 3)) == ()
    indifferent = replace(PLAIN, functions=TABLE - {AFTER, F.PREPROCESS_MAP_UPDATE_ELEMENT})
    assert provided({0: a_map(indifferent), 1: NOBODY}, spec(program), ()) == ()


@pytest.mark.parametrize("program", ["put", "drop", "add", "take", "either"])
def test_where_values_are_translated_programs_touch_no_element(program: str) -> None:
    """OPERATION_NOT_SUPPORTED, for lookups too, and where the map is one of two."""
    with pytest.raises(RequestError) as caught:
        check_uses(a_map(DATA), spec(program), 0)
    assert caught.value.code is Result.OPERATION_NOT_SUPPORTED
    assert "stores its values otherwise than users see them" in caught.value.message


@pytest.mark.parametrize("functions", [TABLE, TABLE - {AFTER, F.PREPROCESS_MAP_UPDATE_ELEMENT}])
def test_an_element_is_never_found_and_deleted_at_once(functions: frozenset[MapFunction]) -> None:
    """OPERATION_NOT_SUPPORTED for every custom map, as for users."""
    with pytest.raises(RequestError) as caught:
        check_uses(a_map(replace(PLAIN, functions=functions)), spec("take"), 0)
    assert caught.value.code is Result.OPERATION_NOT_SUPPORTED
    assert "look the element up, and delete it then" in caught.value.message
