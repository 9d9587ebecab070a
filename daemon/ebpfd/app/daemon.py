"""The daemon put together.  Stop order is start order reversed."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from ebpfd.app.audit import auditing, tell_of_start
from ebpfd.app.config import OpenTo
from ebpfd.app.listener import OPTIONS, TLS_OPTIONS, bound, listening
from ebpfd.app.locks import locked
from ebpfd.app.metrics import showing
from ebpfd.app.observers import Observed, add_onlookers, add_statistics, add_status
from ebpfd.app.parts import Parts, assembled, restorer
from ebpfd.app.quota_usage import limited_maps
from ebpfd.app.settings import Settings
from ebpfd.app.tls_expiry import watched_expiry
from ebpfd.host.audit import Audit
from ebpfd.host.contracts import Contracts
from ebpfd.host.extensions import Hosted
from ebpfd.host.general import register_general_helpers
from ebpfd.host.hello import Hello
from ebpfd.host.hosted_hooks import HostedHooks
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Store
from ebpfd.host.links import Links
from ebpfd.host.local_socket import LocalSocket
from ebpfd.host.maps import Maps
from ebpfd.host.owners import Owners
from ebpfd.host.peers import Tokens
from ebpfd.host.pins import Pins
from ebpfd.host.programs import Programs
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.records import RecordReaders
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.trace import TraceLog
from ebpfd.host.verification import Verifier
from ebpfd.objects import Objects
from ebpfd.rpc.access import AccessServicer
from ebpfd.rpc.audited_calls import AuditedCalls
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.contracts import ContractsServicer
from ebpfd.rpc.extensions import ExtensionsServicer
from ebpfd.rpc.fire_stream import Firing
from ebpfd.rpc.health import HealthServicer
from ebpfd.rpc.hook import HookServicer
from ebpfd.rpc.links import LinksServicer
from ebpfd.rpc.maps import MapsServicer
from ebpfd.rpc.objects import ObjectsServicer
from ebpfd.rpc.peers import Peers, TokenCheck
from ebpfd.rpc.pins import PinsServicer
from ebpfd.rpc.programs import ProgramsServicer
from ebpfd.rpc.registrar import RegistrarServicer
from ebpfd.rpc.role_check import RoleCheck
from ebpfd.rpc.rules import Things
from ebpfd.rpc.session import Sessions
from ebpfd.rpc.streams import Streams
from ebpfd.store import Database, KeptContracts, KeptObjects, StateDirectory
from ebpfd_api.address import local_path
from ebpfd_api.v1 import (
    access_pb2,
    access_pb2_grpc,
    contracts_pb2,
    contracts_pb2_grpc,
    daemon_pb2,
    extensions_pb2,
    extensions_pb2_grpc,
    hook_pb2,
    hook_pb2_grpc,
    links_pb2,
    links_pb2_grpc,
    maps_pb2,
    maps_pb2_grpc,
    objects_pb2,
    objects_pb2_grpc,
    pins_pb2,
    pins_pb2_grpc,
    programs_pb2,
    programs_pb2_grpc,
    recordings_pb2,
    registrar_pb2,
    registrar_pb2_grpc,
    shadows_pb2,
    stats_pb2,
)

STOP_S: Final = 5.0
"""What detaching everything may take at the end, and then what the last replies may."""

LAST_WORDS_S: Final = 1.0
"""What calls that last may take to end when all is detached: only who does not read needs it."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

_SERVICES: Final = tuple(
    descriptor.full_name
    for module in (
        registrar_pb2,
        hook_pb2,
        programs_pb2,
        links_pb2,
        maps_pb2,
        objects_pb2,
        pins_pb2,
        contracts_pb2,
        extensions_pb2,
        stats_pb2,
        recordings_pb2,
        shadows_pb2,
        access_pb2,
        daemon_pb2,
    )
    for descriptor in module.DESCRIPTOR.services_by_name.values()
)


@dataclass(frozen=True, slots=True)
class Daemon:
    """The running parts, for whoever embeds the daemon."""

    addresses: tuple[str, ...]
    """Where it listens."""

    registrar: RegistrarHost
    contracts: Contracts
    objects: Objects
    programs: Programs
    links: Links
    maps: Maps
    owners: Owners
    pins: Pins
    readers: RecordReaders
    sessions: Sessions
    hosted: Hosted
    hosted_hooks: HostedHooks
    audit: Audit
    guard: QuotaGuard


