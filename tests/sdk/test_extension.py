"""An extension's life: registered, attached to, called, and leaving in the right order."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest

from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import hook_pb2, registrar_pb2
from ebpfd_sdk import (
    Answer,
    AttachCapability,
    Columns,
    DaemonUnavailable,
    DeclarationError,
    EbpfdError,
    Extension,
    FireEvent,
    Hook,
    Link,
    Refused,
    RegistrationRefused,
    Result,
)
from tests.sdk.conftest import Scene
from tests.sdk.parcels import ATTACH_TYPE, PROGRAM_TYPE, Parcel, declare


async def test_everything_is_registered(scene: Scene) -> None:
    """The program type comes first, then the hook, whatever the order of declaration."""
    async with Extension(scene.hook, scene.kind, address=scene.daemon.address) as extension:
        kind, hook = scene.daemon.registered.values()
        assert extension.offering == "program type parcel, hook passing"
        assert scene.daemon.session_ids == ["session-1"]
    assert (PROGRAM_INFORMATION, UUID(PROGRAM_TYPE)) == _ids(kind)
    assert (HOOK, UUID(ATTACH_TYPE)) == _ids(hook)
    data = kind.characteristics.program_data
    assert list(data.helper_addresses) == [0x10000, 0x10001, 0x10002]
    assert list(data.section_prefixes) == ["parcel"]
    descriptor = data.program_info.type_descriptor
    assert (
        descriptor.name,
        descriptor.bpf_prog_type,
        descriptor.context_descriptor.size,
    ) == ("parcel", 77, 24)
    said = hook.characteristics.attach_provider_data
    assert (UUID(PROGRAM_TYPE).bytes, 78, "passing") == (
        said.supported_program_type,
        said.bpf_attach_type,
        said.name,
    )


def _ids(instance: registrar_pb2.RegistrationInstance) -> tuple[UUID, UUID]:
    return UUID(bytes=instance.npi_id), UUID(bytes=instance.module_id.guid)


async def test_hello_names_the_process(scene: Scene) -> None:
    """The first message says who is there."""
    async with Extension(scene.kind, address=scene.daemon.address, name="post"):
        hello = scene.daemon.hello
    assert (hello.name, hello.protocol_version, len(hello.process_instance)) == ("post", 1, 16)


async def test_a_hosted_extension_has_the_name_that_the_daemon_gave_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how many registrations make it complete."""
    monkeypatch.setenv("EBPFD_EXTENSION", "letters")
    async with Extension(scene.kind, scene.hook, address=scene.daemon.address, name="post"):
        hello = scene.daemon.hello
    assert (hello.name, hello.registrations) == ("letters", 2)


async def test_links_attach_while_the_hook_registers(scene: Scene) -> None:
    """Callbacks are answered while the register call is open: it waits for them."""
    scene.daemon.attach_on_register = [b"a", b"b"]
    async with scene.extension():
        assert [link.parameter for link in scene.hook.links] == [b"a", b"b"]


async def test_a_refused_registration_says_why(scene: Scene) -> None:
    """A registration that the daemon does not take ends the block before it begins."""
    scene.daemon.refuse = NtStatus.INVALID_PARAMETER
    with pytest.raises(RegistrationRefused, match=r"program type parcel .*INVALID_PARAM") as caught:
        async with scene.extension():
            pytest.fail("it must not be entered")
    assert caught.value.status == NtStatus.INVALID_PARAMETER


async def test_one_link_for_each_parameter(scene: Scene) -> None:
    """A second link with the same parameter is refused; when the first is gone, it is welcome."""
    async with scene.extension():
        first = await scene.daemon.link(b"\x01")
        answer, _ = await scene.daemon.attach(b"\x01")
        assert answer.status == NtStatus.INVALID_PARAMETER
        assert "is attached with parameter 01 already" in answer.message
        await scene.daemon.detach(first)
        await scene.daemon.link(b"\x01")


async def test_the_extension_may_refuse_a_link(scene: Scene) -> None:
    """What on_attach raises is the answer, with its status and message."""

    @scene.hook.on_attach
    async def check(link: Link) -> None:
        await asyncio.sleep(0)
        if len(link.parameter) != 4:
            raise Refused("parameter must be 4 bytes", status=NtStatus.NOT_SUPPORTED)

    async with scene.extension():
        answer, _ = await scene.daemon.attach(b"abc")
        await scene.daemon.link(b"abcd")
    assert (answer.status, answer.message) == (NtStatus.NOT_SUPPORTED, "parameter must be 4 bytes")


