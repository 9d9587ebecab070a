"""Checks at a registrar without a daemon: what an extension says, word for word."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS, HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result, result_name
from ebpfd_api.v1 import hook_pb2, registrar_pb2
from ebpfd_sdk.check._attach_rules import attach_rule
from ebpfd_sdk.check._instances import check_instance, names
from ebpfd_sdk.check._report import Failed, Suite, fail, skip, within
from ebpfd_sdk.check._wire_scene import WireScene, with_parameter
from ebpfd_sdk.testing._peer import PROVIDER, PeerError, status_name

NOBODY: Final = 1 << 40
"""No registration, no binding, no helper that anybody was ever told of."""

GLANCE_S: Final = 0.2
"""How long an answer that must not come is looked out for."""

REFUSALS: Final = (NtStatus.NOINTERFACE, NtStatus.INVALID_PARAMETER)

wire: Final = Suite[WireScene]()


@wire.check()
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


@wire.check("says-hello")
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
    types, hooks = len(scene.of(PROGRAM_INFORMATION)), len(scene.of(HOOK))
    return f"program types: {types}, hooks: {hooks}, in all {len(peer.registered)}"


@wire.check("registers")
async def opens_its_data_stream(scene: WireScene) -> str:
    """Whoever provides a hook invokes on a stream that names the session."""
    if not scene.of(HOOK):
        skip("it has no hook")
    peer = scene.peer
    await scene.soon(
        "Hook.Invoke with the session's id as metadata", peer.until(lambda: peer.has_data_stream)
    )
    return "Hook.Invoke names the session"


@wire.check("registers")
async def refuses_an_unknown_registration(scene: WireScene) -> str:
    """An attach to a registration that it never made is none of its business."""
    answer, _ = await scene.soon("the answer to attach", scene.peer.attach(NOBODY))
    if answer.status not in REFUSALS:
        fail(f"it answered {status_name(answer.status)}, not NOINTERFACE")
    return status_name(answer.status)


@wire.check("registers")
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


@wire.check("registers")
async def outlives_an_unknown_message(scene: WireScene) -> str:
    """A message of a later version is ignored or refused, and ends nothing."""
    peer = scene.peer
    unknown = peer.begin()
    await scene.soon("a heartbeat after it", peer.beat())
    if unknown.done() and unknown.result().status == NtStatus.SUCCESS:
        fail("it answered SUCCESS to a callback that it cannot know")
    return "its session goes on"


@wire.check("registers")
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


@wire.check("registers")
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


@wire.check("opens-its-data-stream")
async def refuses_a_fire_of_an_unknown_hook(scene: WireScene) -> str:
    """A fire of a hook that it does not provide is OBJECT_NOT_FOUND."""
    fired = scene.peer.fire(UUID(int=NOBODY).bytes, hook_pb2.Batch(count=1))
    code = (await scene.soon("the answer to a fire", fired)).result.code
    if code != Result.OBJECT_NOT_FOUND:
        fail(f"it answered {result_name(code)}, not OBJECT_NOT_FOUND")
    return "OBJECT_NOT_FOUND"


@wire.check("registers")
async def answers_a_heartbeat(scene: WireScene) -> str:
    """A heartbeat is answered by one."""
    await scene.soon("the answer to a heartbeat", scene.peer.beat())
    return "by one of its own"


@wire.check("registers")
async def attaches_and_detaches(scene: WireScene) -> str:
    """Program types, hooks and functions take clients, let go of them and clean up."""
    tried = 0
    clients = scene.of(PROGRAM_INFORMATION) | scene.of(HOOK) | scene.of(BTF_RESOLVED_FUNCTIONS)
    if not clients:
        skip("it has neither program type nor hook nor functions")
    for registration, instance in clients.items():
        hook = instance.npi_id == HOOK.bytes
        for parameter in scene.options.parameters if hook else (b"",):
            await scene.detach(await scene.attach(registration, parameter))
            tried += 1
    return f"{tried} clients, one after the other"


@wire.check("attaches-and-detaches")
async def refuses_a_link_without_data(scene: WireScene) -> str:
    """A hook's client needs extension data and a dispatch table: else it cannot be invoked."""
    if not scene.of(HOOK):
        skip("it has no hook")
    peer, parameter = scene.peer, scene.options.parameters[0]
    for registration in scene.of(HOOK):
        for missing, whole in (
            ("extension data", {"has_data": False}),
            ("a dispatch table", {"has_dispatch": False}),
        ):
            asked = peer.attach(registration, parameter, **whole)
            answer, binding = await scene.soon("the answer to attach", asked)
            if answer.status in {NtStatus.SUCCESS, NtStatus.PENDING}:
                await scene.detach(binding)
                fail(f"it answered {status_name(answer.status)} to a link without {missing}")
    return "neither without extension data nor without a dispatch table"


