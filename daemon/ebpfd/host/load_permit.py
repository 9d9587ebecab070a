"""What of a file may be loaded, asked when it has been read: by then it is known what is in it."""

from typing import Final, Protocol

from ebpfd.contracts import ProgramData
from ebpfd.objects import MapObject
from ebpfd_vm import MapSpec


class LoadPermit(Protocol):
    """Each raises ``AccessDeniedError`` if whoever loads may not."""

    def program(self, contract: ProgramData) -> None:
        """A program of this type."""
        ...

    def pinned_map(self, spec: MapSpec, there: MapObject | None) -> None:
        """Have a map that is pinned by its name: that one, or one that the file makes."""
        ...


class _Everything:
    def program(self, contract: ProgramData) -> None:
        del contract

    def pinned_map(self, spec: MapSpec, there: MapObject | None) -> None:
        del spec, there


EVERYTHING: Final[LoadPermit] = _Everything()
"""Where nobody needs to be asked."""