async def test_a_bad_parameter_is_refused_before_all_else(scene: Scene) -> None:
    """Whatever on_parameter raises is INVALID_PARAMETER, and the capability is not asked."""

    @scene.hook.on_parameter
    def check(parameter: bytes) -> None:
        if len(parameter) != 4:
            raise ValueError(f"a shelf has 4 bytes, not {len(parameter)}")

    @scene.hook.on_attach
    def never(link: Link) -> None:
        raise AssertionError(link)

    async with scene.extension():
        answer, _ = await scene.daemon.attach(b"abc")
        failed, _ = await scene.daemon.attach(b"abcd")
        assert scene.hook.links == ()
    assert (answer.status, answer.message) == (
        NtStatus.INVALID_PARAMETER,
        "a shelf has 4 bytes, not 3",
    )
    assert failed.status == NtStatus.ACCESS_DENIED


@pytest.mark.parametrize(
    ("capability", "second"),
    [
        (AttachCapability.SINGLE_ATTACH, NtStatus.ACCESS_DENIED),
        (AttachCapability.SINGLE_ATTACH_PER_HOOK, NtStatus.ACCESS_DENIED),
        (AttachCapability.MULTI_ATTACH_WITH_WILDCARD, NtStatus.SUCCESS),
        (AttachCapability.ONE_PER_PARAMETER, NtStatus.INVALID_PARAMETER),
    ],
)
async def test_attaches_are_decided_one_after_the_other(
    scene: Scene, capability: AttachCapability, second: NtStatus
) -> None:
    """While the extension prepares for one link, another one does not slip in beside it."""
    hook, preparing = Hook(scene.hook.guid, scene.kind, capability=capability), asyncio.Event()

    @hook.on_attach
    async def prepare(_: Link) -> None:
        await preparing.wait()

    async with Extension(scene.kind, hook, address=scene.daemon.address):
        attaches = [asyncio.create_task(scene.daemon.attach()) for _ in range(2)]
        await scene.round_trip()
        assert hook.links == ()
        preparing.set()
        answers = [(await each)[0].status for each in attaches]
    assert [NtStatus.SUCCESS, second] == answers


async def test_a_link_can_be_invoked_before_its_user_hears_of_it(scene: Scene) -> None:
    """An event that comes as soon as the attach callback has returned finds the link."""
    answers: list[Answer[Parcel]] = []

    async def event() -> None:
        await scene.hook.attached()
        answers.append(await scene.hook.invoke())

    async with scene.extension():
        waiting = asyncio.create_task(event())
        await scene.daemon.link()
        await waiting
    assert [answer.code for answer in answers] == [Result.SUCCESS]


async def test_a_client_that_cannot_be_invoked_is_no_link(scene: Scene) -> None:
    """No extension data, or no dispatch table: INVALID_PARAMETER."""
    async with scene.extension():
        for without in ("peer", "client"):
            scene.daemon.leave_out = without
            answer, _ = await scene.daemon.attach()
            assert answer.status == NtStatus.INVALID_PARAMETER
        assert scene.hook.links == ()


