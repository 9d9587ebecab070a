"""Who calls, and whether he may."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ebpfd.access.needs import Need
from ebpfd.access.roles import EVERYBODY, Roles
from ebpfd.errors import AccessDeniedError


@dataclass(frozen=True, slots=True)
class Caller:
    """One who calls, and with which roles; without any *roles* in the daemon he may do all."""

    name: str
    """For messages: ``uid 1000 (pid 4711)``."""

    subjects: frozenset[str] = frozenset({EVERYBODY})
    roles: Roles | None = None

    @property
    def role_names(self) -> tuple[str, ...]:
        """Of the roles that he has."""
        if self.roles is None:
            return ()
        return tuple(role.name for role in self.roles.held(self.subjects))

    @property
    def holder(self) -> frozenset[str]:
        """As whom he holds maps: by his user or certificate, not by a group."""
        return holding(self.subjects)

    def may(self, need: Need) -> bool:
        """Whether he may."""
        return self.roles is None or self.roles.allow(need, self.subjects)

    def check(self, need: Need) -> None:
        """``AccessDeniedError`` says who may not do what, and what would allow it."""
        if self.roles is None or self.may(need):
            return
        what = need.action.value + (f" {need.what}" if need.what else "")
        has = ", ".join(self.role_names)
        whose = f"has only the role{'s' if ',' in has else ''} {has}" if has else "has no role"
        remedy = self.roles.remedy(need, self.subjects)
        raise AccessDeniedError(f"{self.name} may not {what} and {whose}: {remedy}")


def holding(subjects: Iterable[str]) -> frozenset[str]:
    """Those of a caller's *subjects* as whom he holds maps."""
    return frozenset(each for each in subjects if each.startswith(("uid:", "cert:")))


ANYBODY: Final = Caller("anybody")
"""Where there are no roles."""
