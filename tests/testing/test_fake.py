"""Extensions at a daemon without an engine, where programs are functions."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from ebpfd_sdk import (
    AttachCapability,
    Columns,
    Context,
    Data,
    DataEnd,
    DataMeta,
    Extension,
    FireEvent,
    Hook,
    NtStatus,
    Origin,
    ProgramType,
    Refused,
    Result,
)
from ebpfd_sdk.testing import fake_daemon
from tests.sdk.parcels import ATTACH_TYPE, PROGRAM_TYPE, Parcel, declare


async def test_a_function_decides_about_events() -> None:
    """It sees context and data, and what it changes comes back."""
    kind, passing = declare()

    def heavy(parcel: Parcel, data: bytes) -> int:
        parcel.shelf = len(data)
        return int(parcel.weight > 5)

    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        link = await fake.attach(passing, heavy)
        answers = await asyncio.gather(
            *(passing.invoke(Parcel(weight=weight), data=b"x" * weight) for weight in (5, 6, 7))
        )
        assert [each.code for each in answers] == [Result.SUCCESS] * 3
        assert [each.result for each in answers] == [0, 1, 1]
        assert [each.context.shelf for each in answers] == [5, 6, 7]

        await fake.detach(link)
        assert (await passing.invoke()).code is Result.OBJECT_NOT_FOUND


async def test_it_is_fired_as_by_a_client() -> None:
    """By parameter, or the first; and where nothing is attached the code says so."""
    kind, passing = declare()
    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, lambda parcel, _: parcel.weight + 1, parameter=b"one")
        await fake.attach(passing, lambda parcel, _: parcel.weight + 2, parameter=b"two")
        for parameter, result in ((b"one", 8), (b"two", 9), (None, 8)):
            answer = await fake.fire(passing, context=Parcel(weight=7), parameter=parameter)
            assert (answer.code, answer.result) == (Result.SUCCESS, result)
        nobody = await fake.fire(passing, parameter=b"three")
        assert nobody.code is Result.KEY_NOT_FOUND


class Labelled(Context):
    """A context whose data begins with a label."""

    data: Data = 0
    data_end: DataEnd = 0
    label: DataMeta = 0


async def test_an_event_is_fired_with_metadata() -> None:
    """A function gets it in front of the data; where contexts have none it is refused."""
    kind, passing = declare()
    labelled = ProgramType(PROGRAM_TYPE, Labelled, name="labelled")
    marking = Hook(ATTACH_TYPE, labelled)
    seen: list[bytes] = []

    def note(_: Context, data: bytes) -> int:
        seen.append(data)
        return len(data)

    async with fake_daemon() as fake, Extension(labelled, marking, address=fake.address):
        await fake.attach(marking, note)
        events: list[FireEvent] = []
        for length in (0, 2):
            assert (await fake.fire(marking, data=b"abc", meta_length=length)).result == 3
        assert (await marking.invoke(data=b"de", meta_length=1)).result == 2

        @marking.on_fire
        async def keep(event: FireEvent) -> Columns:
            events.append(event)
            return await marking.invoke_batch(event.contexts, count=event.count)

        await fake.fire(marking, data=b"abc", meta_length=2)
        assert [each.meta_lengths for each in events] == [(2).to_bytes(4, "little")]
    assert seen == [b"abc", b"abc", b"de", b""]
    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, note)
        refused = await fake.fire(passing, data=b"abc", meta_length=2)
        assert refused.code is Result.INVALID_ARGUMENT
        assert refused.message == "meta_lengths: Parcel has no field of type DataMeta"


@pytest.mark.parametrize("origin", [None, Origin(7, 8), Origin(7, 8, 9)])
async def test_a_fire_says_who_has_caused_it(origin: Origin | None) -> None:
    """Left out, it is who fires: this process."""
    kind, passing = declare()
    events: list[FireEvent] = []

    @passing.on_fire
    async def note(event: FireEvent) -> Columns:
        events.append(event)
        return Columns(Result.SUCCESS, codes=bytes(event.count), results=bytes(4))

    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, lambda _, __: 0)
        await fake.fire(passing, origin=origin)
    here = Origin(os.getpid(), os.getpid(), os.getuid())
    assert [each.origin for each in events] == [origin or here]


async def test_what_an_extension_refuses_is_refused() -> None:
    """With its status and its words."""
    kind, passing = declare()

    @passing.on_attach
    def never(_link: object) -> None:
        raise Refused("not today", status=NtStatus.ACCESS_DENIED)

    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        with pytest.raises(Refused, match="not today") as refused:
            await fake.attach(passing, lambda _, __: 0)
        assert refused.value.status is NtStatus.ACCESS_DENIED


async def test_a_function_that_raises_fails_its_event_alone() -> None:
    """As a program that a runtime check ends."""
    kind, passing = declare()
    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, lambda parcel, _: 100 // parcel.weight)
        bad, good = await asyncio.gather(
            passing.invoke(Parcel(weight=0)), passing.invoke(Parcel(weight=50))
        )
        assert bad.code is Result.FAILED
        assert (good.code, good.result) == (Result.SUCCESS, 2)


async def test_a_chain_stops_where_the_contract_says() -> None:
    """Two links with one parameter: the second runs only if the first lets it."""
    kind = ProgramType(
        PROGRAM_TYPE, Parcel, name="parcel", results={0: "PASS", 1: "DROP"}, stop_on={1}
    )
    passing = Hook(
        ATTACH_TYPE, kind, name="passing", capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD
    )
    seen: list[str] = []

    def first(parcel: Parcel, _data: bytes) -> int:
        seen.append("first")
        return int(parcel.weight > 5)

    def second(_parcel: Parcel, _data: bytes) -> int:
        seen.append("second")
        return 0

    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, first, parameter=b"p")
        await fake.attach(passing, second, parameter=b"p")
        light = await passing.invoke(Parcel(weight=1), parameter=b"p")
        heavy = await passing.invoke(Parcel(weight=9), parameter=b"p")
    assert (light.result, heavy.result) == (0, 1)
    assert seen == ["first", "second", "first"]


def _returns(value: object) -> Callable[[Parcel, bytes], object]:
    return lambda _, __: value


async def _later(_parcel: Parcel, _data: bytes) -> int:
    return 0


def _spoils(parcel: Any, _data: bytes) -> int:
    parcel.weight = "heavy"
    return 0


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (_returns(None), "returned None: a program returns an int"),
        (_returns(1.0), "returned 1.0: a program returns an int"),
        (_returns(1 << 40), "a program's result has 32 bits"),
        (_later, "is an async def: a program is a plain function"),
        (_spoils, "weight"),
    ],
)
async def test_a_function_that_is_no_program_fails_its_event(
    program: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says why, and the next event is answered."""
    kind, passing = declare()
    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        link = await fake.attach(passing, program)
        assert (await passing.invoke()).code is Result.FAILED
        await fake.detach(link)
        await fake.attach(passing, lambda _, __: -1)
        answer = await passing.invoke()
    assert (answer.code, answer.result) == (Result.SUCCESS, 0xFFFFFFFF)
    assert why in caplog.text


async def test_a_negative_result_stops_a_chain_as_its_bits_do() -> None:
    """As the contract names it, without a sign."""
    kind = ProgramType(
        PROGRAM_TYPE, Parcel, name="parcel", results={0xFFFFFFFF: "LOST"}, stop_on={0xFFFFFFFF}
    )
    passing = Hook(ATTACH_TYPE, kind, capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD)
    async with fake_daemon() as fake, Extension(kind, passing, address=fake.address):
        await fake.attach(passing, lambda _, __: -1, parameter=b"p")
        await fake.attach(passing, lambda _, __: 3, parameter=b"p")
        assert (await passing.invoke(parameter=b"p")).result == 0xFFFFFFFF
