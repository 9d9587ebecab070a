"""The tables, and how those of earlier versions become those of today.

    objects   programs, maps and links by id; what they are is JSON (see ``kept_objects``)
    entries   what is under which key of a map of programs or maps
    pins      paths, and what they lead to
    blobs     bytes that several objects may have in common, by their SHA-256
    uses      which object has which blob
    ids       one row: ids up to this one may have been given

A version is never changed once it was released: what comes later is a step of its own.
"""

import sqlite3
from typing import Final

_CONTRACTS: Final = """
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

_OBJECTS: Final = """
CREATE TABLE objects (
    id INTEGER PRIMARY KEY,
    content TEXT NOT NULL    -- JSON
) STRICT;
CREATE TABLE entries (
    container INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    key BLOB NOT NULL,
    object INTEGER NOT NULL REFERENCES objects (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (container, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_by_object ON entries (object);
CREATE TABLE pins (
    path TEXT PRIMARY KEY,
    object INTEGER NOT NULL REFERENCES objects (id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;
CREATE INDEX pins_by_object ON pins (object);
CREATE TABLE blobs (
    sha256 BLOB PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE uses (
    object INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
    blob BLOB NOT NULL REFERENCES blobs (sha256) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (object, blob)
) STRICT, WITHOUT ROWID;
CREATE INDEX uses_by_blob ON uses (blob);
CREATE TABLE ids (last INTEGER NOT NULL) STRICT;
INSERT INTO ids VALUES (1);  -- as in eBPF for Windows, the first one given is 2
"""

STEPS: Final = (_CONTRACTS, _OBJECTS)
"""Step *n* makes version *n* + 1 of version *n*."""

VERSION: Final = len(STEPS)
"""Of the tables; a newer daemon's file is refused, not guessed at."""


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables; 0 of an empty file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(version, int), "SQLite keeps a number"
    return version


def bring_up(connection: sqlite3.Connection) -> None:
    """Make the tables those of today, as one transaction."""
    steps = " ".join(STEPS[version_of(connection) :])
    if steps:
        connection.executescript(
            f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
        )


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether there is anything in the file."""
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
