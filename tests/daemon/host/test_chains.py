"""Several links on one event: order, what each sees, when the chain ends, and who may ask."""

import asyncio
import dataclasses
from typing import Final
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.contracts import ProgramData, ProgramResult
from ebpfd.errors import RequestError
from ebpfd.host.chains import Chains, ChainTarget
from ebpfd.host.hosted_hook import HostedLink
from ebpfd.host.modules import HelperCall, HelperOutcome, Module
from ebpfd.host.quotas import Quotas
from ebpfd.objects import Link
from ebpfd.objects.chains import Batch, Outcome
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.attachments import Attachments
from ebpfd_api.failure import Failure
from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA, SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import World, object_file, refused, soon, until, world

MULTI: Final = dataclasses.replace(
    HOOK_DATA, capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD, wildcards=(b"", bytes(4))
)
STOPS_AT_EIGHT: Final = dataclasses.replace(
    SAMPLE, results=(ProgramResult(value=8, name="enough", stops_chain=True),)
)


async def provided(w: World, data: ProgramData = SAMPLE) -> FakeExtension:
    """The sample's extension, whose hook takes many links."""
    extension = FakeExtension()
    await w.provide(extension, data, hook=False)
    await w.provide_hook(extension, MULTI)
    return extension


async def attach(
    w: World,
    program: str,
    parameter: bytes = b"",
    priority: int = 0,
    on_failure: int | str | None = None,
) -> Link:
    """Attach ``add_one``, ``twice``, or the one program of another file."""
    known = program in {"add_one", "twice"}
    file = "chain.o" if known else program
    (loaded,) = await w.programs.load(object_file(file), file, [program] if known else [])
    return await w.links.attach(
        loaded.id,
        ATTACH_TYPE,
        parameter,
        priority=priority,
        policy={} if on_failure is None else dict.fromkeys(Failure, on_failure),
    )


def chains(w: World) -> Chains:
    """Who is run by messages for several links."""
    return Chains(targets=w.targets, contracts=w.contracts, executor=w.executor)


async def fire(w: World, owner: Module, batch: Batch, parameter: bytes = b"") -> Outcome:
    """Run an event of the hook, in place or queued."""
    target = chains(w).of_event(ATTACH_TYPE, parameter, owner)
    done = target.run_now(batch)
    if done is None:
        target.enqueue()
        return await target.run_queued(batch)
    return done


async def test_each_program_gets_what_the_one_before_it_left() -> None:
    """And the last one's result is the answer."""
    async with world() as w:
        extension = await provided(w)
        for program in ("add_one", "twice", "add_one"):
            await attach(w, program)
        done = await fire(w, extension, Batch(count=2, contexts=contexts(3, 10)))
        assert done.codes == bytes(2)
        assert done.results == u32s(9, 23)
        assert done.contexts == contexts(9, 23)


async def test_the_order_is_parameter_then_priority_then_age() -> None:
    """A specific parameter comes before wildcards, whatever their priority."""
    async with world() as w:
        extension = await provided(w)
        wildcard = await attach(w, "twice", b"", priority=-9)
        late = await attach(w, "add_one", b"\1", priority=5)
        first = await attach(w, "twice", b"\1")
        second = await attach(w, "add_one", b"\1")
        other = await attach(w, "add_one", bytes(4))
        reached = w.targets.of_event(extension, ATTACH_TYPE, b"\1")
        assert [target.link for target in reached] == [first, second, late, wildcard, other]
        done = await fire(w, extension, Batch(contexts=contexts(3)), b"\1")
        assert done.results == u32s(((3 * 2) + 1 + 1) * 2 + 1)
        done = await fire(w, extension, Batch(contexts=contexts(3)), b"\2")
        assert done.results == u32s(3 * 2 + 1)


async def test_a_result_that_stops_the_chain_is_its_answer() -> None:
    """For the contexts that have it; the others go on."""
    async with world() as w:
        extension = await provided(w, STOPS_AT_EIGHT)
        await attach(w, "add_one")
        second = await attach(w, "twice")
        done = await fire(w, extension, Batch(count=3, contexts=contexts(7, 3, 0)))
        assert (done.codes, done.results) == (bytes(3), u32s(8, 8, 2))
        assert done.contexts == contexts(8, 8, 2)
        assert second.tally.counters().runs == 2


