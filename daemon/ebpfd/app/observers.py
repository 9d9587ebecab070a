"""What only looks at what runs: statistics, recordings, shadows, and how the daemon is."""

from dataclasses import dataclass
from importlib.metadata import version

import grpc

from ebpfd.app.logs import lost_log_lines
from ebpfd.app.parts import Parts
from ebpfd.app.quota_usage import used
from ebpfd.app.settings import Settings
from ebpfd.app.tls_expiry import CertificateExpiry
from ebpfd.host.audit import Audit
from ebpfd.host.extensions import Hosted
from ebpfd.host.invocation import Executor
from ebpfd.host.services import Services
from ebpfd.host.stats import Stats
from ebpfd.host.troubles import Losses, Troubles
from ebpfd.rpc.daemon import DaemonServicer, Standing
from ebpfd.rpc.recordings import RecordingsServicer
from ebpfd.rpc.session import Sessions
from ebpfd.rpc.shadows import ShadowsServicer
from ebpfd.rpc.stats import StatsServicer
from ebpfd.rpc.streams import Streams
from ebpfd_api.v1 import daemon_pb2_grpc, recordings_pb2_grpc, shadows_pb2_grpc, stats_pb2_grpc


@dataclass(frozen=True, slots=True)
class Observed:
    """What is looked at."""

    parts: Parts
    executor: Executor
    sessions: Sessions
    hosted: Hosted
    audit: Audit
    services: Services
    expiry: CertificateExpiry


def add_statistics(server: grpc.aio.Server, observed: Observed) -> Stats:
    """Serve what has been counted."""
    parts, executor = observed.parts, observed.executor
    stats = Stats(
        objects=parts.objects,
        contracts=parts.known,
        registrar=parts.registrar,
        sessions=observed.sessions.__len__,
        owners=parts.owners.__len__,
        guard=executor.guard,
        used=used(parts, executor, observed.sessions),
        lost_lines=observed.audit.lost,
        lost_log_lines=lost_log_lines,
        lost_trace_lines=lambda: executor.trace.lost,
        extensions=observed.hosted.all,
        certificate_expiry_s=lambda: observed.expiry.at_s,
        keeper=parts.keeper,
        room=parts.room,
    )
    stats_pb2_grpc.add_StatsServicer_to_server(StatsServicer(stats=stats), server)
    return stats


def add_onlookers(server: grpc.aio.Server, parts: Parts, streams: Streams) -> None:
    """Serve recordings and shadows, which look at events."""
    recordings = RecordingsServicer(
        recordings=parts.recordings,
        links=parts.links,
        objects=parts.objects,
        contracts=parts.known,
        streams=streams,
    )
    recordings_pb2_grpc.add_RecordingsServicer_to_server(recordings, server)
    shadows_pb2_grpc.add_ShadowsServicer_to_server(ShadowsServicer(parts.shadows), server)


def add_status(
    server: grpc.aio.Server, observed: Observed, settings: Settings, stats: Stats
) -> Standing:
    """Serve how the daemon is, and go on looking for that."""
    parts, services = observed.parts, observed.services
    troubles = Troubles(
        objects=parts.objects,
        contracts=parts.known,
        hosted=observed.hosted,
        keeper=parts.keeper,
        room=parts.room,
        guard=observed.executor.guard,
        losses=Losses(observed.audit.lost, lost_log_lines),
        services=services,
    )
    services.start(parts.room.keep_looking(), name="room for maps")
    services.start(troubles.lately.keep_looking(), name="what has happened lately")
    state = "" if settings.state is None else str(settings.state)
    standing = Standing(version("ebpfd"), state, tls_wanted=settings.tls is not None)
    servicer = DaemonServicer(
        standing=standing,
        stats=stats,
        troubles=troubles,
        hosted=observed.hosted,
        sessions=observed.sessions,
        contracts=parts.known,
        look_at_certificate=observed.expiry.look_now,
    )
    daemon_pb2_grpc.add_DaemonServicer_to_server(servicer, server)
    return standing