@wire.check("attaches-and-detaches")
async def keeps_its_attach_capability(scene: WireScene) -> str:
    """As many links come in as the hook's registration says, and no more."""
    kept: list[str] = []
    for registration, instance in scene.of(HOOK).items():
        said = instance.characteristics.attach_provider_data
        capability = AttachCapability(said.capability)
        if capability is AttachCapability.UNSPECIFIED:
            continue
        await _follow(scene, registration, capability, said.wildcards)
        kept.append(capability.name)
    if not kept:
        skip("its hooks name no capability: what they take is their own rule")
    return ", ".join(kept)


@wire.check("attaches-and-detaches", "opens-its-data-stream")
async def waits_for_what_is_in_flight(scene: WireScene) -> str:
    """Detach ends when the last invocation is answered, and nothing comes after it."""
    peer, parameter = scene.peer, scene.options.parameters[0]
    for registration, instance in scene.of(HOOK).items():
        binding = await scene.attach(registration, parameter)
        peer.answers.clear()
        try:
            await _hold_detach(scene, binding, instance.module_id.guid)
        finally:
            peer.answers.set()
    await scene.soon("a heartbeat", peer.beat())
    if peer.late:
        fail(f"it invoked {peer.late[0]} after it had let go of it")
    return "detach ended after the answer, and nothing came later"


@wire.check("registers")
async def leaves_in_good_order(scene: WireScene) -> str:
    """On SIGTERM it deregisters, and ends only when its last client is detached."""
    for registration in scene.of(HOOK):
        attaching = scene.peer.attach(registration, scene.options.parameters[0])
        await scene.soon("the answer to attach", attaching)  # it may refuse: see above
    scene.child.signal(signal.SIGTERM)
    await within(scene.options.timeout_s, "its end after SIGTERM", scene.child.ended())
    code, peer = scene.child.exit_code, scene.peer
    if not peer.leaving:
        skip(f"it ended by SIGTERM with exit code {code} and did not deregister: a lost session")
    if peer.registered or peer.left != peer.leaving:
        fail(f"it ended with exit code {code} before all was deregistered")
    if code != 0:
        fail(f"it deregistered, and ended with exit code {code}, not 0")
    return "all deregistered, then exit code 0"


@wire.check("says-hello")
async def keeps_the_protocol(scene: WireScene) -> str:
    """Call ids are new each time, and every callback is answered once."""
    mistakes = scene.peer.mistakes
    if mistakes:
        fail(mistakes[0])
    return "no message was out of place"


async def _follow(
    scene: WireScene,
    registration: int,
    capability: AttachCapability,
    wildcards: Sequence[bytes],
) -> None:
    """Attach link after link, as the capability's rule has it, and detach them all."""
    bindings: list[int] = []
    try:
        for parameter, due in attach_rule(capability, scene.options.parameters, wildcards):
            asked = scene.peer.attach(registration, parameter)
            answer, binding = await scene.soon("the answer to attach", asked)
            if answer.status == NtStatus.SUCCESS:
                bindings.append(binding)
            if answer.status != due:
                fail(
                    f"{with_parameter(parameter)}, beside other links, it answered "
                    f"{status_name(answer.status)}, where {capability.name} says {due.name}"
                )
    finally:
        for binding in bindings:
            await scene.detach(binding)


async def _offered(scene: WireScene) -> None:
    wanted = set(scene.options.offers)
    await scene.peer.until(
        lambda: wanted <= {name for each in scene.peer.registered.values() for name in names(each)}
    )


async def _hold_detach(scene: WireScene, binding: int, attach_type: bytes) -> None:
    """Detach *binding* while an invocation of it has no answer."""
    peer, options = scene.peer, scene.options
    before = len(peer.invocations)
    batch = hook_pb2.Batch(count=1, contexts=options.context, data=options.data)
    fired = peer.fire(attach_type, batch, options.parameters[0])
    invoked = asyncio.ensure_future(peer.until(lambda: len(peer.invocations) > before))
    first = asyncio.wait((invoked, fired), return_when=asyncio.FIRST_COMPLETED)
    await scene.soon("an invocation by a fire", first)
    if not invoked.done():
        invoked.cancel()
        await scene.detach(binding)
        code = fired.result().result.code
        skip(f"a fire was answered {result_name(code)} without an invocation")
    detaching = asyncio.ensure_future(peer.detach(binding))
    # Whatever it wants to say at once is said before its heartbeat.
    await scene.soon("a heartbeat", peer.beat())
    await asyncio.wait((detaching,), timeout=GLANCE_S)
    early = detaching.done()
    peer.answers.set()
    try:
        await scene.soon("the end of detach", detaching)
    except (Failed, PeerError) as failure:
        fail(f"under load, {failure}")
    if early:
        fail("it let go of a link while an invocation of it was in flight")
    answered = await scene.soon("the answer to the fire", fired)
    if answered.result.code != Result.SUCCESS:
        reported = result_name(answered.result.code)
        fail(f"an invocation that was answered with SUCCESS is reported as {reported}")
