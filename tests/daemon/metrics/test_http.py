"""One page by HTTP, for clients of every kind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ebpfd.metrics.http import MAX_CONNECTIONS, MAX_HEAD_BYTES, METRICS, PageServer

PATIENCE_S = 20.0
SHORT_S = 0.05
GET = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"


@dataclass(slots=True)
class Site:
    """A server of one page, on a socket."""

    path: Path
    text: bytes = b"page\n"
    asked: int = 0
    broken: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def page(self) -> bytes:
        """The page, once the gate is open."""
        self.asked += 1
        await self.gate.wait()
        if self.broken:
            raise ValueError("broken")
        return self.text

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A client's connection."""
        return await asyncio.open_unix_connection(str(self.path))

    async def ask(self, *parts: bytes) -> bytes:
        """All that the server says to these bytes."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def site(folder: Path, deadline_s: float = PATIENCE_S) -> AsyncGenerator[Site]:
    """A server that nobody may make hang."""
    made = Site(folder / "page.sock")
    made.gate.set()
    pages = PageServer(made.page, deadline_s)
    server = await asyncio.start_unix_server(pages.connected, made.path, limit=MAX_HEAD_BYTES)
    async with asyncio.timeout(PATIENCE_S):
        try:
            yield made
        finally:
            server.close()
            await pages.close()


@pytest.mark.parametrize(
    "request_", [GET, GET.replace(b"/metrics", b"/metrics?x=1"), b"GET /metrics HTTP/1.0\r\n\r\n"]
)
async def test_the_page_comes_with_its_type_and_length(tmp_path: Path, request_: bytes) -> None:
    """And with the end of the connection."""
    async with site(tmp_path) as s:
        head, body = (await s.ask(request_)).split(b"\r\n\r\n", 1)
        status, *headers = head.decode().split("\r\n")
        assert status == "HTTP/1.1 200 OK"
        assert headers == [f"Content-Type: {METRICS}", "Content-Length: 5", "Connection: close"]
        assert body == s.text


async def test_head_has_no_body(tmp_path: Path) -> None:
    """But says how long it would be."""
    async with site(tmp_path) as s:
        answer = await s.ask(GET.replace(b"GET", b"HEAD"))
        assert b"Content-Length: 5\r\n" in answer
        assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"GET /metrics/x HTTP/1.1\r\n\r\n", b"404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"405 Method Not Allowed"),
        (b"GET /metrics\r\n\r\n", b"400 Bad Request"),
        (b"GET /metrics HTTP/2\r\n\r\n", b"400 Bad Request"),
        (b"\r\n\r\n", b"400 Bad Request"),
        (bytes(range(256)) + b"\r\n\r\n", b"400 Bad Request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400 Bad Request"),
        (b"x" * (MAX_HEAD_BYTES + 4), b"431 Request Header Fields Too Large"),
    ],
)
async def test_what_is_no_request_for_the_page(
    tmp_path: Path, request_: bytes, status: bytes
) -> None:
    """A definite status, the page is not made, and the next one is answered."""
    async with site(tmp_path) as s:
        assert (await s.ask(request_)).startswith(b"HTTP/1.1 " + status + b"\r\n")
        assert s.asked == 0
        assert (await s.ask(GET)).endswith(s.text)


async def test_a_request_may_come_byte_by_byte(tmp_path: Path) -> None:
    """Whatever the network makes of it."""
    async with site(tmp_path) as s:
        assert (await s.ask(*(bytes([each]) for each in GET))).endswith(s.text)


@pytest.mark.parametrize("said", [b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\nX: "])
async def test_who_says_no_more_is_let_go(tmp_path: Path, said: bytes) -> None:
    """After the deadline, without an answer."""
    async with site(tmp_path, SHORT_S) as s:
        assert await s.ask(said) == b""


async def test_who_does_not_read_is_let_go(tmp_path: Path) -> None:
    """After the deadline, though most of the page is still to be sent: others get the places."""
    async with site(tmp_path, SHORT_S) as s:
        s.text = bytes(4 << 20)
        deaf = [await s.connect() for _ in range(MAX_CONNECTIONS)]
        for _, writer in deaf:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(GET)
        while s.asked < MAX_CONNECTIONS:  # noqa: ASYNC110 (what is waited for knows nothing of tests)
            await asyncio.sleep(0)
        s.text = b"short\n"
        answer = b""
        while not answer.endswith(s.text):
            with suppress(ConnectionError):
                answer = await s.ask(GET)
        for _, writer in deaf:
            writer.transport.abort()


async def test_there_are_a_few_connections_at_once(tmp_path: Path) -> None:
    """Those beyond are closed at once; when one ends there is room again."""
    async with site(tmp_path) as s:
        s.gate.clear()
        waiting = [asyncio.ensure_future(s.ask(GET)) for _ in range(MAX_CONNECTIONS)]
        while s.asked < MAX_CONNECTIONS:  # noqa: ASYNC110 (what is waited for knows nothing of tests)
            await asyncio.sleep(0)
        for _ in range(200):
            reader, writer = await s.connect()
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readexactly(1)
            writer.close()
        s.gate.set()
        assert all(answer.endswith(s.text) for answer in await asyncio.gather(*waiting))
        assert (await s.ask(GET)).endswith(s.text)


async def test_a_page_that_cannot_be_made(tmp_path: Path) -> None:
    """Its connection ends, and the next request is as if nothing had been."""
    async with site(tmp_path) as s:
        s.broken = True
        assert await s.ask(GET) == b""
        s.broken = False
        assert (await s.ask(GET)).endswith(s.text)


async def test_closing_ends_those_who_wait(tmp_path: Path) -> None:
    """None of them holds up the daemon's end."""
    async with site(tmp_path) as s:
        s.gate.clear()
        waiting = asyncio.ensure_future(s.ask(GET))
        while not s.asked:  # noqa: ASYNC110 (same)
            await asyncio.sleep(0)
    assert await waiting == b""
