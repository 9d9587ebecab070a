"""A process that runs programs itself: what the daemon has for it, and hears of it.

It has a lane of its own, once it needs one, and a ring that takes the lines that its programs
print.  What comes out of the ring is only a line if the process runs the program that it names.
"""

import asyncio
import os
import struct
from collections import Counter
from typing import TYPE_CHECKING, Final

from ebpfd.host.trace import PrintedLine, TraceLog

if TYPE_CHECKING:
    from ebpfd_vm import Map
    from ebpfd_vm.sharing import Lane

LONGEST_LINE: Final = 1024
"""Bytes; what is longer is cut."""

MOST_LOST: Final = 1_000_000_000
"""Lines that anybody is told of at once, whatever the process makes up."""

PAUSE_S: Final = 0.02
"""From one look at the ring to the next: whoever prints all the time loses lines, and no more."""

_LINES: Final = 4096
_BYTES: Final = 1 << 20
"""At a look: more than a ring holds."""

_LINE: Final = struct.Struct("<QQ")


class LocalProcess:
    """One process of the daemon's own user; *trace* gets what its programs print."""

    def __init__(self, pid: int, trace: TraceLog) -> None:
        self.pid: Final = pid
        self.gone = False
        """Whether it has ended, and with it whatever it ran."""

        self.origin: Final = (pid, pid, os.geteuid())
        """On whose behalf its programs run, as if they were run for it here."""

        self._trace = trace
        self._ring: Map | None = None
        self._lane: Lane | None = None
        self._programs = Counter[int]()
        self._lost = 0
        self._pause: asyncio.TimerHandle | None = None

    def lane(self) -> int:
        """The number of the lane that it alone has; ``EngineError`` NO_MEMORY: none is left."""
        from ebpfd_vm.sharing import Lane  # noqa: PLC0415 (for daemons that hand programs over)

        if self._lane is None:
            self._lane = Lane()
        return self._lane.number

    def ring(self) -> "Map":
        """What takes its lines; ``EngineError`` if there is no memory for it."""
        from ebpfd_vm.sharing import trace_ring  # noqa: PLC0415 (same)

        if self._ring is None:
            self._ring = trace_ring()
            self._trace.sources.add(self.collect)
            self._look()
        return self._ring

    def begin(self, program_id: int) -> None:
        """It runs a program: lines may come."""
        self._programs[program_id] += 1

    def finish(self, program_id: int) -> None:
        """It runs the program no more, for one link: the lines that came are the last ones."""
        self.collect()
        self._programs[program_id] -= 1

    def collect(self) -> None:
        """Take over the lines that are there."""
        if self._ring is None:
            return
        records, (total,) = self._ring.read(_LINES, _BYTES)
        lost, self._lost = min(max(total - self._lost, 0), MOST_LOST), total
        for _, record in records:
            if len(record) < _LINE.size:
                continue
            time_ns, program_id = _LINE.unpack_from(record)
            if self._programs[program_id] > 0:
                text = record[_LINE.size :][:LONGEST_LINE].decode(errors="replace")
                self._trace.add(PrintedLine(time_ns, program_id, text, lost=lost))
                lost = 0
        self._lost = max(self._lost - lost, 0)  # nobody has heard of these yet

    def end(self) -> None:
        """It is no more, or the daemon ends: nothing more comes of it."""
        self.gone = True
        self._lane = None  # for another one, however long this one is remembered
        if self._ring is None:
            return
        self.collect()
        self._trace.sources.discard(self.collect)
        asyncio.get_running_loop().remove_reader(self._ring.event())
        if self._pause is not None:
            self._pause.cancel()
        self._ring = None

    def _look(self) -> None:
        """Take over what is there, and again when more comes, but not at once."""
        assert self._ring is not None
        self.collect()
        loop = asyncio.get_running_loop()
        if self._ring.arm():
            loop.add_reader(self._ring.event(), self._woken)
        else:
            self._pause = loop.call_later(PAUSE_S, self._look)

    def _woken(self) -> None:
        assert self._ring is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._ring.event())
        self.collect()
        self._pause = loop.call_later(PAUSE_S, self._look)
