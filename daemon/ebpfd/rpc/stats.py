"""The ``Stats`` service."""

from typing import Any, TypeAlias

import grpc

from ebpfd.host.stats import LinkReading, ProgramReading, QuotaReading, Stats
from ebpfd.rpc.link_codec import encode_outcomes
from ebpfd.rpc.programs import encode_counters, encode_latency
from ebpfd_api.v1 import stats_pb2 as pb
from ebpfd_api.v1 import stats_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class StatsServicer(services_pb.StatsServicer):
    """All counts in one answer."""

    def __init__(self, *, stats: Stats) -> None:
        self._stats = stats

    async def Get(self, request: pb.StatsGetRequest, context: _Context) -> pb.StatsGetResponse:
        """Everything as it is now."""
        del request, context
        reading = self._stats.read()
        return pb.StatsGetResponse(
            uptime_ns=reading.uptime_ns,
            started_ns=reading.started_ns,
            links=[_link(each) for each in reading.links],
            programs=[_program(each) for each in reading.programs],
            daemon=pb.DaemonStats(
                sessions=reading.sessions,
                registrations=reading.registrations,
                bindings=reading.bindings,
                maps=len(reading.maps),
                map_bytes=reading.map_bytes,
                pins=reading.pins,
                owners=reading.owners,
                in_flight=reading.in_flight,
                running=reading.running,
            ),
            quotas=[_quota(each) for each in reading.quotas],
        )


def _link(reading: LinkReading) -> pb.LinkStats:
    return pb.LinkStats(
        id=reading.id,
        program_id=reading.program_id,
        program_name=reading.program_name,
        attach_type=reading.attach_type.bytes,
        attach_type_name=reading.attach_type_name,
        parameter=reading.parameter,
        counters=encode_counters(reading.runs.counters),
        latency=encode_latency(reading.runs.latency),
        in_flight=reading.in_flight,
        running=reading.running,
        outcomes=encode_outcomes(reading.outcomes),
    )


def _quota(reading: QuotaReading) -> pb.QuotaStats:
    return pb.QuotaStats(
        name=reading.name,
        told=reading.told,
        limit=reading.limit,
        used=reading.used,
        refused=reading.refused,
        in_bytes=reading.in_bytes,
    )


def _program(reading: ProgramReading) -> pb.ProgramStats:
    return pb.ProgramStats(
        id=reading.id,
        name=reading.name,
        program_type_name=reading.type_name,
        counters=encode_counters(reading.runs.counters),
        latency=encode_latency(reading.runs.latency),
    )