@dataclass(frozen=True, slots=True)
class _Entrance:
    """Where calls come in, and who is asked about those who make them."""

    server: grpc.aio.Server
    hello: Hello
    callers: Callers
    things: Things


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[Daemon]:
    """A daemon that serves within the block, and at its end detaches, drains and is gone."""
    async with AsyncExitStack() as stack:
        kept, store = await _opened(stack, settings.state)
        audit = await stack.enter_async_context(auditing(settings.audit))
        services = await stack.enter_async_context(Services())
        verifier = await stack.enter_async_context(Verifier())
        executor = await stack.enter_async_context(
            Executor(TraceLog(), QuotaGuard(settings.quotas))
        )
        parts = assembled(
            services, verifier, executor, kept, settings.deadlines, store, local=settings.local
        )
        readers, sessions, streams = RecordReaders(), Sessions(), Streams()
        hosted = Hosted(settings.extensions, f"unix:{settings.listen[0]}", services)
        entrance = _entrance(settings, parts, audit, services)
        server, callers, things = entrance.server, entrance.callers, entrance.things
        registrar = RegistrarServicer(
            registrar=parts.registrar,
            contracts=parts.contracts,
            sessions=sessions,
            callers=callers,
            audit=audit,
            hosted=hosted,
            services=services,
            streams=streams,
            version=version("ebpfd"),
            lease_s=settings.deadlines.lease_s,
            local_socket=local_path(str(settings.listen[0])) if settings.local else "",
            guard=executor.guard,
        )
        services.start(registrar.keep_leases(), name="leases")
        registrar_pb2_grpc.add_RegistrarServicer_to_server(registrar, server)
        hook_pb2_grpc.add_HookServicer_to_server(
            HookServicer(
                sessions=sessions,
                targets=parts.targets,
                chains=parts.chains,
                callers=callers,
                services=services,
                streams=streams,
                firing=Firing(parts.hooks, parts.links, things, audit, executor.guard),
            ),
            server,
        )
        programs_pb2_grpc.add_ProgramsServicer_to_server(
            ProgramsServicer(
                programs=parts.programs,
                objects=parts.objects,
                owners=parts.owners,
                executor=executor,
                callers=callers,
                things=things,
                services=services,
                streams=streams,
            ),
            server,
        )
        links_pb2_grpc.add_LinksServicer_to_server(
            LinksServicer(
                links=parts.links,
                hooks=parts.hooks,
                objects=parts.objects,
                owners=parts.owners,
                contracts=parts.known,
                hosted_hooks=parts.hosted_hooks,
                services=services,
            ),
            server,
        )
        maps_pb2_grpc.add_MapsServicer_to_server(
            MapsServicer(
                maps=parts.maps,
                readers=readers,
                objects=parts.objects,
                owners=parts.owners,
                services=services,
                streams=streams,
            ),
            server,
        )
        objects_pb2_grpc.add_ObjectsServicer_to_server(
            ObjectsServicer(
                objects=parts.objects,
                owners=parts.owners,
                peers=callers.peers,
                services=services,
                streams=streams,
            ),
            server,
        )
        pins_pb2_grpc.add_PinsServicer_to_server(
            PinsServicer(
                pins=parts.pins,
                owners=parts.owners,
                objects=parts.objects,
                contracts=parts.known,
                services=services,
            ),
            server,
        )
        contracts_pb2_grpc.add_ContractsServicer_to_server(
            ContractsServicer(contracts=parts.contracts, services=services), server
        )
        extensions_pb2_grpc.add_ExtensionsServicer_to_server(
            ExtensionsServicer(
                hosted=hosted, sessions=sessions, registrar=parts.registrar, streams=streams
            ),
            server,
        )
        expiry = watched_expiry(settings.tls, services)
        observed = Observed(parts, executor, sessions, hosted, audit, services, expiry)
        stats = add_statistics(server, observed)
        add_onlookers(server, parts, streams)
        standing = add_status(server, observed, settings, stats)
        healthy = _add_standard_services(server, streams)
        await _restore(parts, store, verifier, executor, local=settings.local)
        stack.enter_context(limited_maps(executor.guard, services))
        stack.push_async_callback(parts.keeper.end)
        stack.callback(parts.shadows.close)
        if settings.metrics is not None:
            await stack.enter_async_context(showing(stats, settings.metrics))
        addresses = await stack.enter_async_context(
            _listening(
                settings, entrance, LocalSocket(parts.local_runs, sessions.find, executor.trace)
            )
        )
        standing.serve(addresses)
        await tell_of_start(audit)
        await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
        daemon = Daemon(
            addresses=addresses,
            registrar=parts.registrar,
            contracts=parts.contracts,
            objects=parts.objects,
            programs=parts.programs,
            links=parts.links,
            maps=parts.maps,
            owners=parts.owners,
            pins=parts.pins,
            readers=readers,
            sessions=sessions,
            hosted=hosted,
            hosted_hooks=parts.hosted_hooks,
            audit=audit,
            guard=executor.guard,
        )
        hosted.begin()
        try:
            yield daemon
        finally:
            await healthy.enter_graceful_shutdown()
            await parts.keeper.close()
            await _wind_down(daemon, streams)


