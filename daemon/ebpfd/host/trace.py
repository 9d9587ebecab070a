"""What programs print: collected from the engine after each run, handed to whoever follows.

The engine's ring is bounded, and so is every follower's queue; what does not fit is counted.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from ebpfd.host.recent_lines import RECENT_LINES, RecentLine, RecentLines
from ebpfd_vm import Trace


@dataclass(frozen=True, slots=True)
class PrintedLine(RecentLine):
    """One line."""

    time_ns: int
    program_id: int
    text: str


class TraceLog:
    """The recent lines and the followers."""

    def __init__(self) -> None:
        self.engine = Trace(RECENT_LINES)
        self._lines = RecentLines[PrintedLine]()
        self._lost_before = self._lost_elsewhere = 0
        self.sources = set[Callable[[], None]]()
        """Called to ``add`` what processes have printed that run programs themselves."""

    def collect(self) -> None:
        """Take over what the engine has: cheap when that is nothing."""
        if not self.engine.pending:
            return
        lost = self.engine.lost - self._lost_before
        self._lost_before += lost
        for line in self.engine.drain():
            printed = PrintedLine(line.time_ns, line.program, line.text, lost=lost)
            lost = 0
            self._lines.add(printed)

    def add(self, line: PrintedLine) -> None:
        """Take a line that was printed elsewhere."""
        self._lost_elsewhere += line.lost
        self._lines.add(line)

    def recent(self) -> tuple[PrintedLine, ...]:
        """The lines that are still here, oldest first."""
        self._collect_all()
        return self._lines.recent()

    def follow(self) -> AsyncGenerator[PrintedLine]:
        """The recent lines, then new ones as they come."""
        self._collect_all()
        return self._lines.follow()

    def close(self) -> None:
        """Let followers end with the last line, at the daemon's end."""
        self._collect_all()
        self._lines.close()

    @property
    def lost(self) -> int:
        """Lines that nobody could have seen, since the start; a slow follower's own apart."""
        return self.engine.lost + self._lost_elsewhere

    @property
    def followers(self) -> int:
        """How many follow."""
        return self._lines.followers

    def _collect_all(self) -> None:
        self.collect()
        for collect in self.sources:
            collect()
