"""The log's lines: in order when somebody reads them, and in nobody's way when nobody does."""

import fcntl
import os
import resource
import threading
import time
from pathlib import Path

import pytest

from ebpfd.app import log_lines
from ebpfd.app.log_lines import LogLines

SHORT_S = 0.2


def told(lost: int) -> str:
    """The line about lines that were lost."""
    return f"{lost} lost"


def read_all(descriptor: int) -> list[str]:
    """All lines until the other end is closed."""
    with os.fdopen(descriptor, closefd=False) as file:
        return file.read().splitlines()


def test_lines_are_written_in_order_until_the_end() -> None:
    """Those that wait when it is closed too."""
    reader, writer = os.pipe()
    lines = LogLines(writer, told)
    for number in range(100):
        lines.add(str(number))
    lines.close(10)
    os.close(writer)
    assert read_all(reader) == [str(number) for number in range(100)]
    assert lines.lost == 0
    os.close(reader)


def test_a_line_that_can_be_written_is_written_at_once(tmp_path: Path) -> None:
    """Whoever is killed afterwards has said it."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    to_file, to_pipe = LogLines(descriptor, told), LogLines(writer, told)
    for line in ("short", "x" * 9000):
        to_file.add(line)
        assert path.read_text().splitlines()[-1] == line
    to_pipe.add("short")
    assert os.read(reader, 100) == b"short\n"
    for lines in (to_file, to_pipe):
        lines.close(10)
    for each in (descriptor, reader, writer):
        os.close(each)


def test_a_reader_who_does_not_read_costs_lines_and_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later he is told how many there were; the end does not wait for him either."""
    monkeypatch.setattr(log_lines, "MAX_WAITING", 3)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    lines = LogLines(writer, told)
    began = time.monotonic()
    for _ in range(20):
        lines.add("x" * 4000)
    assert lines.lost >= 15
    lines.close(SHORT_S)
    assert time.monotonic() - began < 5
    seen: list[list[str]] = []
    reading = threading.Thread(target=lambda: seen.append(read_all(reader)))
    reading.start()
    lines.close(10)
    os.close(writer)
    reading.join()
    os.close(reader)
    assert f"{lines.lost} lost" in seen[0]


def test_a_reader_who_is_gone_costs_lines_and_nothing_else() -> None:
    """Nobody who logs hears of it."""
    reader, writer = os.pipe()
    os.close(reader)
    lines = LogLines(writer, told)
    for _ in range(3):
        lines.add("unheard")
    lines.close(10)
    os.close(writer)
    assert lines.lost == 3


def test_a_full_disk_costs_lines_until_there_is_room(tmp_path: Path) -> None:
    """What was written in part is ended first, and then it says how many were lost."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    lines = LogLines(descriptor, told)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        for line in ("first", "second", "third"):
            lines.add(line)
        while lines.lost < 2:
            time.sleep(0.001)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    lines.add("again")
    lines.close(10)
    os.close(descriptor)
    assert path.read_text().splitlines() == ["first", "seco", "2 lost", "again"]
