"""Programs that lead to others: which may be in an array, and what happens when one waits."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from ebpfd import nmr
from ebpfd.contracts import (
    BtfFunctionsData,
    BtfResolvedFunction,
    ContextDescriptor,
    ContextField,
)
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects import MapObject, Program
from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError
from tests.daemon.contracts.samples import SAMPLE, with_descriptor
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, soon, world

KEY = bytes(4)
MODULE = UUID("8f6c1f83-ce4c-4b58-8b91-654a29e23b7c")
TODAY = dataclasses.replace(
    with_descriptor(SAMPLE, context_descriptor=ContextDescriptor(size=40, data=0, end=8)),
    fields=(*SAMPLE.fields, ContextField(name="more", offset=32, size=8)),
)
"""The sample's contract with one field more."""


async def steps(w: World) -> tuple[Program, MapObject]:
    """A program that goes on with what is under index 0, and its array."""
    program = await w.load("steps.o")
    (array,) = program.maps
    return program, array


async def run(w: World, program: Program, number: int = 0) -> tuple[int, int]:
    """Code and result of a test run on a context of either size."""
    context = (bytes(16) + number.to_bytes(4, "little")).ljust(40, b"\0")
    done = await run_test(program, w.executor, context, b"", 0, 1)
    return done.code, done.result


class Adder(FakeExtension):
    """A module with the function ``add``, which waits for ``let``."""

    def __init__(self) -> None:
        super().__init__("adder")
        self.let, self.called = asyncio.Event(), asyncio.Event()
        self.helper = self._add

    async def _add(self, call: HelperCall) -> HelperOutcome:
        self.called.set()
        await self.let.wait()
        first, second = call.arguments
        assert isinstance(first, int)
        assert isinstance(second, int)
        return HelperOutcome(first + second)


@asynccontextmanager
async def led_to_adder(
    adder: Adder,
) -> AsyncGenerator[tuple[World, Program, Program, nmr.RegistrationHandle]]:
    """A program that goes on with one that calls the function, and the function's registration."""
    word = ArgumentType.ANYTHING
    add = BtfResolvedFunction(
        module=MODULE,
        name="add",
        return_type=ReturnType.INTEGER,
        arguments=(word, word, *[ArgumentType.DONTCARE] * 3),
    )
    data = BtfFunctionsData(functions=(add,))
    async with world() as w:
        await w.provide(FakeExtension())
        w.contracts.remember_functions(MODULE, data)
        instance = nmr.RegistrationInstance(
            BTF_RESOLVED_FUNCTIONS, nmr.ModuleId.guid(MODULE), characteristics=data
        )
        handle = await w.registrar.register(nmr.Role.PROVIDER, instance, adder)
        first, array = await steps(w)
        adding = await w.load("adding.o")
        await w.maps.put_program(array.id, KEY, adding.id, 0)
        yield w, first, adding, handle


async def test_programs_follow_their_contract_with_their_array() -> None:
    """Facts 6.2: only another type is INVALID_FD; of one type's two times they do not meet."""
    async with world() as w:
        extension = FakeExtension()
        (handle,) = await w.provide(extension, hook=False)
        first, array = await steps(w)
        last = await w.load("count.o")
        await w.maps.put_program(array.id, KEY, last.id, 0)
        assert await run(w, first) == (Result.SUCCESS, 1)
        await w.registrar.withdraw(handle)
        await w.provide(extension, TODAY, hook=False)
        first = await w.programs.reload(first.id)
        assert await run(w, first) == (Result.EXTENSION_FAILED_TO_LOAD, 0), "the other one waits"
        last = await w.programs.reload(last.id)
        assert int.from_bytes(array.map.lookup(KEY), "little") == last.id
        assert await run(w, first) == (Result.SUCCESS, 1)


async def test_an_array_holds_programs_of_one_type() -> None:
    """Whose GUID tells it from others of the same name and layout."""
    other = dataclasses.replace(
        with_descriptor(SAMPLE, program_type=uuid4()), section_prefixes=("other_ext",)
    )
    async with world() as w:
        await w.provide(FakeExtension("one"))
        await w.provide(FakeExtension("two"), other, hook=False)
        _, array = await steps(w)
        strange = await w.load("other_step.o")
        with pytest.raises(EngineError) as refused:
            await w.maps.put_program(array.id, KEY, strange.id, 0)
        assert refused.value.code == Result.INVALID_FD
        assert array.held == {}


async def test_nothing_goes_on_with_a_program_that_waits() -> None:
    """Facts 5.2: result 0, EXTENSION_FAILED_TO_LOAD, whatever way the program would have taken."""
    adder = Adder()
    adder.let.set()
    async with led_to_adder(adder) as (w, first, adding, handle):
        assert [await run(w, first, number) for number in (0, 1)] == [(0, 3), (0, 55)]
        await w.registrar.withdraw(handle)
        waits = (Result.EXTENSION_FAILED_TO_LOAD, 0)
        assert [await run(w, first, number) for number in (0, 1)] == [waits, waits]
        assert adding.engine.counters().runs == 2


async def test_a_module_has_gone_when_no_call_of_it_is_in_flight() -> None:
    """Facts 1.3: PENDING until then, also where another program has led to the one that calls."""
    adder = Adder()
    async with led_to_adder(adder) as (w, first, _, handle):
        running = asyncio.ensure_future(run(w, first))
        await soon(adder.called.wait())
        assert await w.registrar.deregister(handle) == NtStatus.PENDING
        assert not any(each.startswith("cleanup") for each in adder.journal)
        adder.let.set()
        assert await soon(running) == (Result.SUCCESS, 3)
        await soon(w.registrar.wait_deregistered(handle))
        assert adder.journal[-1].startswith("cleanup")
