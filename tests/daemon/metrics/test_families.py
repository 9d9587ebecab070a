"""What Prometheus is told of a reading."""

import dataclasses
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Final, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

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
from ebpfd.metrics.families import LIMITS_NS, metrics
from ebpfd.metrics.process import process_metrics
from ebpfd.objects.outcomes import Outcomes
from ebpfd_api.failure import Failure
from ebpfd_api.latency import BUCKETS, bucket_start
from ebpfd_vm import Counters, Tally

LINK: Final = {"link": "7", "hook": 'a "hook"\n', "parameter": "0aff"}
PROGRAM: Final = {"program": "5", "program_name": "parse", "type": "sample"}


def runs(*latency: int) -> Runs:
    """Runs by how long they took."""
    return Runs(Tally().counters(), list(latency))


def reading(
    links: Sequence[LinkReading] = (),
    programs: Sequence[ProgramReading] = (),
    maps: Sequence[MapReading] = (),
    quotas: Sequence[QuotaReading] = (),
    extensions: Sequence[ExtensionReading] = (),
) -> Reading:
    """A reading of a daemon that has this."""
    return Reading(
        uptime_ns=2,
        started_ns=1,
        links=tuple(links),
        programs=tuple(programs),
        maps=tuple(maps),
        sessions=1,
        registrations=2,
        bindings=3,
        pins=4,
        owners=5,
        quotas=tuple(quotas),
        lost_lines=6,
        lost_log_lines=7,
        lost_trace_lines=9,
        extensions=tuple(extensions),
        certificate_expiry_s=8.5,
        state_refused=9,
        state_free_bytes=10,
        map_refused=11,
    )


def link(ran: Runs, **failures: int) -> LinkReading:
    """A link that has run so."""
    return LinkReading(
        id=7,
        program_id=5,
        program_name="parse",
        attach_type=UUID(int=1),
        attach_type_name='a "hook"\n',
        parameter=b"\x0a\xff",
        bound=True,
        runs=ran,
        outcomes=Outcomes(9, {Failure(name): count for name, count in failures.items()}),
        in_flight=3,
        running=1,
    )


def program(ran: Runs, *, ready: bool = True) -> ProgramReading:
    """A program that has run so."""
    return ProgramReading(5, "parse", "sample", ready, ran)


def written(seen: Reading, version: str = "1") -> str:
    """The whole text."""
    return "".join(metrics(seen, version))


def samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Every line of a page, as Prometheus' own parser reads it."""
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            yield each.name, dict(each.labels), each.value


def of(text: str, wanted: str) -> list[tuple[dict[str, str], float]]:
    """Labels and values of one metric."""
    return [(labels, value) for name, labels, value in samples(text) if name == wanted]


def test_a_daemon_without_anything_still_says_how_full_it_is() -> None:
    """And which it is, and what its process takes."""
    text = written(reading(), "1.2.3")
    assert of(text, "ebpfd_build_info") == [({"version": "1.2.3"}, 1)]
    for name, value in {
        "ebpfd_sessions": 1,
        "ebpfd_registrations": 2,
        "ebpfd_bindings": 3,
        "ebpfd_pins": 4,
        "ebpfd_owners": 5,
        "ebpfd_audit_lost_lines_total": 6,
        "ebpfd_log_lost_lines_total": 7,
        "ebpfd_trace_lost_lines_total": 9,
        "ebpfd_tls_certificate_expiry_seconds": 8.5,
        "ebpfd_state_refusals_total": 9,
        "ebpfd_state_free_bytes": 10,
        "ebpfd_map_file_refusals_total": 11,
    }.items():
        assert of(text, name) == [({}, value)]
    assert of(text, "ebpfd_link_events_total") == []


def test_a_process_says_what_it_takes() -> None:
    """Under the names that every process has for it."""
    text = process_metrics(1.5)
    assert of(text, "process_start_time_seconds") == [({}, 1.5)]
    for name, least in {
        "process_resident_memory_bytes": 1 << 20,
        "process_cpu_seconds_total": 0,
        "process_open_fds": 3,
        "process_threads": 1,
        "process_max_fds": 3,
    }.items():
        ((_, value),) = of(text, name)
        assert value >= least


def test_every_metric_is_told_once_before_its_values() -> None:
    """With its type; names are of this daemon, units are in them, and counters end in _total."""
    seen = reading(
        [link(runs(1)), link(runs())],
        [program(runs(3))],
        [MapReading(3, "seen", "hash", 7, 16, 4096, 0)],
        [QuotaReading("maps", "maps", 16, 7, 0, in_bytes=False)],
        [ExtensionReading("sample", State.RUNNING, 0)],
    )
    families = list(text_string_to_metric_families(written(seen)))
    names = [each.name for each in families]
    assert len(set(names)) == len(names)
    for each in families:
        assert each.name.startswith("ebpfd_")
        assert each.documentation.endswith(".")
        assert each.type in {"counter", "gauge", "histogram"}
        if each.type == "histogram":
            assert each.name.endswith("_seconds")


@given(st.text())
def test_whatever_a_hook_is_called(name: str) -> None:
    """Names come from extensions; they end no line and begin none."""
    seen = dataclasses.replace(link(runs()), attach_type_name=name)
    ((labels, value),) = of(written(reading([seen])), "ebpfd_link_bound")
    assert (labels["hook"], labels["link"], value) == (name, "7", 1)