async def test_a_broken_policy_refuses(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An on_attach that fails does not attach, and is logged with its traceback."""

    @scene.hook.on_attach
    def check(_: Link) -> None:
        raise KeyError("shelf")

    async with scene.extension():
        answer, _ = await scene.daemon.attach()
    assert answer.status == NtStatus.ACCESS_DENIED
    assert answer.message == "hook passing: KeyError: 'shelf'"
    assert "hook passing: attaching failed" in caplog.text


async def test_an_unknown_registration_is_declined(scene: Scene) -> None:
    """An attach for something that is not registered is no interest of ours."""
    async with scene.extension():
        answer, _ = await scene.daemon.attach(registration=99)
    assert answer.status == NtStatus.NOINTERFACE


async def test_a_detach_that_comes_with_its_cleanup_is_one(scene: Scene) -> None:
    """Who was waited for in vain gets both at once, and must not keep the link for ever."""
    gone: list[Link] = []
    scene.hook.on_detach(gone.append)
    async with scene.extension(), asyncio.timeout(10):
        for _ in range(20):
            scene.daemon.detach_late(await scene.daemon.link())
            while scene.hook.links:
                await scene.round_trip()
    assert len(gone) == 20


async def test_detach_waits_for_what_is_in_flight(scene: Scene) -> None:
    """New invocations find no link at once; the detach returns when the last is answered."""
    gone: list[Link] = []
    scene.hook.on_detach(gone.append)
    async with scene.extension():
        binding, invocation, detaching = await scene.held_up()
        assert Result.OBJECT_NOT_FOUND is (await scene.hook.invoke()).code
        assert gone == []
        scene.daemon.gate.set()
        await detaching
        assert Result.SUCCESS is (await invocation).code
    order = [f"detach {binding}", "answer 1", f"detached {binding}"]
    assert order == scene.daemon.journal[:3]
    assert [binding] == [link.binding for link in gone]


async def test_a_broken_notice_does_not_hold_the_link(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """A detach is answered whatever the extension's own notice does."""

    @scene.hook.on_detach
    async def notice(_: Link) -> None:
        raise KeyError("shelf")

    async with scene.extension():
        await scene.daemon.detach(await scene.daemon.link())
    assert "detach callback failed" in caplog.text


@pytest.mark.parametrize("pending", [False, True])
async def test_leaving_answers_first(scene: Scene, pending: bool) -> None:
    """Leaving: nothing new, all answers, hooks deregistered, then program types, then the end."""
    scene.daemon.deregister_pending = pending
    async with scene.extension() as extension:
        binding = await scene.daemon.link()
        scene.daemon.gate.clear()
        started = scene.hook.invoke()
        await scene.request(1)
        draining = asyncio.create_task(extension.drain())
        await scene.round_trip()
        late = await scene.hook.invoke()
        assert not draining.done()
        scene.daemon.gate.set()
        await draining
    await scene.until(lambda: "session ended" in scene.daemon.journal)
    assert Result.SUCCESS is (await started).code
    assert Result.CANCELED is late.code
    assert late.message == "hook passing: the extension is stopping"
    assert [
        "answer 1",
        f"detach {binding}",
        f"detached {binding}",
        "deregistered hook",
        "deregistered program type",
        "session ended",
    ] == scene.daemon.journal


async def test_an_extension_can_come_back(scene: Scene) -> None:
    """The same declarations serve a second connection, without links of the first."""
    for _ in range(2):
        async with scene.extension():
            assert scene.hook.links == ()
            await scene.daemon.link()
            assert Result.SUCCESS is (await scene.hook.invoke()).code


async def test_heartbeats_are_answered(scene: Scene) -> None:
    """A sign of life is asked for, and given."""
    async with scene.extension():
        scene.daemon.beat()
        async with asyncio.timeout(10):
            await scene.daemon.heartbeats.wait()


def helper_call(helper: int, **values: object) -> registrar_pb2.HelperCall:
    """A call of one of the parcels' helpers."""
    return registrar_pb2.HelperCall(
        program_type=UUID(PROGRAM_TYPE).bytes,
        helper_id=helper,
        **values,  # type: ignore[arg-type]  # the callers' values have their fields' types
    )


async def test_helpers_answer(scene: Scene) -> None:
    """Plain and async helpers answer with result and memory, while others go on."""
    stamp = helper_call(0x10001)
    for memory in (b"........", b"ok"):
        stamp.arguments.add(memory=memory)
        stamp.arguments.add(integer=len(memory))
    weigh = helper_call(0x10000, context=Parcel(weight=40).pack())
    weigh.arguments.add(absent=registrar_pb2.Absent())
    weigh.arguments.add(integer=2)
    async with scene.extension():
        stamped, weighed = await asyncio.gather(
            scene.daemon.call_helper(stamp), scene.daemon.call_helper(weigh)
        )
    assert weighed.result == 42
    assert (stamped.result, stamped.outputs[0].memory) == (2, b"ok......")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (helper_call(0x10002), "LookupError: lost in the post"),
        (helper_call(0x10000), "ValueError: Parcel takes 24 bytes, not 0"),
        (helper_call(0x10001), "IndexError: list index out of range"),
        (helper_call(0x1FFFF), "program type parcel has no helper 0x1ffff"),
        (registrar_pb2.HelperCall(helper_id=1), "this extension has no helper 0x1"),
    ],
)
async def test_a_helper_that_fails_says_so(
    scene: Scene, call: registrar_pb2.HelperCall, error: str
) -> None:
    """An exception, a malformed call or an unknown helper ends the invocation with a reason."""
    async with scene.extension():
        answer = await scene.daemon.call_helper(call)
    assert error == answer.error


def _fire(parameter: bytes | None = None) -> hook_pb2.Fire:
    return hook_pb2.Fire(
        attach_type=UUID(ATTACH_TYPE).bytes,
        parameter=parameter or b"",
        has_parameter=parameter is not None,
        batch=hook_pb2.Batch(count=2, contexts=2 * Parcel(weight=1).pack(), data=b"abc"),
    )


async def test_a_fire_runs_the_link_of_its_parameter(scene: Scene) -> None:
    """By default a client's fire runs as its parameter says, and its columns come back."""
    async with scene.extension():
        assert (await scene.daemon.fire(_fire())).code == Result.OBJECT_NOT_FOUND
        first, second = await scene.daemon.link(b"a"), await scene.daemon.link(b"b")
        assert (await scene.daemon.fire(_fire(b""))).code == Result.KEY_NOT_FOUND
        result = await scene.daemon.fire(_fire())
        await scene.daemon.fire(_fire(b"b"))
    assert [first, second] == [request.binding for request in scene.daemon.requests]
    assert (0, bytes(2), bytes.fromhex("0000000001000000")) == (
        result.code,
        result.codes,
        result.results,
    )
    assert (scene.daemon.requests[0].count, scene.daemon.requests[0].data) == (2, b"abc")


