"""What a child writes: cut into lines, kept for a while, and no faster than the log can take it."""

from dataclasses import dataclass
from typing import Final
from unicodedata import category

from ebpfd.host.recent_lines import RecentLine

MAX_LINE_BYTES: Final = 4096
"""A longer line is cut into several."""

BYTES_A_SECOND: Final = 1 << 20
LINE_COST: Final = 256
"""Bytes that a line costs beyond its own: what the log says around it."""

LOGGED_A_SECOND: Final = 100
"""Lines of one extension in the daemon's log; what it writes beyond is kept here alone."""


@dataclass(frozen=True, slots=True)
class OutputLine(RecentLine):
    """A line that an extension wrote."""

    time_ns: int
    stream: str
    """``stdout`` or ``stderr``."""

    text: str


class LineCutter:
    """Bytes in, lines out; any bytes make some text, and only text: no control characters."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, content: bytes) -> list[str]:
        """The lines that are complete now, without those that are blank."""
        *lines, self._rest = (self._rest + content).split(b"\n")
        while len(self._rest) > MAX_LINE_BYTES:
            lines.append(self._rest[:MAX_LINE_BYTES])
            self._rest = self._rest[MAX_LINE_BYTES:]
        return [text for line in lines for text in _texts(line)]

    def end(self) -> list[str]:
        """What is left when nothing follows."""
        rest, self._rest = self._rest, b""
        return _texts(rest)


def _texts(line: bytes) -> list[str]:
    pieces = (line[at : at + MAX_LINE_BYTES] for at in range(0, len(line), MAX_LINE_BYTES))
    texts = (_printable(piece.decode(errors="replace").rstrip()) for piece in pieces)
    return [text for text in texts if text]


def _printable(text: str) -> str:
    """A terminal must not obey what an extension prints."""
    if text.isprintable():
        return text
    return "".join("\ufffd" if _is_control(each) else each for each in text)


def _is_control(character: str) -> bool:
    return character != "\t" and category(character) in ("Cc", "Zl", "Zp")


class Budget:
    """How much may be read: a second's worth at once, then as it comes."""

    def __init__(self, now_s: float) -> None:
        self._free_at_s = now_s

    def pause_s(self, lines: list[str], size: int, now_s: float) -> float:
        """How long to wait after reading *lines* of *size* bytes."""
        cost_s = (size + LINE_COST * len(lines)) / BYTES_A_SECOND
        self._free_at_s = max(self._free_at_s, now_s - 1.0) + cost_s
        return max(0.0, self._free_at_s - now_s)


class LogBudget:
    """Which lines are for the daemon's log as well: so many of each second."""

    def __init__(self) -> None:
        self._began_s = float("-inf")
        self._logged = self._left_out = 0

    def allows(self, now_s: float) -> bool:
        """Whether to log one more line; one that is not is counted."""
        if now_s - self._began_s >= 1.0:
            self._began_s, self._logged = now_s, 0
        if self._logged >= LOGGED_A_SECOND:
            self._left_out += 1
            return False
        self._logged += 1
        return True

    def take_left_out(self) -> int:
        """How many were not logged since this was asked last."""
        left_out, self._left_out = self._left_out, 0
        return left_out