def test_a_link_says_what_its_events_came_to() -> None:
    """Each event once; lost answers apart, since those are counted as what they were, too."""
    text = written(reading([link(runs(), timeout=4, overload=2, lost=3)]))
    events = {labels["outcome"]: value for labels, value in of(text, "ebpfd_link_events_total")}
    others = {"no_provider": 0, "error": 0, "broken": 0}
    assert events == {"success": 9, "timeout": 4, "overload": 2, **others}
    assert of(text, "ebpfd_link_lost_answers_total") == [(LINK, 3)]
    assert of(text, "ebpfd_link_in_flight") == [(LINK, 3)]
    assert of(text, "ebpfd_link_running") == [(LINK, 1)]
    assert of(text, "ebpfd_link_bound") == [(LINK, 1)]


def test_failed_runs_go_by_their_codes() -> None:
    """Those that there were."""
    counted = SimpleNamespace(runs=9, nanoseconds=1, failures={32: 4, 999: 1})
    ran = Runs(cast("Counters", counted), [])
    text = written(reading([link(ran)], [program(ran)]))
    for kind, labels in {"link": LINK, "program": PROGRAM}.items():
        assert of(text, f"ebpfd_{kind}_failed_runs_total") == [
            ({**labels, "code": "TIMEOUT"}, 4),
            ({**labels, "code": "RESULT_999"}, 1),
        ]
    assert of(text, "ebpfd_program_runs_total") == [(PROGRAM, 9)]


@pytest.mark.parametrize("ready", [True, False])
def test_a_program_says_whether_the_extension_of_its_type_is_there(*, ready: bool) -> None:
    """Also without a link, since it may be called."""
    text = written(reading(programs=[program(runs(), ready=ready)]))
    assert of(text, "ebpfd_program_ready") == [(PROGRAM, int(ready))]


def test_a_hosted_extension_says_its_state() -> None:
    """One of all that there are; and how often it was started again."""
    text = written(reading(extensions=[ExtensionReading("sample", State.BACKING_OFF, 3)]))
    states = {labels.pop("state"): value for labels, value in of(text, "ebpfd_extension_state")}
    assert states == {each.value: int(each is State.BACKING_OFF) for each in State}
    assert of(text, "ebpfd_extension_restarts_total") == [({"extension": "sample"}, 3)]


def test_the_program_of_a_link_is_no_label_of_its_counts() -> None:
    """It may be replaced, and the counts go on."""
    text = written(reading([link(runs())]))
    has = {**LINK, "program": "5", "program_name": "parse"}
    assert of(text, "ebpfd_link_info") == [(has, 1)]
    for name, labels, _ in samples(text):
        if name.startswith("ebpfd_link_") and name != "ebpfd_link_info":
            assert LINK.items() <= labels.items()
            assert "program" not in labels


def test_a_map_says_how_full_it_is() -> None:
    """Where there is nothing to count, entries are left out."""
    hashed = MapReading(3, "seen", "hash", 7, 16, 4096, 0)
    ring = MapReading(4, "said", "ringbuf", None, 4096, 8192, 5)
    text = written(reading(maps=[hashed, ring]))
    labels = [
        {"map": "3", "map_name": "seen", "type": "hash"},
        {"map": "4", "map_name": "said", "type": "ringbuf"},
    ]
    assert of(text, "ebpfd_map_entries") == [(labels[0], 7)]
    assert of(text, "ebpfd_map_max_entries") == [(labels[0], 16), (labels[1], 4096)]
    assert of(text, "ebpfd_map_reserved_bytes") == [(labels[0], 4096), (labels[1], 8192)]
    assert of(text, "ebpfd_map_lost_records_total") == [(labels[0], 0), (labels[1], 5)]


def test_a_quota_says_how_much_of_it_is_had_and_what_was_refused() -> None:
    """Each under its own name; a quota of memory in bytes."""
    quotas = [
        QuotaReading("programs", "programs", limit=2, used=1, refused=0, in_bytes=False),
        QuotaReading("map_memory", "memory", limit=1 << 40, used=4096, refused=3, in_bytes=True),
    ]
    text = written(reading(quotas=quotas))
    labels = [{"quota": "programs"}, {"quota": "map_memory"}]
    for name, values in {
        "ebpfd_quota_limit": (2, 1 << 40),
        "ebpfd_quota_used": (1, 4096),
        "ebpfd_quota_refusals_total": (0, 3),
    }.items():
        assert of(text, name) == list(zip(labels, values, strict=True))


@given(st.lists(st.integers(0, 1 << 40), max_size=BUCKETS))
def test_histograms_count_the_runs_below_each_limit(latency: list[int]) -> None:
    """Cumulative, up to all of them, each limit at the edge of a bucket of the engine's."""
    ran = runs(*latency)
    text = written(reading(programs=[program(ran)]))
    name = "ebpfd_program_run_duration_seconds"
    buckets = {labels["le"]: value for labels, value in of(text, f"{name}_bucket")}
    assert buckets.pop("+Inf") == sum(latency)
    assert len(buckets) == len(LIMITS_NS)
    for limit, (le, value) in zip(LIMITS_NS, buckets.items(), strict=True):
        assert float(le) == pytest.approx(limit / 1e9)
        below = (count for bucket, count in enumerate(latency) if bucket_start(bucket) < limit)
        assert value == sum(below)
    assert of(text, f"{name}_count") == [(PROGRAM, sum(latency))]
    assert of(text, f"{name}_sum") == [(PROGRAM, 0)]
