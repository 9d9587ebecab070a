"""The contents of maps, each in a file of its own, which the engine maps into memory.

What a program has written is there after ``kill -9``: the pages are the system's, not the
process's.  A file is made before its map's row, so a row always has its file; files without a row
belong to maps that were not to survive, and go at the next start.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from ebpfd.store.kept_objects import KeptMap
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map

HOLDING_OBJECTS: Final = frozenset(
    {MapType.PROG_ARRAY, MapType.HASH_OF_MAPS, MapType.ARRAY_OF_MAPS}
)
"""Types of maps that have rows for their entries, and no file."""


def has_file(row: KeptMap) -> bool:
    """Whether a map has its contents in a file."""
    return row.initial is None and row.type not in HOLDING_OBJECTS


class MapFiles:
    """A folder with one file a map, named by the map's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_folder(self) -> None:
        """Make the folder if it is missing; ``OSError``."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, map_id: int) -> Path:
        """The file of a map."""
        return self.folder / str(map_id)

    def create(self, map_id: int) -> int:
        """A new empty file; its descriptor, which the caller closes; ``OSError``."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(self.path(map_id), flags, 0o600)

    def open(self, map_id: int) -> int:
        """The file of a map that was kept; ``OSError`` if it is missing."""
        return os.open(self.path(map_id), os.O_RDWR | os.O_CLOEXEC)

    def map_in(self, map_id: int, row: KeptMap) -> Map:
        """The map in a file that was kept; ``OSError`` or ``EngineError`` if it is not there."""
        descriptor = self.open(map_id)
        try:
            if os.fstat(descriptor).st_size == 0:
                # The engine would make a new map in it.
                raise OSError(f"{self.path(map_id)} is empty")
            return engine_map(row, file=descriptor)
        finally:
            os.close(descriptor)

    def persist(self, map_ids: Collection[int]) -> None:
        """The files and their names survive even the machine from now on, their contents not."""
        for map_id in map_ids:
            descriptor = self.open(map_id)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        if map_ids:
            self._sync_folder()

    def remove(self, map_id: int) -> None:
        """Remove a file, if there is one."""
        self.path(map_id).unlink(missing_ok=True)

    def found(self) -> list[int]:
        """Ids of maps that have files."""
        if not self.folder.is_dir():
            return []
        return sorted(int(each.name) for each in self.folder.iterdir() if each.name.isdecimal())

    def remove_all_but(self, kept: Collection[int]) -> list[int]:
        """Remove what nobody needs; which maps it was of."""
        gone = [map_id for map_id in self.found() if map_id not in kept]
        for map_id in gone:
            self.remove(map_id)
        return gone

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def engine_map(row: KeptMap, initial: bytes | None = None, file: int | None = None) -> Map:
    """The live map that a row describes."""
    return Map(
        row.type,
        row.key_size,
        row.value_size,
        row.max_entries,
        name=row.name,
        flags=row.flags,
        initial=initial,
        read_only=row.read_only,
        inner=row.inner,
        file=file,
    )
