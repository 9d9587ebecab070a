"""Data streams and fires over the wire."""

import asyncio
import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from ebpfd.app.listener import OPTIONS
from ebpfd.host.invocation import Executor
from ebpfd.host.quotas import Quotas
from ebpfd.rpc import fire_stream
from ebpfd.rpc.contract_codec import encode_program_data
from ebpfd_api.failure import Failure
from ebpfd_api.metadata import SESSION
from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import links_pb2
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import ATTACH_TYPE, PROGRAM_TYPE, SAMPLE
from tests.daemon.host.test_invocation import HOSTILE, contexts, u32s
from tests.daemon.host.world import until
from tests.daemon.rpc.wire import Module, Wire, serving
from tests.packets import UDP

NAMED = hook.AttachType(name="sample_ext")


async def provider(w: Wire, name: str) -> tuple[Module, links_pb2.Link]:
    """A module with a data stream, and a program attached to its hook."""
    module = await w.module()
    await module.provide()
    link = await w.attach(name, module)
    await module.open_data()
    return module, link


async def fire(w: Wire, **request: Any) -> hook.BatchResult:
    """Fire once."""
    request.setdefault("hook", NAMED)
    call = w.hooks.Fire()
    await call.write(hook.FireRequest(sequence=9, **request))
    answer = await call.read()
    assert isinstance(answer, hook.FireResponse)
    assert answer.sequence == 9
    await call.done_writing()
    return answer.result


async def answered_still(module: Module, link: links_pb2.Link) -> None:
    """The data stream lives: a message is answered, after the fires that were handed on."""
    assert module.data is not None
    await module.data.write(hook.InvokeRequest(sequence=4, binding=link.binding))
    while True:
        answer = await module.data.read()
        assert isinstance(answer, hook.InvokeResponse), "the data stream has ended"
        if answer.sequence == 4:
            return


async def test_a_message_is_answered_with_its_sequence(tmp_path: Path) -> None:
    """At once by a light program, later by one that counts or asks."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        answer = await module.invoke(sequence=7, binding=link.binding, contexts=contexts(1))
        assert (answer.sequence, answer.code, answer.codes) == (7, 0, b"\0")
        request = links_pb2.DetachRequest(id=link.id)
        assert (await module.during(w.links.Detach(request))).status.code == 0
        link = await w.attach("count.o", module)
        answer = await module.invoke(sequence=8, binding=link.binding, data=UDP)
        assert (answer.sequence, answer.results) == (8, u32s(0))


async def test_hostile_columns_end_no_stream(tmp_path: Path) -> None:
    """INVALID_ARGUMENT for the message, columns empty, the stream goes on."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        for case, batch in HOSTILE.items():
            answer = await module.invoke(
                sequence=1,
                binding=link.binding,
                count=batch.count,
                contexts=batch.contexts,
                data=batch.data,
                data_lengths=batch.data_lengths,
                meta_lengths=batch.meta_lengths,
            )
            assert (answer.code, answer.codes) == (Result.INVALID_ARGUMENT, b""), case
            assert answer.message, case
        assert (await module.invoke(binding=link.binding)).codes == b"\0"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"binding": 999}, Result.OBJECT_NOT_FOUND),
        ({"binding": 2**64 - 1}, Result.OBJECT_NOT_FOUND),
        ({}, Result.INVALID_ARGUMENT),
        ({"binding": 0}, Result.INVALID_ARGUMENT),
        ({"chain": hook.Chain()}, Result.INVALID_ARGUMENT),
        ({"chain": hook.Chain(bindings=[999])}, Result.OBJECT_NOT_FOUND),
        ({"hook": hook.HookTarget()}, Result.INVALID_ARGUMENT),
        ({"hook": hook.HookTarget(attach_type=bytes(16))}, Result.OBJECT_NOT_FOUND),
    ],
    ids=[
        "unknown binding",
        "huge binding",
        "no target",
        "no binding",
        "empty chain",
        "unknown chain",
        "no hook",
        "unknown hook",
    ],
)
async def test_a_target_that_cannot_be_run_is_refused(
    tmp_path: Path, request_: dict[str, Any], code: Result
) -> None:
    """With the message's own sequence."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.open_data()
        answer = await module.invoke(sequence=3, **request_)
        assert (answer.sequence, answer.code) == (3, code)


async def test_an_invocation_that_meets_a_bug_is_answered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a thread as well: who waits for a code gets one."""

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    def never(*_: Any) -> bool:
        return False

    monkeypatch.setattr(Executor, "fits_loop", never)
    monkeypatch.setattr(Executor, "run_on_thread", broken)
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        assert module.data is not None
        await module.data.write(hook.InvokeRequest(sequence=1, binding=link.binding))
        async with asyncio.timeout(10):
            answer = await module.data.read()
        assert isinstance(answer, hook.InvokeResponse)
        assert (answer.sequence, answer.code) == (1, Result.FAILED)


