"""A state directory, and what can be done with it while no daemon, or one, has it.

state.sqlite    contracts, objects, pins (and SQLite's own state.sqlite-wal and -shm)
maps/<id>       contents of maps
lock            whoever runs on it
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd.store.check import contradictions, missing_files, unreadable, unusable
from ebpfd.store.database import StoreError, damaged, refuse_unusable, store_error
from ebpfd.store.kept_contracts import read_contracts
from ebpfd.store.kept_objects import Kept, KeptLink, KeptMap, KeptProgram, read_all
from ebpfd.store.map_files import MapFiles
from ebpfd.store.schema import VERSION, version_of

ATTEMPTS: Final = 3
"""How often a problem must be seen to be one."""


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Where things are in a state directory."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "state.sqlite"

    @property
    def lock(self) -> Path:
        """The file that a running daemon has locked."""
        return self.path / "lock"

    @property
    def map_files(self) -> MapFiles:
        """Contents of maps."""
        return MapFiles(self.path / "maps")

    def refuse_if_none(self) -> None:
        """Raise if this is no state directory at all, or one that lost its database."""
        self.refuse_without_database()
        if not self.database.is_file():
            message = f"{self.path} is no state directory: it has no {self.database.name}"
            raise StoreError(message)

    def refuse_without_database(self) -> None:
        """Raise if there are maps that nothing says anything about: they must not be lost."""
        database = self.database
        if self.map_files.found() and not (database.exists() and database.stat().st_size):
            raise StoreError(damaged(self.path, f"there are maps, but no {database.name}"))


@dataclass(frozen=True, slots=True)
class Checked:
    """What is in a state directory, and what is wrong with it."""

    version: int
    contracts: int = 0
    programs: int = 0
    maps: int = 0
    links: int = 0
    pins: int = 0
    problems: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Contracts that describe nothing, which a daemon reports and does without."""

    leftovers: tuple[int, ...] = ()
    """Maps of a running or killed daemon that do not survive."""


def check(directory: StateDirectory) -> Checked:
    """Look at everything; ``StoreError`` if there is nothing that can be looked at."""
    found = _look(directory)
    for _ in range(ATTEMPTS - 1):
        if not found.problems:
            break
        # A daemon may have removed a map between our looks at its row and at its file.
        found = _look(directory)
    return found


def _look(directory: StateDirectory) -> Checked:
    with reading(directory) as connection:
        version = version_of(connection)
        if version == 0:
            return Checked(0, problems=(f"{directory.database.name} is empty",))
        problems = [
            f"{directory.database.name}: {found}"
            for (found,) in connection.execute("PRAGMA integrity_check")
            if found != "ok"
        ]
        (contracts,) = connection.execute("SELECT count(*) FROM contracts").fetchone()
        if problems:
            return Checked(version, contracts, problems=tuple(problems))
        left_out = tuple(unreadable(read_contracts(connection)))
        if version < VERSION:
            return Checked(version, contracts, unreadable=left_out)
        kept = read_all(connection)
    files = directory.map_files
    problems += contradictions(kept)
    problems += missing_files(kept, files) if problems else unusable(kept, files)
    return Checked(
        version,
        contracts,
        programs=_count(kept, KeptProgram),
        maps=_count(kept, KeptMap),
        links=_count(kept, KeptLink),
        pins=len(kept.pins),
        problems=tuple(problems),
        unreadable=left_out,
        leftovers=tuple(each for each in files.found() if each not in kept.objects),
    )


@contextmanager
def reading(directory: StateDirectory) -> Generator[sqlite3.Connection]:
    """The database as it is now, unchanged within the block; ``StoreError``."""
    directory.refuse_if_none()
    path = directory.database
    try:
        # One of SQLite's own helper files may have to be made, so not `mode=ro`.
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = ON")
            refuse_unusable(connection, path)
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def _count(kept: Kept, kind: type) -> int:
    return sum(isinstance(row, kind) for row in kept.objects.values())
