"""Backups: a state directory copied to another one, which can be run on like the first.

Of a directory that no daemon runs on, everything is copied as it is.  Of a running daemon's, what
exists is that of one moment, and the contents of maps are of the time that the backup takes: each
entry is whole for types that replace values (HASH and LPM and their kinds; those of ARRAY may be
changed while they are read), and entries that come or go meanwhile may be there or not.  Queues,
stacks and rings have no entries to read without taking them: they are left empty, and named.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd.store.check import label
from ebpfd.store.database import StoreError, damaged, store_error
from ebpfd.store.directory import StateDirectory, check, reading
from ebpfd.store.kept_objects import Kept, KeptMap, read_all
from ebpfd.store.map_files import MapFiles, engine_map, has_file
from ebpfd.store.schema import VERSION, version_of
from ebpfd_api.map_type import MapType
from ebpfd_vm import EngineError, Map

ATTEMPTS: Final = 10
"""How often a backup begins anew because a map went while it was read."""

PAGE_BYTES: Final = 1 << 20
CHUNK: Final = 1 << 20

_WITHOUT_ENTRIES: Final = frozenset(
    {MapType.QUEUE, MapType.STACK, MapType.RINGBUF, MapType.PERF_EVENT_ARRAY}
)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup has; ``left_empty`` are maps whose contents cannot be read meanwhile."""

    objects: int
    pins: int
    running: bool
    left_empty: tuple[str, ...] = ()


class _GoneError(Exception):
    """A map was removed since its row was read."""


def back_up(source: StateDirectory, target: Path, *, running: bool) -> BackedUp:
    """Copy *source*, which a daemon has if *running*, to the new directory *target*."""
    for _ in range(ATTEMPTS):
        with suppress(_GoneError), _new_directory(target) as partial:
            return _copy(source, StateDirectory(partial), running=running)
    message = f"maps of {source.path} come and go too quickly: back up again when it is quieter"
    raise StoreError(message)


def restore(backup: StateDirectory, target: Path) -> BackedUp:
    """Make the state directory *target* of a backup; nothing that is there is overwritten."""
    found = check(backup)
    if found.problems:
        raise StoreError(damaged(backup.path, found.problems[0]))
    with _new_directory(target) as partial:
        done = _copy(backup, StateDirectory(partial), running=False)
        if os.geteuid() == 0:
            _give_away(partial, target if target.exists() else target.parent)
        return done


def _give_away(folder: Path, owners: Path) -> None:
    """Let *folder* be of whoever has *owners*: a daemon runs as that user, not as root."""
    owner = owners.stat()
    for each in (folder, *folder.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)


def _copy(source: StateDirectory, target: StateDirectory, *, running: bool) -> BackedUp:
    kept = _copy_database(source, target)
    files, copies = source.map_files, target.map_files
    copies.make_folder()
    left_empty: list[str] = []
    for number, row in kept.objects.items():
        if not isinstance(row, KeptMap) or not has_file(row):
            continue
        try:
            if not running:
                _copy_file(files.path(number), copies.path(number))
            elif not _copy_entries(files, copies, number, row):
                left_empty.append(label(number, row))
        except FileNotFoundError:
            with reading(source) as connection:
                if running and number not in read_all(connection).objects:
                    raise _GoneError from None
            raise StoreError(damaged(source.path, f"map {number} has no file")) from None
        except (OSError, EngineError) as error:
            raise StoreError(f"{label(number, row)} cannot be copied: {error}") from None
    return BackedUp(len(kept.objects), len(kept.pins), running, tuple(left_empty))


def _copy_database(source: StateDirectory, target: StateDirectory) -> Kept:
    with reading(source) as connection:
        connection.execute("COMMIT")  # `backup` begins its own, and sees one state
        path = target.database
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
                path.chmod(0o600)
                return read_all(copy) if version_of(copy) == VERSION else Kept()
        except sqlite3.Error as error:
            raise store_error(path, error) from error


def _copy_entries(files: MapFiles, copies: MapFiles, number: int, row: KeptMap) -> bool:
    """Copy what a map has while others use it; False if that cannot be read."""
    source = files.map_in(number, row)
    copies.path(number).touch(mode=0o600, exist_ok=False)
    descriptor = copies.open(number)
    try:
        copy = engine_map(row, file=descriptor)
    finally:
        os.close(descriptor)
    if row.type in _WITHOUT_ENTRIES:
        return False
    limit = max(1, PAGE_BYTES // max(1, source.key_size + source.user_value_size))
    after: bytes | None = None
    while page := source.entries(after, limit):
        _put(copy, page)
        after = page[-1][0]
    return True


def _put(copy: Map, page: list[tuple[bytes, bytes]]) -> None:
    copy.update_batch(b"".join(key for key, _ in page), b"".join(value for _, value in page))


def _copy_file(source: Path, target: Path) -> None:
    """Copy a file with its holes: maps reserve far more than they use."""
    target.touch(mode=0o600, exist_ok=False)
    with source.open("rb") as old, target.open("r+b") as new:
        size = os.fstat(old.fileno()).st_size
        at = 0
        while at < size:
            try:
                at = os.lseek(old.fileno(), at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break
            end = os.lseek(old.fileno(), at, os.SEEK_HOLE)
            while at < end:
                at += os.pwrite(new.fileno(), os.pread(old.fileno(), min(CHUNK, end - at), at), at)
        new.truncate(size)


@contextmanager
def _new_directory(target: Path) -> Generator[Path]:
    """A directory to fill, which becomes *target* when it is whole, or nothing."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise StoreError(f"{target} exists: nothing is overwritten, name a new directory")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield partial
            partial.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error}") from error