async def test_an_extension_may_answer_fires_itself(scene: Scene) -> None:
    """on_fire decides what a fire does; what it raises is a failure of the fire."""

    @scene.hook.on_fire
    async def answer(event: FireEvent) -> Columns:
        if event.parameter is not None:
            raise LookupError("no such shelf")
        return Columns(Result.SUCCESS, codes=bytes(event.count), results=b"\7\0\0\0" * event.count)

    async with scene.extension():
        assert (await scene.daemon.fire(_fire())).results == b"\7\0\0\0" * 2
        failed = await scene.daemon.fire(_fire(b"x"))
    assert (
        failed.code,
        failed.message,
    ) == (Result.FAILED, "hook passing: LookupError: no such shelf")


async def test_a_fire_that_is_answered_with_no_columns_has_failed(scene: Scene) -> None:
    """Its client learns it at once, not at the deadline."""

    @scene.hook.on_fire
    async def forget(_: FireEvent) -> Any:
        return None

    async with scene.extension(), asyncio.timeout(10):
        failed = await scene.daemon.fire(_fire())
    assert failed.code == Result.FAILED
    assert failed.message.startswith("hook passing: AttributeError: ")


async def test_a_fire_of_a_foreign_hook_finds_nobody(scene: Scene) -> None:
    """A fire that is not ours is answered, not dropped."""
    async with scene.extension():
        result = await scene.daemon.fire(hook_pb2.Fire(attach_type=bytes(16)))
    assert result.code == Result.OBJECT_NOT_FOUND


async def test_a_stopping_extension_declines_what_it_has_not_begun(scene: Scene) -> None:
    """A fire that is under way is answered; those that come later are for another extension."""
    scene.daemon.deregister_pending = True
    async with scene.extension() as extension:
        await scene.daemon.link()
        scene.daemon.gate.clear()
        begun = asyncio.create_task(scene.daemon.fire(_fire()))
        await scene.request(1)
        draining = asyncio.create_task(extension.drain())
        await scene.round_trip()
        late = await scene.daemon.fire(_fire())
        assert (late.code, late.message) == (Result.CANCELED, "parcel: the extension is stopping")
        assert scene.daemon.declined == 1
        assert not draining.done()
        scene.daemon.gate.set()
        assert (await begun).code == Result.SUCCESS
        await draining
    assert scene.daemon.declined == 1


async def test_a_daemon_that_is_given_up_ends_the_wait(scene: Scene) -> None:
    """Whoever waits for the stop learns that the daemon is gone; leaving does not hang."""
    async with scene.extension(reconnect=False) as extension:
        scene.daemon.hang_up()
        with pytest.raises(DaemonUnavailable, match="start it with `ebpfd run`"):
            await extension.stopped()
        answer: Answer[Parcel] = await scene.hook.invoke()
    assert Result.CANCELED is answer.code
    assert answer.message == "hook passing: the daemon is gone"


async def test_nobody_at_the_address(tmp_path: Path) -> None:
    """No daemon is one clear error that says what to do."""
    address = f"unix:{tmp_path}/nobody.sock"
    with pytest.raises(DaemonUnavailable) as caught:
        async with Extension(*declare(), address=address):
            pytest.fail("it must not be entered")
    assert (
        f"no daemon at {address} (no such file or directory): start it with `ebpfd run`, "
        "or name another with --address or EBPFD_ADDRESS"
    ) == str(caught.value)


def test_an_extension_declares_something() -> None:
    """Nothing to register is a mistake."""
    with pytest.raises(DeclarationError, match="a program type or a hook at least"):
        Extension()


async def test_a_daemon_that_refuses_the_session_is_heard(tmp_path: Path) -> None:
    """Whether it does so before, during or after the hello: never as an internal error."""

    async def refuse(_: Any, context: Any) -> AsyncGenerator[bytes]:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no role allows it")
        yield b""

    server = grpc.aio.server()
    make: Any = grpc.stream_stream_rpc_method_handler
    handler = make(refuse)
    handlers = grpc.method_handlers_generic_handler("ebpfd_api.v1.Registrar", {"Session": handler})
    server.add_generic_rpc_handlers([handlers])
    address = f"unix:{tmp_path / 'refuses.sock'}"
    server.add_insecure_port(address)
    await server.start()
    said: set[str] = set()
    for _ in range(100):
        with pytest.raises(EbpfdError) as refused:
            async with Extension(*declare(), address=address):
                pass
        said.add(str(refused.value))
    await server.stop(None)
    assert said == {"no role allows it"}
