"""The statuses of NMR on a session: each where it applies, and none that changes anything."""

import asyncio
from pathlib import Path

import grpc
import pytest

from ebpfd.host.callbacks import Deadlines
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.host.world import until
from tests.daemon.rpc.test_session import remote_pair
from tests.daemon.rpc.wire import Module, Wire, plain, serving

ATTACH_STATUSES = [each for each in NtStatus if each not in (NtStatus.SUCCESS, NtStatus.PENDING)]


async def bound_pair(w: Wire) -> tuple[Module, Module, int, int]:
    """A provider and a client that are bound; the registrations of both."""
    provider, client, nested = await remote_pair(w)
    await provider.return_to(nested, NtStatus.SUCCESS)
    assert (await client.returned(72)).status == NtStatus.SUCCESS
    await client.return_to(client.bindings[0], NtStatus.SUCCESS)
    registered = await client.returned(71)
    (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
    assert shown.client.registration == registered.registration
    return provider, client, shown.provider.registration, registered.registration


@pytest.mark.parametrize("status", ATTACH_STATUSES, ids=lambda status: status.name)
async def test_a_provider_refuses_with_any_status(tmp_path: Path, status: NtStatus) -> None:
    """Its client gets just that, with the reason, and both registrations stay."""
    async with serving(tmp_path) as w:
        provider, client, nested = await remote_pair(w)
        await provider.return_to(nested, status, "not today")
        answer = await client.returned(72)
        assert (answer.status, answer.message) == (status, "not today")
        assert not answer.HasField("provider")
        await client.return_to(client.bindings[0], answer.status)
        # It recorded a context, so it has its cleanup, and no detach.
        assert (await client.read()).HasField("cleanup")
        await client.return_to(client.bindings[0] + 1, 0)
        assert (await client.returned(71)).status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []
        assert len(w.daemon.registrar.clients()) == 1


@pytest.mark.parametrize("status", ATTACH_STATUSES, ids=lambda status: status.name)
async def test_a_client_refuses_with_any_status(tmp_path: Path, status: NtStatus) -> None:
    """Without asking the provider, and its registration is SUCCESS all the same."""
    async with serving(tmp_path) as w:
        provider, client = await w.module("provider"), await w.module("client")
        client.attach_status = status
        await provider.ask(register=reg.Register(role=reg.ROLE_PROVIDER, instance=plain()))
        answer = await client.ask(register=reg.Register(role=reg.ROLE_CLIENT, instance=plain()))
        assert answer.status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []
        assert provider.bindings == []


async def test_success_without_the_nested_attach_is_a_refusal(tmp_path: Path) -> None:
    """A client cannot take a provider that was not asked."""
    async with serving(tmp_path) as w:
        provider, client = await w.module("provider"), await w.module("client")
        await provider.ask(register=reg.Register(role=reg.ROLE_PROVIDER, instance=plain()))
        answer = await client.ask(register=reg.Register(role=reg.ROLE_CLIENT, instance=plain()))
        assert answer.status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []


async def test_a_nested_attach_out_of_turn_is_an_invalid_device_state(tmp_path: Path) -> None:
    """Twice inside the callback, and once after it."""
    async with serving(tmp_path) as w:
        provider, client, nested = await remote_pair(w)
        (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        again = reg.ClientAttachProvider(binding=shown.binding)
        answer = await client.ask(client_attach_provider=again)
        assert answer.status == NtStatus.INVALID_DEVICE_STATE
        await provider.return_to(nested, NtStatus.SUCCESS)
        assert (await client.returned(72)).status == NtStatus.SUCCESS
        await client.return_to(client.bindings[0], NtStatus.SUCCESS)
        await client.returned(71)
        answer = await client.ask(client_attach_provider=again)
        assert answer.status == NtStatus.INVALID_DEVICE_STATE
        answer = await provider.ask(client_attach_provider=again)
        assert answer.status == NtStatus.INVALID_PARAMETER, "it is not the client's side"


async def test_completions_out_of_turn_are_refused_with_a_status(tmp_path: Path) -> None:
    """Before the detach, twice, of the other side, of no side, and after the end."""
    async with serving(tmp_path) as w:
        provider, client, registration, _ = await bound_pair(w)
        (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        binding = shown.binding
        mine = reg.DetachComplete(binding=binding, role=reg.ROLE_PROVIDER)
        theirs = reg.DetachComplete(binding=binding, role=reg.ROLE_CLIENT)
        nobodys = reg.DetachComplete(binding=binding)
        assert (await provider.ask(detach_complete=mine)).status == NtStatus.INVALID_DEVICE_STATE
        await provider.write(call_id=500, deregister=reg.Deregister(registration=registration))
        client.held = {"detach"}
        await client.return_to((await client.next("detach")).callback_id, NtStatus.PENDING)
        await provider.return_to((await provider.next("detach")).callback_id, NtStatus.PENDING)
        assert (await provider.returned(500)).status == NtStatus.PENDING
        for wrong in (theirs, nobodys):
            answer = await provider.ask(detach_complete=wrong)
            assert answer.status == NtStatus.INVALID_PARAMETER
        assert (await provider.ask(detach_complete=mine)).status == NtStatus.SUCCESS
        assert (await provider.ask(detach_complete=mine)).status == NtStatus.INVALID_DEVICE_STATE
        assert (await client.ask(detach_complete=theirs)).status == NtStatus.SUCCESS
        for module in (client, provider):
            await module.return_to((await module.next("cleanup")).callback_id, 0)
        await provider.next("deregister_complete")
        answer = await provider.ask(detach_complete=mine)
        assert (answer.status, "gone" in answer.message) == (NtStatus.INVALID_PARAMETER, True)


async def test_waiting_is_legal_only_for_a_registration_that_leaves(tmp_path: Path) -> None:
    """INVALID_PARAMETER before deregister, for others and for what never was; then the end."""
    async with serving(tmp_path) as w:
        provider, client, registration, other = await bound_pair(w)
        for handle in (registration, other, 0, 10**6):
            wait = reg.WaitDeregistered(registration=handle)
            assert (await provider.ask(wait_deregistered=wait)).status == NtStatus.INVALID_PARAMETER
        await provider.write(call_id=500, deregister=reg.Deregister(registration=registration))
        detach = await client.next("detach")
        wait = reg.WaitDeregistered(registration=registration)
        await provider.write(call_id=501, wait_deregistered=wait)
        await client.return_to(detach.callback_id, NtStatus.SUCCESS)
        answering = asyncio.ensure_future(client.next("heartbeat"))
        assert (await provider.returned(501)).status == NtStatus.SUCCESS
        await client.write(heartbeat=reg.Heartbeat(ask=True))
        await answering
        assert (await provider.ask(wait_deregistered=wait)).status == NtStatus.SUCCESS


async def test_both_ends_may_deregister_at_once(tmp_path: Path) -> None:
    """One detach of each side; whoever comes second is told PENDING and waits."""
    async with serving(tmp_path) as w:
        provider, client, *handles = await bound_pair(w)
        for module, handle in zip((provider, client), handles, strict=True):
            await module.write(call_id=500, deregister=reg.Deregister(registration=handle))
        detach = await client.next("detach")
        await until(lambda: all(each.deregistering for each in w.daemon.registrar.clients()))
        assert (await client.returned(500)).status == NtStatus.PENDING
        await client.return_to(detach.callback_id, NtStatus.SUCCESS)
        await provider.return_to((await provider.next("detach")).callback_id, NtStatus.SUCCESS)
        await client.return_to((await client.next("cleanup")).callback_id, NtStatus.SUCCESS)
        await provider.return_to((await provider.next("cleanup")).callback_id, NtStatus.SUCCESS)
        assert (await provider.returned(500)).status == NtStatus.SUCCESS
        await client.next("deregister_complete")
        assert w.daemon.registrar.clients() == []


async def test_a_deregistration_while_attaching_waits_for_the_attach(tmp_path: Path) -> None:
    """Its detach runs when both have said yes, and nobody is told of the binding twice."""
    async with serving(tmp_path) as w:
        provider, client, nested = await remote_pair(w)
        (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        handle = shown.provider.registration
        await provider.write(call_id=500, deregister=reg.Deregister(registration=handle))
        await until(lambda: w.daemon.registrar.owned(w.daemon.sessions.all()[0])[0].deregistering)
        await provider.return_to(nested, NtStatus.SUCCESS)
        await client.returned(72)
        await client.return_to(client.bindings[0], NtStatus.SUCCESS)
        detach = await client.next("detach")
        await client.return_to(detach.callback_id, NtStatus.SUCCESS)
        await provider.return_to((await provider.next("detach")).callback_id, NtStatus.SUCCESS)
        await client.return_to((await client.next("cleanup")).callback_id, NtStatus.SUCCESS)
        await provider.return_to((await provider.next("cleanup")).callback_id, NtStatus.SUCCESS)
        assert (await provider.returned(500)).status == NtStatus.SUCCESS
        assert (await client.returned(71)).status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []


async def test_a_module_that_never_answers_is_timed_out(tmp_path: Path) -> None:
    """The client learns why, and a yes that comes afterwards is answered with detach, cleanup."""
    deadlines = Deadlines(callback_s=0.05)
    async with serving(tmp_path, deadlines=deadlines) as w:
        provider, client, nested = await remote_pair(w)
        answer = await client.returned(72)
        assert answer.status == NtStatus.IO_TIMEOUT
        assert answer.message == (
            "provider did not return from its attach callback in 0.05 s: taken as refused"
        )
        await client.return_to(client.bindings[0], answer.status)
        await provider.return_to(nested, NtStatus.SUCCESS)
        assert (await provider.next("detach")).detach.role == reg.ROLE_PROVIDER
        provider.held = {"cleanup"}
        await provider.next("cleanup")
        assert (await client.returned(71)).status == NtStatus.SUCCESS
        assert w.daemon.registrar.bindings() == []


async def test_a_listing_says_who_is_waited_for_and_who_was_overdue(tmp_path: Path) -> None:
    """While the binding lasts."""
    deadlines = Deadlines(callback_s=0.2)
    async with serving(tmp_path, deadlines=deadlines) as w:
        provider, client, registration, _ = await bound_pair(w)
        provider.held = client.held = {"detach", "cleanup"}
        await provider.write(call_id=500, deregister=reg.Deregister(registration=registration))
        await client.next("detach")
        (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        (wait,) = shown.waits
        assert (wait.role, wait.module) == (reg.ROLE_CLIENT, "client")
        assert wait.callback == reg.BINDING_CALLBACK_DETACH
        detach = await provider.next("detach")
        await provider.return_to(detach.callback_id, NtStatus.PENDING)
        assert (await provider.returned(500)).status == NtStatus.PENDING
        (shown,) = (await w.registrar.ListBindings(reg.ListBindingsRequest())).bindings
        assert list(shown.overdue) == [
            "client did not return from its detach callback in 0.2 s: taken as complete"
        ]
        assert [each.callback for each in shown.waits] == [reg.BINDING_CALLBACK_DRAIN]


async def test_an_operator_ends_the_session_of_a_module_that_cannot_leave(tmp_path: Path) -> None:
    """It has nothing any more, whatever it was asked is done, and its peers are detached."""
    async with serving(tmp_path) as w:
        provider, client, registration, other = await bound_pair(w)
        provider.held = {"detach"}
        await provider.write(call_id=500, deregister=reg.Deregister(registration=registration))
        await client.return_to((await client.next("detach")).callback_id, NtStatus.SUCCESS)
        await provider.next("detach")
        answer = await w.registrar.Disconnect(reg.DisconnectRequest(registration=registration))
        assert (answer.status.code, [each.registration for each in answer.registrations]) == (
            Result.SUCCESS,
            [registration],
        )
        assert await provider.ended() == grpc.StatusCode.ABORTED
        await client.return_to((await client.next("cleanup")).callback_id, NtStatus.SUCCESS)
        await until(lambda: w.daemon.registrar.bindings() == [])
        assert [each.handle for each in w.daemon.registrar.clients()] == [other]
        again = await w.registrar.Disconnect(reg.DisconnectRequest(registration=registration))
        assert again.status.code == Result.KEY_NOT_FOUND
        assert f"what handle {registration} named is gone" in again.status.message


async def test_only_sessions_can_be_ended(tmp_path: Path) -> None:
    """What the daemon registered itself stays."""
    async with serving(tmp_path) as w:
        (general,) = w.daemon.registrar.providers()
        answer = await w.registrar.Disconnect(reg.DisconnectRequest(registration=general.handle))
        assert answer.status.code == Result.INVALID_ARGUMENT
        assert "is the daemon's own" in answer.status.message
        answer = await w.registrar.Disconnect(reg.DisconnectRequest(registration=10**6))
        assert answer.status.code == Result.KEY_NOT_FOUND
        assert "`ebpfctl provider list`" in answer.status.message
        assert len(w.daemon.registrar.providers()) == 1


async def test_a_watch_follows_the_registrar_over_the_wire(tmp_path: Path) -> None:
    """A snapshot without characteristics, then every change; it ends with the daemon."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        watch = w.registrar.Watch(reg.WatchRequest())
        snapshot = await watch.read()
        assert isinstance(snapshot, reg.WatchResponse)
        assert (snapshot.part, snapshot.lost) == (reg.WATCH_PART_SNAPSHOT, 0)
        shown = [each.registration for each in snapshot.changes]
        assert [each.module_name for each in shown] == ["general helpers", "sample", "sample_ext"]
        assert {each.kind for each in snapshot.changes} == {reg.CHANGE_KIND_PRESENT}
        assert not any(each.instance.HasField("characteristics") for each in shown)
        end = await watch.read()
        assert end == reg.WatchResponse(part=reg.WATCH_PART_SNAPSHOT_END)
        await module.ask(register=reg.Register(role=reg.ROLE_CLIENT, instance=plain()))
        changes = await watch.read()
        assert isinstance(changes, reg.WatchResponse)
        (change,) = changes.changes
        assert (change.kind, change.registration.owner) == (reg.CHANGE_KIND_ADDED, "module")
        module.call.cancel()
        gone: list[int] = []
        while len(gone) < 3:
            changes = await watch.read()
            assert isinstance(changes, reg.WatchResponse)
            gone += [
                each.registration.registration
                for each in changes.changes
                if each.kind == reg.CHANGE_KIND_GONE
            ]
        assert gone == [2, 3, 4]
        await w.stop()


async def test_a_watch_of_a_contract_that_is_none_is_refused(tmp_path: Path) -> None:
    """As a listing is."""
    async with serving(tmp_path) as w:
        watch = w.registrar.Watch(reg.WatchRequest(npi_id=b"abc"))
        with pytest.raises(grpc.aio.AioRpcError, match="a GUID has 16 bytes"):
            await watch.read()
