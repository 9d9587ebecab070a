"""Hooks that the daemon provides itself."""

import asyncio
import dataclasses
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.contracts import ContractError, ExtensionData
from ebpfd.errors import RequestError
from ebpfd.host.hosted_hooks import WantedHook
from ebpfd.host.link_client import PROGRAM_DISPATCH
from ebpfd.host.modules import DispatchTable, FireCall, HelperCall, HelperOutcome
from ebpfd.host.registrar import ProviderSide, RegistrarHost
from ebpfd.host.turns import Turns
from ebpfd.objects.chains import Batch
from ebpfd.store import Database, KeptContracts, StoreError
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.failure import Failure
from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA, SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.test_invocation import contexts
from tests.daemon.host.world import refused, soon, until, world

GATE = WantedHook(name="gate", program_type=SAMPLE.program_type, default_result=7)


class Waiting:
    """A helper that answers when the test says so."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.extension = FakeExtension()
        self.extension.helper = self._answer

    async def _answer(self, call: HelperCall) -> HelperOutcome:
        del call
        await self.go.wait()
        return HelperOutcome(3)


class FullDisk(KeptContracts):
    """Nothing can be written any more, from when ``full`` is set."""

    def __init__(self) -> None:
        self.full = False

    async def put(self, row: object) -> None:
        """Fail if it is full."""
        del row
        if self.full:
            raise StoreError("the disk is full")

    async def remove(self, kind: object, guid: UUID) -> None:
        """Delete as badly."""
        del kind
        await self.put(guid)


class Stranger(FakeExtension):
    """A client of hooks that is no link."""

    def __init__(self, registrar: RegistrarHost, dispatch: DispatchTable | None) -> None:
        super().__init__("stranger")
        self.side: ProviderSide | None = None
        self._registrar, self._dispatch = registrar, dispatch

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take any hook."""
        self.side = await self._registrar.attach_provider(call.binding, b"mine", self._dispatch)
        return self.side.status


@pytest.mark.parametrize("dispatch", [None, PROGRAM_DISPATCH], ids=["no dispatch", "a dispatch"])
@pytest.mark.parametrize(
    "capability", [AttachCapability.MULTI_ATTACH_WITH_WILDCARD, AttachCapability.ONE_PER_PARAMETER]
)
async def test_only_what_can_be_run_is_taken(
    capability: AttachCapability, dispatch: DispatchTable | None
) -> None:
    """INVALID_PARAMETER for a client that is no link: events and its place are for those."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        gate = await w.hosted_hooks.create(dataclasses.replace(GATE, capability=capability))
        program = await w.load("count.o")
        await w.links.attach(program.id, gate, b"eth0")
        stranger, said = Stranger(w.registrar, dispatch), ExtensionData(data=b"eth1")
        module = nmr.ModuleId.guid(UUID(int=9))
        instance = nmr.RegistrationInstance(HOOK, module, characteristics=said)
        await w.registrar.register(nmr.Role.CLIENT, instance, stranger)
        assert stranger.side is not None
        assert stranger.side.status == NtStatus.INVALID_PARAMETER
        assert stranger.side.message == "it is nothing that can be run"
        await w.links.attach(program.id, gate, b"eth1")
        for parameter in (b"eth0", b"eth1"):
            call = FireCall(gate, parameter, Batch(1, bytes(32)))
            assert (await w.hooks.fire(call, 5.0)).codes == b"\0"


async def test_a_late_event_ends_by_the_callers_deadline() -> None:
    """TIMEOUT with the link's result: a helper is not waited for any longer."""
    async with world() as w:
        waiting = Waiting()
        await w.provide(waiting.extension, hook=False)
        gate = await w.hosted_hooks.create(GATE)
        program = await w.load("helper_implicit_2.o")
        link = await w.links.attach(program.id, gate, b"", policy={Failure.TIMEOUT: 5})
        late = await soon(w.hooks.fire(FireCall(gate, None, Batch(count=2)), 5.0))
        assert (late.codes, late.results) == (bytes([Result.TIMEOUT] * 2), b"\5\0\0\0" * 2)
        assert link.outcomes.failures == {Failure.TIMEOUT: 2}
        waiting.go.set()
        again = await soon(w.hooks.fire(FireCall(gate, None), 30.0))
        assert (again.codes, again.results) == (b"\0", b"\3\0\0\0")
        assert link.tally.counters().runs == 3


async def test_events_that_share_turns_run_in_their_order_and_wait_for_no_answer() -> None:
    """Of a program that waits and of one that does not: each is queued when the next one comes."""
    async with world() as w:
        waiting, turns = Waiting(), Turns()
        await w.provide(waiting.extension, hook=False)
        gate = await w.hosted_hooks.create(GATE)
        program = await w.load("helper_implicit_2.o")
        link = await w.links.attach(program.id, gate, b"")
        asked: list[int] = []

        async def note(call: HelperCall) -> HelperOutcome:
            (number,) = call.arguments
            assert isinstance(number, int)
            asked.append(number)
            await waiting.go.wait()
            return HelperOutcome(number)

        waiting.extension.helper = note
        calls = [FireCall(gate, None, Batch(contexts=contexts(number))) for number in range(20)]
        firing = [
            asyncio.ensure_future(w.hooks.fire(each, 30.0, wait=number % 3 > 0, turns=turns))
            for number, each in enumerate(calls)
        ]
        await until(lambda: link.queued == len(calls))
        waiting.go.set()
        answers = await soon(asyncio.gather(*firing))
        assert asked == list(range(20))
        assert [each.results[0] for each in answers] == asked


