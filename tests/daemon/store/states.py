"""State directories as a daemon leaves them."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from ebpfd.contracts.json_codec import encode_json
from ebpfd.store import (
    Change,
    Kept,
    KeptLink,
    KeptMap,
    KeptProgram,
    StateDirectory,
    blob_of,
)
from ebpfd.store.kept_objects import read_all, write
from ebpfd.store.map_files import engine_map
from ebpfd.store.schema import bring_up
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map
from tests.conformance.elf import object_file
from tests.daemon.contracts.samples import SAMPLE

FILE: Final = object_file(b"\xb7\0\0\0\0\0\0\0\x95\0\0\0\0\0\0\0", [0])
CONTRACT: Final = encode_json(SAMPLE)
HASH: Final = KeptMap(MapType.HASH, 4, 8, 1000, name="counts")
QUEUE: Final = KeptMap(MapType.QUEUE, 0, 8, 16, name="jobs")
ARRAY_OF_PROGRAMS: Final = KeptMap(MapType.PROG_ARRAY, 4, 4, 8, name="jumps")
CONSTANTS: Final = KeptMap(
    MapType.ARRAY, 4, 4, 1, name=".rodata", read_only=True, initial=blob_of(b"four")
)
PROGRAM: Final = KeptProgram(blob_of(FILE), 0, blob_of(CONTRACT), blob_of(b"[]"), maps={0: 2, 1: 3})
LINK: Final = KeptLink(6, UUID(int=7), parameter=b"eth0", owned=True)

ALL: Final = Change(
    put={2: HASH, 3: QUEUE, 4: ARRAY_OF_PROGRAMS, 5: CONSTANTS, 6: PROGRAM, 7: LINK},
    blobs={blob_of(each): each for each in (FILE, CONTRACT, b"[]", b"four")},
    entries={(4, bytes(4)): 6},
    pin={"BPF:\\counts": 2, "BPF:\\again": 2, "BPF:\\jobs": 3},
    last_id=9,
)


def make_map(directory: StateDirectory, number: int, row: KeptMap) -> Map:
    """A map in a new file."""
    directory.map_files.make_folder()
    descriptor = directory.map_files.new()
    try:
        made = engine_map(row, file=descriptor)
        directory.map_files.name([(number, descriptor)])
        return made
    finally:
        os.close(descriptor)


def made(path: Path) -> StateDirectory:
    """A state directory with one of everything: 100 counts, and two jobs."""
    path.mkdir()
    directory = StateDirectory(path)
    counts = make_map(directory, 2, HASH)
    for number in range(100):
        counts.update(number.to_bytes(4, "little"), number.to_bytes(8, "little"))
    jobs = make_map(directory, 3, QUEUE)
    jobs.push(b"first***")
    jobs.push(b"second**")
    with changing(directory) as connection:
        bring_up(connection)
        connection.execute("BEGIN")
        write(connection, ALL)
        connection.execute(
            "INSERT INTO contracts VALUES ('program_type', ?, ?, 'origin', 0, 0)",
            (str(UUID(int=1)), CONTRACT.decode()),
        )
        connection.execute("COMMIT")
    return directory


@contextmanager
def changing(directory: StateDirectory) -> Generator[sqlite3.Connection]:
    """The database, in which nothing is watched over."""
    with closing(sqlite3.connect(directory.database, isolation_level=None)) as connection:
        yield connection


def kept(directory: StateDirectory) -> Kept:
    """All objects of a directory."""
    with changing(directory) as connection:
        return read_all(connection)


def contents(directory: StateDirectory, number: int, row: KeptMap) -> dict[bytes, bytes]:
    """All entries of a map."""
    return dict(directory.map_files.map_in(number, row).entries(None, 1000))
