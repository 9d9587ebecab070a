"""Attaching and detaching: order, refusals, lost extensions, and nothing in flight afterwards."""

import asyncio
import dataclasses
from typing import Any
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.link_client import PROGRAM_DISPATCH
from ebpfd.host.modules import AttachAnswer, HelperCall, HelperOutcome
from ebpfd.objects import LinkState
from ebpfd.objects.chains import Batch
from ebpfd.rpc.link_codec import encode_link
from ebpfd_api.failure import Failure
from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import links_pb2
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HOOK_DATA,
    SAMPLE,
    with_descriptor,
    with_helper,
)
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import refused, soon, until, world

ONE = Batch(contexts=bytes(32))


class Curious(FakeExtension):
    """Remembers what it was shown of its clients."""

    def __init__(self) -> None:
        super().__init__("curious")
        self.calls: list[nmr.ProviderAttachClient] = []

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Remember, and accept."""
        self.calls.append(call)
        return await super().provider_attach_client(call)


async def test_a_link_shows_its_hook_what_it_must_know() -> None:
    """The extension sees parameter, flags and program; the link the hook's own numbers."""
    async with world() as w:
        hook = Curious()
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        program = await w.load("count.o")
        link = await w.links.attach(
            program.id,
            "sample_ext",
            b"\x11",
            0xCCCCCCCC,
            priority=-4,
            policy={Failure.ERROR: 7},
        )
        (call,) = hook.calls
        data = call.client_instance.characteristics
        assert dataclasses.asdict(data) == {  # type: ignore[call-overload]
            "data": b"\x11",
            "prog_attach_flags": 0xCCCCCCCC,
            "link_id": link.id,
            "program_id": program.id,
            "program_name": "count_by_protocol",
            "priority": -4,
            "policy": {Failure.ERROR: 7},
        }
        assert call.client_dispatch == PROGRAM_DISPATCH
        assert (link.state, link.binding, link.provider) == (
            LinkState.ATTACHED,
            call.binding,
            "curious",
        )
        assert (link.link_type, link.bpf_attach_type) == (1, 8)
        assert program.link_ids == {link.id}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("nothing", Result.OBJECT_NOT_FOUND),
        ("", Result.OBJECT_NOT_FOUND),
        (UUID(int=5), Result.EXTENSION_FAILED_TO_LOAD),
    ],
)
async def test_a_hook_that_nobody_knows(wanted: str | UUID, code: Result) -> None:
    """A name is nobody's; a GUID is that of a hook that is absent, as if it had once been there."""
    async with world() as w:
        await w.provide(FakeExtension())
        program = await w.load("count.o")
        assert "known: sample_ext" in await refused(w.links.attach(program.id, wanted, b""), code)
        assert list(w.objects.links()) == []


@pytest.mark.parametrize(
    ("status", "said", "reason"),
    [
        (NtStatus.ACCESS_DENIED, "only one program", "only one program"),
        (NtStatus.INVALID_PARAMETER, "", "refused with status 0xc000000d"),
        (NtStatus.NOINTERFACE, "", "refused with status 0xc00002b9"),
    ],
)
async def test_a_hook_that_refuses_fails_the_attach(status: int, said: str, reason: str) -> None:
    """EXTENSION_FAILED_TO_LOAD with its words; link, target and registration are gone."""
    async with world() as w:
        extension = FakeExtension()
        handles = await w.provide(extension)
        program = await w.load("count.o")
        extension.answer = AttachAnswer(status, message=said)
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        message = await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
        assert 'was not attached to "sample_ext": ' in message
        assert reason in message
        assert program.link_ids == set()
        await w.programs.unload(program.id)
        for handle in handles:
            await w.registrar.withdraw(handle)
        assert w.leftovers() == []


async def test_a_hook_of_another_program_type_declines() -> None:
    """The client decides, as in eBPF for Windows; the type is named if it is known."""
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        other = dataclasses.replace(HOOK_DATA, supported_program_type=UUID(int=9))
        await w.provide_hook(FakeExtension(), other)
        program = await w.load("count.o")
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        message = await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
        assert f"takes programs of type {UUID(int=9)} only" in message
        sample = with_descriptor(SAMPLE, program_type=UUID(int=9), name="other")
        w.contracts.remember_program_type(sample)
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        message = await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
        assert f'takes programs of type "other" ({UUID(int=9)}) only' in message


