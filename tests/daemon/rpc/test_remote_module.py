"""A module at the far end of a session, without the session."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.audit import NO_AUDIT
from ebpfd.host.extensions import Hosted
from ebpfd.host.modules import FireCall, HelperCall, ModuleGoneError
from ebpfd.host.peers import Tokens
from ebpfd.objects.chains import Batch
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.peers import Peers
from ebpfd.rpc.registrar import RegistrarServicer
from ebpfd.rpc.session import (
    MAX_FORWARDED_BYTES,
    MAX_OUTGOING,
    ModuleIdentity,
    RemoteModule,
    Sessions,
    process_instance,
)
from ebpfd.rpc.streams import Streams
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import ATTACH_TYPE, PROGRAM_TYPE
from tests.daemon.host.world import soon, world
from tests.daemon.rpc.wire import plain

FIRE = FireCall(ATTACH_TYPE, None)


def nothing() -> None:
    """Nobody wants to know when a fire was handed over."""


def remote() -> RemoteModule:
    """A module that has just connected."""
    return RemoteModule(ModuleIdentity("far away", "session", b"", 1))


def queued(module: RemoteModule) -> list[reg.SessionResponse]:
    """What waits to be sent to it."""
    messages = [module.outgoing.get_nowait() for _ in range(module.outgoing.qsize())]
    return [each for each in messages if each is not None]


def provider_attach(context: bytes = b"") -> nmr.ProviderAttachClient:
    """A client of nobody's that wants to attach."""
    instance = nmr.RegistrationInstance(UUID(int=1), nmr.ModuleId.guid(uuid4()))
    return nmr.ProviderAttachClient(
        nmr.BindingHandle(5), nmr.RegistrationHandle(6), "owner", instance, context, None
    )


