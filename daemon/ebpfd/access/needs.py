r"""What a caller needs a right for: an action, and the thing that it is about.

A thing has labels, by which rights mean it.  Each begins with its kind, so that no name that
somebody gives to his own thing can pass for the GUID, the path or the owner of another one.

    guid:f788ef4b-...   an NPI, a program type, an attach type, a module
    name:sample_ext     what a hook, a program type or a map calls itself
    path:BPF:\my\pin    where a map is pinned
    of:uid:1000         who holds a map
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final
from uuid import UUID


class Action(Enum):
    """What a role may allow."""

    REGISTER = "register"
    """Be a provider or a client in the registrar."""

    LOAD = "load"
    """Load, judge, test, reload and unload programs of a type."""

    ATTACH = "attach"
    """Attach to a hook; detach and replace what is attached to it."""

    READ = "read"
    """Read a map's entries and records."""

    WRITE = "write"
    """Make, change, empty and remove a map."""

    FIRE = "fire"
    OBSERVE = "observe"
    """See what there is, and what it counts and prints."""

    ADMIN = "admin"
    """Decide for others: extensions, policies, pins, contracts, recordings, shadows."""

    @property
    def about_things(self) -> bool:
        """Whether a right says for which things it is."""
        return self not in (Action.OBSERVE, Action.ADMIN)


@dataclass(frozen=True, slots=True)
class Need:
    """An action on one thing; ``what`` is the thing for people."""

    action: Action
    labels: tuple[str, ...] = ()
    """None: any right for this action will do.  So it is for a thing that is not there: whoever
    might have a right to it may be told so."""

    what: str = ""


ANY: Final = {action: Need(action) for action in Action}
"""Needs of calls that name no thing."""


def guid_label(guid: UUID) -> str:
    """The label of a GUID."""
    return f"guid:{guid}"


def type_need(program_type: UUID, name: str) -> Need:
    """Of whoever loads programs of a type."""
    return Need(Action.LOAD, (guid_label(program_type), f"name:{name}"), f"{name} programs")


def hook_need(action: Action, attach_type: UUID, name: str) -> Need:
    """Of whoever attaches to a hook, or fires it; *name* is empty if it has none."""
    labels = (guid_label(attach_type), *((f"name:{name}",) if name else ()))
    return Need(action, labels, name or str(attach_type))


def module_need(guids: Iterable[UUID], what: str) -> Need:
    """Of whoever registers a provider of an NPI, with a module id: of one of both *guids*.

    A client meets every provider of its NPI, so it is the right to that which it takes.
    """
    return Need(Action.REGISTER, tuple(map(guid_label, guids)), what)


def map_labels(name: str, paths: Iterable[str], holders: Iterable[str]) -> tuple[str, ...]:
    """Of a map that is pinned to *paths*, in their one form, and held by these subjects."""
    return (
        f"name:{name}",
        *(f"path:{path}" for path in sorted(paths)),
        *(f"of:{holder}" for holder in sorted(holders)),
    )