async def test_a_known_hook_whose_extension_is_away_says_so() -> None:
    """Start it and attach again."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(FakeExtension(), hook=False)
        handle = await w.provide_hook(extension)
        program = await w.load("count.o")
        await w.registrar.withdraw(handle)
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        assert "is not connected" in await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
        assert list(w.objects.links()) == []


async def test_a_hook_with_foreign_data_is_not_taken() -> None:
    """Its characteristics are not those of a hook."""
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        w.contracts.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
        instance = nmr.RegistrationInstance(
            HOOK, nmr.ModuleId.guid(ATTACH_TYPE), characteristics=b"what"
        )
        await w.registrar.register(nmr.Role.PROVIDER, instance, FakeExtension())
        program = await w.load("count.o")
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)


async def test_a_hook_may_invoke_before_its_callback_was_heard_of() -> None:
    """Facts 5.3: as soon as the provider has said yes."""
    async with world() as w:

        class Eager(FakeExtension):
            async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
                done = w.targets.find(call.binding, self).run_now(ONE)
                assert done is not None
                self.journal.append(done.results.hex())
                return await super().provider_attach_client(call)

        hook = Eager()
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        await w.attached("trace.o")
        assert hook.journal[0] == "00000000"


async def test_detach_returns_when_nothing_is_in_flight() -> None:
    """A batch that waits for a helper holds it up; the batch itself ends well."""
    async with world() as w:
        extension, answered = FakeExtension(), asyncio.Event()

        async def slow(call: HelperCall) -> HelperOutcome:
            await answered.wait()
            return HelperOutcome(7)

        extension.helper = slow
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, extension, ONE)
        assert await soon(extension.reached.get()) == "helper"
        detaching = asyncio.ensure_future(w.links.detach(link.id))
        await until(lambda: link.state is LinkState.DETACHING and not link.binding)
        await until(lambda: extension.journal[-1].startswith("detach"))
        assert not detaching.done()
        with pytest.raises(RequestError):
            w.targets.find(extension.attached[-1], FakeExtension())
        answered.set()
        await soon(detaching)
        assert (await running).results == (7).to_bytes(4, "little")
        assert link.state is LinkState.DETACHED


async def test_concurrent_detaches_of_one_link_are_one() -> None:
    """Every caller returns when the link is gone, and the extension is asked once."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("count.o")
        gate = extension.hold("detach")
        detaches = [asyncio.ensure_future(w.links.detach(link.id)) for _ in range(3)]
        assert await soon(extension.reached.get()) == "detach"
        assert not any(each.done() for each in detaches)
        gate.set()
        await soon(asyncio.gather(*detaches))
        assert [each.split()[0] for each in extension.journal].count("detach") == 1
        await refused(w.links.detach(link.id), Result.STALE_ID)


async def test_a_pending_detach_completes_later() -> None:
    """NMR's PENDING: detach waits for the completion, and cleanup follows."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("count.o")
        binding = nmr.BindingHandle(link.binding)
        extension.detach_status = NtStatus.PENDING
        detaching = asyncio.ensure_future(w.links.detach(link.id))
        await until(lambda: extension.journal[-1] == f"detach {binding}")
        assert not detaching.done()
        w.registrar.detach_complete(binding, nmr.Role.PROVIDER, by=extension)
        await soon(detaching)
        assert extension.journal[-1] == f"cleanup {binding}"


async def test_a_link_waits_for_its_hook_and_binds_again() -> None:
    """Facts 5.2: attached from the user's view, never invoked meanwhile, back by itself."""
    async with world() as w:
        first, second = FakeExtension("first"), FakeExtension("second")
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(first)
        link = await w.attached("count.o")
        binding = nmr.BindingHandle(link.binding)
        w.lose(first)
        await until(lambda: not w.registrar.bindings()[2:])
        assert (link.state, link.binding, link.provider) == (LinkState.ATTACHED, 0, "")
        with pytest.raises(RequestError, match="the binding is gone"):
            w.targets.find(binding, first)
        waiting = links_pb2.LINK_STATE_WAITING
        assert encode_link(link, w.contracts).state == waiting
        let_it_attach = second.hold("attach")
        coming = asyncio.ensure_future(w.provide_hook(second))
        assert await second.reached.get() == "attach"
        assert encode_link(link, w.contracts).state == waiting, "its hook has not taken it"
        let_it_attach.set()
        await coming
        assert encode_link(link, w.contracts).state == links_pb2.LINK_STATE_ATTACHED
        assert (link.provider, len(second.attached)) == ("second", 1)
        assert (await w.invoke(link, second, ONE)).codes == b"\0"


