"""What is wrong with a state directory is said; a backup is one that can be run on."""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from ebpfd.store import (
    Change,
    Database,
    KeptMap,
    MapFiles,
    StateDirectory,
    StoreError,
    back_up,
    check,
)
from ebpfd.store import restore as restored
from ebpfd.store.kept_objects import write
from ebpfd_vm import Map
from tests.daemon.store.states import (
    ALL,
    HASH,
    PROGRAM,
    QUEUE,
    changing,
    contents,
    kept,
    made,
    make_map,
)


def test_a_whole_directory_has_no_problems(tmp_path: Path) -> None:
    """What is in it is counted; maps that were not to survive are no problem."""
    directory = made(tmp_path / "state")
    make_map(directory, 8, HASH)
    found = check(directory)
    assert found.problems == ()
    assert (found.programs, found.maps, found.links, found.pins) == (1, 4, 1, 3)
    assert (found.contracts, found.leftovers) == (1, (8,))


async def opened(path: Path) -> None:
    """Open a database as the daemon does."""
    async with Database(path):
        pass


def changed(sql: str) -> Callable[[StateDirectory], object]:
    """Damage by SQL that heeds no constraint."""

    def spoil(directory: StateDirectory) -> None:
        with changing(directory) as connection:
            connection.execute(sql)

    return spoil


def without_file(directory: StateDirectory) -> None:
    """Remove a map's file."""
    directory.map_files.remove(2)


def with_anothers_file(directory: StateDirectory) -> None:
    """Give a map the file of another one."""
    files = directory.map_files
    files.path(2).write_bytes(files.path(3).read_bytes())


def shortened_to(size: int) -> Callable[[StateDirectory], object]:
    """Damage by losing what is behind *size* bytes of a map's file."""
    return lambda directory: os.truncate(directory.map_files.path(2), size)


def garbled(directory: StateDirectory) -> None:
    """Change bytes in the middle of the SQLite file."""
    with directory.database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without_file, "map 2 (counts)"),
        (shortened_to(0), "is empty"),
        (shortened_to(4096), "holds another map"),
        (with_anothers_file, "holds another map"),
        (changed("DELETE FROM objects WHERE id = 2"), "needs map 2, which is not there"),
        (changed("DELETE FROM objects WHERE id = 6"), "needs program 6, which is not there"),
        (changed("UPDATE pins SET object = 77"), "leads to 77, which is not there"),
        (changed("UPDATE entries SET object = 77"), "holds 77 under 00000000"),
        (changed("UPDATE entries SET container = 2"), "map 2, which holds no objects"),
        (changed("UPDATE ids SET last = 5"), "has an id that was never given"),
        (changed("UPDATE blobs SET content = x'00'"), "have changed"),
        (changed("DELETE FROM blobs"), "lacks the bytes"),
    ],
)
def test_damage_is_named(
    tmp_path: Path, spoil: Callable[[StateDirectory], object], says: str
) -> None:
    """And a backup that is damaged is not restored."""
    directory = made(tmp_path / "state")
    spoil(directory)
    assert any(says in each for each in check(directory).problems), check(directory).problems
    with pytest.raises(StoreError, match="is damaged"):
        restored(directory, tmp_path / "new")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["state"]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE contracts SET content = '{}'", "is missing"),
        ("UPDATE contracts SET kind = 'attach_type'", "hook: Object contains unknown"),
        (
            "UPDATE contracts SET kind = 'attach_type', content = '{}'",
            "hook: Object missing required field",
        ),
    ],
)
def test_contracts_that_describe_nothing_are_named(tmp_path: Path, sql: str, says: str) -> None:
    """A daemon does without them, so a backup that has one can be restored all the same."""
    directory = made(tmp_path / "state")
    changed(sql)(directory)
    found = check(directory)
    (line,) = found.unreadable
    assert line.startswith(f"contract {UUID(int=1)}: ")
    assert says in line
    assert found.problems == ()
    restored(directory, tmp_path / "new")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (changed("DELETE FROM ids"), "which ids were given"),
        (changed("UPDATE objects SET content = '{}' WHERE id = 2"), "object 2 cannot be read"),
        (changed("UPDATE contracts SET guid = 'x'"), "contract 'x' has no GUID"),
    ],
)
def test_rows_that_make_no_sense_are_damage(
    tmp_path: Path, spoil: Callable[[StateDirectory], object], says: str
) -> None:
    """The daemon and whoever looks for damage say the same, and what can be done."""
    directory = made(tmp_path / "state")
    spoil(directory)
    with pytest.raises(StoreError, match=rf"is damaged: .*{says}.*state restore"):
        check(directory)


