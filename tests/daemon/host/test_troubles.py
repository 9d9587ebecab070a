"""Troubles that concern the whole daemon: each is told while it lasts, and no longer."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ebpfd.host.extensions import Hosted
from ebpfd.host.keeper import Keeper
from ebpfd.host.map_room import ENOUGH_BYTES, MapRoom
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.stats import QuotaReading, Reading
from ebpfd.host.troubles import EXPIRES_WITHIN_S, Losses, Troubles
from tests.daemon.host.world import world
from tests.daemon.metrics.test_families import reading

CALM = replace(reading(), certificate_expiry_s=None)


@dataclass
class Scene:
    """Troubles of a daemon of which the test decides what is lost."""

    troubles: Troubles
    room: MapRoom
    guard: QuotaGuard
    lost: dict[str, int] = field(default_factory=lambda: {"audit": 0, "log": 0})

    def told(self, seen: Reading = CALM, *, tls_off: bool = False) -> dict[str, str]:
        """What is told now, by kind."""
        return {each.kind: each.told for each in self.troubles.found(seen, tls_off=tls_off)}


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene]:
    """A daemon with nothing in it."""
    room, guard = MapRoom(Path("/state/maps")), QuotaGuard()
    async with world() as w:
        made = Scene(
            Troubles(
                objects=w.objects,
                contracts=w.contracts,
                hosted=Hosted((), "", w.services),
                keeper=w.keeper,
                room=room,
                guard=guard,
                losses=Losses(lambda: made.lost["audit"], lambda: made.lost["log"]),
                services=w.services,
            ),
            room,
            guard,
        )
        assert made.told() == {}
        yield made


@pytest.mark.parametrize("kind", ["audit", "log"])
async def test_lines_that_were_lost_are_told_for_two_looks(kind: str) -> None:
    """Nobody can bring them back, so they are no trouble for ever."""
    async with scene() as s:
        s.lost[kind] = 3
        assert s.told()[kind].startswith("3 lines of the ")
        await s.troubles.lately.look()
        assert set(s.told()) == {kind}
        await s.troubles.lately.look()
        assert s.told() == {}


@pytest.mark.parametrize(
    ("used", "refused", "told"),
    [
        (90, 0, None),
        (91, 0, "quota maps (maps of all) is used to 91%"),
        (130, 0, "quota maps (maps of all) is used to 130%"),
        (1, 2, "quota maps (maps of all) is used to 1%, and more was refused 2 times within 2 min"),
    ],
)
async def test_a_quota_is_told_above_nine_tenths_or_if_more_was_wanted(
    used: int, refused: int, told: str | None
) -> None:
    """By the name that it has in the configuration file."""
    quota = QuotaReading("maps", "maps of all", 100, used, refused, in_bytes=False)
    async with scene() as s:
        s.guard.refused["maps"] = refused
        found = s.told(replace(CALM, quotas=(quota,)))
        assert found.get("quota", "")[: len(told or "") or None] == (told or "")


@pytest.mark.parametrize(
    ("left_s", "told"),
    [
        (EXPIRES_WITHIN_S + 60, ""),
        (EXPIRES_WITHIN_S - 60, "the daemon's certificate expires in 30 days, on "),
        (-60, "the daemon's certificate has expired on "),
    ],
)
async def test_a_certificate_is_told_for_its_last_thirty_days(left_s: float, told: str) -> None:
    """And when it has expired."""
    async with scene() as s:
        found = s.told(replace(CALM, certificate_expiry_s=time.time() + left_s))
        assert found.get("certificate", "").startswith(told)
        assert bool(found) is bool(told)


async def test_what_concerns_everybody_comes_first() -> None:
    """The disk, then TLS; a disk that has room again is told no more."""
    async with scene() as s:
        s.room.see(3 << 19)
        assert list(s.told(tls_off=True)) == ["disk", "tls"]
        assert s.told()["disk"] == "/state/maps has 1.5 MiB left for maps"
        s.room.see(ENOUGH_BYTES)
        assert s.told() == {}


async def test_a_state_that_does_not_answer_is_tried_once_however_often_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What asks every few seconds must leave nothing behind each time."""
    tries, never = list[int](), asyncio.Event()

    async def try_again(_: Keeper) -> None:
        tries.append(0)
        await never.wait()

    monkeypatch.setattr(Keeper, "try_again", try_again)
    monkeypatch.setattr("ebpfd.host.troubles.LOOK_AT_MOST_S", 0.0)
    async with scene() as s:
        for _ in range(3):
            await s.troubles.look_anew()
            await asyncio.sleep(0)
        assert len(tries) == 1
        never.set()