async def test_a_waiting_link_can_be_detached() -> None:
    """And does not come back with its hook."""
    async with world() as w:
        hook = FakeExtension()
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        link = await w.attached("count.o")
        w.lose(hook)
        await soon(w.links.detach(link.id))
        again = FakeExtension()
        await w.provide_hook(again)
        assert again.journal == []


@pytest.mark.parametrize("step", ["attach", "detach", "cleanup"])
async def test_an_extension_lost_in_a_callback_keeps_nobody_waiting(step: str) -> None:
    """At every step of a link's life: the unanswered callback is taken as done."""
    async with world() as w:
        hook = FakeExtension("hook")
        (handle,) = await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        program = await w.load("count.o")
        hook.hold(step)
        if step == "attach":
            work: asyncio.Future[Any] = asyncio.ensure_future(
                w.links.attach(program.id, ATTACH_TYPE, b"")
            )
        else:
            link = await w.links.attach(program.id, ATTACH_TYPE, b"")
            work = asyncio.ensure_future(w.links.detach(link.id))
        assert await soon(hook.reached.get()) == step
        w.lose(hook)
        if step == "attach":
            await refused(soon(work), Result.EXTENSION_FAILED_TO_LOAD)
        else:
            await soon(work)
        assert list(w.objects.links()) == []
        await w.programs.unload(program.id)
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []
        # The callback's late end means nothing.
        hook.gates[step].set()
        await until(lambda: not [t for t in asyncio.all_tasks() if "Provider" in t.get_name()])


async def test_an_extension_lost_in_a_helper_call_ends_the_invocation() -> None:
    """EXTENSION_FAILED_TO_LOAD for the context in flight, and the link waits."""
    async with world() as w:
        extension = FakeExtension()
        extension.hold_helper()
        await w.provide(extension)
        link = await w.attached("helper_implicit_2.o")
        running = w.invoke(link, extension, Batch(count=2))
        assert await soon(extension.reached.get()) == "helper"
        w.lose(extension)
        done = await soon(running)
        assert done.codes == bytes([Result.EXTENSION_FAILED_TO_LOAD] * 2)
        await until(lambda: not link.binding)
        assert link.program.provider.rundown.active == 0
        await soon(w.links.detach(link.id))


async def test_an_attach_that_is_cancelled_leaves_nothing() -> None:
    """The provider that had not answered yet may still say yes: then it is told to detach."""
    async with world() as w:
        hook = FakeExtension("hook")
        (handle,) = await w.provide(FakeExtension(), hook=False)
        hook_handle = await w.provide_hook(hook)
        program = await w.load("count.o")
        gate = hook.hold("attach")
        attaching = asyncio.ensure_future(w.links.attach(program.id, ATTACH_TYPE, b""))
        assert await soon(hook.reached.get()) == "attach"
        attaching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attaching
        assert list(w.objects.links()) == []
        gate.set()
        await w.programs.unload(program.id)
        for each in (handle, hook_handle):
            await soon(w.registrar.withdraw(each))
        assert w.leftovers() == []
        assert hook.attached == []


async def test_a_link_that_is_detached_while_it_attaches_is_not_attached() -> None:
    """Both callers wait for the hook's answer, and learn what became of it."""
    async with world() as w:
        hook = FakeExtension("hook")
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        program = await w.load("count.o")
        gate = hook.hold("attach")
        attaching = asyncio.ensure_future(
            refused(w.links.attach(program.id, ATTACH_TYPE, b""), Result.INVALID_STATE)
        )
        assert await soon(hook.reached.get()) == "attach"
        (link,) = w.objects.links()
        detaching = asyncio.ensure_future(w.links.detach(link.id))
        await until(lambda: not link.users)
        assert not detaching.done()
        gate.set()
        assert "was detached" in await soon(attaching)
        await soon(detaching)
        assert (link.state, list(w.objects.links())) == (LinkState.DETACHED, [])
        assert hook.attached == []


