"""Following the registrar: what is there, then every change, for any number of readers.

A reader's queue is bounded.  One that overflows is emptied, and its reader gets what is there by
then instead of what it missed, with the number of changes that this stands for.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import chain, islice
from typing import Final, TypeAlias
from uuid import UUID

from ebpfd import nmr
from ebpfd.host.callbacks import Callbacks

MAX_WAITING: Final = 4096
"""Changes that wait for one reader."""

MAX_TOGETHER: Final = 256
"""Changes in one part."""


@dataclass(frozen=True, slots=True)
class RegistrationSeen:
    """A registration after *change*; None: it is there."""

    change: nmr.Change | None
    registration: nmr.RegistrationSnapshot


@dataclass(frozen=True, slots=True)
class BindingSeen:
    """A binding after *change*, with both its ends and what of it was overdue."""

    change: nmr.Change | None
    binding: nmr.BindingSnapshot
    client: nmr.RegistrationSnapshot
    provider: nmr.RegistrationSnapshot
    overdue: tuple[str, ...]


Seen: TypeAlias = RegistrationSeen | BindingSeen


class PartKind(Enum):
    """What a part is of."""

    SNAPSHOT = auto()
    SNAPSHOT_END = auto()
    CHANGES = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """Several things seen together; ``lost`` is of the first part of a snapshot."""

    kind: PartKind
    seen: tuple[Seen, ...]
    lost: int = 0


class Watches:
    """All that is being followed.  While nobody does, the registrar tells nothing."""

    def __init__(self, registrar: nmr.Registrar, callbacks: Callbacks) -> None:
        self._registrar = registrar
        self._callbacks = callbacks
        self._readers: set[_Reader] = set()
        self._closed = False

    async def follow(self, npi_id: UUID | None = None) -> AsyncGenerator[Part]:
        """What is there, then changes as they come; of one NPI or of all."""
        reader = _Reader(npi_id)
        if self._closed:
            reader.close()
        self._readers.add(reader)
        self._registrar.observe(self._observe)
        try:
            while not reader.closed:
                lost = reader.restart()
                seen = self._present(npi_id)
                while part := tuple(islice(seen, MAX_TOGETHER)):
                    yield Part(PartKind.SNAPSHOT, part, lost)
                    lost = 0
                yield Part(PartKind.SNAPSHOT_END, (), lost)
                while changes := await reader.changes():
                    yield Part(PartKind.CHANGES, changes)
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._registrar.observe(None)

    def close(self) -> None:
        """Let every reader come to its end, also those that begin late."""
        self._closed = True
        for reader in self._readers:
            reader.close()

    def bound(self, npi_id: UUID | None = None) -> list[BindingSeen]:
        """All bindings, of one NPI or of all, with both their ends."""
        by_handle = {each.handle: each for each in self._everybody()}
        return [
            BindingSeen(
                None,
                each,
                by_handle[each.client],
                by_handle[each.provider],
                self._callbacks.overdue(each.handle),
            )
            for each in self._registrar.bindings()
            if npi_id in (None, by_handle[each.provider].instance.npi_id)
        ]

    def _present(self, npi_id: UUID | None) -> Iterator[Seen]:
        """What is there now, however late it is read."""
        registrations = [
            RegistrationSeen(None, each)
            for each in self._everybody()
            if npi_id in (None, each.instance.npi_id)
        ]
        return chain(registrations, self.bound(npi_id))

    def _everybody(self) -> list[nmr.RegistrationSnapshot]:
        return [*self._registrar.providers(), *self._registrar.clients()]

    def _observe(
        self, change: nmr.Change, subject: nmr.RegistrationSnapshot | nmr.BindingSnapshot
    ) -> None:
        seen: Seen
        if isinstance(subject, nmr.RegistrationSnapshot):
            seen, npi_id = RegistrationSeen(change, subject), subject.instance.npi_id
        else:
            client = self._registrar.registration(subject.client)
            provider = self._registrar.registration(subject.provider)
            overdue = self._callbacks.overdue(subject.handle)
            seen = BindingSeen(change, subject, client, provider, overdue)
            npi_id = provider.instance.npi_id
        for reader in self._readers:
            if reader.npi_id in (None, npi_id):
                reader.put(seen)


class _Reader:
    """What waits for one reader."""

    def __init__(self, npi_id: UUID | None) -> None:
        self.npi_id = npi_id
        self.closed = False
        self._waiting: deque[Seen] = deque()
        self._lost = 0
        self._filled = asyncio.Event()

    def put(self, seen: Seen) -> None:
        """Keep it, unless the reader is behind already."""
        if self._lost or len(self._waiting) >= MAX_WAITING:
            self._lost += 1 + len(self._waiting)
            self._waiting.clear()
        else:
            self._waiting.append(seen)
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._filled.set()

    def restart(self) -> int:
        """Begin anew with nothing waiting; how much was lost."""
        lost, self._lost = self._lost, 0
        self._waiting.clear()
        return lost

    async def changes(self) -> tuple[Seen, ...]:
        """The next changes, at least one; none if the reader is behind, or at its end."""
        while not (self._waiting or self._lost or self.closed):
            self._filled.clear()
            await self._filled.wait()
        return tuple(self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_TOGETHER)))
