"""A live map with its id and the programs that use it."""

from dataclasses import dataclass, field

from ebpfd_vm import Map


@dataclass(slots=True, eq=False)
class MapObject:
    """A map; it lives for as long as a program uses it."""

    id: int
    map: Map
    program_ids: set[int] = field(default_factory=set[int])

    @property
    def name(self) -> str:
        """Name as in the object file; data sections are named as their section."""
        return self.map.name
