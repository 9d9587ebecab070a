"""What has been counted, and how full the daemon is, all read at one moment."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.targets import Targets
from ebpfd.objects import Link, Objects, Program
from ebpfd.objects.outcomes import Outcomes
from ebpfd_vm import Counters


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs, and how long they took: a number for each bucket of ``ebpfd_api.latency``."""

    counters: Counters
    latency: list[int]


@dataclass(frozen=True, slots=True)
class LinkReading:
    """A link, its runs, what its events came to, and its batches that wait or run."""

    link: Link
    runs: Runs
    outcomes: Outcomes
    in_flight: int


@dataclass(frozen=True, slots=True)
class ProgramReading:
    """A program and its runs."""

    program: Program
    runs: Runs


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one moment, ``uptime_ns`` after the start, which is ``started_ns``."""

    uptime_ns: int
    started_ns: int
    links: tuple[LinkReading, ...]
    programs: tuple[ProgramReading, ...]
    sessions: int
    registrations: int
    bindings: int
    maps: int
    map_bytes: int
    pins: int
    owners: int

    @property
    def in_flight(self) -> int:
        """Batches of all links that wait or run."""
        return sum(each.in_flight for each in self.links)


class Stats:
    """Reads it all.  Nothing is counted here: events cost nothing more for it."""

    def __init__(
        self,
        *,
        objects: Objects,
        targets: Targets,
        registrar: RegistrarHost,
        sessions: Callable[[], int],
        owners: Callable[[], int],
    ) -> None:
        self._objects = objects
        self._targets = targets
        self._registrar = registrar
        self._sessions = sessions
        self._owners = owners
        self._started_ns, self._began_ns = time.time_ns(), time.monotonic_ns()

    def read(self) -> Reading:
        """Everything as it is now."""
        maps = tuple(self._objects.maps())
        return Reading(
            uptime_ns=time.monotonic_ns() - self._began_ns,
            started_ns=self._started_ns,
            links=tuple(map(self._link, self._objects.links())),
            programs=tuple(map(_program, self._objects.programs())),
            sessions=self._sessions(),
            registrations=self._registrar.registration_count,
            bindings=self._registrar.binding_count,
            maps=len(maps),
            map_bytes=sum(each.map.reserved for each in maps),
            pins=len(self._objects.pins_by_path()),
            owners=self._owners(),
        )

    def _link(self, link: Link) -> LinkReading:
        # Latencies are counted after the runs, so whoever reads them first never sees more of them.
        latency = link.tally.latency()
        runs = Runs(link.tally.counters(), latency)
        return LinkReading(link, runs, link.outcomes, self._targets.in_flight(link))


def _program(program: Program) -> ProgramReading:
    latency = program.engine.latency()
    return ProgramReading(program, Runs(program.engine.counters(), latency))
