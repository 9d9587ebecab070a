"""Test runs through the context functions of a program type: once, whatever the repetitions."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Final

import pytest

from ebpfd.host import run_contexts
from ebpfd.host.modules import (
    AttachAnswer,
    ContextCall,
    ContextOutcome,
    DispatchTable,
)
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects import Program
from ebpfd.objects.programs import RunContext
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import contexts
from tests.daemon.host.world import World, object_file, refused, soon, until, world

BOTH: Final = ("context_create", "context_destroy")


class Maker(FakeExtension):
    """Makes a context from a number in decimal, and a number in decimal from a context."""

    def __init__(self, functions: tuple[str, ...] = BOTH) -> None:
        super().__init__("maker")
        self.answer = AttachAnswer(NtStatus.SUCCESS, b"maker", DispatchTable(1, functions))
        self.made: Callable[[ContextCall], Awaitable[ContextOutcome]] = self.make

    async def call_context(self, call: ContextCall, deadline_s: float) -> ContextOutcome:
        """Answer as ``made`` does."""
        self.journal.append("create" if call.creates else "destroy")
        self.reached.put_nowait(self.journal[-1])
        async with asyncio.timeout(deadline_s):
            return await self._or_gone(self.made(call))

    async def make(self, call: ContextCall) -> ContextOutcome:
        """Both ways."""
        flat = call.flat
        if call.creates:
            native = contexts(int(flat.context))
            made = RunContext(native, b"made of " + flat.data)
        else:
            number = int.from_bytes(flat.context[16:20], "little")
            made = RunContext(b"%d" % number, flat.data.removeprefix(b"made of "))
        return ContextOutcome(Result.SUCCESS, made=made)


async def loaded(w: World, maker: Maker) -> Program:
    """Load ``twice``; what came before is forgotten."""
    await w.provide(maker, hook=False)
    (program,) = await w.programs.load(object_file("chain.o"), "chain.o", ["twice"])
    maker.journal.clear()
    return program


async def test_a_context_is_made_once_and_ended_once() -> None:
    """All repetitions run on it; what the user gets is made from what they left."""
    async with world() as w:
        maker = Maker()
        program = await loaded(w, maker)
        outcome = await soon(run_test(program, w.executor, b"21", b"data", 0, 3))
        assert (outcome.code, outcome.result) == (Result.SUCCESS, 21 * 8)
        assert (outcome.context, outcome.data) == (b"168", b"data")
        assert maker.journal == ["create", "destroy"]


async def test_a_type_without_functions_gives_and_takes_what_programs_see() -> None:
    """Beyond eBPF for Windows: a context that travels is flat already."""
    async with world() as w:
        maker = Maker(())
        program = await loaded(w, maker)
        outcome = await soon(run_test(program, w.executor, contexts(4), b"", 0, 1))
        assert outcome.context == contexts(8)
        assert maker.journal == []


@pytest.mark.parametrize("only", BOTH)
async def test_one_function_alone_is_no_use(only: str) -> None:
    """INVALID_ARGUMENT, and nothing is called."""
    async with world() as w:
        maker = Maker((only,))
        program = await loaded(w, maker)
        said = await refused(
            run_test(program, w.executor, b"1", b"", 0, 1), Result.INVALID_ARGUMENT
        )
        (missing,) = set(BOTH) - {only}
        assert f"has no {missing}" in said
        assert maker.journal == []


@pytest.mark.parametrize(
    ("fails", "code", "journal"),
    [
        ("create", Result.INVALID_ARGUMENT, ["create"]),
        ("destroy", Result.FAILED, ["create", "destroy"]),
    ],
)
async def test_a_function_that_fails_fails_the_run(
    fails: str, code: Result, journal: list[str]
) -> None:
    """With the extension's own words."""
    async with world() as w:
        maker = Maker()
        program = await loaded(w, maker)

        async def fail(call: ContextCall) -> ContextOutcome:
            if maker.journal[-1] == fails:
                return ContextOutcome(Result.NO_MEMORY, "no room")
            return await maker.make(call)

        maker.made = fail
        assert await refused(run_test(program, w.executor, b"1", b"", 0, 1), code) == "no room"
        assert maker.journal == journal


async def test_a_context_of_another_size_is_refused_and_ended() -> None:
    """The program was verified for one size."""
    async with world() as w:
        maker = Maker()
        program = await loaded(w, maker)

        async def short(call: ContextCall) -> ContextOutcome:
            outcome = await maker.make(call) if call.creates else ContextOutcome(Result.SUCCESS)
            return dataclasses.replace(outcome, made=RunContext(outcome.made.context[:-1]))

        maker.made = short
        run = run_test(program, w.executor, b"1", b"", 0, 1)
        said = await refused(run, Result.INVALID_ARGUMENT)
        assert said == "context_create made a context of 31 bytes, not 32"
        assert maker.journal == ["create", "destroy"]


async def test_a_function_that_does_not_answer_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TIMEOUT past its deadline, CANCELED if the extension vanishes."""
    monkeypatch.setattr(run_contexts, "DEADLINE_S", 0.01)
    async with world() as w:
        maker = Maker()
        program = await loaded(w, maker)

        async def never(call: ContextCall) -> ContextOutcome:
            await asyncio.Event().wait()
            raise AssertionError(call)

        maker.made = never
        await refused(run_test(program, w.executor, b"1", b"", 0, 1), Result.TIMEOUT)
        monkeypatch.setattr(run_contexts, "DEADLINE_S", 60.0)
        running = asyncio.ensure_future(run_test(program, w.executor, b"1", b"", 0, 1))
        await until(lambda: maker.journal == ["create", "create"])
        w.lose(maker)
        await refused(soon(running), Result.CANCELED)
        await until(lambda: program.provider.rundown.active == 0)


async def test_a_run_that_is_cancelled_ends_its_context() -> None:
    """When the run itself has ended; the program's type may go then."""
    async with world() as w:
        maker = Maker()
        go = maker.hold_helper()
        await w.provide(maker, hook=False)
        program = await w.load("helper_implicit_2.o")
        running = asyncio.ensure_future(run_test(program, w.executor, b"1", b"", 0, 1))
        await until(lambda: "helper 0x10004" in maker.journal)
        running.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert maker.journal[-3:] == ["create", "helper 0x10004", "destroy"]
        assert program.provider.rundown.active == 0