class Stream:
    """A data stream that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[hook.InvokeResponse] = []

    async def send(self, message: hook.InvokeResponse) -> None:
        """Keep it."""
        self.sent.append(message)


async def test_a_callback_ends_with_its_own_answer() -> None:
    """By id, whichever order the answers come in; an answer without context gets one."""
    module = remote()
    first = asyncio.ensure_future(module.provider_attach_client(provider_attach(b"1")))
    second = asyncio.ensure_future(module.detach(nmr.BindingHandle(5), nmr.Role.PROVIDER))
    await asyncio.sleep(0)
    attach, detach = queued(module)
    for status, message in ((NtStatus.PENDING, detach), (NtStatus.SUCCESS, attach)):
        number = message.callback_id
        module.answered(number, reg.CallbackReturn(callback_id=number, status=status))
    assert await second == NtStatus.PENDING
    answer = await first
    assert (answer.status, answer.context) == (0, (5).to_bytes(8, "little"))


async def test_whoever_waits_learns_that_the_module_is_gone() -> None:
    """Callbacks, helper calls and fires in flight, and all that come later."""
    module = remote()
    module.data_streams.append(Stream())
    helper = HelperCall(PROGRAM_TYPE, 0x10000, [1, b"x", None], bytes(32), 2)
    for _ in "before and after":
        works: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(module.provider_attach_client(provider_attach())),
            asyncio.ensure_future(module.detach(nmr.BindingHandle(5), nmr.Role.CLIENT)),
            asyncio.ensure_future(module.cleanup(nmr.BindingHandle(5), nmr.Role.CLIENT)),
            asyncio.ensure_future(module.call_helper(helper, 100.0)),
            asyncio.ensure_future(module.fire(FIRE, 100.0, nothing)),
        ]
        await asyncio.sleep(0)
        module.lose()
        ended: list[Any] = await soon(asyncio.gather(*works, return_exceptions=True))
        attach, detach, cleanup, call, fired = ended
        assert attach.status == NtStatus.DEVICE_NOT_READY
        assert (detach, cleanup) == (NtStatus.SUCCESS, None)
        assert isinstance(call, ModuleGoneError)
        assert isinstance(fired, ModuleGoneError)
    ends: list[str] = []
    with module.ending(lambda: ends.append("late")):
        assert ends == ["late"]


async def test_a_late_answer_is_forgotten() -> None:
    """After the deadline nothing waits for it."""
    module = remote()
    stream = Stream()
    module.data_streams.append(stream)
    with pytest.raises(TimeoutError):
        await module.fire(FIRE, 0.01, nothing)
    (sent,) = stream.sent
    module.answered(sent.fire.fire_id, hook.FireReturn())
    assert module._waiting == {}  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (NtStatus.SUCCESS, ["detach", "cleanup"]),
        (NtStatus.NOINTERFACE, []),
    ],
)
async def test_a_provider_that_agrees_too_late_is_told_to_let_go(
    late: NtStatus, told: list[str]
) -> None:
    """Nobody is bound to it: what it set up for the client must not stay."""
    module = remote()
    attaching = asyncio.ensure_future(module.provider_attach_client(provider_attach()))
    await asyncio.sleep(0)
    (attach,) = queued(module)
    number = attach.callback_id
    attaching.cancel()
    await asyncio.wait([attaching])
    for _ in "once and again":
        module.answered(number, reg.CallbackReturn(callback_id=number, status=late))
    sent = queued(module)
    assert [each.WhichOneof("message") for each in sent] == told
    assert all(each.callback_id > number for each in sent)
    assert {each.detach.binding or each.cleanup.binding for each in sent} <= {5}


@pytest.mark.parametrize("first", ["answer", "end"])
async def test_a_provider_that_agrees_as_its_time_ends_is_told_too(first: str) -> None:
    """Both happen in one turn of the loop, before whoever waits hears of either."""
    module = remote()
    attaching = asyncio.ensure_future(module.provider_attach_client(provider_attach()))
    await asyncio.sleep(0)
    (attach,) = queued(module)
    number = attach.callback_id
    if first == "end":
        attaching.cancel()
    module.answered(number, reg.CallbackReturn(callback_id=number))
    attaching.cancel()
    await asyncio.wait([attaching])
    assert attaching.cancelled()
    assert [each.WhichOneof("message") for each in queued(module)] == ["detach", "cleanup"]


async def test_only_so_much_waits_for_a_module_that_does_not_read() -> None:
    """Then it is gone."""
    module = remote()
    for _ in range(MAX_OUTGOING):
        module.send(reg.SessionResponse())
    assert not module.gone.is_set()
    module.send(reg.SessionResponse())
    assert module.gone.is_set()


async def test_nothing_is_handed_on_that_its_receiver_must_refuse() -> None:
    """A message too long would end the receiver's stream, for what another one said."""
    module = remote()
    stream = Stream()
    module.data_streams.append(stream)
    answer = await module.provider_attach_client(provider_attach(bytes(MAX_FORWARDED_BYTES)))
    assert answer.status == NtStatus.INVALID_PARAMETER
    call = FireCall(ATTACH_TYPE, b"x", Batch(data=bytes(MAX_FORWARDED_BYTES)))
    with pytest.raises(RequestError) as caught:
        await module.fire(call, 1.0, nothing)
    assert caught.value.code is Result.INVALID_ARGUMENT
    assert (stream.sent, module.outgoing.qsize()) == ([], 0)


async def test_what_a_gone_module_asked_for_is_not_begun() -> None:
    """What it registered now would stay for ever."""
    async with world() as w:
        servicer = RegistrarServicer(
            registrar=w.registrar,
            contracts=w.exchange,
            sessions=Sessions(),
            callers=Callers(Peers(Tokens(lambda: 0.0)), None),
            audit=NO_AUDIT,
            hosted=Hosted((), "", w.services),
            services=w.services,
            streams=Streams(),
            version="0",
            lease_s=15.0,
        )
        module = remote()
        instance = plain(bytes(16), bytes(16))
        register = reg.Register(role=reg.ROLE_PROVIDER, instance=instance)
        servicer._dispatch(module, reg.SessionRequest(register=register))  # pyright: ignore[reportPrivateUsage]
        w.registrar.lost(module)
        module.lose()
        for _ in range(3):
            await asyncio.sleep(0)
        assert w.leftovers() == []


def test_a_process_instance_is_shown_if_it_is_one() -> None:
    """Whatever a module sends as such."""
    assert process_instance(bytes(16)) == str(UUID(int=0))
    assert process_instance(b"short") == ""
