"""A file of lines that nothing waits for too long."""

import asyncio
import errno
import json
import os
import resource
import stat
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ebpfd.host import audit_file
from ebpfd.host.audit_file import AuditFile


@asynccontextmanager
async def writing(path: Path) -> AsyncGenerator[AuditFile]:
    """A file, which is closed in the end."""
    file = AuditFile(path)
    try:
        yield file
    finally:
        await asyncio.to_thread(file.close)


@contextmanager
def room_for(size: int) -> Generator[None]:
    """Files of this process cannot be longer, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_lines_are_written_in_order_for_the_owner_alone(tmp_path: Path) -> None:
    """Each is there when it is said to be."""
    path = tmp_path / "audit"
    async with writing(path) as file:
        await file.append("one")
        assert path.read_text() == "one\n"
        file.append("two")
        await file.append("three")
        assert path.read_text() == "one\ntwo\nthree\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_line_that_was_torn_is_ended_first(tmp_path: Path) -> None:
    """By somebody who was killed while he wrote it."""
    path = tmp_path / "audit"
    path.write_text('whole\n{"time": "20')
    async with writing(path) as file:
        await file.append("next")
    assert path.read_text().splitlines() == ["whole", '{"time": "20', "next"]


async def test_it_goes_on_in_a_new_file_when_it_is_told_to(tmp_path: Path) -> None:
    """The old one was moved away."""
    path = tmp_path / "audit"
    async with writing(path) as file:
        await file.append("old")
        path.rename(tmp_path / "audit.1")
        await file.append("still old")
        file.reopen()
        await file.append("new")
    assert (tmp_path / "audit.1").read_text() == "old\nstill old\n"
    assert path.read_text() == "new\n"


async def test_a_file_that_cannot_be_closed_in_order_is_left_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one of a network may say that what it took before is lost."""
    path, close = tmp_path / "audit", os.close

    def close_and_complain(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    async with writing(path) as file:
        await file.append("old")
        path.rename(tmp_path / "audit.1")
        with monkeypatch.context() as failing:
            failing.setattr(os, "close", close_and_complain)
            file.reopen()
            await file.append("new")
        assert file.lost == 0
    assert path.read_text() == "new\n"


async def test_without_room_lines_are_lost_and_counted(tmp_path: Path) -> None:
    """Nobody is held up; what was written in part is ended when there is room again."""
    path = tmp_path / "audit"
    async with writing(path) as file:
        await file.append("x" * 9)
        with room_for(15):
            await file.append("in part")
            await file.append("not at all")
        await file.append("again")
    assert file.lost == 2
    first, torn, lost, last = path.read_text().splitlines()
    assert (first, torn, last) == ("x" * 9, "in pa", "again")
    assert (json.loads(lost)["what"], json.loads(lost)["count"]) == ("audit.lost", 2)


async def test_lines_that_are_lost_until_the_end_are_told_of_in_the_log(tmp_path: Path) -> None:
    """The file itself cannot say so any more."""
    with capture_logs() as logged, room_for(0):
        async with writing(tmp_path / "audit") as file:
            await file.append("one")
            await file.append("two")
    assert logged[-1].items() >= {"event": "audit lines are lost", "lines": 2}.items()


async def test_without_the_folder_it_waits_for_it(tmp_path: Path) -> None:
    """A rotation that went wrong is set right without a restart."""
    folder = tmp_path / "logs"
    folder.mkdir()
    async with writing(folder / "audit") as file:
        await file.append("one")
        folder.rename(tmp_path / "gone")
        file.reopen()
        await file.append("two")
        folder.mkdir()
        await file.append("three")
    lost, last = (folder / "audit").read_text().splitlines()
    assert json.loads(lost)["count"] == 1
    assert last == "three"


async def test_a_disk_that_does_not_answer_costs_lines_and_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many wait, and no more."""
    monkeypatch.setattr(audit_file, "MAX_WAITING", 2)
    async with writing(tmp_path / "audit") as file:
        waiting = [file.append(str(number)) for number in range(4)]
        await asyncio.gather(*waiting)
        assert file.lost == 2
        await file.append("4")
    assert [line for line in (tmp_path / "audit").read_text().splitlines() if line[0] != "{"] == [
        "0",
        "1",
        "4",
    ]


@pytest.mark.parametrize("kind", ["folder", "fifo", "missing/audit"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """Before the daemon starts."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(OSError, match=r"directory|no file"):
        AuditFile(path).check()