async def test_an_error_ends_the_chain() -> None:
    """Of the context that has it: a helper that raised is FAILED, and no further program runs."""
    async with world() as w:
        extension = await provided(w)

        async def picky(call: HelperCall) -> HelperOutcome:
            (argument,) = call.arguments
            return HelperOutcome(error="no" if argument == 4 else "")

        extension.helper = picky
        await attach(w, "add_one")
        await attach(w, "helper_implicit_2.o")
        last = await attach(w, "twice")
        done = await soon(fire(w, extension, Batch(count=2, contexts=contexts(3, 5))))
        assert done.codes == bytes([Result.FAILED, 0])
        assert done.results == u32s(0, 12)
        assert done.contexts == contexts(4, 12)
        assert last.tally.counters().runs == 1


async def fail(call: HelperCall) -> HelperOutcome:
    """A helper that raises."""
    return HelperOutcome(error="no")


@pytest.mark.parametrize(
    ("on_failure", "result"), [(7, 7), ("enough", 8), (0, 0), (None, 5)], ids=str
)
async def test_a_failed_run_has_the_result_that_its_link_says(
    on_failure: int | str | None, result: int
) -> None:
    """A number, a result's name, or the type's default: that of the link whose program failed."""
    async with world() as w:
        extension = await provided(w, dataclasses.replace(STOPS_AT_EIGHT, default_result=5))
        extension.helper = fail
        await attach(w, "add_one", on_failure=99)
        await attach(w, "helper_implicit_2.o", on_failure=on_failure)
        done = await soon(fire(w, extension, Batch(count=2)))
        assert (done.codes, done.results) == (bytes([Result.FAILED] * 2), u32s(result, result))


async def test_a_result_that_the_contract_does_not_name_is_refused() -> None:
    """And nothing is attached; the error names those that it has."""
    async with world() as w:
        await provided(w, STOPS_AT_EIGHT)
        said = await refused(attach(w, "twice", on_failure="DROP"), Result.INVALID_ARGUMENT)
        assert said == (
            'policy.no_provider: "sample" has no result "DROP" (there are enough, open, closed): '
            "give one of them, or a number"
        )
        said = await refused(attach(w, "twice", on_failure="closed"), Result.INVALID_ARGUMENT)
        assert said == (
            "policy.no_provider: the hook does not say which result is closed: give one of "
            "enough, or a number"
        )
        assert list(w.objects.links()) == []


async def test_a_program_that_cannot_run_ends_the_chain_with_its_code() -> None:
    """EXTENSION_FAILED_TO_LOAD and its link's result, after what ran before it has run."""
    async with world() as w:
        extension = await provided(w)
        await attach(w, "add_one")
        waits = await attach(w, "twice", on_failure=6)
        waits.program.provider.rundown.close()
        done = await fire(w, extension, Batch(contexts=contexts(3)))
        assert done.codes == bytes([Result.EXTENSION_FAILED_TO_LOAD])
        assert (done.results, done.contexts) == (u32s(6), contexts(4))
        waits.program.provider.rundown.reopen()


async def test_a_first_program_that_cannot_run_refuses_the_message() -> None:
    """As a message for it alone is refused."""
    async with world() as w:
        extension = await provided(w)
        first = await attach(w, "add_one")
        await attach(w, "twice")
        first.program.provider.rundown.close()
        with pytest.raises(RequestError) as caught:
            await fire(w, extension, Batch(contexts=contexts(3)))
        assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        first.program.provider.rundown.reopen()


async def test_a_chain_keeps_its_place_at_every_link() -> None:
    """One that waits for a helper is overtaken at none of its links, also not by a lone message."""
    async with world() as w:
        extension = await provided(w)
        go = extension.hold_helper()
        first, second = await attach(w, "helper_implicit_2.o"), await attach(w, "add_one")
        chain = asyncio.ensure_future(fire(w, extension, Batch(contexts=contexts(3))))
        assert await soon(extension.reached.get()) == "helper"
        alone = w.invoke(second, extension, Batch(contexts=contexts(5)))
        detaching = asyncio.ensure_future(w.links.detach(first.id))
        await until(lambda: not first.binding)
        assert not alone.done()
        assert not detaching.done()
        go.set()
        assert (await soon(chain)).results == u32s(4)
        assert (await soon(alone)).results == u32s(6)
        await soon(detaching)


