"""A reading of the daemon's counts in the words of Prometheus."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ebpfd.host.stats import LinkReading, MapReading, ProgramReading, Reading, Runs
from ebpfd_api.failure import Failure
from ebpfd_api.latency import BUCKETS, bucket_start
from ebpfd_api.result import result_name

NS_A_SECOND: Final = 1_000_000_000

LIMITS_NS: Final = tuple(1 << power for power in range(7, 31))
"""Upper limits of the histograms' buckets: 128 ns to a second, each twice the one before."""

_LIMITS: Final = {bucket_start(bucket): bucket for bucket in range(BUCKETS)}
_ENDS: Final = tuple(_LIMITS[limit] for limit in LIMITS_NS)
_WORDS: Final = (*(repr(limit / NS_A_SECOND) for limit in LIMITS_NS), "+Inf")

# What never changes of a link, a program or a map: another label would begin another series.
_LINK: Final = ("link", "hook", "parameter")
_PROGRAM: Final = ("program", "program_name", "type")
_MAP: Final = ("map", "map_name", "type")


class _Once(Collector):
    """One reading."""

    def __init__(self, reading: Reading, version: str) -> None:
        self._reading = reading
        self._version = version

    def collect(self) -> Iterator[Metric]:
        reading = self._reading
        yield InfoMetricFamily("ebpfd_build", "The daemon.", {"version": self._version})
        yield from _links(reading.links)
        yield from _programs(reading.programs)
        yield from _maps(reading.maps)
        for name, documentation, value in (
            ("sessions", "Module processes that are connected.", reading.sessions),
            ("registrations", "Registrations of providers and clients.", reading.registrations),
            ("bindings", "Bindings of clients with providers.", reading.bindings),
            ("pins", "Pins.", reading.pins),
            ("owners", "Clients that hold objects.", reading.owners),
        ):
            yield GaugeMetricFamily(f"ebpfd_{name}", documentation, value)


def page(reading: Reading, version: str) -> bytes:
    """The text of all metrics, those of the process included.  It may take a while."""
    registry = CollectorRegistry()
    registry.register(_Once(reading, version))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def _links(links: Sequence[LinkReading]) -> Iterator[Metric]:
    events = CounterMetricFamily(
        "ebpfd_link_events",
        "Events of a link by what they came to, whether they ran or not.",
        labels=(*_LINK, "outcome"),
    )
    lost = CounterMetricFamily(
        "ebpfd_link_lost_answers",
        "Events whose answers found no stream any more; they are among the others too.",
        labels=_LINK,
    )
    failed = CounterMetricFamily(
        "ebpfd_link_failed_runs", "Failed runs of a link by code.", labels=(*_LINK, "code")
    )
    took = HistogramMetricFamily(
        "ebpfd_link_run_duration_seconds",
        "How long runs of a link took; those of a batch count as lasting their mean.",
        labels=_LINK,
    )
    in_flight = GaugeMetricFamily(
        "ebpfd_link_in_flight",
        "Batches of a link that wait for their turn, or run on a thread.",
        labels=_LINK,
    )
    bound = GaugeMetricFamily(
        "ebpfd_link_bound", "1 if the link's hook is there to send events.", labels=_LINK
    )
    has = InfoMetricFamily(
        "ebpfd_link", "The program that a link has now.", labels=(*_LINK, "program", "program_name")
    )
    for link in links:
        labels = str(link.id), link.attach_type_name, link.parameter.hex()
        has.add_metric((*labels, str(link.program_id), link.program_name), {})
        outcomes = link.outcomes
        events.add_metric((*labels, "success"), outcomes.success)
        for failure in Failure:
            if failure is not Failure.LOST:
                count = outcomes.failures.get(failure, 0)
                events.add_metric((*labels, failure.value), count)
        events.add_metric((*labels, "broken"), outcomes.broken)
        lost.add_metric(labels, outcomes.failures.get(Failure.LOST, 0))
        _add_codes(failed, labels, link.runs.counters.failures)
        _add_runs(took, labels, link.runs)
        in_flight.add_metric(labels, link.in_flight)
        bound.add_metric(labels, int(link.bound))
    yield from (has, events, lost, failed, took, in_flight, bound)


def _programs(programs: Sequence[ProgramReading]) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "ebpfd_program_runs",
        "Runs of a program: through links, in tests, by tail calls.",
        labels=_PROGRAM,
    )
    failed = CounterMetricFamily(
        "ebpfd_program_failed_runs",
        "Failed runs of a program by code.",
        labels=(*_PROGRAM, "code"),
    )
    took = HistogramMetricFamily(
        "ebpfd_program_run_duration_seconds",
        "How long runs of a program took, but for those by tail calls.",
        labels=_PROGRAM,
    )
    for program in programs:
        labels = (str(program.id), program.name, program.type_name)
        runs.add_metric(labels, program.runs.counters.runs)
        _add_codes(failed, labels, program.runs.counters.failures)
        _add_runs(took, labels, program.runs)
    yield from (runs, failed, took)


def _maps(maps: Sequence[MapReading]) -> Iterator[Metric]:
    reserved = GaugeMetricFamily(
        "ebpfd_map_reserved_bytes",
        "Addresses that a map takes; memory is taken as it is used.",
        labels=_MAP,
    )
    entries = GaugeMetricFamily("ebpfd_map_entries", "Entries of a map.", labels=_MAP)
    most = GaugeMetricFamily("ebpfd_map_max_entries", "Entries it was made for.", labels=_MAP)
    lost = CounterMetricFamily(
        "ebpfd_map_lost_records", "Records that found no room in a map.", labels=_MAP
    )
    for each in maps:
        labels = (str(each.id), each.name, each.type_name)
        reserved.add_metric(labels, each.reserved)
        if each.entries is not None:
            entries.add_metric(labels, each.entries)
        most.add_metric(labels, each.max_entries)
        lost.add_metric(labels, each.lost)
    yield from (reserved, entries, most, lost)


def _add_codes(
    family: CounterMetricFamily, labels: Sequence[str], failures: Mapping[int, int]
) -> None:
    for code, count in failures.items():
        family.add_metric((*labels, result_name(code)), count)


def _add_runs(family: HistogramMetricFamily, labels: Sequence[str], runs: Runs) -> None:
    upto = (0, *accumulate(runs.latency))
    counts = [*_at(upto, _ENDS), upto[-1]]
    buckets = list(zip(_WORDS, counts, strict=True))
    family.add_metric(labels, buckets, runs.counters.nanoseconds / NS_A_SECOND)


def _at(upto: Sequence[int], places: Iterable[int]) -> Iterator[int]:
    """Runs below each of *places*, which are buckets; what follows the last run adds nothing."""
    return (upto[min(place, len(upto) - 1)] for place in places)
