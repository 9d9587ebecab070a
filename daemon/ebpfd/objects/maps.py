"""A live map with its id, and who keeps it.

    users       owners that have made or opened it, and its pins
    loaders     programs of its file that somebody has loaded: they count as users too
    programs    use it, and keep it while they exist
    holders     maps of maps that it is in

A map that nobody keeps is dropped.  One that holds objects lets go of them when its last *user*
goes, whoever keeps it still: otherwise a program in the program array that it calls would keep
itself for ever.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ebpfd.objects.custom_maps import CustomMap
from ebpfd.objects.elsewhere import Elsewhere
from ebpfd.objects.users import Users
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map

if TYPE_CHECKING:
    from ebpfd.objects.programs import Program

Held: TypeAlias = "MapObject | Program"


def _no_programs() -> "set[Program]":
    return set()


CONTAINERS: Final = frozenset({MapType.PROG_ARRAY, MapType.HASH_OF_MAPS, MapType.ARRAY_OF_MAPS})


class Sharer(Protocol):
    """Another process, which has a map's memory and may do with it what it likes."""

    @property
    def gone(self) -> bool:
        """Whether it has ended, and with it whatever it did."""
        ...


def _no_sharers() -> set[Sharer]:
    return set()


def _nowhere() -> set[Elsewhere]:
    return set()


@dataclass(slots=True, eq=False)
class MapObject:
    """A map; it lives for as long as somebody keeps it.

    ``map`` keeps the entries, also of one whose type an extension provides.
    """

    id: int
    map: Map
    users: Users = field(default_factory=Users)
    loaders: "set[Program]" = field(default_factory=_no_programs)
    program_ids: set[int] = field(default_factory=set[int])
    holder_ids: Counter[int] = field(default_factory=Counter[int])
    held: dict[bytes, Held] = field(default_factory=dict[bytes, Held])
    when_gone: set[Callable[[], None]] = field(default_factory=set[Callable[[], None]])
    custom: CustomMap | None = None
    sharers: set[Sharer] = field(default_factory=_no_sharers)
    """Who was given its memory since it last moved."""

    emptiers: dict[int, str] = field(default_factory=dict[int, str])
    """Programs that may take out of it what it holds, by id, and their names."""

    elsewhere: set[Elsewhere] = field(default_factory=_nowhere)
    """Who has the programs that it holds, and has no more of them once it holds others."""

    def take_back(self) -> None:
        """It holds something else now: let nobody go on with what it held.  Nothing waits here."""
        for each in tuple(self.elsewhere):
            each.close()

    @property
    def may_wait(self) -> bool:
        """Whether whoever changes it may have to wait for another process, for seconds."""
        if self.sharers:
            self.sharers = {each for each in self.sharers if not each.gone}
        return bool(self.sharers)

    @property
    def name(self) -> str:
        """Name as in the object file; data sections are named as their section."""
        return self.map.name

    @property
    def program_map(self) -> Map:
        """What programs that use it get."""
        return self.map if self.custom is None else self.custom.program_map

    @property
    def is_container(self) -> bool:
        """Whether its values are programs or maps."""
        return self.map.type in CONTAINERS

    @property
    def created(self) -> bool:
        """Whether somebody has it by itself, not with its file: until it is removed."""
        return bool(self.users.owners)

    @property
    def in_use(self) -> bool:
        """Whether a user has it."""
        return bool(self.users) or bool(self.loaders)

    @property
    def kept(self) -> bool:
        """Whether anybody at all has it."""
        return self.in_use or bool(self.program_ids) or bool(self.holder_ids)
