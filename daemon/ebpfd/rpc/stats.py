"""The ``Stats`` service."""

from typing import Any, TypeAlias

import grpc

from ebpfd.contracts import KnownContracts
from ebpfd.host.stats import LinkReading, ProgramReading, Stats
from ebpfd.rpc.link_codec import encode_outcomes
from ebpfd.rpc.programs import encode_counters
from ebpfd_api.v1 import stats_pb2 as pb
from ebpfd_api.v1 import stats_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class StatsServicer(services_pb.StatsServicer):
    """All counts in one answer."""

    def __init__(self, *, stats: Stats, contracts: KnownContracts) -> None:
        self._stats = stats
        self._contracts = contracts

    async def Get(self, request: pb.StatsGetRequest, context: _Context) -> pb.StatsGetResponse:
        """Everything as it is now."""
        del request, context
        reading = self._stats.read()
        return pb.StatsGetResponse(
            uptime_ns=reading.uptime_ns,
            started_ns=reading.started_ns,
            links=[self._link(each) for each in reading.links],
            programs=[_program(each) for each in reading.programs],
            daemon=pb.DaemonStats(
                sessions=reading.sessions,
                registrations=reading.registrations,
                bindings=reading.bindings,
                maps=reading.maps,
                map_bytes=reading.map_bytes,
                pins=reading.pins,
                owners=reading.owners,
                in_flight=reading.in_flight,
            ),
        )

    def _link(self, reading: LinkReading) -> pb.LinkStats:
        link, runs = reading.link, reading.runs
        return pb.LinkStats(
            id=link.id,
            program_id=link.program.id,
            program_name=link.program.name,
            attach_type=link.attach_type.bytes,
            attach_type_name=self._contracts.name_of(link.attach_type),
            parameter=link.parameter,
            counters=encode_counters(runs.counters),
            latency=pb.Latency(runs=runs.latency),
            in_flight=reading.in_flight,
            outcomes=encode_outcomes(reading.outcomes),
        )


def _program(reading: ProgramReading) -> pb.ProgramStats:
    program, runs = reading.program, reading.runs
    return pb.ProgramStats(
        id=program.id,
        name=program.name,
        program_type_name=program.contract.name,
        counters=encode_counters(runs.counters),
        latency=pb.Latency(runs=runs.latency),
    )
