"""Checks at the installed daemon: programs loaded, attached and fired, processes killed."""

from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from ebpfd_api.npi import HOOK, MAP_INFORMATION, PROGRAM_INFORMATION
from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._client import Client
from ebpfd_sdk._daemon import Daemon
from ebpfd_sdk._errors import EbpfdError, VerificationFailed
from ebpfd_sdk._program import Program
from ebpfd_sdk._values import LinkState
from ebpfd_sdk.check._daemon_scene import DaemonScene, OfferedHook
from ebpfd_sdk.check._report import Suite, fail, skip, within
from ebpfd_sdk.testing import constant_program

LATER_FIRES: Final = 20
"""Fires after a detach, none of which may reach the program."""

NOT_FIRED: Final = (Result.TIMEOUT, Result.OPERATION_NOT_SUPPORTED, Result.BLOCKED_BY_POLICY)
"""Answers of a hook that clients cannot fire."""

real: Final = Suite[DaemonScene]()


@real.check()
async def is_taken_by_the_daemon(scene: DaemonScene) -> str:
    """The daemon finds no fault in what it registers."""
    options = scene.options
    own = await scene.child.start_registered(options.offers, timeout_s=options.timeout_s)
    daemon = Daemon(scene.daemon.address)
    try:
        everything = await daemon.ask(
            daemon.registrar.ListProviders, registrar_pb2.ListProvidersRequest()
        )
    finally:
        await daemon.connection.close()
    owner = own[0].owner
    scene.registrations = {each.registration for each in own}
    scene.modules = {(each.npi, each.module) for each in own}
    for each in everything.registrations:
        if each.owner != owner:
            continue
        guid = each.instance.module_id.guid
        if each.instance.npi_id == PROGRAM_INFORMATION.bytes:
            scene.types.append(UUID(bytes=guid))
        elif each.instance.npi_id == MAP_INFORMATION.bytes:
            scene.map_types.append(each.instance.characteristics.map_provider_data.map_type)
        elif each.instance.npi_id == HOOK.bytes:
            said = each.instance.characteristics.attach_provider_data
            kind = UUID(bytes=said.supported_program_type)
            scene.hooks.append(OfferedHook(UUID(bytes=guid), said.name or str(kind), kind))
    return f"it registered {', '.join(each.module_name or each.npi_name for each in own)}"


@real.check("is-taken-by-the-daemon")
async def takes_a_program(scene: DaemonScene) -> str:
    """A program that returns 0 is verified against each program type, and loads."""
    wanted = {*scene.types, *(hook.program_type for hook in scene.hooks)}
    if not wanted:
        skip("it has neither program type nor hook")
    known = {each.program_type: each for each in await scene.client.contracts()}
    names: list[str] = []
    for type_ in wanted:
        contract = known.get(type_)
        if contract is None:
            fail(f"nobody has registered the program type {type_} of its hook")
        if not contract.sections:
            continue
        own = [hook for hook in scene.hooks if hook.program_type == type_]
        try:
            # Each hook has one of its own, whose runs tell what reached that hook.
            for hook in own:
                hook.program = await _loaded(scene, contract.sections[0])
            if not own:
                await _loaded(scene, contract.sections[0])
        except VerificationFailed as rejected:
            fail(f"a program of type {contract.name} that returns 0 is rejected: {rejected}")
        names.append(contract.name)
    if not names:
        skip("its program types have no section prefix, so no object file can name them")
    return f"programs of {', '.join(sorted(names))} load"


async def _loaded(scene: DaemonScene, section: str) -> Program:
    (program,) = (await scene.client.load(constant_program(section))).values()
    return program


@real.check("is-taken-by-the-daemon")
async def keeps_maps(scene: DaemonScene) -> str:
    """A map of each of its types can be made, written, read, emptied and removed."""
    if not scene.map_types:
        skip("it has no map type")
    for type_ in scene.map_types:
        try:
            map_ = await scene.client.create_map(type_, 4, 4, 8, name="check")
        except EbpfdError as refused:
            skip(f"it takes no map of type {type_} with keys and values of 4 bytes: {refused}")
        for key in (1, 2, 1):
            await map_.set(key, key)
        if await map_.get(2) is None:
            fail(f"map type {type_}: an entry that was set is not there")
        await map_.delete(2)
        if await map_.get(2) is not None:
            fail(f"map type {type_}: an entry that was deleted is still there")
        await map_.remove()
    return f"maps of {len(scene.map_types)} types take entries and give them back"


@real.check("takes-a-program")
async def takes_links(scene: DaemonScene) -> str:
    """Each hook takes a link with each parameter, and lets it go."""
    if not scene.loaded:
        skip("it has no hook for which a program loads")
    for hook in scene.loaded:
        for parameter in scene.options.parameters:
            link = await scene.attach(hook, parameter)
            if await scene.state(link) is not LinkState.ATTACHED:
                fail(f"a link to {hook.name} is not attached after attach has returned")
            await link.detach()
            if await scene.state(link) is not None:
                fail(f"a link to {hook.name} is there after detach has returned")
        hook.takes_links = True
    count = len(scene.loaded) * len(scene.options.parameters)
    return f"{count} links attached and detached"


