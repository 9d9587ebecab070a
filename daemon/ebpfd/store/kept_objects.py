"""Programs, maps, links, pins and ids, as they come back after a restart.

What an object is, is JSON of the structures below: a field that is new has a default, so older
rows stay readable; one that is unknown was written by a newer daemon and is an error.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec

from ebpfd.store.database import Database, damage_in
from ebpfd_api.custom_map import MapFunction

Blob: TypeAlias = bytes
"""The SHA-256 of bytes in the table of blobs."""


class _Row(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind"
):
    """What objects have in common as JSON."""


class KeptMapType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A map type that an extension provides: what it promised, and bytes of a value as seen."""

    number: int
    value_size: int
    functions: list[MapFunction]
    updates_original_value: bool = False
    name: str = ""


class KeptMap(_Row, frozen=True, tag="map"):
    """A map as it was declared.

    ``initial`` are the bytes of a read-only one; all others have their contents in a file, but for
    those that hold objects.  ``lanes`` are the values of each entry, 0 if it is not per-CPU.
    ``owned`` is True if the daemon has it, as of the others.  Of one whose type an extension
    provides, which is ``custom``, this is the map that keeps the entries.
    """

    type: int
    key_size: int
    value_size: int
    max_entries: int
    name: str = ""
    flags: int = 0
    read_only: bool = False
    inner: tuple[int, int, int, int] | None = None
    initial: Blob | None = None
    lanes: int = 0
    owned: bool = False
    custom: KeptMapType | None = None


class KeptProgram(_Row, frozen=True, tag="program"):
    """A program as it was loaded: what makes the same of it again.

    ``file`` is its object file, ``index`` its place there, ``contract`` what it was verified
    against, JSON, and ``functions`` the imported ones, JSON too.  ``maps`` are ids by their places
    in the file, ``file_maps`` those that its file declares for users.  ``answers`` are what judges
    have answered, by the key of the question, while the engine was ``engine``.
    """

    file: Blob
    index: int
    contract: Blob
    functions: Blob
    file_name: str = ""
    execution: Literal["any", "jit", "interpreter"] = "any"
    follows_contract: bool = False
    flags: int = 0
    maps: dict[int, int] = {}
    file_maps: list[int] = []
    answers: list[tuple[bytes, Blob]] = []
    engine: bytes = b""
    owned: bool = False


class KeptPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The result of events that find something in their way; None: open."""

    no_provider: int | None = None
    timeout: int | None = None
    error: int | None = None
    overload: int | None = None
    lost: int | None = None


class KeptLink(_Row, frozen=True, tag="link"):
    """A link as it was attached; ``owned`` is True of a legacy link.

    ``flags`` are its own; None: its program's.  After ``break_after`` failures in a row it is left
    alone for ``retry_s``; 0: never.  ``failure_result`` is only in rows that were
    written before there was a policy: the result of all events that find something in their way.
    """

    program: int
    attach_type: UUID
    parameter: bytes = b""
    flags: int | None = None
    priority: int = 0
    failure_result: int | None = None
    policy: KeptPolicy = KeptPolicy()
    break_after: int = 0
    retry_s: float = 0.0
    link_type: int = 0
    bpf_attach_type: int = 0
    wildcard: bool = False
    owned: bool = False


KeptObject: TypeAlias = KeptMap | KeptProgram | KeptLink

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[KeptObject]] = msgspec.json.Decoder(
    KeptMap | KeptProgram | KeptLink
)


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction does, in this order.

    ``blobs`` are contents by their SHA-256, as ``put`` refers to them; those that nobody has after
    the change go.  ``entries`` are by container and key, None for one that goes.
    """

    put: Mapping[int, KeptObject] = field(default_factory=dict[int, KeptObject])
    blobs: Mapping[Blob, bytes] = field(default_factory=dict[Blob, bytes])
    entries: Mapping[tuple[int, bytes], int | None] = field(
        default_factory=dict[tuple[int, bytes], int | None]
    )
    pin: Mapping[str, int] = field(default_factory=dict[str, int])
    unpin: Iterable[str] = ()
    remove: Collection[int] = ()
    last_id: int = 0
    exact_last_id: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """All that was kept."""

    objects: dict[int, KeptObject] = field(default_factory=dict[int, KeptObject])
    entries: dict[tuple[int, bytes], int] = field(default_factory=dict[tuple[int, bytes], int])
    pins: dict[str, int] = field(default_factory=dict[str, int])
    blobs: dict[Blob, bytes] = field(default_factory=dict[Blob, bytes])
    last_id: int = 1