async def test_a_chain_that_waits_for_one_link_is_overtaken_at_no_other() -> None:
    """Its first link is busy with another message; a later message for its second one waits."""
    async with world() as w:
        extension = await provided(w)
        go = extension.hold_helper()
        first, second = await attach(w, "helper_implicit_2.o"), await attach(w, "add_one")
        busy = w.invoke(first, extension, Batch())
        assert await soon(extension.reached.get()) == "helper"
        chain = asyncio.ensure_future(fire(w, extension, Batch(contexts=contexts(3))))
        target = w.targets.find(nmr.BindingHandle(second.binding), extension)
        await until(lambda: target.queued == 1)
        alone = w.invoke(second, extension, Batch(contexts=contexts(5)))
        await until(lambda: target.queued == 2)
        ended: list[asyncio.Future[Outcome]] = []
        for each in (chain, alone):
            each.add_done_callback(ended.append)
        go.set()
        await soon(asyncio.gather(busy, chain, alone))
        assert ended == [chain, alone]


async def test_a_chain_that_finds_no_place_takes_none() -> None:
    """NO_MEMORY if one link has too much waiting, and the others are as they were."""
    async with world() as w:
        extension = await provided(w)
        first, second = await attach(w, "add_one"), await attach(w, "twice")
        targets = [w.targets.find(each.binding, extension) for each in (first, second)]
        targets[1].queued = Quotas().link_batches
        target = chains(w).of_event(ATTACH_TYPE, b"", extension)
        assert target.run_now(Batch()) is None
        with pytest.raises(RequestError) as caught:
            target.enqueue()
        assert caught.value.code is Result.NO_MEMORY
        assert (targets[0].queued, targets[0].rundown.active) == (0, 0)
        targets[1].queued = 0


async def test_a_chain_is_named_as_it_is_to_run() -> None:
    """Links of one hook, each once, in invocation order, all the caller's own."""
    async with world() as w:
        extension = await provided(w)
        first, second = await attach(w, "add_one"), await attach(w, "twice")
        alone = await attach(w, "twice", b"\1")
        a, b, c = (each.binding for each in (first, second, alone))
        assert isinstance(chains(w).of_bindings([c, a, b], extension), ChainTarget)
        assert chains(w).of_bindings([a], extension).run_now(Batch()) is not None
        for wrong in ([], [a, a], [b, a], [a, c]):
            with pytest.raises(RequestError, match=r"chain\.bindings: name") as caught:
                chains(w).of_bindings(wrong, extension)
            assert caught.value.code is Result.INVALID_ARGUMENT
        with pytest.raises(RequestError) as caught:
            chains(w).of_bindings([a, b], FakeExtension())
        assert caught.value.code is Result.OBJECT_NOT_FOUND


async def test_links_of_two_hooks_are_no_chain() -> None:
    """Each hook has its own order."""
    async with world() as w:
        extension, other = await provided(w), UUID(int=77)
        w.contracts.remember_attach_type(other, MULTI)
        instance = nmr.RegistrationInstance(HOOK, nmr.ModuleId.guid(other), characteristics=MULTI)
        await w.registrar.register(nmr.Role.PROVIDER, instance, extension)
        first = await attach(w, "add_one")
        second = await w.links.attach(first.program.id, other, b"")
        with pytest.raises(RequestError, match="links of one hook"):
            chains(w).of_bindings([first.binding, second.binding], extension)


@pytest.mark.parametrize("capability", AttachCapability)
@pytest.mark.parametrize("wildcards", [(), (b"",)])
async def test_an_event_that_reaches_nobody_has_the_hooks_code(
    capability: AttachCapability, wildcards: tuple[bytes, ...]
) -> None:
    """OBJECT_NOT_FOUND; with the sample's rule KEY_NOT_FOUND if another parameter has a link."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension, hook=False)
        data = dataclasses.replace(HOOK_DATA, capability=capability, wildcards=wildcards)
        await w.provide_hook(extension, data)
        alone = Attachments[HostedLink](capability, wildcards)
        for attached in (False, True):
            if attached:
                link = await attach(w, "add_one", b"\1")
                alone.add(HostedLink(nmr.BindingHandle(link.binding), b"\1", link.id, "", 0))
            keyed = attached and capability is AttachCapability.ONE_PER_PARAMETER
            code = Result.KEY_NOT_FOUND if keyed else Result.OBJECT_NOT_FOUND
            await refused(fire(w, extension, Batch(), b"\2"), code)
            assert alone.nobody(b"\2") is code, "the hook's own side says the same"
