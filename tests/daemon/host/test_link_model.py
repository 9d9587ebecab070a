"""Links against a naive model: whatever is attached, replaced, lost and detached in any order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebpfd.errors import RequestError
from ebpfd.host.chains import Chains
from ebpfd.host.modules import AttachAnswer
from ebpfd.objects import LinkState
from ebpfd.objects.chains import Batch
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_chains import MULTI
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import World, object_file, refused, soon, until, world

PARAMETERS: Final = (b"", bytes(4), b"\1", b"\2")
WILDCARDS: Final = MULTI.wildcards
DOES: Final[tuple[Callable[[int], int], ...]] = (lambda value: value + 1, lambda value: value * 2)
"""What ``add_one`` and ``twice`` make of a number."""

Step: TypeAlias = tuple[str, int, int, int]
"""What is done, and three numbers that say to what."""

KINDS: Final = ("attach", "attach", "replace", "detach", "unlink", "refuse", "hook", "fire")
STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(
            ["attach", "attach", "replace", "detach", "unlink", "refuse", "hook", "fire"]
        ),
        st.integers(0, 1),
        st.integers(0, 3),
        st.integers(-2, 2),
    ),
    max_size=30,
)


@dataclass
class Attached:
    """A link of the model."""

    id: int
    parameter: bytes
    priority: int
    program: int


@dataclass
class Model:
    """What there should be: a list, searched and sorted anew each time."""

    links: list[Attached] = field(default_factory=list[Attached])
    there: bool = True
    """Whether the hook's extension is connected."""

    def reached(self, parameter: bytes) -> list[Attached]:
        """Whom an event meets."""
        own = [
            each
            for each in self.links
            if each.parameter == parameter and each.parameter not in WILDCARDS
        ]
        wild = [each for each in self.links if each.parameter in WILDCARDS]
        return [
            each
            for part in (own, wild)
            for each in sorted(part, key=lambda one: (one.priority, one.id))
        ]


class Run:
    """One history, in the daemon and in the model."""

    def __init__(self, w: World, programs: list[int]) -> None:
        self._w = w
        self._programs = programs
        self.hook = FakeExtension("hook")
        self._model = Model()

    async def begin(self) -> None:
        """The hook comes."""
        await self._w.provide_hook(self.hook, MULTI)

    async def step(self, step: Step) -> None:
        """Take one, and compare."""
        what, program, place, priority = step
        w, model = self._w, self._model
        match what:
            case "attach":
                await self._attach(program, PARAMETERS[place], priority)
            case "refuse" if model.there:
                self.hook.answer = AttachAnswer(NtStatus.ACCESS_DENIED)
                attach = w.links.attach(self._programs[program], ATTACH_TYPE, PARAMETERS[place])
                await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
                self.hook.answer = AttachAnswer(NtStatus.SUCCESS)
            case "replace" if model.links:
                link = model.links[place % len(model.links)]
                await soon(w.links.replace(link.id, self._programs[program]))
                link.program = program
            case "detach" if model.links:
                link = model.links.pop(place % len(model.links))
                await soon(w.links.detach(link.id))
                await refused(w.links.detach(link.id), Result.STALE_ID)
            case "unlink":
                await self._unlink(PARAMETERS[place])
            case "hook":
                await self._come_or_go()
            case _:
                await self._fire(PARAMETERS[place])
        self._compare()

    async def _attach(self, program: int, parameter: bytes, priority: int) -> None:
        attach = self._w.links.attach(
            self._programs[program], ATTACH_TYPE, parameter, priority=priority
        )
        if not self._model.there:
            await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
            return
        link = await soon(attach)
        self._model.links.append(Attached(link.id, parameter, priority, program))

    async def _unlink(self, parameter: bytes) -> None:
        model = self._model
        gone = [each.id for each in model.links if each.parameter == parameter]
        unlink = self._w.links.unlink(ATTACH_TYPE, parameter)
        if gone:
            assert [each.id for each in await soon(unlink)] == gone
        else:
            await refused(unlink, Result.OBJECT_NOT_FOUND)
        model.links = [each for each in model.links if each.id not in gone]

    async def _come_or_go(self) -> None:
        model = self._model
        if model.there:
            self._w.lose(self.hook)
            await until(lambda: not self._w.targets.any_of(self.hook, ATTACH_TYPE))
        else:
            self.hook = FakeExtension("hook")
            await soon(self._w.provide_hook(self.hook, MULTI))
        model.there = not model.there

    async def _fire(self, parameter: bytes) -> None:
        chains = Chains(
            targets=self._w.targets, contracts=self._w.contracts, executor=self._w.executor
        )
        expected = self._model.reached(parameter) if self._model.there else []
        if not expected:
            with pytest.raises(RequestError) as caught:
                chains.of_event(ATTACH_TYPE, parameter, self.hook)
            assert caught.value.code is Result.OBJECT_NOT_FOUND
            return
        target = chains.of_event(ATTACH_TYPE, parameter, self.hook)
        value = 3
        for each in expected:
            value = DOES[each.program](value)
        done = target.run_now(Batch(contexts=contexts(3)))
        assert done is not None
        assert (done.codes, done.results) == (b"\0", u32s(value))

    def _compare(self) -> None:
        w, model = self._w, self._model
        there = [(each.id, each.parameter, each.program.id) for each in w.objects.links()]
        assert there == [
            (each.id, each.parameter, self._programs[each.program]) for each in model.links
        ]
        for link in w.objects.links():
            assert link.state is LinkState.ATTACHED
            assert bool(link.binding) == model.there
        for number, program_id in enumerate(self._programs):
            kept = {each.id for each in model.links if each.program == number}
            assert w.objects.program(program_id).link_ids == kept


async def history(steps: list[Step]) -> None:
    """Take all steps, and leave nothing behind."""
    async with world() as w:
        types = FakeExtension("types")
        (handle,) = await w.provide(types, hook=False)
        loaded = await w.programs.load(object_file("chain.o"), "chain.o", ["add_one", "twice"])
        programs = [each.id for each in sorted(loaded, key=lambda each: each.name)]
        run = Run(w, programs)
        await run.begin()
        for step in steps:
            await run.step(step)
        await soon(w.links.close())
        for program in programs:
            await w.programs.unload(program)
        for registration in w.registrar.owned(run.hook):
            await soon(w.registrar.withdraw(registration.handle))
        await soon(w.registrar.withdraw(handle))
        assert w.leftovers() == []


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_links_are_what_the_model_says(steps: list[Step]) -> None:
    """Who is attached, whom an event meets in which order, and what is left at the end."""
    asyncio.run(history(steps))
