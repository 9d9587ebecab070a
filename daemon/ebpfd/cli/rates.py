"""What happened between two readings of the daemon's counts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from ebpfd_sdk import Latency, LinkStats, ProgramCounters, ProgramStats, Stats

NS_A_SECOND: Final = 1_000_000_000


class _Counted(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def counters(self) -> "ProgramCounters": ...
    @property
    def latency(self) -> "Latency": ...


_Each = TypeVar("_Each", bound=_Counted)


@dataclass(frozen=True, slots=True)
class Activity:
    """What one link or program did in a period.

    ``busy`` is the part of the period that its runs took, waits for helpers included: 1.0 is one
    processor's whole time.  Without runs there is no ``ns_per_run`` and there are no quantiles.
    """

    runs: int
    runs_per_s: float
    ns_per_run: float | None
    busy: float
    p50_ns: float | None
    p99_ns: float | None
    failures: Mapping[str, int]
    """Of the period: of a link by what its events came to, of a program by result."""


@dataclass(frozen=True, slots=True)
class Period:
    """What everything did between two readings; each list has the busiest first."""

    seconds: float
    links: "tuple[tuple[LinkStats, Activity], ...]"
    programs: "tuple[tuple[ProgramStats, Activity], ...]"


def period(before: "Stats", now: "Stats") -> Period:
    """What happened after *before*; all that was counted if the daemon has started since."""
    same = before.started_ns == now.started_ns and before.uptime_ns < now.uptime_ns
    elapsed_ns = now.uptime_ns - before.uptime_ns if same else max(now.uptime_ns, 1)
    return Period(
        seconds=elapsed_ns / NS_A_SECOND,
        links=_busiest(before.links if same else (), now.links, elapsed_ns, _came_to),
        programs=_busiest(before.programs if same else (), now.programs, elapsed_ns, results),
    )


def results(each: _Counted) -> dict[str, int]:
    """Failed runs by the names of their results."""
    from ebpfd_api.result import result_name  # noqa: PLC0415 (beside the SDK's own late import)

    return {result_name(code): count for code, count in each.counters.failures.items()}


def _came_to(link: "LinkStats") -> dict[str, int]:
    outcomes: dict[str, int] = asdict(link.outcomes)
    del outcomes["success"]
    return outcomes


def _busiest(
    before: Iterable[_Each],
    now: Iterable[_Each],
    elapsed_ns: int,
    failed: Callable[[_Each], Mapping[str, int]],
) -> tuple[tuple[_Each, Activity], ...]:
    earlier = {each.id: each for each in before}
    found = [(each, _activity(earlier.get(each.id), each, elapsed_ns, failed)) for each in now]
    return tuple(sorted(found, key=lambda one: (-one[1].busy, -one[1].runs, one[0].id)))


def _activity(
    before: _Each | None,
    now: _Each,
    elapsed_ns: int,
    failed: Callable[[_Each], Mapping[str, int]],
) -> Activity:
    runs, nanoseconds, latency = now.counters.runs, now.counters.nanoseconds, now.latency
    failures = failed(now)
    if before is not None:
        runs -= before.counters.runs
        nanoseconds -= before.counters.nanoseconds
        earlier = failed(before)
        failures = {name: count - earlier.get(name, 0) for name, count in failures.items()}
        latency = latency.since(before.latency)
    return Activity(
        runs=runs,
        runs_per_s=runs * NS_A_SECOND / elapsed_ns,
        ns_per_run=nanoseconds / runs if runs else None,
        busy=nanoseconds / elapsed_ns,
        p50_ns=latency.quantile(0.5),
        p99_ns=latency.quantile(0.99),
        failures={name: count for name, count in failures.items() if count},
    )
