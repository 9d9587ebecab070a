"""Objects come back as they were; a change is done as a whole or not at all."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ebpfd.store import (
    Change,
    Database,
    Kept,
    KeptMap,
    KeptObjects,
    KeptProgram,
    StoreError,
    blob_of,
)
from ebpfd.store.kept_objects import KeptMapType
from ebpfd.store.schema import STEPS
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType
from tests.daemon.store.states import (
    ALL,
    ARRAY_OF_PROGRAMS,
    FILE,
    HASH,
    PROGRAM,
)


async def after(path: Path, *changes: Change) -> Kept:
    """What is there when the file is opened again."""
    async with Database(path) as database:
        for change in changes:
            await KeptObjects(database).change(change)
    async with Database(path) as database:
        return await KeptObjects(database).all()


async def test_objects_come_back_as_they_were(tmp_path: Path) -> None:
    """With pins, what containers hold, and the id that was given last."""
    kept = await after(tmp_path / "state.sqlite", ALL)
    assert kept.objects == ALL.put
    assert kept.entries == ALL.entries
    assert kept.pins == ALL.pin
    assert kept.blobs == ALL.blobs
    assert kept.last_id == 9


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Also those that SQLite makes beside it."""
    async with Database(tmp_path / "state.sqlite") as database:
        await KeptObjects(database).change(ALL)
        files = await asyncio.to_thread(lambda: [*tmp_path.iterdir()])
        assert len(files) == 3
        assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


async def test_what_goes_takes_with_it_what_only_it_had(tmp_path: Path) -> None:
    """Entries of a container, and bytes that no other object has."""
    gone = Change(
        remove=[4, 5, 6, 7], unpin=["BPF:\\again"], entries={(4, bytes(4)): None}, last_id=5
    )
    kept = await after(tmp_path / "state.sqlite", ALL, gone)
    assert set(kept.objects) == {2, 3}
    assert kept.pins == {"BPF:\\counts": 2, "BPF:\\jobs": 3}
    assert kept.entries == {}
    assert kept.blobs == {}
    assert kept.last_id == 9, "ids are never given again"


async def test_bytes_stay_while_one_object_has_them(tmp_path: Path) -> None:
    """Two programs of one file, which one after the other become programs of another one."""
    path = tmp_path / "state.sqlite"
    other, file = (
        KeptProgram(blob_of(b"other"), 0, PROGRAM.contract, PROGRAM.functions),
        {blob_of(b"other"): b"other"},
    )
    twin = Change(put={8: PROGRAM}, last_id=8)
    kept = await after(path, ALL, twin, Change(put={6: other}, blobs=file))
    assert blob_of(FILE) in kept.blobs
    kept = await after(path, Change(put={8: other}))
    assert set(kept.blobs) == {
        blob_of(b"other"),
        PROGRAM.contract,
        PROGRAM.functions,
        blob_of(b"four"),
    }


async def test_a_change_that_contradicts_itself_leaves_nothing(tmp_path: Path) -> None:
    """A pin of what is not there, or removing what is still held."""
    path = tmp_path / "state.sqlite"
    before = await after(path, ALL)
    for wrong in (
        Change(put={8: HASH}, pin={"BPF:\\lost": 99}),
        Change(put={8: HASH}, remove=[6]),
        Change(put={8: KeptProgram(blob_of(b"lost"), 0, PROGRAM.contract, PROGRAM.functions)}),
    ):
        with pytest.raises(StoreError, match="constraint"):
            await after(path, wrong)
    assert await after(path) == before


async def test_an_entry_is_replaced_and_removed(tmp_path: Path) -> None:
    """By container and key."""
    path, key = tmp_path / "state.sqlite", b"\1\0\0\0"
    twin = Change(put={8: PROGRAM}, entries={(4, bytes(4)): 8, (4, key): 6}, last_id=8)
    assert (await after(path, ALL, twin)).entries == {(4, bytes(4)): 8, (4, key): 6}
    gone = Change(entries={(4, key): None})
    assert (await after(path, gone)).entries == {(4, bytes(4)): 8}


async def test_a_row_of_a_newer_daemon_is_an_error(tmp_path: Path) -> None:
    """What it says beside the fields of today might be what matters."""
    path = tmp_path / "state.sqlite"
    await after(path, ALL)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE objects SET content = json_set(content, '$.colour', 1) WHERE id = 7"
        )
    with pytest.raises(StoreError, match=r"object 7 .*colour"):
        await after(path)


async def test_a_map_of_an_extensions_type_keeps_what_its_provider_promised(
    tmp_path: Path,
) -> None:
    """A function that this daemon does not know is an error as any other such thing."""
    path = tmp_path / "state.sqlite"
    promised = KeptMapType(16, 2, [MapFunction(number) for number in (1, 2, 3)], name="names")
    row = KeptMap(MapType.HASH, 4, 8, 16, custom=promised)
    assert (await after(path, Change(put={2: row}, last_id=2))).objects == {2: row}
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE objects SET content = json_set(content, '$.custom.functions[0]', 99)"
        )
    with pytest.raises(StoreError, match=r"object 2 .*99"):
        await after(path)


async def test_tables_of_the_first_version_become_those_of_today(tmp_path: Path) -> None:
    """With what is in them."""
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{STEPS[0]} PRAGMA user_version = 1;")
        connection.execute(
            "INSERT INTO contracts VALUES ('program_type', ?, '{}', 'origin', 0, 0)",
            ("00000000-0000-0000-0000-000000000001",),
        )
    kept = await after(path, Change(put={2: HASH, 4: ARRAY_OF_PROGRAMS}, last_id=4))
    assert kept.objects == {2: HASH, 4: ARRAY_OF_PROGRAMS}
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM contracts").fetchone() == (1,)
