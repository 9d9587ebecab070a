"""Who has an object: owners with a handle, and the paths that it is pinned to.

An object that nobody has, and that nothing refers to, goes; see ``table``.
"""

from dataclasses import dataclass, field
from typing import Final

from ebpfd.errors import RequestError
from ebpfd_api.result import Result


@dataclass(slots=True, eq=False)
class Owner:
    """Who has objects until it ends: a client, or the daemon itself, which does not end."""

    name: str
    ended: bool = False

    def check(self) -> None:
        """``RequestError`` INVALID_STATE if it has ended: then it gets nothing any more."""
        if self.ended:
            message = f"{self.name} has ended, and cannot have anything any more"
            raise RequestError(Result.INVALID_STATE, message)


DAEMON: Final = Owner("the daemon")
"""Has what was made on behalf of nobody else; a link that it has is a legacy link."""


@dataclass(slots=True, eq=False)
class Users:
    """The user references of one object."""

    owners: set[Owner] = field(default_factory=set[Owner])
    paths: set[str] = field(default_factory=set[str])

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.owners) + len(self.paths)

    def __bool__(self) -> bool:
        return bool(self.owners or self.paths)

    def who_lets_go(self, owner: Owner) -> Owner:
        """Whose reference *owner* may end: its own, else the daemon's.

        ``RequestError`` INVALID_STATE if only others have one.
        """
        if owner in self.owners:
            return owner
        if self.owners and DAEMON not in self.owners:
            names = ", ".join(sorted(each.name for each in self.owners))
            raise RequestError(Result.INVALID_STATE, f"{names} has it: it goes when that ends")
        return DAEMON

    @property
    def lasting(self) -> bool:
        """Whether one of them survives the daemon, if anything of the object does."""
        return DAEMON in self.owners or bool(self.paths)