async def test_a_program_unloaded_while_its_link_attaches_goes_with_a_refusal() -> None:
    """The link was all that kept it."""
    async with world() as w:
        hook = FakeExtension("hook")
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        program = await w.load("count.o")
        gate = hook.hold("attach")
        hook.answer = AttachAnswer(NtStatus.ACCESS_DENIED)
        attaching = asyncio.ensure_future(w.links.attach(program.id, ATTACH_TYPE, b""))
        assert await soon(hook.reached.get()) == "attach"
        (link,) = w.objects.links()
        assert (await w.programs.unload(program.id)).link_ids == {link.id}
        gate.set()
        await refused(attaching, Result.EXTENSION_FAILED_TO_LOAD)
        assert list(w.objects.programs()) == []


async def test_closing_detaches_all_links_at_once() -> None:
    """A hook that does not answer keeps no other from hearing of it."""
    async with world() as w:
        deaf, polite = FakeExtension("deaf"), FakeExtension("polite")
        await w.provide(FakeExtension(), hook=False)
        handle = await w.provide_hook(deaf)
        first = await w.attached("count.o")
        del handle
        second_type = UUID(int=77)
        w.contracts.remember_attach_type(second_type, HOOK_DATA)
        instance = nmr.RegistrationInstance(
            HOOK, nmr.ModuleId.guid(second_type), characteristics=HOOK_DATA
        )
        await w.registrar.register(nmr.Role.PROVIDER, instance, polite)
        second = await w.links.attach(first.program.id, second_type, b"")
        gate = deaf.hold("detach")
        closing = asyncio.ensure_future(w.links.close())
        await until(lambda: second.state is LinkState.DETACHED)
        assert first.state is LinkState.DETACHING
        gate.set()
        await soon(closing)


async def test_a_callback_that_raises_counts_as_refused_or_done() -> None:
    """A bug in one module ends neither the daemon nor anybody's unloading."""
    async with world() as w:
        hook = FakeExtension("buggy")
        await w.provide(FakeExtension(), hook=False)
        handle = await w.provide_hook(hook)
        program = await w.load("count.o")
        hook.failures = {"attach"}
        attach = w.links.attach(program.id, ATTACH_TYPE, b"")
        assert "the provider failed" in await refused(attach, Result.EXTENSION_FAILED_TO_LOAD)
        hook.failures = {"detach", "cleanup"}
        link = await w.links.attach(program.id, ATTACH_TYPE, b"")
        await soon(w.links.detach(link.id))
        await soon(w.registrar.withdraw(handle))


async def test_a_detach_with_an_odd_status_counts_as_done() -> None:
    """Only PENDING promises that a completion follows."""
    async with world() as w:
        hook = FakeExtension("odd")
        hook.detach_status = NtStatus.NOT_SUPPORTED
        await w.provide(FakeExtension(), hook=False)
        await w.provide_hook(hook)
        link = await w.attached("count.o")
        await soon(w.links.detach(link.id))
        link = await w.attached("count.o")
        await soon(w.links.detach(link.id))


async def test_a_link_whose_program_waits_answers_for_its_provider() -> None:
    """The hook is there, the program's type is not: EXTENSION_FAILED_TO_LOAD."""
    async with world() as w:
        types, hook = FakeExtension("types"), FakeExtension("hook")
        await w.provide(types, hook=False)
        await w.provide_hook(hook)
        link = await w.attached("trace.o")
        w.lose(types)
        await until(lambda: link.program.provider.rundown.closed)
        target = w.targets.find(nmr.BindingHandle(link.binding), hook)
        with pytest.raises(RequestError, match="the extension types has gone") as caught:
            target.run_now(ONE)
        assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        await w.provide(FakeExtension(), with_helper(SAMPLE, 0, name="unused"), hook=False)
        assert (await w.invoke(link, hook, ONE)).codes == b"\0"
