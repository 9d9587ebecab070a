"""A disk without room for maps: who met it is counted, and the log says so, not too often."""

import errno
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ebpfd.host.map_room import ENOUGH_BYTES, LOW_BYTES, MapRoom
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

FULL = "no space for 8 more bytes of a map: No space left on device (os error 28)"


def meet(room: MapRoom, error: Exception) -> None:
    """What a call of the engine or the system comes to."""
    with pytest.raises(type(error)), room.counting():
        raise error


@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (EngineError(Result.NO_MEMORY, FULL), 1),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), 1),
        (EngineError(Result.NO_MEMORY, "all maps have 5 bytes, and may have 5"), 0),
        (EngineError(Result.KEY_NOT_FOUND, "the key (os error 28) is not there"), 0),
        (OSError(errno.EMFILE, "Too many open files"), 0),
        (ValueError(FULL), 0),
    ],
)
def test_only_a_disk_without_room_counts(error: Exception, counted: int) -> None:
    """Whatever it is goes on to the caller."""
    room = MapRoom(Path("/state/maps"))
    meet(room, error)
    assert room.refused == counted


def test_refusals_have_a_line_a_second_which_says_how_many_there_were() -> None:
    """So that a writer who goes on does not fill the next disk."""
    room = MapRoom(Path("/state/maps"), iter((0.0, 0.1, 0.9, 1.0)).__next__)
    with capture_logs() as logged:
        for _ in range(4):
            meet(room, EngineError(Result.NO_MEMORY, FULL))
    assert [(line["event"], line["refused"]) for line in logged] == [
        ("no room for maps", 1),
        ("no room for maps", 3),
    ]
    assert (room.refused, room.reason) == (4, FULL)


def test_little_room_is_news_once_and_so_is_room() -> None:
    """What comes and goes a little makes no lines."""
    room = MapRoom(Path("/state/maps"))
    with capture_logs() as logged:
        for free in (ENOUGH_BYTES, LOW_BYTES - 1, 0, LOW_BYTES, ENOUGH_BYTES, ENOUGH_BYTES + 1):
            room.see(free)
    assert [(line["log_level"], line["bytes"]) for line in logged] == [
        ("warning", LOW_BYTES - 1),
        ("info", ENOUGH_BYTES),
    ]


async def test_a_folder_is_looked_at_and_none_is_not(tmp_path: Path) -> None:
    """Maps in memory need no disk; a folder that is not there yet is no error."""
    there, nowhere, missing = MapRoom(tmp_path), MapRoom(), MapRoom(tmp_path / "none")
    for room in (there, nowhere, missing):
        await room.look()
    assert there.free_bytes is not None
    assert (nowhere.free_bytes, missing.free_bytes) == (None, None)
    await nowhere.keep_looking()
