"""A reading of the daemon's counts in Prometheus' text format, piece by piece.

Written by hand: by Prometheus' own library a page took thirty times as long, a second for a
thousand links, for which events would have had to wait.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeVar

from ebpfd.host.extensions import State
from ebpfd.host.stats import (
    ExtensionReading,
    LinkReading,
    MapReading,
    ProgramReading,
    QuotaReading,
    Reading,
    Runs,
)
from ebpfd_api.failure import Failure
from ebpfd_api.latency import BUCKETS, bucket_start
from ebpfd_api.result import result_name

NS_A_SECOND: Final = 1_000_000_000

LIMITS_NS: Final = tuple(1 << power for power in range(7, 31))
"""Upper limits of the histograms' buckets: 128 ns to a second, each twice the one before."""

_BUCKET_AT: Final = {bucket_start(bucket): bucket for bucket in range(BUCKETS)}
_LIMITS: Final = tuple((repr(ns / NS_A_SECOND), _BUCKET_AT[ns]) for ns in LIMITS_NS)
"""Each limit in seconds, and the first of the engine's buckets that is not below it."""

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})

_Each = TypeVar("_Each")
_Labelled = Sequence[tuple[str, _Each]]
"""Things, each after its labels."""


def metrics(reading: Reading, version: str) -> Iterator[str]:
    """All metrics of a daemon, in pieces that each take microseconds."""
    yield _head("ebpfd_build_info", "gauge", "The daemon.")
    yield _line("ebpfd_build_info", _labels(version=version), 1)
    # Labels are what never changes of a link: with another one a count would begin anew.
    yield from _links([(_link(each), each) for each in reading.links])
    yield from _programs([(_program(each), each) for each in reading.programs])
    yield from _maps([(_map(each), each) for each in reading.maps])
    yield from _quotas([(_labels(quota=each.name), each) for each in reading.quotas])
    yield from _extensions([(_labels(extension=each.name), each) for each in reading.extensions])
    for name, told, value in (
        ("sessions", "Module processes that are connected.", reading.sessions),
        ("registrations", "Registrations of providers and clients.", reading.registrations),
        ("bindings", "Bindings of clients with providers.", reading.bindings),
        ("pins", "Pins.", reading.pins),
        ("owners", "Clients that hold objects.", reading.owners),
    ):
        yield single(f"ebpfd_{name}", "gauge", told, value)
    for name, told, lost in (
        ("audit", "Lines of the audit log that could not be written.", reading.lost_lines),
        ("log", "Lines of the daemon's own log that could not be written.", reading.lost_log_lines),
        ("trace", "Lines of programs that nobody could see any more.", reading.lost_trace_lines),
    ):
        yield single(f"ebpfd_{name}_lost_lines_total", "counter", told, lost)
    told = "How often the state could not be written; what was to change has not."
    yield single("ebpfd_state_refusals_total", "counter", told, reading.state_refused)
    told = "Maps that could not be made, and writes of users, for want of room on the disk."
    yield single("ebpfd_map_file_refusals_total", "counter", told, reading.map_refused)
    if reading.state_free_bytes is not None:
        told = "What the disk of the state directory has left for the daemon."
        yield single("ebpfd_state_free_bytes", "gauge", told, reading.state_free_bytes)
    if reading.certificate_expiry_s is not None:
        told = "When the daemon's certificate expires, since the epoch."
        name = "ebpfd_tls_certificate_expiry_seconds"
        yield single(name, "gauge", told, reading.certificate_expiry_s)


def single(name: str, kind: str, told: str, value: float) -> str:
    """A metric without labels."""
    return f"{_head(name, kind, told)}{name} {value}\n"


def _link(link: LinkReading) -> str:
    parameter = link.parameter.hex()
    return _labels(link=str(link.id), hook=link.attach_type_name, parameter=parameter)


def _program(program: ProgramReading) -> str:
    return _labels(program=str(program.id), program_name=program.name, type=program.type_name)


def _map(each: MapReading) -> str:
    return _labels(map=str(each.id), map_name=each.name, type=each.type_name)


def _links(links: _Labelled[LinkReading]) -> Iterator[str]:
    name = "ebpfd_link_info"
    yield _head(name, "gauge", "The program that a link has now.")
    for labels, link in links:
        has = _labels(program=str(link.program_id), program_name=link.program_name)
        yield _line(name, f"{labels},{has}", 1)
    name = "ebpfd_link_events_total"
    yield _head(name, "counter", "Events by what they came to, whether they ran or not.")
    for labels, link in links:
        for outcome, count in link.outcomes.by_name():
            yield _line(name, f'{labels},outcome="{outcome}"', count)
    yield from _each(
        "ebpfd_link_lost_answers_total",
        "counter",
        "Events whose answers found no stream any more; they are among the others too.",
        links,
        lambda link: link.outcomes.failures.get(Failure.LOST, 0),
    )
    yield from _codes(
        "ebpfd_link_failed_runs_total",
        "Failed runs by code.",
        ((labels, link.runs.counters.failures) for labels, link in links),
    )
    yield from _histograms(
        "ebpfd_link_run_duration_seconds",
        "How long runs took; those of a batch count as lasting their mean.",
        ((labels, link.runs) for labels, link in links),
    )
    yield from _each(
        "ebpfd_link_in_flight",
        "gauge",
        "Batches that wait for their turn, run on a thread, or run in the process of the hook.",
        links,
        lambda link: link.in_flight,
    )
    yield from _each(
        "ebpfd_link_running",
        "gauge",
        "Of those in flight, batches whose turn has come.",
        links,
        lambda link: link.running,
    )
    yield from _each(
        "ebpfd_link_bound",
        "gauge",
        "1 if the link's hook is there to send events.",
        links,
        lambda link: int(link.bound),
    )


