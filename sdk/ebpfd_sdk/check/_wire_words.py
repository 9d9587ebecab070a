"""Checks at a registrar without a daemon: what an extension says, word for word."""

import asyncio
from typing import Any, Final
from uuid import UUID

from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result, result_name
from ebpfd_api.v1 import hook_pb2, registrar_pb2
from ebpfd_sdk.check._instances import check_instance, names
from ebpfd_sdk.check._report import Suite, fail, skip
from ebpfd_sdk.check._wire_scene import WireScene
from ebpfd_sdk.testing._peer import PROVIDER, status_name

NOBODY: Final = 1 << 40
"""No registration, no binding, no helper that anybody was ever told of."""

GLANCE_S: Final = 0.2
"""How long an answer that must not come is looked out for."""

REFUSALS: Final = (NtStatus.NOINTERFACE, NtStatus.INVALID_PARAMETER)

words: Final = Suite[WireScene]()


@words.check()
async def says_hello(scene: WireScene) -> str:
    """The first message is hello, and says who is there."""
    peer = await scene.soon("a session", scene.registrar.arrived())
    await scene.soon("hello", peer.until(lambda: peer.hello is not None))
    hello = peer.hello
    assert hello is not None, "waited for"
    if hello.protocol_version != 1:
        fail(f"it speaks version {hello.protocol_version} of the protocol, not 1")
    if len(hello.process_instance) != 16 or not any(hello.process_instance):
        fail("process_instance is no UUID of 16 bytes")
    if not hello.name:
        fail("name is empty, so nobody could tell it from others")
    return f"it is {hello.name}, and speaks version 1 of the protocol"


@words.check("says-hello")
async def registers(scene: WireScene) -> str:
    """Every registration names its contract and module, and has the contract's characteristics."""
    peer = scene.peer
    if scene.options.offers:
        await scene.soon(f"a registration of {', '.join(scene.options.offers)}", _offered(scene))
    else:
        await scene.soon(
            "the registration of a program type and a hook",
            peer.until(lambda: bool(scene.of(PROGRAM_INFORMATION) and scene.of(HOOK))),
        )
    if promised := peer.hello.registrations if peer.hello else 0:
        every = peer.until(lambda: len(peer.registered) >= promised)
        await scene.soon(f"all of the {promised} registrations that hello spoke of", every)
    for instance in peer.registered.values():
        check_instance(instance)
    # Until its registrations are answered it cannot know their numbers.
    await scene.soon("a heartbeat", peer.beat())
    types, hooks = len(scene.of(PROGRAM_INFORMATION)), len(scene.of(HOOK))
    return f"program types: {types}, hooks: {hooks}, in all {len(peer.registered)}"


@words.check("registers")
async def opens_its_data_stream(scene: WireScene) -> str:
    """Whoever provides a hook invokes on a stream that names the session."""
    if not scene.of(HOOK):
        skip("it has no hook")
    peer = scene.peer
    await scene.soon(
        "Hook.Invoke with the session's id as metadata", peer.until(lambda: peer.has_data_stream)
    )
    return "Hook.Invoke names the session"


@words.check("registers")
async def refuses_an_unknown_registration(scene: WireScene) -> str:
    """An attach to a registration that it never made is none of its business."""
    answer, _ = await scene.soon("the answer to attach", scene.peer.attach(NOBODY))
    if answer.status not in REFUSALS:
        fail(f"it answered {status_name(answer.status)}, not NOINTERFACE")
    return status_name(answer.status)


@words.check("registers")
async def lets_go_of_an_unknown_binding(scene: WireScene) -> str:
    """Detach and cleanup of a binding that it does not know are SUCCESS: nothing is in flight."""
    callbacks: tuple[tuple[str, Any], ...] = (
        ("detach", registrar_pb2.DetachCallback(role=PROVIDER, binding=NOBODY)),
        ("cleanup", registrar_pb2.CleanupCallback(role=PROVIDER, binding=NOBODY)),
    )
    for kind, callback in callbacks:
        asked = scene.peer.ask(**{kind: callback})
        answer = await scene.soon(f"the answer to {kind}", asked)
        if answer.status != NtStatus.SUCCESS:
            fail(f"to {kind} it answered {status_name(answer.status)}, not SUCCESS")
    return "detach and cleanup are SUCCESS"


@words.check("registers")
async def outlives_an_unknown_message(scene: WireScene) -> str:
    """A message of a later version is ignored or refused, and ends nothing."""
    peer = scene.peer
    unknown = peer.begin()
    await scene.soon("a heartbeat after it", peer.beat())
    if unknown.done() and unknown.result().status == NtStatus.SUCCESS:
        fail("it answered SUCCESS to a callback that it cannot know")
    return "its session goes on"


@words.check("registers")
async def fails_an_unknown_helper(scene: WireScene) -> str:
    """A call of a helper that is not served has an error, no result."""
    types = scene.of(PROGRAM_INFORMATION)
    if not types:
        skip("it has no program type")
    (instance, *_) = types.values()
    call = registrar_pb2.HelperCall(
        program_type=instance.module_id.guid, helper_id=0x7FFFFFFF, deadline_ms=1000
    )
    answer = await scene.soon("the answer to a helper call", scene.peer.ask(helper_call=call))
    if not isinstance(answer, registrar_pb2.HelperReturn):
        fail("it did not answer with helper_return")
    if not answer.error:
        fail(f"it returned {answer.result} without an error")
    return f"error: {answer.error}"


@words.check("registers")
async def fails_calls_that_are_not_for_it(scene: WireScene) -> str:
    """Functions of a map or of contexts that it does not provide never succeed."""
    peer, nobody = scene.peer, UUID(int=NOBODY).bytes
    calls: dict[str, Any] = {
        "map_call": registrar_pb2.MapCall(binding=NOBODY, deadline_ms=1000),
        "context_call": registrar_pb2.ContextCall(program_type=nobody, deadline_ms=1000),
    }
    asked = {kind: peer.begin(**{kind: call}) for kind, call in calls.items()}
    await scene.soon("a heartbeat after them", peer.beat())
    await asyncio.wait(asked.values(), timeout=GLANCE_S)
    for kind, answer in asked.items():
        if answer.done() and answer.result().result == Result.SUCCESS:
            fail(f"it answered SUCCESS to a {kind} that is not for it")
    count = sum(answer.done() for answer in asked.values())
    return f"{count} refused, {len(asked) - count} ignored"


@words.check("opens-its-data-stream")
async def refuses_a_fire_of_an_unknown_hook(scene: WireScene) -> str:
    """A fire of a hook that it does not provide is OBJECT_NOT_FOUND."""
    fired = scene.peer.fire(UUID(int=NOBODY).bytes, hook_pb2.Batch(count=1))
    code = (await scene.soon("the answer to a fire", fired)).result.code
    if code != Result.OBJECT_NOT_FOUND:
        fail(f"it answered {result_name(code)}, not OBJECT_NOT_FOUND")
    return "OBJECT_NOT_FOUND"


@words.check("registers")
async def answers_a_heartbeat(scene: WireScene) -> str:
    """A heartbeat is answered by one."""
    await scene.soon("the answer to a heartbeat", scene.peer.beat())
    return "by one of its own"


async def _offered(scene: WireScene) -> None:
    wanted = set(scene.options.offers)
    await scene.peer.until(
        lambda: wanted <= {name for each in scene.peer.registered.values() for name in names(each)}
    )