def test_a_garbled_file_is_refused(tmp_path: Path) -> None:
    """By everybody, and with what can be done."""
    directory = made(tmp_path / "state")
    garbled(directory)
    before = directory.database.read_bytes()
    with pytest.raises(StoreError, match=r"is damaged: .*state restore.*another --state"):
        check(directory)
    with pytest.raises(StoreError, match="is damaged"):
        asyncio.run(opened(directory.database))
    assert directory.database.read_bytes() == before


def test_maps_without_a_database_are_not_taken_for_leftovers(tmp_path: Path) -> None:
    """Whoever lost the one file must not lose the others."""
    directory = made(tmp_path / "state")
    directory.refuse_without_database()
    directory.database.unlink()
    with pytest.raises(StoreError, match=r"there are maps, but no state\.sqlite"):
        directory.refuse_without_database()
    with pytest.raises(StoreError, match=r"there are maps, but no state\.sqlite"):
        check(directory)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """It gets no tables of ours."""
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(StoreError, match="not of ebpfd"):
        asyncio.run(opened(path))


def test_a_backup_at_rest_has_everything(tmp_path: Path) -> None:
    """Queues too, and can be restored."""
    directory = made(tmp_path / "state")
    done = back_up(directory, tmp_path / "backup", running=False)
    assert (done.objects, done.pins, done.left_empty) == (6, 3, ())
    restored(StateDirectory(tmp_path / "backup"), tmp_path / "new")
    new = StateDirectory(tmp_path / "new")
    assert check(new).problems == ()
    assert contents(new, 2, HASH) == contents(directory, 2, HASH)
    queue = new.map_files.map_in(3, QUEUE)
    assert [queue.pop(), queue.pop()] == [b"first***", b"second**"]
    assert kept(new).objects == ALL.put
    used = sum(each.stat().st_blocks for each in new.map_files.folder.iterdir()) * 512
    assert used < 8 << 20, "holes stay holes"


def test_a_backup_of_maps_that_are_written_has_whole_entries(tmp_path: Path) -> None:
    """Both halves of a value are of one moment; what cannot be read is named."""
    directory = made(tmp_path / "state")
    counts, over = directory.map_files.map_in(2, HASH), threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            half = number.to_bytes(4, "little")
            for key in range(100, 200):
                counts.update(key.to_bytes(4, "little"), half + half)
            for key in range(150, 200):
                counts.delete(key.to_bytes(4, "little"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in ("one", "two", "three"):
            done = back_up(directory, tmp_path / name, running=True)
            assert done.left_empty == ("map 3 (jobs)",)
            found = contents(StateDirectory(tmp_path / name), 2, HASH)
            for key in range(100):
                assert found[key.to_bytes(4, "little")] == key.to_bytes(8, "little")
            for value in found.values():
                assert value[4:] == bytes(4) or value[:4] == value[4:]
            assert check(StateDirectory(tmp_path / name)).problems == ()
    finally:
        over.set()
        writer.join()


def test_a_map_that_goes_meanwhile_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup begins anew."""
    directory = made(tmp_path / "state")
    really = MapFiles.map_in

    def goes(files: MapFiles, map_id: int, row: KeptMap) -> Map:
        if map_id == 3 and files.path(3).exists():
            files.remove(3)
            with changing(directory) as connection:
                connection.execute("DELETE FROM pins WHERE object = 3")
                connection.execute("DELETE FROM objects WHERE id = 3")
        return really(files, map_id, row)

    with changing(directory) as connection:
        write(connection, Change(put={6: replace(PROGRAM, maps={0: 2})}))
    monkeypatch.setattr(MapFiles, "map_in", goes)
    done = back_up(directory, tmp_path / "backup", running=True)
    assert (done.objects, done.pins) == (5, 2)
    assert check(StateDirectory(tmp_path / "backup")).problems == ()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither by a backup nor by restoring one."""
    directory = made(tmp_path / "state")
    back_up(directory, tmp_path / "backup", running=False)
    with pytest.raises(StoreError, match="nothing is overwritten"):
        back_up(directory, tmp_path / "backup", running=False)
    with pytest.raises(StoreError, match="nothing is overwritten"):
        restored(StateDirectory(tmp_path / "backup"), tmp_path / "state")
