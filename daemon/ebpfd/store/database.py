"""One SQLite file, one connection to it, and one thread that uses the connection.

A change is one transaction that is on the disk when it is acknowledged: after ``kill -9`` a
change is there as a whole, or not at all.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from ebpfd.store.advice import told
from ebpfd.store.schema import VERSION, bring_up, has_tables, version_of

_Value = TypeVar("_Value")

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class StoreError(Exception):
    """The state cannot be read or written; the message names the file and says why."""


class Database:
    """The file; ``async with Database(path)``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self.refused = 0
        """Changes that could not be written."""

        self.problem = ""
        """Why the last change could not be; empty: it was, or there was none."""

    async def __aenter__(self) -> Self:
        """Open the file, and make it if there is none."""
        try:
            await self._in_thread(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file; changes that were begun are done first."""
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def change(self, work: Callable[[sqlite3.Connection], _Value]) -> _Value:
        """Do *work* as one transaction; it is on the disk when this returns."""

        def transaction() -> _Value:
            connection = self._connected()
            self._refuse_if_gone()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)

        try:
            value = await self._in_thread(transaction)
        except StoreError as error:
            self.refused += 1
            self.problem = str(error)
            raise
        self.problem = ""
        return value

    async def look(self, work: Callable[[sqlite3.Connection], _Value]) -> _Value:
        """Let *work* read."""
        return await self._in_thread(lambda: work(self._connected()))

    async def in_order(self, work: Callable[[], _Value]) -> _Value:
        """Do *work*, about files beside this one, after all changes that were begun."""
        return await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], _Value]) -> _Value:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            raise store_error(self._path, error) from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._path} is closed")
        return self._connection

    def _refuse_if_gone(self) -> None:
        """SQLite would go on in a file that has no name any more, and goes with this process."""
        try:
            if _identity(self._path.stat()) == self._file:
                return
        except FileNotFoundError:
            pass
        raise StoreError(
            f"{self._path} was removed or replaced while this daemon runs on it: stop the daemon, "
            "put a backup in its place with `ebpfctl state restore` if there is one, and start it"
        )

    def _open(self) -> None:
        # SQLite would make it for everybody to read, and its helper files like it.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._file = _identity(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        # Transactions are begun by `change`, not behind its back.
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            refuse_unusable(connection, self._path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            bring_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _close(self) -> None:
        self._connected().close()
        self._connection = None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def refuse_unusable(connection: sqlite3.Connection, path: Path) -> None:
    """Raise if the file is of a newer version, not ours or damaged: it stays as it is."""
    version = version_of(connection)
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer ebpfd (its tables are of version {version}, "
            f"this one knows {VERSION}): start that one, or choose another --state"
        )
    if version == 0 and has_tables(connection):
        raise StoreError(f"{path} is not of ebpfd: choose another --state")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(damaged(path, found.splitlines()[-1]))


def damaged(path: Path, found: str) -> str:
    """What whoever meets a damaged state is told; *found* is one cause."""
    return (
        f"{path} is damaged: {found} (`ebpfctl state check` tells more; put a backup in its place "
        "with `ebpfctl state restore`, or choose another --state)"
    )


def damage_in(connection: sqlite3.Connection, found: str) -> StoreError:
    """The same as an error, of the file behind *connection*."""
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    return StoreError(damaged(Path(path), found))


def store_error(path: Path, error: sqlite3.Error | OSError) -> StoreError:
    """What went wrong with *path*, for people."""
    if isinstance(error, OSError):
        return StoreError(told(error, path))
    # SQLite's own errors have a code; those of its Python module have none.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code in _DAMAGED:
        return StoreError(damaged(path, str(error)))
    if code == sqlite3.SQLITE_FULL:
        return StoreError(f"{path}: {error}: make room there")
    return StoreError(f"{path}: {error}")
