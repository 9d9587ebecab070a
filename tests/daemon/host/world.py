"""The host's parts put together without a wire: real engine, real verification workers."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from ebpfd import nmr
from ebpfd.app.parts import assembled, restorer
from ebpfd.contracts import (
    AttachProviderData,
    EngineInformation,
    KnownContracts,
    ProgramData,
)
from ebpfd.errors import RequestError
from ebpfd.host.contracts import Contracts
from ebpfd.host.general import register_general_helpers
from ebpfd.host.hooks import Hooks
from ebpfd.host.hosted_hooks import HostedHooks
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper, Store
from ebpfd.host.links import Links
from ebpfd.host.maps import Maps
from ebpfd.host.modules import Module
from ebpfd.host.owners import Owners
from ebpfd.host.pins import Pins
from ebpfd.host.programs import Programs
from ebpfd.host.quotas import QuotaGuard, Quotas
from ebpfd.host.recordings import Recordings
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.shadows import Shadows
from ebpfd.host.targets import Targets
from ebpfd.host.trace import TraceLog
from ebpfd.host.verification import Subject, Verifier
from ebpfd.host.verification_frames import Verdict
from ebpfd.host.verification_pool import VerificationLimits
from ebpfd.objects import Link, Objects, Program
from ebpfd.objects.chains import Batch
from ebpfd.store import Database, KeptContracts, KeptObjects, StateDirectory
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA, SAMPLE
from tests.daemon.host.fakes import FakeExtension

_Value = TypeVar("_Value")

PROGRAMS: Final = files("ebpfd_extensions.sample") / "programs"
OUR_PROGRAMS: Final = Path(__file__).parents[2] / "e2e" / "programs"
PATIENCE_S: Final = 20.0


def object_file(name: str) -> bytes:
    """A compiled program of the sample extension, or one that tests have beside it."""
    ours = OUR_PROGRAMS / name
    return ours.read_bytes() if ours.is_file() else (PROGRAMS / name).read_bytes()


class WatchedVerifier(Verifier):
    """The real one, and a test sees when it is asked, and may hold it back."""

    def __init__(self, limits: VerificationLimits | None = None) -> None:
        super().__init__(limits)
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def verify(self, subject: Subject, information: EngineInformation) -> Verdict:
        """Judge, when the gate is open."""
        self.asked.set()
        await self.gate.wait()
        return await super().verify(subject, information)


@dataclass(frozen=True, slots=True)
class World:
    """A daemon without listeners."""

    services: Services
    registrar: RegistrarHost
    contracts: KnownContracts
    exchange: Contracts
    objects: Objects
    programs: Programs
    links: Links
    maps: Maps
    owners: Owners
    pins: Pins
    targets: Targets
    hooks: Hooks
    hosted_hooks: HostedHooks
    recordings: Recordings
    shadows: Shadows
    trace: TraceLog
    executor: Executor
    verifier: WatchedVerifier
    keeper: Keeper

    async def provide(
        self, extension: Module, data: ProgramData | None = SAMPLE, hook: bool = True
    ) -> list[nmr.RegistrationHandle]:
        """Register the sample's program type and hook for *extension*."""
        handles: list[nmr.RegistrationHandle] = []
        if data is not None:
            self.contracts.remember_program_type(data)
            instance = nmr.RegistrationInstance(
                PROGRAM_INFORMATION, nmr.ModuleId.guid(data.program_type), characteristics=data
            )
            handles.append(await self.registrar.register(nmr.Role.PROVIDER, instance, extension))
        if hook:
            handles.append(await self.provide_hook(extension))
        return handles

    async def provide_hook(
        self, extension: Module, data: AttachProviderData = HOOK_DATA
    ) -> nmr.RegistrationHandle:
        """Register the sample's hook only."""
        self.contracts.remember_attach_type(ATTACH_TYPE, data)
        instance = nmr.RegistrationInstance(
            HOOK, nmr.ModuleId.guid(ATTACH_TYPE), characteristics=data
        )
        return await self.registrar.register(nmr.Role.PROVIDER, instance, extension)

    def lose(self, extension: FakeExtension) -> None:
        """The process of *extension* vanishes."""
        self.registrar.lost(extension)
        extension.lose()

    async def load(self, name: str) -> Program:
        """Load the one program of an object file, or that of ``FILE:PROGRAM``."""
        file, _, wanted = name.partition(":")
        names = [wanted] if wanted else []
        (program,) = await self.programs.load(object_file(file), file, names)
        return program

    async def attached(self, name: str, parameter: bytes = b"") -> Link:
        """Load a program and attach it to the sample's hook."""
        program = await self.load(name)
        return await self.links.attach(program.id, ATTACH_TYPE, parameter)

    def invoke(self, link: Link, extension: Module, columns: Batch) -> asyncio.Task[Any]:
        """Send a batch as the data stream does: in place, or queued; its result as a task."""
        target = self.targets.find(nmr.BindingHandle(link.binding), extension)
        done = target.run_now(columns)
        if done is None:
            target.enqueue()
            return asyncio.ensure_future(target.run_queued(columns))
        return asyncio.ensure_future(_ready(done))

    def leftovers(self) -> list[str]:
        """What is left beyond the daemon's own provider: it should be nothing."""
        registrations = [*self.registrar.providers()[1:], *self.registrar.clients()]
        kept = (*self.objects.programs(), *self.objects.maps(), *self.objects.links())
        return [str(each) for each in (*registrations, *self.registrar.bindings(), *kept)]


@asynccontextmanager
async def world(
    limits: VerificationLimits | None = None,
    kept: KeptContracts | None = None,
    state: StateDirectory | None = None,
    quotas: Quotas | None = None,
    *,
    local: bool = False,
) -> AsyncGenerator[World]:
    """All parts, and the general helpers registered; no test within may take long.

    With *state*, what was there is restored, and the end of the block is as good as ``kill -9``.
    """
    async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as stack:
        services = await stack.enter_async_context(Services())
        verifier = await stack.enter_async_context(WatchedVerifier(limits))
        trace = TraceLog()
        executor = await stack.enter_async_context(Executor(trace, QuotaGuard(quotas)))
        store = None
        if state is not None:
            database = await stack.enter_async_context(Database(state.database))
            store = Store(KeptObjects(database), state.map_files)
        parts = assembled(services, verifier, executor, kept, store=store)
        await register_general_helpers(parts.registrar)
        if store is not None:
            await restorer(parts, store, verifier, executor, local=local).restore()
        yield World(
            services=services,
            registrar=parts.registrar,
            contracts=parts.known,
            exchange=parts.contracts,
            objects=parts.objects,
            programs=parts.programs,
            links=parts.links,
            maps=parts.maps,
            owners=parts.owners,
            pins=parts.pins,
            targets=parts.targets,
            hooks=parts.hooks,
            hosted_hooks=parts.hosted_hooks,
            recordings=parts.recordings,
            shadows=parts.shadows,
            trace=trace,
            executor=executor,
            verifier=verifier,
            keeper=parts.keeper,
        )


async def refused(work: Awaitable[object], code: Result) -> str:
    """The message of the ``RequestError`` with *code* that *work* must raise."""
    with pytest.raises(RequestError) as caught:
        await work
    assert caught.value.code == code, caught.value.message
    return caught.value.message


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until *condition* holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 (what is waited for knows nothing of tests)
            await asyncio.sleep(0)


async def soon(work: Awaitable[_Value]) -> _Value:
    """The value of *work*, which must not take long."""
    async with asyncio.timeout(PATIENCE_S):
        return await work


async def _ready(value: _Value) -> _Value:
    return value
