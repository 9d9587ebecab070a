"""Roles, who holds them, and what they allow.

A caller may do what any one of his roles allows; nothing is ever forbidden, only not allowed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final

from ebpfd.access.needs import Action, Need

EVERYBODY: Final = "*"
"""The subject that every caller is, also one of whom nothing is known."""

EVERYTHING: Final = "*"
"""The pattern that means every thing."""

OWN: Final = "own"
"""The pattern that means maps that the caller himself holds."""

_NOTHING: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Role:
    """What those who hold it may do."""

    name: str
    who: frozenset[str] = frozenset()
    """Subjects: ``uid:1000``, ``gid:100``, ``cert:alice``, ``owner``, ``*``."""

    may: Mapping[Action, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    """By action, patterns of the labels of the things that it is allowed for; ``*`` in a pattern
    is any text."""

    def allows(self, need: Need, subjects: Iterable[str] = ()) -> bool:
        """Whether one of *subjects* may do this by this role, which is taken to be his."""
        patterns = self.may.get(need.action, ())
        if not need.labels:
            return bool(patterns)
        if OWN in patterns and any(f"of:{each}" in need.labels for each in subjects):
            return True
        return any(_expression(each).fullmatch(label) for each in patterns for label in need.labels)


def _all_of(*actions: Action) -> Mapping[Action, tuple[str, ...]]:
    return MappingProxyType(dict.fromkeys(actions, (EVERYTHING,)))


BUILT_IN: Final = MappingProxyType(
    {
        role.name: role
        for role in (
            Role("admin", may=_all_of(*Action)),
            Role(
                "operator",
                may=_all_of(
                    Action.LOAD,
                    Action.ATTACH,
                    Action.READ,
                    Action.WRITE,
                    Action.FIRE,
                    Action.OBSERVE,
                ),
            ),
            Role("observer", may=_all_of(Action.OBSERVE)),
            Role("extension", may=_all_of(Action.REGISTER)),
        )
    }
)
"""Roles that need only be told who holds them."""


class Roles:
    """All roles of a daemon, by name."""

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = tuple(sorted(roles, key=lambda role: role.name))

    def __iter__(self) -> Iterator[Role]:
        return iter(self._roles)

    def become(self, others: "Roles") -> list[str]:
        """Be *others* from now on, for all who ask here; the names of those that differ."""
        old, new = ({role.name: role for role in roles} for roles in (self, others))
        self._roles = tuple(others)
        return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))

    def held(self, subjects: frozenset[str]) -> tuple[Role, ...]:
        """Those that a caller who is all of *subjects* has."""
        return tuple(role for role in self._roles if not role.who.isdisjoint(subjects))

    def allow(self, need: Need, subjects: frozenset[str]) -> bool:
        """Whether such a caller may do this."""
        return any(role.allows(need, subjects) for role in self.held(subjects))

    def remedy(self, need: Need, subjects: frozenset[str]) -> str:
        """What would allow it: a role that there is, or else one that there could be."""
        known = {**BUILT_IN, **{role.name: role for role in self._roles}}
        enough = [role for role in known.values() if role.allows(need, subjects)]
        least = min(enough, key=lambda role: (len(role.may), role.name))  # admin, at the worst
        return f"the role {least.name} would allow it"


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
