"""What is acknowledged is there after whatever happens to the process."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from ebpfd.store import Database, KeptContract, KeptContracts, StoreError

ROW = KeptContract("program_type", UUID(int=1), '{"name": "a"}', "origin", imported=True)
HOOK = KeptContract("attach_type", UUID(int=1), "{}", "", provided=False)

WRITER = """
import asyncio, sys
from pathlib import Path
from uuid import UUID
from ebpfd.store import Database, KeptContract, KeptContracts

async def main():
    async with Database(Path(sys.argv[1])) as database:
        kept = KeptContracts(database)
        for number in range(1, 1_000_000):
            await kept.put(KeptContract("program_type", UUID(int=number), "x" * 5_000, "writer"))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_rows_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """One for each kind and GUID, the latest."""
    path = tmp_path / "state.sqlite"
    async with Database(path) as database:
        kept = KeptContracts(database)
        await kept.put(ROW)
        await kept.put(HOOK)
        latest = KeptContract("program_type", UUID(int=1), "{}", "later", provided=True)
        await kept.put(latest)
    async with Database(path) as database:
        rows = await KeptContracts(database).all()
    assert sorted(rows, key=lambda row: row.kind) == [HOOK, latest]


async def test_a_removed_row_is_gone(tmp_path: Path) -> None:
    """And nothing else; removing it once more is no error."""
    async with Database(tmp_path / "state.sqlite") as database:
        kept = KeptContracts(database)
        await kept.put(ROW)
        await kept.put(HOOK)
        for _ in range(2):
            await kept.remove("program_type", ROW.guid)
        assert await kept.all() == [HOOK]


async def test_a_change_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A transaction is undone as a whole, and the next one works."""
    async with Database(tmp_path / "state.sqlite") as database:
        kept = KeptContracts(database)

        def half(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM contracts")
            connection.execute("INSERT INTO contracts (kind) VALUES ('program_type')")

        await kept.put(ROW)
        with pytest.raises(StoreError, match="NOT NULL"):
            await database.change(half)
        assert await kept.all() == [ROW]
        await kept.put(HOOK)
        assert len(await kept.all()) == 2


async def test_a_killed_process_loses_nothing_that_it_was_told(tmp_path: Path) -> None:
    """Every row that it reported is there, whole."""
    path = tmp_path / "state.sqlite"
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    told = 0
    while told < 20:
        told = int(await writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = (await writer.stdout.read()).decode().split("\n")[:-1]
    told = max([told, *map(int, rest)])
    await writer.wait()
    async with Database(path) as database:
        rows = await KeptContracts(database).all()
    assert {row.guid.int for row in rows} >= set(range(1, told + 1))
    assert {len(row.content) for row in rows} == {5_000}


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")


def _garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 400)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_newer, "newer ebpfd"),
        (_garbage, "not a database"),
        (Path.mkdir, "Is a directory"),
    ],
    ids=["newer", "garbage", "folder"],
)
async def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    """With the reason; it is left as it is."""
    path = tmp_path / "state.sqlite"
    spoil(path)
    with pytest.raises(StoreError, match=says) as caught:
        async with Database(path):
            pass
    assert str(path) in str(caught.value)


async def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    """What was there before stays, and can be read."""
    async with Database(tmp_path / "state.sqlite") as database:
        kept = KeptContracts(database)
        await kept.put(ROW)
        await database.look(lambda connection: connection.execute("PRAGMA max_page_count = 4"))
        large = KeptContract("program_type", UUID(int=2), "x" * 1_000_000, "")
        with pytest.raises(StoreError, match="full: make room there"):
            await kept.put(large)
        assert await kept.all() == [ROW]


def remove_all(folder: Path) -> None:
    """As an operator does who takes it for somebody else's."""
    for each in folder.iterdir():
        each.unlink()


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_removed_takes_no_change(tmp_path: Path, *, replaced: bool) -> None:
    """It would be acknowledged, and lost with the process; nor does one take its place."""
    path = tmp_path / "state.sqlite"
    async with Database(path) as database:
        kept = KeptContracts(database)
        await kept.put(ROW)
        await asyncio.to_thread(remove_all, tmp_path)
        if replaced:
            await asyncio.to_thread(path.touch)
        with pytest.raises(StoreError, match=r"was removed or replaced .*state restore"):
            await kept.put(ROW)
