"""What programs may ask of extensions at once, and how long: who hangs delays nobody else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from ebpfd.host import helpers
from ebpfd.host.helpers import HelperCalls, Target
from ebpfd.host.modules import AttachAnswer, DispatchTable, HelperCall, HelperOutcome
from ebpfd.host.quotas import Quotas
from ebpfd.host.test_runs import RunOutcome
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.objects import Program, Rundown
from ebpfd.objects.chains import Batch
from ebpfd_api.helper_calls import MOST_LATE
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import SAMPLE, with_info
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, object_file, soon, until, world

OTHER_TYPE = UUID("f788ef4a-207d-4dc3-85cf-0f2ea1072999")


@dataclass
class Hanging(FakeExtension):
    """One whose helpers answer when the test says so, or never; others at once."""

    hang: set[int] = field(default_factory=set[int])
    go: asyncio.Event = field(default_factory=asyncio.Event)
    deadlines: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        super().__init__("hanging")
        self.helper = self._wait

    __hash__ = FakeExtension.__hash__
    __eq__ = FakeExtension.__eq__

    async def call_helper(self, call: HelperCall, deadline_s: float) -> HelperOutcome:
        """Note what it may take."""
        self.deadlines.append(deadline_s)
        return await super().call_helper(call, deadline_s)

    async def _wait(self, call: HelperCall) -> HelperOutcome:
        if call.helper_id in self.hang:
            await self.go.wait()
        return HelperOutcome(7)


@asynccontextmanager
async def two_extensions(w: World, hanging: FakeExtension) -> AsyncGenerator[Program]:
    """The sample's type is *hanging*'s; a program of another type, whose helpers answer."""
    await w.provide(hanging)
    descriptor = replace(SAMPLE.program_info.type_descriptor, name="other", program_type=OTHER_TYPE)
    data = replace(with_info(SAMPLE, type_descriptor=descriptor), section_prefixes=("second_ext",))
    await w.provide(FakeExtension("other"), data, hook=False)
    content = object_file("helper_implicit_2.o").replace(b"sample_ext", b"second_ext")
    (program,) = await w.programs.load(content, "other.o", [])
    assert program.program_type == OTHER_TYPE
    yield program


async def run(w: World, program: Program) -> RunOutcome:
    """Run it once."""
    return await soon(run_test(program, w.executor, b"", b"", 0, 1))


async def test_an_extension_that_hangs_does_not_starve_anothers_helpers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many of its programs' invocations wait, the other's begin and end at once."""
    monkeypatch.setattr(helpers, "DEADLINE_S", 60.0)
    async with world(quotas=Quotas(extension_helper_threads=2, helper_threads=3)) as w:
        hanging = Hanging(hang={0x10004})
        async with two_extensions(w, hanging) as other:
            links = [await w.attached("helper_implicit_2.o") for _ in range(5)]
            waiting = [w.invoke(link, hanging, Batch()) for link in links]
            await until(lambda: len(hanging.deadlines) == 2)
            assert (await run(w, other)).code == Result.SUCCESS
            assert not any(each.done() for each in waiting)
            hanging.go.set()
            assert {(await soon(each)).codes for each in waiting} == {b"\0"}


async def test_calls_beyond_those_that_may_wait_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """NO_MEMORY; another helper of the extension goes on, and that one too when it answers."""
    monkeypatch.setattr(helpers, "DEADLINE_S", 60.0)
    async with world(quotas=Quotas(helper_calls=2, extension_helper_calls=3)) as w:
        hanging = Hanging(hang={0x10004})
        await w.provide(hanging)
        links = [await w.attached("helper_implicit_2.o") for _ in range(3)]
        waiting = [w.invoke(link, hanging, Batch()) for link in links[:2]]
        await until(lambda: len(hanging.deadlines) == 2)
        refused = await soon(w.invoke(links[2], hanging, Batch()))
        assert refused.codes == bytes([Result.NO_MEMORY])
        assert w.executor.guard.refused == {"helper_calls": 1}
        assert (await run(w, await w.load("helper_function1.o"))).code == Result.SUCCESS
        assert not any(each.done() for each in waiting)
        hanging.go.set()
        assert {(await soon(each)).codes for each in waiting} == {b"\0"}
        assert (await soon(w.invoke(links[2], hanging, Batch()))).codes == b"\0"


