"""One SQLite file, one connection to it, and one thread that uses the connection.

A change is one transaction that is on the disk when it is acknowledged: after ``kill -9`` a
change is there as a whole, or not at all.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

_Value = TypeVar("_Value")

VERSION: Final = 1
"""Of the tables; a newer daemon's file is refused, not guessed at."""

_TABLES: Final = """
CREATE TABLE contracts (
    kind TEXT NOT NULL,      -- program_type or attach_type
    guid TEXT NOT NULL,
    content TEXT NOT NULL,   -- JSON
    origin TEXT NOT NULL,    -- who registered it, or the file that it came from
    imported INTEGER NOT NULL,
    provided INTEGER NOT NULL,
    PRIMARY KEY (kind, guid)
) STRICT, WITHOUT ROWID;
"""


class StoreError(Exception):
    """The state cannot be read or written; the message names the file and says why."""


class Database:
    """The file; ``async with Database(path)``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._connection: sqlite3.Connection | None = None

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
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                return work(connection)

        return await self._in_thread(transaction)

    async def look(self, work: Callable[[sqlite3.Connection], _Value]) -> _Value:
        """Let *work* read."""
        return await self._in_thread(lambda: work(self._connected()))

    async def _in_thread(self, work: Callable[[], _Value]) -> _Value:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._path} is closed")
        return self._connection

    def _open(self) -> None:
        # Transactions are begun by `change`, not behind its back.
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise StoreError(
                f"{self._path} was written by a newer ebpfd (its tables are of version {version}, "
                f"this one knows {VERSION}): start that one, or choose another --state"
            )
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
            )

    def _close(self) -> None:
        self._connected().close()
        self._connection = None