def _programs(programs: _Labelled[ProgramReading]) -> Iterator[str]:
    yield from _each(
        "ebpfd_program_ready",
        "gauge",
        "0 while the program waits for the extension of its type.",
        programs,
        lambda program: int(program.ready),
    )
    yield from _each(
        "ebpfd_program_runs_total",
        "counter",
        "Runs through links, in tests, by tail calls.",
        programs,
        lambda program: program.runs.counters.runs,
    )
    yield from _codes(
        "ebpfd_program_failed_runs_total",
        "Failed runs by code.",
        ((labels, program.runs.counters.failures) for labels, program in programs),
    )
    yield from _histograms(
        "ebpfd_program_run_duration_seconds",
        "How long runs took, but for those by tail calls.",
        ((labels, program.runs) for labels, program in programs),
    )


def _maps(maps: _Labelled[MapReading]) -> Iterator[str]:
    told = "Addresses that a map takes; memory is taken as it is used."
    yield from _each("ebpfd_map_reserved_bytes", "gauge", told, maps, lambda each: each.reserved)
    yield from _each("ebpfd_map_entries", "gauge", "Entries.", maps, lambda each: each.entries)
    told = "Entries that a map was made for."
    yield from _each("ebpfd_map_max_entries", "gauge", told, maps, lambda each: each.max_entries)
    told = "Records that found no room."
    yield from _each("ebpfd_map_lost_records_total", "counter", told, maps, lambda each: each.lost)


def _quotas(quotas: _Labelled[QuotaReading]) -> Iterator[str]:
    told = "What may be had of the daemon, in bytes where that is memory."
    yield from _each("ebpfd_quota_limit", "gauge", told, quotas, lambda each: each.limit)
    told = "What is had of it; of one of many by the fullest."
    yield from _each("ebpfd_quota_used", "gauge", told, quotas, lambda each: each.used)
    told = "How often there would have been more."
    yield from _each(
        "ebpfd_quota_refusals_total", "counter", told, quotas, lambda each: each.refused
    )


def _extensions(extensions: _Labelled[ExtensionReading]) -> Iterator[str]:
    name = "ebpfd_extension_state"
    yield _head(name, "gauge", "1 for the state that a hosted extension is in.")
    for labels, extension in extensions:
        for state in State:
            yield _line(name, f'{labels},state="{state.value}"', int(state is extension.state))
    told = "How often a hosted extension was started again since somebody started it."
    name = "ebpfd_extension_restarts_total"
    yield from _each(name, "counter", told, extensions, lambda each: each.restarts)


def _each(
    name: str, kind: str, told: str, things: _Labelled[_Each], of: Callable[[_Each], int | None]
) -> Iterator[str]:
    """One value of each thing that has one."""
    yield _head(name, kind, told)
    for labels, thing in things:
        if (value := of(thing)) is not None:
            yield _line(name, labels, value)


def _codes(name: str, told: str, failed: Iterable[tuple[str, Mapping[int, int]]]) -> Iterator[str]:
    yield _head(name, "counter", told)
    for labels, failures in failed:
        for code, count in failures.items():
            yield _line(name, f'{labels},code="{result_name(code)}"', count)


def _histograms(name: str, told: str, ran: Iterable[tuple[str, Runs]]) -> Iterator[str]:
    yield _head(name, "histogram", told)
    for labels, runs in ran:
        below = list(accumulate(runs.latency, initial=0))
        last = len(below) - 1
        lines = [
            f'{name}_bucket{{{labels},le="{limit}"}} {below[min(bucket, last)]}\n'
            for limit, bucket in _LIMITS
        ]
        lines += (
            f'{name}_bucket{{{labels},le="+Inf"}} {below[last]}\n',
            _line(f"{name}_sum", labels, runs.counters.nanoseconds / NS_A_SECOND),
            _line(f"{name}_count", labels, below[last]),
        )
        yield "".join(lines)


def _labels(**labels: str) -> str:
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())


def _head(name: str, kind: str, told: str) -> str:
    return f"# HELP {name} {told}\n# TYPE {name} {kind}\n"


def _line(name: str, labels: str, value: float) -> str:
    return f"{name}{{{labels}}} {value}\n"
