"""What the daemon has counted: runs, failures and latencies of links and programs, and more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from uuid import UUID

from ebpfd_api.latency import bucket_start
from ebpfd_api.v1 import programs_pb2, stats_pb2
from ebpfd_sdk._decode import counters, guid, outcomes
from ebpfd_sdk._values import LinkOutcomes, ProgramCounters


@dataclass(frozen=True, slots=True)
class Latency:
    """How long runs took, to within a quarter; all runs of one batch count as lasting their mean.

    ``buckets`` has a number of runs for each range of durations; ``ranges`` says which.
    """

    buckets: tuple[int, ...] = ()

    @property
    def runs(self) -> int:
        """Runs of which it is known."""
        return sum(self.buckets)

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """(least ns, ns that it is below, runs) of each bucket that has any, ascending."""
        for bucket, runs in enumerate(self.buckets):
            if runs:
                yield bucket_start(bucket), bucket_start(bucket + 1), runs

    def quantile(self, part: float) -> float | None:
        """Nanoseconds that *part* of the runs, such as 0.99, did not exceed; None: no runs.

        Within a bucket runs are taken to be spread evenly.
        """
        wanted = part * self.runs
        passed, ends = 0, None
        for least, below, runs in self.ranges():
            ends = below
            if passed + runs >= wanted:
                return least + (below - least) * max(wanted - passed, 0) / runs
            passed += runs
        return ends

    def since(self, before: "Latency") -> "Latency":
        """What has come since *before*, which was counted earlier by the same daemon."""
        pairs = zip_longest(self.buckets, before.buckets, fillvalue=0)
        return Latency(tuple(max(now - then, 0) for now, then in pairs))


@dataclass(frozen=True, slots=True)
class LinkStats:
    """What one link has run."""

    id: int
    program_id: int
    program_name: str
    attach_type: UUID
    attach_type_name: str
    parameter: bytes
    counters: ProgramCounters
    latency: Latency
    outcomes: LinkOutcomes
    """Of its events, whether they ran or not."""

    in_flight: int
    """Batches that wait for their turn, run on a thread, or run in the process of the hook."""

    running: int
    """Of those in flight, batches whose turn has come."""


@dataclass(frozen=True, slots=True)
class ProgramStats:
    """What one program has run: through links, in test runs, by tail calls."""

    id: int
    name: str
    program_type_name: str
    counters: ProgramCounters
    latency: Latency
    """Without tail calls, whose time is their caller's."""


@dataclass(frozen=True, slots=True)
class QuotaStats:
    """One of the daemon's quotas, as it is called in its configuration file."""

    name: str
    told: str
    """What there may be so many of, in words."""

    limit: int
    used: int
    """Of one of many, such as the batches of a link, by the fullest."""

    refused: int
    """How often there would have been more."""

    in_bytes: bool


@dataclass(frozen=True, slots=True)
class Stats:
    """All that the daemon has counted, and how full it is."""

    uptime_ns: int
    """For how long the daemon has run, by a clock that only goes forward."""

    started_ns: int
    """When the daemon started, since the epoch: with another value all counts began anew."""

    links: tuple[LinkStats, ...]
    """By ascending id."""

    programs: tuple[ProgramStats, ...]
    """By ascending id."""

    sessions: int
    """Module processes that are connected."""

    registrations: int
    """Of providers and clients."""

    bindings: int
    maps: int
    map_bytes: int
    """Memory that all maps have: more is taken as they fill."""

    pins: int
    owners: int
    """Clients that hold objects."""

    in_flight: int
    """Of all links."""

    running: int
    """Of those in flight, batches whose turn has come."""

    quotas: tuple[QuotaStats, ...] = ()
    """What may be had of the daemon; what is beyond is refused with NO_MEMORY."""


def stats_of(message: stats_pb2.StatsGetResponse) -> Stats:
    """Read all counts."""
    daemon = message.daemon
    return Stats(
        uptime_ns=message.uptime_ns,
        started_ns=message.started_ns,
        links=tuple(map(_link, message.links)),
        programs=tuple(map(_program, message.programs)),
        sessions=daemon.sessions,
        registrations=daemon.registrations,
        bindings=daemon.bindings,
        maps=daemon.maps,
        map_bytes=daemon.map_bytes,
        pins=daemon.pins,
        owners=daemon.owners,
        in_flight=daemon.in_flight,
        running=daemon.running,
        quotas=tuple(map(_quota, message.quotas)),
    )


def latency(message: programs_pb2.Latency) -> Latency:
    """Read how long runs took."""
    return Latency(tuple(message.runs))


def _link(message: stats_pb2.LinkStats) -> LinkStats:
    return LinkStats(
        id=message.id,
        program_id=message.program_id,
        program_name=message.program_name,
        attach_type=guid(message.attach_type),
        attach_type_name=message.attach_type_name,
        parameter=message.parameter,
        counters=counters(message.counters),
        latency=latency(message.latency),
        outcomes=outcomes(message.outcomes),
        in_flight=message.in_flight,
        running=message.running,
    )


def _quota(message: stats_pb2.QuotaStats) -> QuotaStats:
    return QuotaStats(
        name=message.name,
        told=message.told,
        limit=message.limit,
        used=message.used,
        refused=message.refused,
        in_bytes=message.in_bytes,
    )


def _program(message: stats_pb2.ProgramStats) -> ProgramStats:
    return ProgramStats(
        id=message.id,
        name=message.name,
        program_type_name=message.program_type_name,
        counters=counters(message.counters),
        latency=latency(message.latency),
    )
