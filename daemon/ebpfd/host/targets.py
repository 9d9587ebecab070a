"""Who can be run: by binding, by link, and by what an event names of its hook."""

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from uuid import UUID

from ebpfd.host.invocation import Runner, Target, binding_gone
from ebpfd.host.modules import Module
from ebpfd.objects import Link
from ebpfd.objects.links import invocation_order

_Place: TypeAlias = tuple[Module, UUID, bytes | None]
"""A hook of a module's and a parameter; None: every one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A target, and where it was put: its link may be elsewhere by the time when it is removed."""

    target: Target
    place: _Place


@dataclass(frozen=True, slots=True, eq=False)
class Tap:
    """Puts something between the links that are *wanted* and what runs their batches.

    Of several, an *inner* one is nearer to the program.
    """

    wanted: Callable[[Link], bool]
    put_before: Callable[[Link, Runner], Runner]
    inner: bool = False


class Targets:
    """The targets of all links that are bound."""

    def __init__(self) -> None:
        self.on_free: Callable[[Target], None] = _do_nothing
        """Hears of targets that nothing is put before any more."""

        self._taps: list[Tap] = []
        self._by_binding: dict[int, _Entry] = {}
        self._by_parameter: dict[_Place, list[Target]] = {}
        self._by_link: dict[int, list[Target]] = {}
        self._counts: Counter[tuple[Module, UUID]] = Counter()

    def add(self, binding: int, target: Target) -> None:
        """Let *binding* be invoked."""
        link = target.link
        place = target.owner, link.attach_type, None if link.wildcard else link.parameter
        self._by_binding[binding] = _Entry(target, place)
        self._connect(target)
        self._by_link.setdefault(link.id, []).append(target)
        self._counts[place[:2]] += 1
        there = self._by_parameter.setdefault(place, [])
        insort(there, target, key=lambda each: invocation_order(each.link))

    async def remove(self, binding: int) -> None:
        """Let it be invoked no more; returns when nothing of it is in flight."""
        entry = self._by_binding.pop(binding, None)
        if entry is None:
            return
        target, place = entry.target, entry.place
        self._counts[place[:2]] -= 1
        if not self._counts[place[:2]]:
            del self._counts[place[:2]]
        _take_out(self._by_parameter, place, target)
        target.rundown.close()
        idle = asyncio.Event()
        target.rundown.when_idle(idle.set)
        try:
            await idle.wait()
        finally:
            _take_out(self._by_link, target.link.id, target)

    async def settled(self, link: Link) -> None:
        """Wait until nothing of *link* runs any more that had begun before this call.

        Its hook may be on its way out, and have something in flight still.
        """
        for target in tuple(self._by_link.get(link.id, ())):
            await target.settled()

    @property
    def most_queued_bytes(self) -> int:
        """Bytes of batches that wait, of the target of which that are the most."""
        return max((each.target.queued_bytes for each in self._by_binding.values()), default=0)

    def tap(self, tap: Tap) -> None:
        """From the next batch on, *tap* sees what runs; also of links that bind later."""
        self._taps.insert(0 if tap.inner else len(self._taps), tap)
        self._connect_all(tap)

    def untap(self, tap: Tap) -> None:
        """From the next batch on, *tap* sees nothing more."""
        self._taps.remove(tap)
        for target in self._connect_all(tap):
            if target.runner is target.executor:
                self.on_free(target)

    def _connect_all(self, tap: Tap) -> list[Target]:
        concerned = [
            entry.target for entry in self._by_binding.values() if tap.wanted(entry.target.link)
        ]
        for target in concerned:
            self._connect(target)
        return concerned

    def _connect(self, target: Target) -> None:
        target.runner = target.executor
        for tap in self._taps:
            if tap.wanted(target.link):
                target.runner = tap.put_before(target.link, target.runner)
                if target.link.elsewhere is not None:  # it would see nothing there
                    target.link.elsewhere.close()

    def bound(self, link: Link) -> Target | None:
        """The target of *link* that can be invoked now."""
        entry = self._by_binding.get(link.binding)
        return None if entry is None or entry.target.link is not link else entry.target

    def find(self, binding: int, owner: Module) -> Target:
        """The target that *owner*, its hook's provider, may invoke."""
        entry = self._by_binding.get(binding)
        if entry is None or entry.target.owner is not owner:
            raise binding_gone()
        return entry.target

    def of_event(self, owner: Module, attach_type: UUID, parameter: bytes) -> list[Target]:
        """Whom an event of *owner*'s hook reaches, in invocation order."""
        specific = self._by_parameter.get((owner, attach_type, parameter), [])
        return specific + self._by_parameter.get((owner, attach_type, None), [])

    def any_of(self, owner: Module, attach_type: UUID) -> bool:
        """Whether anything is attached to *owner*'s hook."""
        return (owner, attach_type) in self._counts


def _do_nothing(target: Target) -> None:
    del target


_Key = TypeVar("_Key")


def _take_out(table: dict[_Key, list[Target]], key: _Key, target: Target) -> None:
    """Take *target* from its list, which goes when it is empty."""
    there = table[key]
    there.remove(target)
    if not there:
        del table[key]
