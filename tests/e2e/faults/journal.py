r"""What a client did, written down so that its death loses nothing.

Each line is JSON: ``{"begun": [name, ...]}`` before a change is asked for, ``{"done": {...}}`` when
the daemon has acknowledged it.  A line that has no end was not written.

Changes: ``pin PATH`` (done with its ``id``), ``set PATH KEY VALUE`` and ``unpin PATH``, where PATH
is ``BPF:\PIECE\NUMBER`` and PIECE is p, m or l: program, map or link.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self


def piece_of(path: str) -> str:
    """What is pinned there: p, m or l."""
    return path.split("\\")[1]


def number_of(path: str) -> int:
    """Of the program that it belongs to."""
    return int(path.split("\\")[2])


class Journal:
    """The writer's end."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def begun(self, *change: object) -> None:
        """The next request is this change."""
        self._write({"begun": change})

    def done(self, **known: object) -> None:
        """It was acknowledged."""
        self._write({"done": known})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


@dataclass(slots=True)
class Kept:
    """What must be there: pins with the ids behind them, map contents; and what may be or not."""

    pins: dict[str, int] = field(default_factory=dict[str, int])
    values: dict[str, dict[int, int]] = field(default_factory=dict[str, dict[int, int]])
    doubt: list[Any] = field(default_factory=list[Any])

    def apply(self, change: list[Any], known: dict[str, Any]) -> None:
        """Take in an acknowledged change."""
        match change:
            case ["pin", path]:
                self.pins[path] = known["id"]
                if piece_of(path) == "m":
                    self.values.setdefault(path, {})
            case ["unpin", path]:
                self.pins.pop(path, None)
                self.values.pop(path, None)
            case ["set", path, key, value]:
                self.values[path][key] = value
            case _:
                raise ValueError(change)

    def read(self, path: Path) -> Self:
        """Take in a journal; the last change of one that was cut off is in doubt."""
        self.doubt = []
        for line in path.read_bytes().split(b"\n")[:-1]:
            match json.loads(line):
                case {"begun": change}:
                    self.doubt = change
                case {"done": known}:
                    self.apply(self.doubt, known)
                    self.doubt = []
                case other:
                    raise ValueError(other)
        return self
