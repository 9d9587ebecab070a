"""What went through the links of a hook: messages, and runs in this process."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Counters:
    """What went through a hook so far."""

    invocations: int = 0
    messages_sent: int = 0
    messages_received: int = 0


class Traffic:
    """Counts what goes through the links of one hook, past and present."""

    __slots__ = ("_here", "invocations", "received", "sent")

    def __init__(self) -> None:
        self.invocations = self.sent = self.received = 0
        self._here: list[Counted] = []

    def counters(self) -> Counters:
        """Take a snapshot."""
        here = sum(each.runs for each in self._here)
        return Counters(self.invocations + here, self.sent, self.received)

    def follow(self, program: "Counted") -> None:
        """Count what *program* counts by itself."""
        self._here.append(program)

    def unfollow(self, program: "Counted") -> None:
        """Keep what it has counted."""
        self._here.remove(program)
        self.invocations += program.runs


class Counted(Protocol):
    """A program that runs in this process."""

    @property
    def runs(self) -> int:
        """How often it has."""
        ...
