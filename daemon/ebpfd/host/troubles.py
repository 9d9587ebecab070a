"""All that somebody should do something about now, gathered from where it is known already."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ebpfd.contracts import KnownContracts
from ebpfd.host.extensions import Hosted, State
from ebpfd.host.keeper import Keeper
from ebpfd.host.lately import LATELY, Lately
from ebpfd.host.map_room import MapRoom
from ebpfd.host.object_troubles import object_troubles
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.services import Services
from ebpfd.host.stats import QuotaReading, Reading
from ebpfd.host.trouble import Trouble
from ebpfd.objects import Objects

EXPIRES_WITHIN_S: Final = 30 * 86400.0
USED_PART: Final = 0.9
"""Of a quota: with more it is nearly used up."""

LOOK_AT_MOST_S: Final = 2.0
"""A disk that does not answer is no reason not to answer either."""

_MIB: Final = 1 << 20
_Count = tuple[str, int | str]
"""What is counted, and of which link or quota."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Reads how many lines could not be written, of the audit log and of the daemon's own."""

    audit: Callable[[], int]
    log: Callable[[], int]


class Troubles:
    """Looks for troubles; what it says of events and refusals is of the last two minutes."""

    def __init__(
        self,
        *,
        objects: Objects,
        contracts: KnownContracts,
        hosted: Hosted,
        keeper: Keeper,
        room: MapRoom,
        guard: QuotaGuard,
        losses: Losses,
        services: Services,
    ) -> None:
        self._objects = objects
        self._contracts = contracts
        self._hosted = hosted
        self._keeper = keeper
        self._room = room
        self._guard = guard
        self._losses = losses
        self._services = services
        self._trying: asyncio.Task[None] | None = None
        self.lately: Final = Lately(self._counts)

    async def look_anew(self) -> None:
        """See what may have become better by itself: the disk, and a state that took no changes."""
        if self._trying is None or self._trying.done():
            trying = self._keeper.try_again()
            self._trying = self._services.start(trying, name="another try of the state")
        await asyncio.wait({self._trying}, timeout=LOOK_AT_MOST_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AT_MOST_S):
                await self._room.look()

    def found(self, reading: Reading, *, tls_off: bool) -> Iterator[Trouble]:
        """Those there are now; *tls_off*: TLS is wanted, and there is none."""
        grown = self.lately.grown()
        of_links = defaultdict[int, dict[str, int]](dict)
        others = dict[_Count, int]()
        for (what, about), count in grown.items():
            if isinstance(about, int):
                of_links[about][what] = count
            else:
                others[what, about] = count
        yield from self._of_state(others.get(("maps", ""), 0))
        yield from _of_tls(reading.certificate_expiry_s, time.time(), off=tls_off)
        yield from self._of_extensions()
        yield from object_troubles(self._objects, self._contracts, of_links)
        for quota in reading.quotas:
            yield from _of_quota(quota, others.get(("quota", quota.name), 0))
        for kind, told in (
            ("audit", "lines of the audit log"),
            ("log", "lines of the daemon's log"),
        ):
            if lost := others.get((kind, ""), 0):
                advice = "make room for it, or see who reads it: what was lost is gone"
                yield Trouble(kind, f"{lost} {told} could not be written {LATELY}", advice)

    def _of_state(self, refused: int) -> Iterator[Trouble]:
        if self._keeper.problem:
            told = f"the state takes no changes: {self._keeper.problem}"
            advice = "until it does, whatever must be kept is refused; events go on"
            yield Trouble("state", told, advice)
        if not (self._room.low or refused):
            return
        told = f"maps find no room in {self._room.folder}"
        if self._room.low and self._room.free_bytes is not None:
            told = f"{self._room.folder} has {self._room.free_bytes / _MIB:.1f} MiB left for maps"
        if refused:
            told += f"; {refused} refused {LATELY}: {self._room.reason}"
        advice = "make room there: programs are refused as well, and are told with NO_MEMORY alone"
        yield Trouble("disk", told, advice)

    def _of_extensions(self) -> Iterator[Trouble]:
        for each in self._hosted.all():
            name, life = each.spec.name, each.life
            if life.state is State.FAILED:
                advice = f"`ebpfctl extension logs {name}`, then `ebpfctl extension start {name}`"
                yield Trouble("extension", f"extension {name} has failed: {life.reason}", advice)
            elif life.state is State.BACKING_OFF:
                told = f"extension {name} has ended and is started again: {life.reason}"
                yield Trouble("extension", told, f"`ebpfctl extension logs {name}`")

    def _counts(self) -> Iterator[tuple[_Count, int]]:
        for link in tuple(self._objects.links()):
            for what, count in link.outcomes.by_name():
                yield (what, link.id), count
        for quota, count in tuple(self._guard.refused.items()):
            yield ("quota", quota), count
        yield ("maps", ""), self._room.refused
        yield ("audit", ""), self._losses.audit()
        yield ("log", ""), self._losses.log()


def _of_tls(expiry_s: float | None, now_s: float, *, off: bool) -> Iterator[Trouble]:
    if off:
        advice = "the log says which certificate it was; put a valid one there, and start it again"
        yield Trouble("tls", "the daemon was to listen over TLS, and does not", advice)
    if expiry_s is None or expiry_s - now_s >= EXPIRES_WITHIN_S:
        return
    date, left_s = f"{datetime.fromtimestamp(expiry_s, UTC):%Y-%m-%d %H:%M} UTC", expiry_s - now_s
    told = f"the daemon's certificate expires in {left_s / 86400:.0f} days, on {date}"
    if left_s <= 0:
        told = f"the daemon's certificate has expired on {date}"
    advice = "put a new one in the place of its file: it counts at once, without a restart"
    yield Trouble("certificate", told, advice)


def _of_quota(quota: QuotaReading, refused: int) -> Iterator[Trouble]:
    part = quota.used / quota.limit
    if part <= USED_PART and not refused:
        return
    told = f"quota {quota.name} ({quota.told}) is used to {part:.0%}"
    if refused:
        told += f", and more was refused {refused} times {LATELY}"
    advice = f"`ebpfctl quota list`; have less, or give more: [quotas] {quota.name}, and SIGHUP"
    yield Trouble("quota", told, advice)