async def test_a_binding_belongs_to_one_session(tmp_path: Path) -> None:
    """Another one is told that it is gone."""
    async with serving(tmp_path) as w:
        _, link = await provider(w, "trace.o")
        thief = await w.module("thief")
        await thief.open_data()
        answer = await thief.invoke(binding=link.binding)
        assert answer.code == Result.OBJECT_NOT_FOUND


@pytest.mark.parametrize("metadata", [(), ((SESSION, "made up"),)])
async def test_a_data_stream_needs_a_session(tmp_path: Path, metadata: Any) -> None:
    """UNAUTHENTICATED, and the message says what is missing."""
    async with serving(tmp_path) as w:
        call = w.hooks.Invoke(metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError, match=SESSION) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def _raw(w: Wire, method: str, metadata: Sequence[tuple[str, str]] = ()) -> Any:
    """A call that sends and gets bytes."""
    channel: Any = w.channel
    return channel.stream_stream(f"/ebpfd_api.v1.{method}")(metadata=metadata)


async def test_a_message_that_cannot_be_decoded_ends_its_stream(tmp_path: Path) -> None:
    """With one status that says so; what was sent before it is answered."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        session = ((SESSION, module.session_id),)
        good = hook.InvokeRequest(sequence=7, binding=link.binding).SerializeToString()
        for method, first in (("Hook/Invoke", good), ("Hook/Fire", b"")):
            call = _raw(w, method, session)
            await call.write(first)
            assert isinstance(await call.read(), bytes)
            await call.write(b"\xff no message")
            with pytest.raises(grpc.aio.AioRpcError, match="a message cannot be decoded") as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "Exception" not in (caught.value.details() or "")
        await answered_still(module, link)


async def test_a_session_that_cannot_be_decoded_is_ended(tmp_path: Path) -> None:
    """And its extension is told why."""
    async with serving(tmp_path) as w:
        call = _raw(w, "Registrar/Session")
        hello = reg.Hello(protocol_version=1, name="garbled", process_instance=bytes(16))
        await call.write(reg.SessionRequest(hello=hello).SerializeToString())
        assert isinstance(await call.read(), bytes)
        await call.write(b"\xff no message")
        with pytest.raises(grpc.aio.AioRpcError, match="a message cannot be decoded"):
            await call.read()
        await until(lambda: w.daemon.sessions.all() == [])


async def test_a_data_stream_ends_with_its_session(tmp_path: Path) -> None:
    """Whoever is lost gets no more answers."""
    async with serving(tmp_path) as w:
        module, _ = await provider(w, "trace.o")
        module.call.cancel()
        assert module.data is not None
        with suppress(grpc.aio.AioRpcError):
            assert await module.data.read() is grpc.aio.EOF
        await until(lambda: w.daemon.sessions.all() == [])


async def test_helpers_are_called_over_the_session(tmp_path: Path) -> None:
    """Queued batches keep their order while each waits for its helper."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "helper_implicit_2.o")
        assert module.data is not None
        for sequence in (1, 2, 3):
            await module.data.write(
                hook.InvokeRequest(
                    sequence=sequence, binding=link.binding, contexts=contexts(sequence)
                )
            )
        for sequence in (1, 2, 3):
            call = await module.next("helper_call")
            assert call.helper_call.arguments[0].integer == sequence
            await module.write(
                helper_return=reg.HelperReturn(callback_id=call.callback_id, result=-sequence)
            )
            answer = await module.data.read()
            assert isinstance(answer, hook.InvokeResponse)
            assert answer.sequence == sequence
            assert answer.results == u32s(2**32 - sequence)


