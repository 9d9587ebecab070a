"""Checks at a registrar without a daemon: clients that come and go, and the session's own end."""

import asyncio
import signal
from collections.abc import Collection, Sequence
from typing import Final

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS, HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result, result_name
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk.check._attach_rules import attach_rule
from ebpfd_sdk.check._instances import registered_as
from ebpfd_sdk.check._report import Failed, Suite, fail, skip, within
from ebpfd_sdk.check._wire_scene import WireScene, with_parameter
from ebpfd_sdk.testing._peer import PeerError, status_name

GLANCE_S: Final = 0.2
"""How long an answer that must not come is looked out for."""

life: Final = Suite[WireScene]()


@life.check("registers")
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


@life.check("attaches-and-detaches")
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


@life.check("attaches-and-detaches")
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


@life.check("attaches-and-detaches", "opens-its-data-stream")
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


@life.check("registers")
async def comes_back_as_itself(scene: WireScene) -> str:
    """When its session ends it opens another, as the same process, and registers the same."""
    old, sessions = scene.peer, len(scene.registrar.peers)
    offered = {registered_as(each) for each in old.registered.values()}
    old.hang_up()
    arriving = asyncio.ensure_future(scene.registrar.arrived(after=sessions))
    ending = asyncio.ensure_future(scene.child.ended())
    try:
        either = asyncio.wait((arriving, ending), return_when=asyncio.FIRST_COMPLETED)
        await within(scene.options.timeout_s, "another session after the end of one", either)
    finally:
        arriving.cancel()
        ending.cancel()
    if not scene.child.running:
        code = scene.child.exit_code
        await scene.child.start()
        await scene.soon("a session", scene.registrar.arrived(after=sessions))
        await scene.soon("its registrations", _registered(scene, offered))
        skip(f"it ends with exit code {code} when its session does")
    peer = scene.peer
    await scene.soon("hello", peer.until(lambda: peer.hello is not None))
    assert old.hello is not None, "checked"
    assert peer.hello is not None, "waited for"
    if peer.hello.process_instance != old.hello.process_instance:
        fail("it came back with another process_instance, as if it were another process")
    await scene.soon("all registrations that it had before", _registered(scene, offered))
    if peer.hello.resume_token != old.resume_token:
        fail("it came back without the resume_token of its last welcome")
    return f"the same process, with {len(offered)} registrations as before"


@life.check("registers")
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


@life.check("says-hello")
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


async def _registered(scene: WireScene, offered: Collection[tuple[bytes, bytes]]) -> None:
    peer = scene.peer
    await peer.until(
        lambda: {registered_as(each) for each in peer.registered.values()} >= set(offered)
    )
    await peer.beat()


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
