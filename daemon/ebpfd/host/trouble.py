"""One thing that is not as it should be, as an operator is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

IDS_TOLD: Final = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """What it is, in one line, and what to do next.

    ``kind`` is one word for programs, as the API lists them; ``ids`` are those of the programs,
    links or maps that it is about.
    """

    kind: str
    told: str
    advice: str
    ids: tuple[int, ...] = ()


def things(ids: Sequence[int], one: str, verb: str) -> str:
    """So many of a kind, and what each of them does: "2 links wait (4, 7)"."""
    shown = ", ".join(map(str, ids[:IDS_TOLD]))
    if len(ids) == 1:
        return f"{one} {shown} {verb}s"
    more = f" and {len(ids) - IDS_TOLD} more" if len(ids) > IDS_TOLD else ""
    return f"{len(ids)} {one}s {verb} ({shown}{more})"