async def test_a_detach_waits_for_what_is_in_flight() -> None:
    """As of an extension's hook; the event has its answer."""
    async with world() as w:
        waiting = Waiting()
        await w.provide(waiting.extension, hook=False)
        gate = await w.hosted_hooks.create(GATE)
        program = await w.load("helper_implicit_2.o")
        link = await w.links.attach(program.id, gate, b"")
        firing = asyncio.ensure_future(w.hooks.fire(FireCall(gate, None), 30.0))
        assert await soon(waiting.extension.reached.get()) == "helper"
        detaching = asyncio.ensure_future(w.links.detach(link.id))
        await until(lambda: link.binding == 0)
        assert not detaching.done()
        waiting.go.set()
        assert (await soon(firing)).codes == b"\0"
        await soon(detaching)
        await refused(w.hooks.fire(FireCall(gate, None), 1.0), Result.OBJECT_NOT_FOUND)


async def test_nobody_attaches_to_a_hook_that_is_being_removed() -> None:
    """Either the link is first, and the hook stays, or the hook is unknown."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        program = await w.load("count.o")
        gate = await w.hosted_hooks.create(GATE)

        async def both(*works: Coroutine[Any, Any, object]) -> list[object]:
            return await soon(asyncio.gather(*works, return_exceptions=True))

        attaching = w.links.attach(program.id, gate, b"")
        link, kept = await both(attaching, w.hosted_hooks.remove(gate))
        assert isinstance(kept, RequestError)
        assert kept.code is Result.INVALID_STATE
        await w.links.unlink(gate, b"")
        attaching = w.links.attach(program.id, gate, b"")
        gone, missed = await both(w.hosted_hooks.remove(gate), attaching)
        assert gone is None
        assert isinstance(missed, RequestError)
        assert missed.code is Result.EXTENSION_FAILED_TO_LOAD
        assert link is not None


async def test_what_cannot_be_kept_changes_nothing() -> None:
    """Neither is a hook there that was not written, nor does one go that is still written."""
    kept = FullDisk()
    async with world(kept=kept) as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        kept.full = True
        await refused(w.hosted_hooks.create(GATE), Result.OUT_OF_SPACE)
        assert w.contracts.attach_types() == []
        kept.full = False
        gate = await w.hosted_hooks.create(GATE)
        kept.full = True
        await refused(w.hosted_hooks.remove("gate"), Result.OUT_OF_SPACE)
        assert w.hooks.provider_name(gate) == "daemon"
        assert w.contracts.default_result(gate) == 7
        kept.full = False
        await w.hosted_hooks.remove("gate")
        assert (w.hooks.provider_name(gate), w.contracts.attach_types()) == ("", [])


async def test_an_extension_cannot_register_a_hook_of_the_daemons() -> None:
    """Its description stays as it is, and so does who provides it."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        wanted = WantedHook(name="gate", program_type="sample", attach_type=ATTACH_TYPE)
        assert await w.hosted_hooks.create(wanted) == ATTACH_TYPE
        before = w.contracts.attach_type(ATTACH_TYPE)
        with pytest.raises(ContractError, match="the daemon hosts it"):
            await w.exchange.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
        assert w.contracts.attach_type(ATTACH_TYPE) == before


async def test_a_hooks_guid_follows_from_its_name_and_its_type() -> None:
    """So that every daemon with the contract has the same one."""
    async with world() as one, world() as other:
        for w in (one, other):
            await w.exchange.add(SAMPLE, "sample.json", provide=True)
        gate = await one.hosted_hooks.create(GATE)
        assert gate == await other.hosted_hooks.create(GATE)
        door = await one.hosted_hooks.create(WantedHook(name="door", program_type="sample"))
        assert door != gate


async def test_a_hook_whose_extension_is_gone_can_be_removed() -> None:
    """Not while the extension is there, nor while a link waits for it."""
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension)
        link = await w.attached("count.o")
        assert "stop it first" in await refused(
            w.hosted_hooks.remove("sample_ext"), Result.INVALID_STATE
        )
        w.lose(extension)
        assert f"link {link.id} is attached" in await refused(
            w.hosted_hooks.remove(ATTACH_TYPE), Result.INVALID_STATE
        )
        await w.links.detach(link.id)
        await w.hosted_hooks.remove("sample_ext")
        assert w.contracts.attach_types() == []


async def test_a_removed_hook_of_an_extension_stays_removed(tmp_path: Path) -> None:
    """Also for the next daemon."""
    async with Database(tmp_path / "state") as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
        await w.hosted_hooks.remove("sample_ext")
    async with Database(tmp_path / "state") as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.restore()
        assert w.contracts.attach_types() == []
