"""The SDK's side of the hello socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ebpfd_sdk._token import TokenSource


@asynccontextmanager
async def greeting(path: Path, line: str) -> AsyncGenerator[None]:
    """A hello socket that says *line* to each, with the number of those before in it."""
    count = 0

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        writer.write(line.format(count).encode())
        writer.close()
        count += 1

    async with await asyncio.start_unix_server(greet, f"{path}.hello"):
        yield


async def test_a_token_is_used_while_it_lasts(tmp_path: Path) -> None:
    """And not after most of its time: a call must not meet its end."""
    async with greeting(tmp_path / "s", "t{} 300\n"):
        source = TokenSource(str(tmp_path / "s"))
        assert [await source.token() for _ in range(3)] == ["t0"] * 3
    async with greeting(tmp_path / "over", "t{} 0\n"):
        source = TokenSource(str(tmp_path / "over"))
        assert [await source.token() for _ in range(3)] == ["t0", "t1", "t2"]


async def test_calls_at_once_get_the_same_one(tmp_path: Path) -> None:
    """The daemon is asked once."""
    async with greeting(tmp_path / "s", "t{} 300\n"):
        source = TokenSource(str(tmp_path / "s"))
        assert set(await asyncio.gather(*(source.token() for _ in range(10)))) == {"t0"}


async def test_one_that_was_refused_is_not_used_again(tmp_path: Path) -> None:
    """An older one that is refused later is no news."""
    async with greeting(tmp_path / "s", "t{} 300\n"):
        source = TokenSource(str(tmp_path / "s"))
        source.refused(await source.token())
        assert await source.token() == "t1"
        source.refused("t0")
        assert await source.token() == "t1"


@pytest.mark.parametrize("line", ["", "hello\n", "t soon\n", "a b c\n", "\xff 1\n"])
async def test_what_is_no_greeting_gives_no_token(tmp_path: Path, line: str) -> None:
    """Calls are then made without."""
    async with greeting(tmp_path / "s", line):
        assert await TokenSource(str(tmp_path / "s")).token() == ""


async def test_a_daemon_without_a_hello_socket_gives_none(tmp_path: Path) -> None:
    """As those that know nothing of tokens."""
    assert await TokenSource(str(tmp_path / "s")).token() == ""
