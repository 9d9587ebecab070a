"""Extensions at a daemon without an engine, where programs are functions."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ebpfd_sdk import AttachCapability, Extension, Hook, NtStatus, ProgramType, Refused, Result
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