async def _opened(
    stack: AsyncExitStack, path: Path | None
) -> tuple[KeptContracts, Store] | tuple[None, None]:
    """What is kept in the state directory *path*, if there is one."""
    if path is None:
        return None, None
    directory = StateDirectory(path)
    stack.enter_context(locked(directory.lock, f"state directory {path}", "--state"))
    await asyncio.to_thread(directory.refuse_without_database)
    database = Database(directory.database)
    kept = KeptContracts(await stack.enter_async_context(database))
    return kept, Store(KeptObjects(database), directory.map_files)


@asynccontextmanager
async def _listening(
    settings: Settings, entrance: _Entrance, local: LocalSocket
) -> AsyncGenerator[tuple[str, ...]]:
    """Serve within the block, which gets the addresses; *local* too, if that is wanted."""
    mode, server, hello = settings.open_to.mode, entrance.server, entrance.hello
    async with listening(server, hello, settings.listen, mode, settings.tls, STOP_S) as addresses:
        if not settings.local:
            yield addresses
            return
        # At once: who is greeted on the other socket may look for this one.
        with bound(Path(local_path(str(settings.listen[0]))), socket.SOCK_SEQPACKET) as listener:
            async with local.serving(listener):
                yield addresses


async def _restore(
    parts: Parts, store: Store | None, verifier: Verifier, executor: Executor, *, local: bool
) -> None:
    """What was kept, and first what the daemon itself provides, since much of that needs it."""
    await register_general_helpers(parts.registrar)
    await parts.contracts.restore()
    await parts.hosted_hooks.restore()
    if store is not None:
        await restorer(parts, store, verifier, executor, local=local).restore()


def _entrance(settings: Settings, parts: Parts, audit: Audit, services: Services) -> _Entrance:
    tokens = Tokens(time.monotonic)
    callers = Callers(Peers(tokens), settings.roles)
    things = Things(objects=parts.objects, owners=parts.owners, contracts=parts.known)
    checks: list[grpc.aio.ServerInterceptor] = [TokenCheck(tokens)]
    if audit.file is not None:
        checks.append(AuditedCalls(audit, callers.peers, services))
        parts.owners.when_ended = lambda owner, peer, ids: audit.note(
            "owner.end", peer, "SUCCESS", name=owner.name, detached_or_unloaded=list(ids)
        )
    if settings.roles is not None:
        checks.append(RoleCheck(callers, things, audit))
    options = (*OPTIONS, *TLS_OPTIONS) if settings.tls else OPTIONS
    server = grpc.aio.server(interceptors=checks, options=options)
    access_pb2_grpc.add_AccessServicer_to_server(AccessServicer(callers), server)
    hello = Hello(tokens, anybody=settings.open_to is not OpenTo.OWNER)
    return _Entrance(server, hello, callers, things)


def _add_standard_services(server: grpc.aio.Server, streams: Streams) -> HealthServicer:
    healthy = HealthServicer(streams)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (
        *_SERVICES,
        health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        reflection.SERVICE_NAME,
    )
    reflection.enable_server_reflection(names, server)
    return healthy


async def _wind_down(daemon: Daemon, streams: Streams) -> None:
    """Detach every link while its extension still answers, let the programs go, then extensions."""
    daemon.readers.close()
    daemon.owners.closed.set()
    try:
        async with asyncio.timeout(STOP_S):
            await daemon.links.close()
            await daemon.pins.close()
            await daemon.maps.close()
            await daemon.programs.close()
            await daemon.maps.custom.close()
            await daemon.hosted_hooks.close()
            await daemon.contracts.close()
    except TimeoutError:
        _log.warning("an extension did not let go in time", seconds=STOP_S)
    await daemon.hosted.close()
    for module in daemon.sessions.all():
        module.lose()
    daemon.registrar.end_watches()
    try:
        async with asyncio.timeout(LAST_WORDS_S):
            await streams.close()
    except TimeoutError:
        _log.warning("calls that last were still open", seconds=LAST_WORDS_S)
