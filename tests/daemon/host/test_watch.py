"""Watching the registrar: a snapshot, then changes; a slow reader gets a snapshot again."""

import asyncio
from contextlib import aclosing
from uuid import UUID

from ebpfd import nmr
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.watch import MAX_TOGETHER, MAX_WAITING, BindingSeen, Part, PartKind, Seen
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_callbacks import NPI, FakeClient, pair
from tests.virtual_time import virtual

PROVIDER = nmr.Role.PROVIDER


def word(seen: Seen) -> str:
    """In words."""
    change = "PRESENT" if seen.change is None else seen.change.name
    if isinstance(seen, BindingSeen):
        return f"binding {seen.binding.handle} {change} {seen.binding.phase.name}"
    return f"registration {seen.registration.handle} {change}"


def words(part: Part) -> list[str]:
    """What a part says."""
    return [word(seen) for seen in part.seen]


async def register(registrar: RegistrarHost, npi_id: UUID, module: FakeExtension) -> None:
    """A provider without anything special."""
    instance = nmr.RegistrationInstance(npi_id, nmr.ModuleId.guid(UUID(int=1)))
    await registrar.register(PROVIDER, instance, module)


@virtual
async def test_what_is_there_comes_first_and_then_what_changes() -> None:
    """Registrations before bindings, and changes in their order."""
    async with pair() as p:
        await p.register()
        async with aclosing(p.registrar.watch()) as parts:
            first = await anext(parts)
            assert (first.kind, first.lost) == (PartKind.SNAPSHOT, 0)
            assert words(first) == [
                "registration 1 PRESENT",
                "registration 2 PRESENT",
                "binding 1 PRESENT READY",
            ]
            assert await anext(parts) == Part(PartKind.SNAPSHOT_END, ())
            await p.leave()
            changes = await anext(parts)
            assert changes.kind is PartKind.CHANGES
            assert words(changes) == [
                "registration 1 CHANGED",
                "binding 1 CHANGED DETACHING",
                "binding 1 CHANGED CLEANUP",
                "binding 1 GONE CLEANUP",
                "registration 1 GONE",
            ]


@virtual
async def test_a_change_between_the_parts_of_a_snapshot_is_not_lost() -> None:
    """The snapshot is of one moment, and what came after it follows it."""
    async with pair() as p:
        await p.register()
        async with aclosing(p.registrar.watch()) as parts:
            await anext(parts)
            await register(p.registrar, UUID(int=5), p.provider)
            assert (await anext(parts)).kind is PartKind.SNAPSHOT_END
            assert words(await anext(parts)) == ["registration 3 ADDED"]


@virtual
async def test_one_contract_can_be_watched_alone() -> None:
    """In the snapshot and afterwards."""
    async with pair() as p:
        await register(p.registrar, UUID(int=5), p.provider)
        async with aclosing(p.registrar.watch(NPI)) as parts:
            assert (await anext(parts)).kind is PartKind.SNAPSHOT_END
            await register(p.registrar, UUID(int=6), p.provider)
            await p.register()
            assert words(await anext(parts)) == [
                "registration 3 ADDED",
                "registration 4 ADDED",
                "binding 1 ADDED ATTACHING",
                "binding 1 CHANGED READY",
            ]


@virtual
async def test_a_reader_that_is_too_slow_gets_a_snapshot_and_how_much_it_missed() -> None:
    """What waits for it is bounded; a reader that keeps up misses nothing."""
    async with Services() as services:
        registrar, module = RegistrarHost(services), FakeExtension()
        async with aclosing(registrar.watch()) as slow, aclosing(registrar.watch()) as quick:
            await anext(slow)
            await anext(quick)
            seen = 0
            for number in range(MAX_WAITING + 10):
                await register(registrar, UUID(int=number), module)
                seen += len((await anext(quick)).seen)
            assert seen == MAX_WAITING + 10
            part = await anext(slow)
            assert (part.kind, part.lost) == (PartKind.SNAPSHOT, MAX_WAITING + 10)
            present = len(part.seen)
            while (part := await anext(slow)).kind is PartKind.SNAPSHOT:
                assert len(part.seen) <= MAX_TOGETHER
                assert part.lost == 0
                present += len(part.seen)
            assert present == MAX_WAITING + 10
            await register(registrar, UUID(int=0), module)
            assert words(await anext(slow)) == [f"registration {MAX_WAITING + 11} ADDED"]


@virtual
async def test_what_was_overdue_is_told() -> None:
    """With the change that it led to."""
    async with pair() as p:
        p.provider.hold("attach")
        async with aclosing(p.registrar.watch()) as parts:
            await anext(parts)
            await p.register()
            last = (await anext(parts)).seen[-1]
            assert isinstance(last, BindingSeen)
            assert last.change is nmr.Change.GONE
            assert last.overdue == (
                "provider did not return from its attach callback in 10 s: taken as refused",
            )


@virtual
async def test_while_nobody_watches_nothing_is_kept() -> None:
    """The registrar has no observer before the first reader and after the last."""
    async with pair() as p:
        book = p.registrar._registrar._book  # pyright: ignore[reportPrivateUsage]
        observed = [book.observer is not None]
        async with aclosing(p.registrar.watch()) as one:
            await anext(one)
            async with aclosing(p.registrar.watch()) as two:
                await anext(two)
            observed.append(book.observer is not None)
        observed.append(book.observer is not None)
        assert observed == [False, True, False]


@virtual
async def test_a_watch_ends_with_the_daemon() -> None:
    """After what has happened until then."""
    async with pair() as p:
        seen: list[str] = []

        async def read() -> None:
            async for part in p.registrar.watch():
                seen.extend(words(part))

        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        await p.register()
        await asyncio.sleep(0)
        p.registrar.end_watches()
        await reading
        assert seen[-1] == "binding 1 CHANGED READY"


@virtual
async def test_clients_can_be_many() -> None:
    """A watch sees each of many bindings of one provider."""
    async with pair() as p, aclosing(p.registrar.watch()) as parts:
        await anext(parts)
        await p.register()
        for number in range(10, 13):
            instance = nmr.RegistrationInstance(NPI, nmr.ModuleId.guid(UUID(int=number)))
            client = FakeClient(p.registrar)
            await p.registrar.register(nmr.Role.CLIENT, instance, client)
        ready = [each for each in words(await anext(parts)) if each.endswith("READY")]
        assert ready == [f"binding {number} CHANGED READY" for number in range(1, 5)]
