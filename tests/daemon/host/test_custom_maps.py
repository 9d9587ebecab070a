"""Custom maps: how they come to be, and what is done with their elements."""

import asyncio
from dataclasses import replace

import pytest

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.map_client import MapClient
from ebpfd.host.maps import MapDeclaration
from ebpfd.host.modules import AttachAnswer
from ebpfd.host.quotas import QuotaGuard
from ebpfd.objects import MapObject, MapShape
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from tests.daemon.host.map_scene import (
    DATA,
    DEADLINES,
    TABLE,
    WANTED,
    F,
    FakeMaps,
    refused,
    scene,
    turns,
)
from tests.virtual_time import virtual


@virtual
async def test_without_a_provider_there_is_no_map() -> None:
    """EXTENSION_FAILED_TO_LOAD, and nobody is left waiting for one."""
    async with scene() as s:
        said = await refused(s.maps.create(WANTED), Result.EXTENSION_FAILED_TO_LOAD)
        assert "start it and try again" in said
        assert s.nobody_is_left()


@pytest.mark.parametrize("code", [each for each in Result if each])
@virtual
async def test_a_refused_creation_leaves_nothing(code: Result) -> None:
    """Whatever the provider's code is: EXTENSION_FAILED_TO_LOAD, with its words."""
    async with scene() as s:
        provider = FakeMaps()
        provider.returns[F.PREPROCESS_MAP_CREATE] = ProviderReturn(code, "not today")
        await s.provide(provider)
        said = await refused(s.maps.create(WANTED), Result.EXTENSION_FAILED_TO_LOAD)
        assert said == "map type xskmap (16): fake: not today"
        assert provider.functions() == [(F.PREPROCESS_MAP_CREATE, 0)]
        assert s.nobody_is_left()


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (replace(WANTED, type=17), Result.INVALID_ARGUMENT),
        (replace(WANTED, key_size=0), Result.INVALID_ARGUMENT),
        (replace(WANTED, value_size=0), Result.INVALID_ARGUMENT),
        (replace(WANTED, max_entries=0), Result.INVALID_ARGUMENT),
        (replace(WANTED, name="x" * 64), Result.INVALID_ARGUMENT),
        (replace(WANTED, value_size=1 << 24), Result.INVALID_ARGUMENT),
    ],
    ids=["type", "key_size", "value_size", "max_entries", "name", "too large for a message"],
)
@virtual
async def test_what_is_declared_wrongly_never_reaches_the_provider(
    wanted: MapDeclaration, code: Result
) -> None:
    """INVALID_ARGUMENT."""
    async with scene() as s:
        provider = FakeMaps()
        await s.provide(provider)
        await refused(s.maps.create(wanted), code)
        assert provider.functions() == []
        assert provider.attached == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (replace(DATA, functions=TABLE - {F.PREPROCESS_MAP_CREATE}), "preprocess_map_create"),
        (replace(DATA, functions=TABLE - {F.POSTPROCESS_MAP_DELETE}), "postprocess_map_delete"),
        (
            replace(DATA, functions=TABLE - {F.PREPROCESS_ASSOCIATE_PROGRAM_TYPE}),
            "preprocess_associate_program_type is missing",
        ),
        (replace(DATA, functions=frozenset(MapFunction)), "one will do"),
        (
            replace(DATA, functions=TABLE - {F.POSTPROCESS_MAP_FIND_ELEMENT}),
            "postprocess_map_find_element is missing",
        ),
        (
            replace(DATA, functions=TABLE - {F.PREPROCESS_MAP_UPDATE_ELEMENT}),
            "preprocess_map_update_element is missing",
        ),
        (
            replace(DATA, functions=TABLE - {F.POSTPROCESS_MAP_DELETE_ELEMENT}),
            "postprocess_map_delete_element is missing",
        ),
        (replace(DATA, base_map_type=MapType.ARRAY), "base_map_type is 2, not HASH"),
    ],
)
@virtual
async def test_a_provider_that_makes_no_sense_registers_and_gets_no_map(
    data: MapProviderData, said: str
) -> None:
    """The client refuses it, and the user learns why."""
    async with scene() as s:
        provider = FakeMaps()
        await s.provide(provider, data)
        message = await refused(s.maps.create(WANTED), Result.EXTENSION_FAILED_TO_LOAD)
        assert said in message
        assert provider.attached == []


