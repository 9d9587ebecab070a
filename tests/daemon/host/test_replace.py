"""Putting another program into a link: nothing lost, nothing doubled, nothing left running."""

import asyncio
from typing import Any, Final
from uuid import UUID

import pytest

from ebpfd.contracts import ExtensionData
from ebpfd.objects import Link, LinkState
from ebpfd.objects.chains import Batch
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE, SAMPLE, with_descriptor
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.test_links import Curious
from tests.daemon.host.world import World, object_file, refused, soon, until, world

EVENT: Final = Batch(contexts=contexts(3))


async def load(w: World, name: str) -> int:
    """One of the programs of ``chain.o``; its id."""
    (program,) = await w.programs.load(object_file("chain.o"), "chain.o", [name])
    return program.id


async def attached(w: World) -> tuple[FakeExtension, Link]:
    """A link to ``add_one``."""
    extension = FakeExtension()
    await w.provide(extension)
    return extension, await w.links.attach(await load(w, "add_one"), ATTACH_TYPE, b"")


async def test_the_next_event_meets_the_new_program() -> None:
    """Link, binding and counters stay what they are; the extension is asked nothing."""
    async with world() as w:
        extension, link = await attached(w)
        old, binding = link.program, link.binding
        assert (await w.invoke(link, extension, EVENT)).results == u32s(4)
        new = await load(w, "twice")
        journal = list(extension.journal)
        assert await w.links.replace(link.id, new, old.id) is link
        assert (await w.invoke(link, extension, EVENT)).results == u32s(6)
        assert (link.program.id, link.binding, link.state) == (new, binding, LinkState.ATTACHED)
        assert (old.link_ids, link.program.link_ids) == (set(), {link.id})
        assert link.tally.counters().runs == 2
        assert extension.journal == journal
        assert old in w.objects.programs(), "its user has it still"


async def test_a_program_that_only_the_link_kept_goes() -> None:
    """After a replacement by another one; the same one is no replacement."""
    async with world() as w:
        _, link = await attached(w)
        old = link.program
        await w.programs.unload(old.id)
        await w.links.replace(link.id, old.id)
        assert old in w.objects.programs()
        await w.links.replace(link.id, await load(w, "twice"))
        assert old not in w.objects.programs()


async def test_it_returns_when_the_old_program_runs_no_more() -> None:
    """What had begun ends with the old one; what waits for its turn meets the new one."""
    async with world() as w:
        extension = FakeExtension()
        go = extension.hold_helper(77)
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        await w.programs.unload(link.program.id)
        running = w.invoke(link, extension, EVENT)
        assert await soon(extension.reached.get()) == "helper"
        waiting = w.invoke(link, extension, EVENT)
        replacing = asyncio.ensure_future(w.links.replace(link.id, await load(w, "twice")))
        await until(lambda: link.program.name == "twice")
        assert not replacing.done()
        go.set()
        await soon(replacing)
        assert (await running).results == u32s(77)
        assert (await waiting).results == u32s(6)
        assert [each.name for each in w.objects.programs()] == ["twice"]


async def test_it_also_waits_for_what_a_leaving_hook_has_in_flight() -> None:
    """The link has no binding any more, and the old program runs still."""
    async with world() as w:
        extension, hook = FakeExtension(), FakeExtension("hook")
        go = extension.hold_helper(77)
        await w.provide(extension, hook=False)
        handle = await w.provide_hook(hook)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, hook, EVENT)
        assert await soon(extension.reached.get()) == "helper"
        leaving = asyncio.ensure_future(w.registrar.withdraw(handle))
        await until(lambda: not link.binding)
        replacing = asyncio.ensure_future(w.links.replace(link.id, await load(w, "twice")))
        await until(lambda: link.program.name == "twice")
        assert not replacing.done()
        go.set()
        await soon(asyncio.gather(leaving, replacing))
        assert (await running).results == u32s(77)


async def test_a_link_that_waits_for_its_hook_takes_another_program() -> None:
    """And comes back with it; the hook is shown that one."""
    async with world() as w:
        hook = Curious()
        await w.provide(FakeExtension(), hook=False)
        handle = await w.provide_hook(hook)
        link = await w.links.attach(await load(w, "add_one"), ATTACH_TYPE, b"")
        await w.registrar.withdraw(handle)
        await w.links.replace(link.id, await load(w, "twice"))
        await w.provide_hook(hook)
        shown = [
            data.program_name
            for call in hook.calls
            if isinstance(data := call.client_instance.characteristics, ExtensionData)
        ]
        assert shown == ["add_one", "twice"]
        assert (await w.invoke(link, hook, EVENT)).results == u32s(6)


