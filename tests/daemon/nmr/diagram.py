"""Draws the registrar's two tables as its README shows them.

    python -m tests.daemon.nmr.diagram

Mermaid, since it reads well as text too: a line for each edge, ``BEFORE --> AFTER: EVENT``.
"""

import sys
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from ebpfd.nmr.binding import DETACHES, STAGES, Detach, Stage

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


def draw(table: Mapping[tuple[State, Event], State], first: State, last: State) -> str:
    """Draw *table*, which begins with *first* and ends with *last*."""
    edges = [f"{was.name} --> {then.name}: {event.name}" for (was, event), then in table.items()]
    lines = [f"[*] --> {first.name}", *edges, f"{last.name} --> [*]"]
    return "\n    ".join(["stateDiagram-v2", *lines]) + "\n"


def diagrams() -> tuple[str, str]:
    """Draw the life of a binding, and the detach of one side of it."""
    return draw(STAGES, Stage.QUEUED, Stage.GONE), draw(DETACHES, Detach.IDLE, Detach.DETACHED)


if __name__ == "__main__":
    sys.stdout.write("\n".join(diagrams()))