@virtual
async def test_a_provider_without_element_functions_makes_sense() -> None:
    """Unless it updates the original value."""
    async with scene() as s:
        required = frozenset(list(MapFunction)[:3])
        provider = FakeMaps()
        provider.returns[F.PREPROCESS_MAP_CREATE] = ProviderReturn(actual_value_size=1)
        await s.provide(provider, replace(DATA, functions=required, updates_original_value=False))
        made = await s.create()
        await s.maps.update(made, b"k", b"v", 0)
        assert await s.maps.lookup(made, b"k") == b"v"
        assert made.program_map is made.map
        assert provider.functions() == [(F.PREPROCESS_MAP_CREATE, 0)]
        await s.remove(made)


@virtual
async def test_what_a_client_answers_to_providers() -> None:
    """INVALID_PARAMETER for bad data, NOT_SUPPORTED for another type or base."""
    async with scene() as s:
        client = MapClient(
            registrar=s.registrar,
            services=s.services,
            deadlines=DEADLINES,
            map_id=2,
            name="",
            shape=MapShape(16, 1, 1, 8),
            guard=QuotaGuard(),
        )
        bad = replace(DATA, functions=frozenset[MapFunction]())
        for data, status in (
            (DATA, NtStatus.SUCCESS),
            (bad, NtStatus.INVALID_PARAMETER),
            (replace(bad, map_type=15), NtStatus.INVALID_PARAMETER),
            (replace(DATA, map_type=15), NtStatus.NOT_SUPPORTED),
            (replace(DATA, base_map_type=2), NtStatus.NOT_SUPPORTED),
        ):
            assert client.judge(data)[0] == status, data
        await s.provide(FakeMaps())
        await client.register()
        assert client.judge(DATA)[0] == NtStatus.INVALID_DEVICE_STATE
        await client.end()


@virtual
async def test_writers_of_one_key_take_turns_and_others_do_not_wait() -> None:
    """The last one's value is there in the end."""
    async with scene() as s:
        provider, made = await s.provided()
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        provider.functions()
        writing = [
            asyncio.ensure_future(s.maps.update(made, key, value, 0))
            for key, value in ((b"a", b"1"), (b"a", b"2"), (b"b", b"3"))
        ]
        await turns()
        assert [each.call.value for each in provider.asked] == [b"1", b"3"]
        gate.set()
        await asyncio.gather(*writing)
        assert await s.maps.lookup(made, b"a") == b"2"
        await s.remove(made)


@virtual
async def test_a_caller_that_hangs_up_leaves_no_half_written_value() -> None:
    """The update goes on to its end."""
    async with scene() as s:
        provider, made = await s.provided()
        gate = provider.hold(F.PREPROCESS_MAP_UPDATE_ELEMENT.name)
        updating = asyncio.ensure_future(s.maps.update(made, b"a", b"1", 0))
        await provider.reached.get()
        updating.cancel()
        gate.set()
        await turns()
        assert made.map.lookup(b"a") == b"f1"
        await s.remove(made)


@virtual
async def test_a_provider_that_refuses_the_attach_is_named() -> None:
    """With its words."""
    async with scene() as s:
        provider = FakeMaps()
        provider.answer = AttachAnswer(NtStatus.ACCESS_DENIED, message="closed")
        await s.provide(provider)
        said = await refused(s.maps.create(WANTED), Result.EXTENSION_FAILED_TO_LOAD)
        assert "fake: closed" in said
        assert s.nobody_is_left()


@virtual
async def test_batches_are_single_operations_in_order() -> None:
    """The first that fails ends them, and is named."""
    async with scene() as s:
        _, made = await s.provided()
        await s.maps.update_batch(made, b"abc", b"123", 0)
        assert [entry async for entry in s.maps.entries(made)] == [
            (key, value) for key, value in seen(made)
        ]
        said = await refused(s.maps.delete_batch(made, b"axb"), Result.KEY_NOT_FOUND)
        assert said.startswith("entry 1: ")
        assert made.map.count == 2
        await refused(s.maps.update_batch(made, b"ab", b"1", 0), Result.INVALID_ARGUMENT)
        await refused(s.maps.delete_batch(made, b""), Result.INVALID_ARGUMENT)
        await s.remove(made)


def seen(made: MapObject) -> list[tuple[bytes, bytes]]:
    """The entries as users see them."""
    return [(key, stored[1:]) for key, stored in made.map.entries(None, 99)]


@pytest.mark.parametrize(
    ("name", "number"), [("names", 16), ("hash", 1), ("xskmap", 16), ("stack", 12)]
)
@virtual
async def test_types_have_names(name: str, number: int) -> None:
    """Everybody's, and those that connected extensions give."""
    async with scene() as s:
        await s.provide(FakeMaps())
        assert s.maps.type_number(name) == number
        with pytest.raises(RequestError, match=r"is no map type: hash, .*, names"):
            s.maps.type_number("nonsense")
