"""The contents of maps, each in a file of its own, which the engine maps into memory.

What a program has written is there after ``kill -9``: the pages are the system's, not the
process's.  A map lives in a file from its birth, because its contents could not be moved into one
while programs write them; but the file has no name, and goes with the map, until the map is to
survive.  It gets its name before the map's row is written, so a row always has its file; named
files without a row belong to maps that survive no more, and go at the next start.
"""

import errno
import os
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from ebpfd.store.kept_objects import KeptMap
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map

HOLDING_OBJECTS: Final = frozenset(
    {MapType.PROG_ARRAY, MapType.HASH_OF_MAPS, MapType.ARRAY_OF_MAPS}
)
"""Types of maps that have rows for their entries, and no file."""

_NEW: Final = "new-"
"""What names begin with where a file system has no files without names."""


def has_file(row: KeptMap) -> bool:
    """Whether a map has its contents in a file."""
    return not row.read_only and row.type not in HOLDING_OBJECTS


class EmptyFileError(OSError):
    """A file that should have a map in it."""


class MapFiles:
    """A folder with one file a map that survives, named by the map's id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_folder(self) -> None:
        """Make the folder if it is missing; ``OSError``."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, map_id: int) -> Path:
        """The file of a map."""
        return self.folder / str(map_id)

    def new(self) -> int:
        """An empty file without a name; its descriptor, which the caller closes; ``OSError``."""
        try:
            return os.open(self.folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT}:
                raise
            return tempfile.mkstemp(prefix=_NEW, dir=self.folder)[0]

    def name(self, files: Collection[tuple[int, int]]) -> None:
        """Name files, (map id, descriptor), so that they survive; twice is once; ``OSError``."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for map_id, descriptor in files:
                _name(folder, str(map_id), descriptor)
            os.fsync(folder)
        finally:
            os.close(folder)

    def open(self, map_id: int) -> int:
        """The file of a map that was kept; ``OSError`` if it is missing."""
        return os.open(self.path(map_id), os.O_RDWR | os.O_CLOEXEC)

    def map_in(self, map_id: int, row: KeptMap) -> Map:
        """The map in a file that was kept; ``OSError`` or ``EngineError`` if it is not there."""
        descriptor = self.open(map_id)
        try:
            if os.fstat(descriptor).st_size == 0:
                # The engine would make a new map in it.
                raise EmptyFileError(f"{self.path(map_id)} is empty")
            return engine_map(row, file=descriptor)
        finally:
            os.close(descriptor)

    def set_aside(self, map_id: int, why: str) -> Path:
        """Give a file that cannot be used another name too, which is new, and is returned."""
        aside, number = self.folder / f"{map_id}.{why}", 1
        while True:
            try:
                os.link(self.path(map_id), aside)
            except FileExistsError:
                if not aside.samefile(self.path(map_id)):
                    number += 1
                    aside = self.folder / f"{map_id}.{why}-{number}"
                    continue
                # A daemon was killed before it came to `map_anew`.
            return aside

    def map_anew(self, map_id: int, row: KeptMap) -> Map:
        """An empty map in a new file, which takes the place of the one of that name."""
        descriptor = self.new()
        try:
            made = engine_map(row, file=descriptor)
            self.put_in_place(map_id, descriptor)
            return made
        finally:
            os.close(descriptor)

    def take_over(self, map_id: int, descriptor: int) -> None:
        """Give a file the name of a map, if that has one: it has the contents now; ``OSError``."""
        if self.path(map_id).exists():
            self.put_in_place(map_id, descriptor)

    def put_in_place(self, map_id: int, descriptor: int) -> None:
        """Give a file the name of a map, and another one's place if that has it; ``OSError``."""
        unplaced = self.folder / f"{_NEW}{map_id}"
        unplaced.unlink(missing_ok=True)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _name(folder, unplaced.name, descriptor)
            unplaced.replace(self.path(map_id))
            os.fsync(folder)
        finally:
            os.close(folder)

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
        for unnamed in self.folder.glob(f"{_NEW}*"):
            unnamed.unlink(missing_ok=True)
        return gone


def engine_map(
    row: KeptMap, initial: bytes | None = None, file: int | None = None, *, shared: bool = False
) -> Map:
    """The live map that a row describes; a *shared* one is in a memfd."""
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
        shared=shared,
    )


def _name(folder: int, name: str, descriptor: int) -> None:
    with suppress(FileNotFoundError):
        if os.stat(name, dir_fd=folder).st_ino == os.fstat(descriptor).st_ino:
            return
    open_file = f"/proc/self/fd/{descriptor}"
    if os.fstat(descriptor).st_nlink == 0:
        # A folder must be named for Python to follow the link, which is what it is all about.
        os.link(open_file, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    else:
        os.rename(Path(open_file).readlink(), name, dst_dir_fd=folder)