@real.check("takes-links")
async def refuses_bad_parameters(scene: DaemonScene) -> str:
    """A link that the hook's own rules exclude is refused, and nothing is left of it."""
    if not scene.options.bad_parameters:
        skip("no parameter is said to be bad: --bad-parameter HEX names one")
    for hook in scene.loaded:
        for parameter in scene.options.bad_parameters:
            try:
                link = await scene.attach(hook, parameter)
            except EbpfdError:
                continue
            await link.detach()
            fail(f"hook {hook.name} took a link with parameter {parameter.hex()}")
    return f"{len(scene.options.bad_parameters)} parameters refused"


@real.check("takes-links")
async def runs_programs(scene: DaemonScene) -> str:
    """A client's fire runs what is attached, once."""
    await scene.attach_all()
    names: list[str] = []
    for hook in scene.attachable:
        before = await scene.runs(hook)
        code = await scene.fire(hook)
        if code in NOT_FIRED:
            continue
        if code is not Result.SUCCESS:
            fail(f"a fire of hook {hook.name} is answered {code.name}, with a program attached")
        if await scene.runs(hook) == before:
            continue  # what a fire does is its own affair
        hook.fires = True
        names.append(hook.name)
    if not names:
        skip("a fire runs no program: its hooks are triggered by its own events alone")
    return f"fires of {', '.join(names)} run the attached program"


@real.check("takes-links")
async def detaches_under_load(scene: DaemonScene) -> str:
    """After detach has returned the program runs no more, and every fire has its answer."""
    await scene.attach_all()
    async with scene.load() as load:
        for hook in scene.attachable:
            assert hook.link is not None, "attached above"
            detaching = hook.link.detach()
            await within(scene.options.timeout_s, f"the end of detach from {hook.name}", detaching)
            hook.link = None
            ended_at = await scene.runs(hook)
            for _ in range(LATER_FIRES if hook.fires else 0):
                await scene.fire(hook)
            if await scene.runs(hook) != ended_at:
                fail(f"the program ran from hook {hook.name} after detach had returned")
    if not scene.fired:
        skip("detach works, but a fire runs no program, so there was no load")
    if Result.TIMEOUT in load.codes:
        fail("a fire while a link was detached got no answer in time")
    return f"{sum(load.codes.values())} fires, all answered, none after detach"


@real.check("is-taken-by-the-daemon")
async def may_be_killed(scene: DaemonScene) -> str:
    """SIGKILL under load: every fire is answered, the link waits, the daemon serves on."""
    await scene.attach_all()
    async with scene.load() as load:
        scene.child.kill()
        await scene.until("the end of its registrations", scene.is_gone)
        for hook in scene.attachable:
            await scene.until(f"the link to {hook.name} to wait", _waits(scene, hook))
    if Result.TIMEOUT in load.codes:
        fail("a fire was not answered when the extension was killed")
    waiting = (
        f"{len(scene.attachable)} links wait" if scene.attachable else "no registration is left"
    )
    return f"{waiting}, and every fire was answered" if scene.fired else waiting


@real.check("may-be-killed")
async def comes_back(scene: DaemonScene) -> str:
    """Started again, it finds its links bound and its programs running."""
    options = scene.options
    await scene.child.start_registered(options.offers, timeout_s=options.timeout_s)
    await _works(scene)
    return (
        "started again, its links are bound" if scene.attachable else "started again, it registers"
    )


@real.check("comes-back")
async def outlives_the_daemon(scene: DaemonScene) -> str:
    """The daemon is killed and started again: an extension that reconnects serves as before."""
    scene.daemon.kill()
    await scene.daemon.start()
    # The old client's channel would take its time to notice.
    async with Client(scene.daemon.address) as scene.client:
        return await _serves_again(scene)


async def _serves_again(scene: DaemonScene) -> str:
    async def back() -> bool:
        there = {(each.npi, each.module) for each in await scene.client.providers()}
        return not scene.child.running or scene.modules <= there

    await scene.until("its registration after the daemon's restart", back)
    if not scene.child.running:
        skip(f"it ends with exit code {scene.child.exit_code} when the daemon does")
    kept = {each.id for each in await scene.client.programs()}
    if any(hook.program is not None and hook.program.id not in kept for hook in scene.hooks):
        await takes_a_program(scene)
    await scene.attach_all()
    await _works(scene)
    return "it reconnected and registered again"


async def _works(scene: DaemonScene) -> None:
    """Every link is bound, and every hook that can be fired runs its program."""
    for hook in scene.attachable:
        await scene.until(f"the link to {hook.name} to be bound", _bound(scene, hook))
    for hook in scene.fired:
        before = await scene.runs(hook)
        code = await scene.fire(hook)
        if code is not Result.SUCCESS or await scene.runs(hook) == before:
            fail(f"a fire of {hook.name} is answered {code.name} and does not run its program")


def _waits(scene: DaemonScene, hook: OfferedHook) -> Callable[[], Awaitable[bool]]:
    return _is(scene, hook, LinkState.WAITING)


def _bound(scene: DaemonScene, hook: OfferedHook) -> Callable[[], Awaitable[bool]]:
    return _is(scene, hook, LinkState.ATTACHED)


def _is(scene: DaemonScene, hook: OfferedHook, state: LinkState) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        assert hook.link is not None, "attached by an earlier check"
        return await scene.state(hook.link) is state

    return asked