async def test_a_replacement_that_cannot_be_changes_nothing() -> None:
    """Unknown link or program, another one than expected, another type, one that cannot run."""
    async with world() as w:
        extension, link = await attached(w)
        old, new = link.program, await load(w, "twice")
        await refused(w.links.replace(999, new), Result.KEY_NOT_FOUND)
        await refused(w.links.replace(link.id, 999), Result.KEY_NOT_FOUND)
        said = await refused(w.links.replace(link.id, new, new), Result.INVALID_ARGUMENT)
        assert f"link {link.id} has program {old.id} (add_one), not {new}" in said
        w.objects.program(new).provider.rundown.close()
        said = await refused(w.links.replace(link.id, new), Result.EXTENSION_FAILED_TO_LOAD)
        assert f"program {new} cannot run now" in said
        other = with_descriptor(SAMPLE, program_type=UUID(int=5), name="other")
        w.contracts.forget_program_type(SAMPLE.program_type)
        await w.provide(FakeExtension(), other, hook=False)
        foreign = await load(w, "twice")
        said = await refused(w.links.replace(link.id, foreign), Result.INVALID_ARGUMENT)
        assert f'program {foreign} is of type "other"' in said
        assert (await w.invoke(link, extension, EVENT)).results == u32s(4)
        assert (old.link_ids, w.objects.program(new).link_ids) == ({link.id}, set())


@pytest.mark.parametrize("step", ["attach", "detach"])
async def test_only_an_attached_link_takes_another_program(step: str) -> None:
    """INVALID_STATE while it comes or goes, and it is not held up."""
    async with world() as w:
        hook = FakeExtension("hook")
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        program, new = await load(w, "add_one"), await load(w, "twice")
        gate = hook.hold(step)
        working: asyncio.Future[Any] = asyncio.ensure_future(
            w.links.attach(program, ATTACH_TYPE, b"")
        )
        if step == "detach":
            await working
            (link,) = w.objects.links()
            working = asyncio.ensure_future(w.links.detach(link.id))
        assert await soon(hook.reached.get()) == step
        (link,) = w.objects.links()
        said = await refused(w.links.replace(link.id, new), Result.INVALID_STATE)
        assert f"link {link.id} is {step}ing" in said
        gate.set()
        await soon(working)


async def test_a_link_is_detached_while_its_program_is_replaced() -> None:
    """Both end, and nothing is left of either program."""
    async with world() as w:
        extension = FakeExtension()
        go = extension.hold_helper()
        handles = await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, extension, EVENT)
        assert await soon(extension.reached.get()) == "helper"
        old, new = link.program, await load(w, "twice")
        replacing = asyncio.ensure_future(w.links.replace(link.id, new))
        await until(lambda: link.program.id == new)
        for each in (old.id, new):
            await w.programs.unload(each)
        detaching = asyncio.ensure_future(w.links.detach(link.id))
        await until(lambda: link.state is LinkState.DETACHING)
        go.set()
        await soon(asyncio.gather(running, replacing, detaching))
        for handle in handles:
            await soon(w.registrar.withdraw(handle))
        assert w.leftovers() == []


async def test_the_links_of_a_parameter_are_detached_together() -> None:
    """As ``bpf_prog_detach`` does: those of one hook and parameter, or of one program of them."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        a, b = await load(w, "add_one"), await load(w, "twice")
        links = [
            await w.links.attach(program, ATTACH_TYPE, parameter)
            for program, parameter in ((a, b"\1"), (b, b"\1"), (a, b"\1"), (a, b"\2"))
        ]
        assert await w.links.unlink(ATTACH_TYPE, b"\1", b) == [links[1]]
        assert await w.links.unlink("sample_ext", b"\1") == [links[0], links[2]]
        assert list(w.objects.links()) == [links[3]]
        for parameter, program in ((b"\1", 0), (b"\2", b), (b"", 0)):
            said = await refused(
                w.links.unlink(ATTACH_TYPE, parameter, program), Result.OBJECT_NOT_FOUND
            )
            assert 'nothing like that is attached to "sample_ext"' in said
        await refused(w.links.unlink("nothing", b""), Result.OBJECT_NOT_FOUND)