class KeptObjects:
    """The tables of objects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Kept:
        """Everything; ``StoreError`` names a row that makes no sense."""
        return await self._database.look(read_all)

    async def change(self, change: Change, before: Callable[[], None] | None = None) -> None:
        """Do all of *change*, or nothing; *before* may make files that it speaks of."""

        def work(connection: sqlite3.Connection) -> None:
            if before is not None:
                before()
            write(connection, change)

        await self._database.change(work)

    @property
    def refused(self) -> int:
        """How often the database could not be written, for objects or contracts."""
        return self._database.refused

    @property
    def problem(self) -> str:
        """Why its last change could not be written; empty: it was, or there was none."""
        return self._database.problem

    async def in_order(self, work: Callable[[], None]) -> None:
        """Do *work*, about files, after all changes that were begun."""
        await self._database.in_order(work)


def blob_of(content: bytes) -> Blob:
    """What *content* is referred to by."""
    return hashlib.sha256(content).digest()


def read_all(connection: sqlite3.Connection) -> Kept:
    """Everything that the tables hold; ``StoreError`` names a row that makes no sense."""
    last = connection.execute("SELECT last FROM ids").fetchone()
    if last is None:
        raise damage_in(connection, "it does not say which ids were given")
    rows = connection.execute("SELECT id, content FROM objects ORDER BY id")
    return Kept(
        objects={number: _decoded(connection, number, content) for number, content in rows},
        entries={
            (container, key): held
            for container, key, held in connection.execute(
                "SELECT container, key, object FROM entries"
            )
        },
        pins=dict(connection.execute("SELECT path, object FROM pins ORDER BY path")),
        blobs=dict(connection.execute("SELECT sha256, content FROM blobs")),
        last_id=last[0],
    )


def write(connection: sqlite3.Connection, change: Change) -> None:
    """Do *change* in the transaction that the caller has begun."""
    before = _blobs_in_use(connection, [*change.put, *change.remove])
    connection.executemany(
        "INSERT INTO blobs (sha256, content) VALUES (?, ?) ON CONFLICT DO NOTHING",
        change.blobs.items(),
    )
    for number, row in change.put.items():
        connection.execute(
            "INSERT INTO objects (id, content) VALUES (?, ?) "
            "ON CONFLICT (id) DO UPDATE SET content = excluded.content",
            (number, _ENCODER.encode(row).decode()),
        )
        connection.execute("DELETE FROM uses WHERE object = ?", (number,))
        connection.executemany(
            "INSERT INTO uses (object, blob) VALUES (?, ?)",
            [(number, blob) for blob in blobs_of(row)],
        )
    for (container, key), held in change.entries.items():
        if held is None:
            connection.execute(
                "DELETE FROM entries WHERE container = ? AND key = ?", (container, key)
            )
        else:
            connection.execute(
                "INSERT OR REPLACE INTO entries (container, key, object) VALUES (?, ?, ?)",
                (container, key, held),
            )
    connection.executemany("DELETE FROM pins WHERE path = ?", [(path,) for path in change.unpin])
    connection.executemany(
        "INSERT OR REPLACE INTO pins (path, object) VALUES (?, ?)", change.pin.items()
    )
    removed = [(number,) for number in change.remove]
    connection.executemany("DELETE FROM objects WHERE id = ?", removed)
    connection.executemany(
        "DELETE FROM blobs WHERE sha256 = ? AND sha256 NOT IN (SELECT blob FROM uses)",
        [(blob,) for blob in before],
    )
    if change.exact_last_id:
        connection.execute("UPDATE ids SET last = ?", (change.exact_last_id,))
    connection.execute("UPDATE ids SET last = max(last, ?)", (change.last_id,))


def _blobs_in_use(connection: sqlite3.Connection, numbers: Iterable[int]) -> set[Blob]:
    """The blobs that objects have until now."""
    return {
        blob
        for number in numbers
        for (blob,) in connection.execute("SELECT blob FROM uses WHERE object = ?", (number,))
    }


def blobs_of(row: KeptObject) -> set[Blob]:
    """The blobs that an object has."""
    match row:
        case KeptMap():
            found = [row.initial]
        case KeptProgram():
            found = [row.file, row.contract, row.functions, *(blob for _, blob in row.answers)]
        case KeptLink():
            found = []
    return {blob for blob in found if blob is not None}


def _decoded(connection: sqlite3.Connection, number: int, content: str) -> KeptObject:
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError as error:
        raise damage_in(connection, f"object {number} cannot be read: {error}") from None