async def test_all_helpers_of_an_extension_have_a_bound_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two that hang use it up, and a third is refused."""
    monkeypatch.setattr(helpers, "DEADLINE_S", 60.0)
    async with world(quotas=Quotas(extension_helper_calls=2)) as w:
        hanging = Hanging(hang={0x10000, 0x10004})
        async with two_extensions(w, hanging) as other:
            links = [await w.attached(f"helper_{name}.o") for name in ("function1", "implicit_2")]
            waiting = [w.invoke(link, hanging, Batch()) for link in links]
            await until(lambda: len(hanging.deadlines) == 2)
            third = await run(w, await w.load("helper_implicit_1.o"))
            assert third.code == Result.NO_MEMORY
            assert (await run(w, other)).code == Result.SUCCESS
            hanging.go.set()
            await soon(asyncio.gather(*waiting))


async def test_a_vanished_extension_ends_all_that_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """EXTENSION_FAILED_TO_LOAD, long before the deadline, and nothing is counted as waiting."""
    monkeypatch.setattr(helpers, "DEADLINE_S", 60.0)
    async with world() as w:
        hanging = Hanging(hang={0x10004})
        await w.provide(hanging)
        links = [await w.attached("helper_implicit_2.o") for _ in range(4)]
        waiting = [w.invoke(link, hanging, Batch()) for link in links]
        await until(lambda: len(hanging.deadlines) == 4)
        w.lose(hanging)
        gone = bytes([Result.EXTENSION_FAILED_TO_LOAD])
        assert {(await soon(each)).codes for each in waiting} == {gone}
        assert not w.programs.helper_calls.waiting


@pytest.mark.parametrize(
    ("said", "given"),
    [((), 1.0), (((0x10004, 0.25),), 0.25), (((0x10004, 12.5), (0x10000, 2.0)), 12.5)],
)
async def test_a_helper_has_the_deadline_that_its_author_gives_it(
    said: tuple[tuple[int, float], ...], given: float
) -> None:
    """It comes with the provider's dispatch table; without one it is a second."""
    async with world() as w:
        extension = Hanging()
        extension.answer = AttachAnswer(NtStatus.SUCCESS, b"c", DispatchTable(1, (), said))
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        assert (await soon(w.invoke(link, extension, Batch()))).codes == b"\0"
        assert extension.deadlines == [given]


async def test_a_late_helper_ends_its_invocation_by_its_own_deadline() -> None:
    """TIMEOUT, while one with more time is still waited for."""
    async with world() as w:
        hanging = Hanging(hang={0x10000, 0x10004})
        said = ((0x10004, 0.01), (0x10000, 25.0))
        hanging.answer = AttachAnswer(NtStatus.SUCCESS, b"c", DispatchTable(1, (), said))
        await w.provide(hanging)
        patient = w.invoke(await w.attached("helper_function1.o"), hanging, Batch())
        late = await soon(w.invoke(await w.attached("helper_implicit_2.o"), hanging, Batch()))
        assert late.codes == bytes([Result.TIMEOUT])
        assert not patient.done()
        hanging.go.set()
        assert (await soon(patient)).codes == b"\0"


async def test_the_events_of_a_batch_do_not_all_wait_for_a_helper_that_hangs() -> None:
    """After a few that were late the others have their TIMEOUT at once; the next batch asks."""
    async with world() as w:
        hanging = Hanging(hang={0x10004})
        said = ((0x10004, 0.01),)
        hanging.answer = AttachAnswer(NtStatus.SUCCESS, b"c", DispatchTable(1, (), said))
        await w.provide(hanging)
        link = await w.attached("helper_implicit_2.o")
        late = await soon(w.invoke(link, hanging, Batch(count=1024)))
        assert late.codes == bytes([Result.TIMEOUT]) * 1024
        assert len(hanging.deadlines) == MOST_LATE
        hanging.go.set()
        assert (await soon(w.invoke(link, hanging, Batch(count=8)))).codes == bytes(8)
        assert (await run(w, link.program)).code == Result.SUCCESS


@pytest.mark.parametrize(
    ("said", "given"), [(None, 1.0), (0.0, 1.0), (0.2, 0.2), (5.0, 2.5), (3600.0, 2.5)]
)
def test_no_helper_is_waited_for_longer_than_the_daemon_allows(
    said: float | None, given: float
) -> None:
    """Whatever its author says."""
    calls = HelperCalls(longest_s=2.5)
    assert calls.deadline_s(Target(None, OTHER_TYPE, 0x10000, Rundown(), said)) == given