async def test_a_message_that_waits_until_its_deadline_is_answered_timeout(tmp_path: Path) -> None:
    """Before the one that it waits for."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "helper_implicit_2.o")
        assert module.data is not None
        for sequence, deadline_ms in ((1, 0), (2, 10)):
            await module.data.write(
                hook.InvokeRequest(sequence=sequence, binding=link.binding, deadline_ms=deadline_ms)
            )
        call = await module.next("helper_call")
        late = await module.data.read()
        assert isinstance(late, hook.InvokeResponse)
        assert (late.sequence, late.code, late.HasField("failure_result")) == (
            2,
            Result.TIMEOUT,
            True,
        )
        assert late.message == "it waited until its deadline, and has not run"
        await module.write(helper_return=reg.HelperReturn(callback_id=call.callback_id, result=6))
        answer = await module.data.read()
        assert isinstance(answer, hook.InvokeResponse)
        assert (answer.sequence, answer.codes) == (1, b"\0")


async def test_the_deadline_of_the_call_cuts_that_of_its_fires(tmp_path: Path) -> None:
    """Its extension is told what is left."""
    async with serving(tmp_path) as w:
        module, _ = await provider(w, "trace.o")
        assert module.data is not None
        call = w.hooks.Fire(timeout=60.0)
        await call.write(hook.FireRequest(hook=NAMED, deadline_ms=3_600_000))
        handed = await module.data.read()
        assert isinstance(handed, hook.InvokeResponse)
        assert 0 < handed.fire.deadline_ms < 120_000
        call.cancel()


async def test_an_answer_of_the_wrong_kind_is_no_helpers_answer(tmp_path: Path) -> None:
    """It is ignored; the right one still counts."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "helper_implicit_2.o")
        assert module.data is not None
        await module.data.write(hook.InvokeRequest(sequence=1, binding=link.binding))
        call = await module.next("helper_call")
        await module.return_to(call.callback_id, 0)
        await module.data.write(
            hook.InvokeRequest(fire_return=hook.FireReturn(fire_id=call.callback_id))
        )
        await module.write(heartbeat=reg.Heartbeat(ask=True))
        await module.next("heartbeat")
        await module.write(helper_return=reg.HelperReturn(callback_id=call.callback_id, result=6))
        answer = await module.data.read()
        assert isinstance(answer, hook.InvokeResponse)
        assert (answer.codes, answer.results) == (b"\0", u32s(6))


