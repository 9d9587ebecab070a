"""One recording: what ran is queued here for whoever reads it, who never holds up a hook.

Recorded batches wait in memory, bounded: while too much waits, what runs is not recorded, and
counted where it is missing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Final

from ebpfd.objects.recordings import End, Entry, Head, Loss, RecordedBatch, RecordedWrite

MAX_WAITING_BYTES: Final = 32 << 20
"""Of recorded batches that nobody has read yet."""


class Recording:
    """A queue of entries with a bound, a limit and an end.

    *when_ended* is called once, and says what is to be known at the end.
    """

    def __init__(self, head: Head, limit: int, when_ended: Callable[[], Iterable[Entry]]) -> None:
        self.head: Final = head
        self.events = 0
        self.lost = 0
        self.ended = False
        self._limit = limit
        self._when_ended = when_ended
        self._entries: deque[Entry] = deque([head])
        self._waiting_bytes = 0
        self._missing = 0
        """Events lost since the last that is recorded, and writes of users."""

        self._missing_writes = 0

        self._changed = asyncio.Event()

    def announce(self, entries: Iterable[Entry]) -> None:
        """Add a program and its maps."""
        self._entries.extend(entries)
        self._changed.set()

    def add(self, batch: RecordedBatch) -> None:
        """Record a batch, if there is room for it, and no more events than are wanted."""
        if self.ended:
            return
        if self._limit:
            batch = batch.first(self._limit - self.events - self.lost)
        if self._waiting_bytes + batch.size > MAX_WAITING_BYTES:
            self.lose(batch.count)
            return
        self._say_what_is_missing()
        self._entries.append(batch)
        self._waiting_bytes += batch.size
        self.events += batch.count
        self._changed.set()
        self._end_at_limit()

    def add_write(self, write: RecordedWrite) -> None:
        """Record what a user does to a map, if there is room for it."""
        if self.ended:
            return
        if self._waiting_bytes + write.size > MAX_WAITING_BYTES:
            self._missing_writes += 1
            return
        self._say_what_is_missing()
        self._entries.append(write)
        self._waiting_bytes += write.size
        self._changed.set()

    def lose(self, events: int) -> None:
        """Count events that ran and are not recorded."""
        if not self.ended:
            self._missing += events
            self.lost += events
            self._end_at_limit()

    def end(self, reason: str = "") -> None:
        """Record nothing more; who reads gets what is there.  Twice is once."""
        if self.ended:
            return
        self.ended = True
        self._say_what_is_missing()
        self._entries.extend(self._when_ended())
        self._entries.append(End(self.events, self.lost, reason))
        self._changed.set()

    async def entries(self) -> AsyncGenerator[Entry]:
        """Everything, as it comes; for one reader."""
        while True:
            while self._entries:
                entry = self._entries.popleft()
                if isinstance(entry, RecordedBatch):
                    # Only once it is on its way: what a reader holds counts too.
                    for piece in entry.pieces():
                        yield piece
                    self._waiting_bytes -= entry.size
                elif isinstance(entry, RecordedWrite):
                    yield entry
                    self._waiting_bytes -= entry.size
                else:
                    yield entry
            if self.ended:
                return
            self._changed.clear()
            await self._changed.wait()

    def _say_what_is_missing(self) -> None:
        if self._missing or self._missing_writes:
            self._entries.append(Loss(self._missing, self._missing_writes))
            self._missing = self._missing_writes = 0

    def _end_at_limit(self) -> None:
        if self._limit and self.events + self.lost >= self._limit:
            self.end()
