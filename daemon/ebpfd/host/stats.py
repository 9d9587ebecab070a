"""What has been counted, and how full the daemon is, all read at one moment."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from ebpfd.contracts import KnownContracts
from ebpfd.host.extensions import HostedExtension, State
from ebpfd.host.keeper import Keeper
from ebpfd.host.map_room import MapRoom
from ebpfd.host.quotas import QUOTAS, Quota, QuotaGuard
from ebpfd.host.registrar import RegistrarHost
from ebpfd.objects import Link, MapObject, Objects, Program, ProgramState
from ebpfd.objects.outcomes import Outcomes
from ebpfd_api.map_type import map_type_name
from ebpfd_vm import Counters


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs, and how long they took: a number for each bucket of ``ebpfd_api.latency``."""

    counters: Counters
    latency: list[int]


@dataclass(frozen=True, slots=True)
class LinkReading:
    """A link, its runs, what its events came to, its batches in flight, and those that run."""

    id: int
    program_id: int
    program_name: str
    attach_type: UUID
    attach_type_name: str
    parameter: bytes
    bound: bool
    runs: Runs
    outcomes: Outcomes
    in_flight: int
    running: int


@dataclass(frozen=True, slots=True)
class ProgramReading:
    """A program and its runs; ``ready`` unless it waits for the extension of its type."""

    id: int
    name: str
    type_name: str
    ready: bool
    runs: Runs


@dataclass(frozen=True, slots=True)
class MapReading:
    """A map, and how full it is; ``entries`` is None where there are none to count."""

    id: int
    name: str
    type_name: str
    entries: int | None
    max_entries: int
    reserved: int
    """Bytes of addresses; memory is taken as it is used."""

    lost: int
    """Records that found no room."""


@dataclass(frozen=True, slots=True)
class QuotaReading:
    """A quota, in bytes if ``in_bytes``; of many of its kind the fullest is what is ``used``."""

    name: str
    told: str
    limit: int
    used: int
    refused: int
    in_bytes: bool


@dataclass(frozen=True, slots=True)
class ExtensionReading:
    """An extension that the daemon hosts, and how often it was started again."""

    name: str
    state: State
    restarts: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything at one moment, ``uptime_ns`` after the start, which is ``started_ns``."""

    uptime_ns: int
    started_ns: int
    links: tuple[LinkReading, ...]
    programs: tuple[ProgramReading, ...]
    maps: tuple[MapReading, ...]
    sessions: int
    registrations: int
    bindings: int
    pins: int
    owners: int
    quotas: tuple[QuotaReading, ...] = ()
    lost_lines: int = 0
    """Of the audit log."""

    map_bytes: int = 0
    """Memory that all maps have."""
    lost_log_lines: int = 0
    lost_trace_lines: int = 0
    extensions: tuple[ExtensionReading, ...] = ()
    """Those that the daemon hosts."""

    certificate_expiry_s: float | None = None
    """Since the epoch; None: it has no certificate."""

    state_refused: int = 0
    """How often the state could not be written."""

    state_free_bytes: int | None = None
    """What the state directory's disk has left; None: there is none, or nobody knows."""

    map_refused: int = 0
    """Maps, and writes of users, that found no room there."""

    @property
    def in_flight(self) -> int:
        """Batches of all links that wait or run."""
        return sum(each.in_flight for each in self.links)

    @property
    def running(self) -> int:
        """Of those, batches whose turn has come."""
        return sum(each.running for each in self.links)


class Stats:
    """Reads it all.  Nothing is counted here: events cost nothing more for it."""

    def __init__(
        self,
        *,
        objects: Objects,
        contracts: KnownContracts,
        registrar: RegistrarHost,
        sessions: Callable[[], int],
        owners: Callable[[], int],
        guard: QuotaGuard,
        used: Mapping[str, Callable[[], int]],
        lost_lines: Callable[[], int],
        lost_log_lines: Callable[[], int],
        lost_trace_lines: Callable[[], int],
        extensions: Callable[[], Iterable[HostedExtension]],
        certificate_expiry_s: Callable[[], float | None],
        keeper: Keeper,
        room: MapRoom,
    ) -> None:
        self._guard = guard
        self._used = used
        self._objects = objects
        self._contracts = contracts
        self._registrar = registrar
        self._sessions = sessions
        self._owners = owners
        self._lost_lines = lost_lines
        self._lost_log_lines = lost_log_lines
        self._lost_trace_lines = lost_trace_lines
        self._extensions = extensions
        self._certificate_expiry_s = certificate_expiry_s
        self._keeper = keeper
        self._room = room
        self._started_ns, self._began_ns = time.time_ns(), time.monotonic_ns()

    def read(self) -> Reading:
        """Everything as it is now."""
        return Reading(
            uptime_ns=time.monotonic_ns() - self._began_ns,
            started_ns=self._started_ns,
            links=tuple(map(self._link, self._objects.links())),
            programs=tuple(map(_program, self._objects.programs())),
            maps=tuple(map(_map, self._objects.maps())),
            sessions=self._sessions(),
            registrations=self._registrar.registration_count,
            bindings=self._registrar.binding_count,
            pins=len(self._objects.pins_by_path()),
            owners=self._owners(),
            quotas=tuple(self._quota(name, quota) for name, quota in QUOTAS.items()),
            lost_lines=self._lost_lines(),
            map_bytes=self._used["map_memory"](),
            lost_log_lines=self._lost_log_lines(),
            lost_trace_lines=self._lost_trace_lines(),
            extensions=tuple(map(_extension, self._extensions())),
            certificate_expiry_s=self._certificate_expiry_s(),
            state_refused=self._keeper.refused,
            state_free_bytes=self._room.free_bytes,
            map_refused=self._room.refused,
        )

    def _quota(self, name: str, quota: Quota) -> QuotaReading:
        return QuotaReading(
            name=name,
            told=quota.told,
            limit=getattr(self._guard.quotas, name),
            used=self._used[name](),
            refused=self._guard.refused[name],
            in_bytes=quota.in_bytes,
        )

    def _link(self, link: Link) -> LinkReading:
        # Latencies are counted after the runs, so whoever reads them first never sees more of them.
        latency = link.tally.latency()
        return LinkReading(
            id=link.id,
            program_id=link.program.id,
            program_name=link.program.name,
            attach_type=link.attach_type,
            attach_type_name=self._contracts.name_of(link.attach_type),
            parameter=link.parameter,
            bound=link.taken,
            runs=Runs(link.tally.counters(), latency),
            outcomes=link.outcomes,
            in_flight=link.in_flight,
            running=link.running,
        )


def _program(program: Program) -> ProgramReading:
    latency = program.engine.latency()
    runs = Runs(program.engine.counters(), latency)
    return ProgramReading(
        id=program.id,
        name=program.name,
        type_name=program.contract.name,
        ready=program.state is ProgramState.READY,
        runs=runs,
    )


def _extension(each: HostedExtension) -> ExtensionReading:
    return ExtensionReading(each.spec.name, each.life.state, each.life.restarts)


def _map(each: MapObject) -> MapReading:
    custom, live = each.custom, each.map
    return MapReading(
        id=each.id,
        name=each.name,
        type_name=(custom and custom.data.name)
        or map_type_name(custom.data.map_type if custom else live.type),
        entries=live.count,
        max_entries=live.max_entries,
        reserved=live.reserved,
        lost=live.lost,
    )