async def test_a_session_lost_in_a_helper_call_leaves_the_daemon_well(tmp_path: Path) -> None:
    """The link waits and has counted the answer; it can be detached and the daemon serves on."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "helper_implicit_2.o")
        assert module.data is not None
        await module.data.write(hook.InvokeRequest(sequence=1, binding=link.binding))
        await module.next("helper_call")
        module.call.cancel()
        await until(lambda: w.daemon.sessions.all() == [])
        kept = w.daemon.objects.link(link.id)
        await until(lambda: kept.others[Failure.LOST] > 0)
        (shown,) = (await w.links.List(links_pb2.LinksListRequest())).links
        assert (shown.state, shown.binding) == (links_pb2.LINK_STATE_WAITING, 0)
        assert shown.outcomes == links_pb2.LinkOutcomes(no_provider=1, lost=1)
        await w.links.Detach(links_pb2.DetachRequest(id=link.id))
        await until(lambda: len(w.daemon.registrar.bindings()) == 1)


async def test_a_fire_is_the_extensions_to_answer(tmp_path: Path) -> None:
    """It sees hook, parameter, batch and deadline; the client sees its answer as it is."""
    async with serving(tmp_path) as w:
        module, _ = await provider(w, "trace.o")
        assert module.data is not None
        firing = asyncio.ensure_future(
            fire(w, parameter=b"", batch=hook.Batch(data=UDP), deadline_ms=4000)
        )
        handed = await module.data.read()
        assert isinstance(handed, hook.InvokeResponse)
        asked = handed.fire
        assert (asked.attach_type, asked.has_parameter, asked.parameter) == (
            ATTACH_TYPE.bytes,
            True,
            b"",
        )
        assert (asked.batch.count, asked.batch.data, asked.deadline_ms) == (1, UDP, 4000)
        result = hook.BatchResult(code=5, message="so", codes=b"\1", results=u32s(6))
        for fire_id in (asked.fire_id + 100, asked.fire_id, asked.fire_id):
            await module.data.write(
                hook.InvokeRequest(fire_return=hook.FireReturn(fire_id=fire_id, result=result))
            )
        assert await firing == result


async def test_fires_beyond_their_quota_are_refused(tmp_path: Path) -> None:
    """The hook hears nothing of them; one that has been answered makes room."""
    async with serving(tmp_path, quotas=Quotas(fires=1)) as w:
        module, _ = await provider(w, "trace.o")
        assert module.data is not None
        for parameter in (b"first", b"second"):
            firing = asyncio.ensure_future(fire(w, parameter=parameter, deadline_ms=2**32 - 1))
            handed = await module.data.read()
            assert isinstance(handed, hook.InvokeResponse)
            assert handed.fire.parameter == parameter
            refused = await fire(w, parameter=b"one more", deadline_ms=2**32 - 1)
            assert refused.code == Result.NO_MEMORY
            assert refused.message == (
                "there are 1 fires, and may be 1: wait for some, "
                "or give the daemon more: [quotas] fires"
            )
            answer = hook.FireReturn(fire_id=handed.fire.fire_id, result=hook.BatchResult(code=5))
            await module.data.write(hook.InvokeRequest(fire_return=answer))
            assert (await firing).code == 5


async def test_a_fire_that_nobody_can_answer_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown hook, bad GUID, no provider, no data stream, no answer, lost meanwhile."""
    monkeypatch.setattr(fire_stream, "DEFAULT_DEADLINE_S", 0.05)
    async with serving(tmp_path) as w:
        for attach_type, code in (
            (NAMED, Result.OBJECT_NOT_FOUND),
            (hook.AttachType(), Result.INVALID_ARGUMENT),
            (hook.AttachType(guid=b"short"), Result.INVALID_ARGUMENT),
            (hook.AttachType(guid=bytes(16)), Result.OBJECT_NOT_FOUND),
        ):
            assert (await fire(w, hook=attach_type)).code == code
        module = await w.module()
        await module.provide()
        assert (await fire(w)).code == Result.OBJECT_NOT_FOUND, "it has no data stream"
        data = await module.open_data()
        assert (await fire(w)).code == Result.TIMEOUT
        await data.read()
        firing = asyncio.ensure_future(fire(w, deadline_ms=2**32 - 1))
        await data.read()
        module.call.cancel()
        assert (await firing).code == Result.OBJECT_NOT_FOUND


async def test_a_fire_that_nobody_answers_has_the_types_default_result(tmp_path: Path) -> None:
    """The hook is known, and its extension has gone."""
    async with serving(tmp_path) as w:
        module = await w.module()
        data = encode_program_data(dataclasses.replace(SAMPLE, default_result=5))
        said = reg.Characteristics(program_data=data)
        await module.register(PROGRAM_INFORMATION.bytes, PROGRAM_TYPE.bytes, said)
        await module.provide(program_type=False)
        module.call.cancel()
        await until(lambda: w.daemon.sessions.all() == [])
        result = await fire(w)
        assert (result.code, result.failure_result) == (Result.OBJECT_NOT_FOUND, 5)


async def test_the_longest_fire_does_not_end_the_extensions_stream(tmp_path: Path) -> None:
    """Handed on it is longer than it came; the client's is refused before the extension's is."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        longest = dict(OPTIONS)["grpc.max_receive_message_length"] - 64
        for parameter, data in ((bytes(longest), b""), (b"", bytes(longest))):
            batch = hook.Batch(data=data)
            assert (await fire(w, parameter=parameter, batch=batch, deadline_ms=1)).code == (
                Result.TIMEOUT
            )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await fire(w, parameter=bytes(longest + 64))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await answered_still(module, link)


async def test_a_hook_that_does_not_read_its_stream_makes_no_fire_wait_longer(
    tmp_path: Path,
) -> None:
    """The deadline counts the sending too; the stream lives on."""
    async with serving(tmp_path) as w:
        module, link = await provider(w, "trace.o")
        big = hook.Batch(data=bytes(8 << 20))
        results = await asyncio.gather(*(fire(w, batch=big, deadline_ms=100) for _ in range(4)))
        assert {each.code for each in results} == {Result.TIMEOUT}
        await answered_still(module, link)
