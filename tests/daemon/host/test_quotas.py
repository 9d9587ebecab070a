"""What is beyond a quota is refused with NO_MEMORY; nothing has changed, and it is counted."""

import asyncio

import pytest
from structlog.testing import capture_logs

from ebpfd.errors import RequestError
from ebpfd.host.maps import MapDeclaration
from ebpfd.host.quotas import QUOTAS, QuotaGuard, Quotas
from ebpfd.host.test_runs import test_run as run_test
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import object_file, refused, until, world

HASH = MapDeclaration(type=1, key_size=4, value_size=4, max_entries=8)


def test_each_quota_says_what_it_is_of() -> None:
    """And its default is one that can be set."""
    for name, quota in QUOTAS.items():
        assert quota.told
        assert quota.least <= getattr(Quotas(), name) <= quota.most


async def test_programs_beyond_their_quota_are_refused() -> None:
    """A file's programs count together; one that is unloaded makes room."""
    async with world(quotas=Quotas(programs=2)) as w:
        await w.provide(FakeExtension())
        first, _ = await w.load("trace.o"), await w.load("trace.o")
        there = w.leftovers()
        said = await refused(w.load("count.o"), Result.NO_MEMORY)
        assert said == (
            "there are 2 programs, and may be 2: unload some, "
            "or give the daemon more: [quotas] programs"
        )
        assert w.leftovers() == there
        assert w.executor.guard.refused == {"programs": 1}
        again = await w.programs.reload(first.id)
        await w.programs.unload(again.id)
        await w.load("count.o")


async def test_maps_beyond_their_quota_are_refused() -> None:
    """Those of a file as those of a user; a file that is refused leaves none."""
    async with world(quotas=Quotas(maps=1)) as w:
        await w.provide(FakeExtension())
        made = await w.maps.create(HASH)
        there = w.leftovers()
        await refused(w.maps.create(HASH), Result.NO_MEMORY)
        await refused(w.load("count.o"), Result.NO_MEMORY)
        assert w.leftovers() == there
        assert w.executor.guard.refused == {"maps": 2}
        await w.maps.remove(made.id)
        await w.load("count.o")


async def test_who_wants_no_more_of_what_is_beyond_its_quota_is_not_refused() -> None:
    """After a quota became less than there is: a program without maps has nothing to do with it."""
    async with world() as w:
        await w.provide(FakeExtension())
        for _ in range(2):
            await w.maps.create(HASH)
        w.executor.guard.quotas = Quotas(maps=1)
        await w.load("trace.o")
        await refused(w.load("count.o"), Result.NO_MEMORY)
        assert w.executor.guard.refused == {"maps": 1}


async def test_links_beyond_their_quota_are_refused() -> None:
    """The hook is not even asked."""
    async with world(quotas=Quotas(links=1)) as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("trace.o")
        there = w.leftovers()
        attaching = w.links.attach(link.program.id, ATTACH_TYPE, b"other")
        await refused(attaching, Result.NO_MEMORY)
        assert w.leftovers() == there
        await w.links.detach(link.id)
        await w.links.attach(link.program.id, ATTACH_TYPE, b"other")


async def test_test_runs_beyond_their_quota_are_refused() -> None:
    """Whatever program they are of; one that has ended makes room, however it has."""
    async with world(quotas=Quotas(test_runs=1)) as w:
        await w.provide(FakeExtension())
        program, other = await w.load("count.o"), await w.load("trace.o")
        running = asyncio.ensure_future(run_test(program, w.executor, b"", b"", 0, 2**32 - 1))
        await until(lambda: program.engine.counters().runs > 0)
        said = await refused(run_test(other, w.executor, b"", b"", 0, 1), Result.NO_MEMORY)
        assert said == (
            "there are 1 test_runs, and may be 1: wait for some, "
            "or give the daemon more: [quotas] test_runs"
        )
        assert other.engine.counters().runs == 0
        assert w.executor.guard.refused == {"test_runs": 1}
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert (await run_test(other, w.executor, b"", b"", 0, 1)).code == Result.SUCCESS


async def test_two_loads_at_once_do_not_share_the_last_place() -> None:
    """Whoever is ready first has it; the other one is refused when it is."""
    async with world(quotas=Quotas(programs=1)) as w:
        await w.provide(FakeExtension())
        w.verifier.gate.clear()
        loads = [
            asyncio.ensure_future(w.programs.load(object_file("trace.o"), "", [])) for _ in range(2)
        ]
        await w.verifier.asked.wait()
        w.verifier.gate.set()
        results = await asyncio.gather(*loads, return_exceptions=True)
        (error,) = (each for each in results if isinstance(each, RequestError))
        assert error.code is Result.NO_MEMORY
        assert w.objects.count("program") == 1


def test_a_flood_of_refusals_is_counted_and_logged_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each quota on its own; the next line says how many there were."""
    guard, clock = QuotaGuard(Quotas(programs=1)), iter([0.0, 0.5, 0.9, 0.95, 1.5])
    monkeypatch.setattr("ebpfd.host.quotas.time.monotonic", lambda: next(clock))
    with capture_logs() as logs:
        for quota in ("programs", "programs", "programs", "maps", "programs"):
            assert guard.refusal(quota, "full").code is Result.NO_MEMORY
    said = [(each["quota"], each["refused"]) for each in logs]
    assert said == [("programs", 1), ("maps", 1), ("programs", 3)]
    assert guard.refused == {"programs": 4, "maps": 1}


def test_a_place_is_free_again_when_the_work_has_ended() -> None:
    """Whoever comes meanwhile is refused."""
    guard = QuotaGuard(Quotas(fires=1))
    with guard.place("fires", "wait"):
        second = guard.place("fires", "wait")
        with pytest.raises(RequestError):
            second.__enter__()
    with guard.place("fires", "wait"):
        pass
    assert guard.refused == {"fires": 1}
