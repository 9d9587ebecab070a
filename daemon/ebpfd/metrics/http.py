"""Just enough HTTP for one page: a request a connection, and every connection bounded.

Whoever connects may be slow, talk nonsense or come a thousand times.  A connection has a deadline,
a head of a few kilobytes, and one answer; there are a few at once, and those that come beyond are
closed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Final

import structlog

MAX_CONNECTIONS: Final = 8
MAX_HEAD_BYTES: Final = 8192
DEADLINE_S: Final = 10.0
"""What a connection may take from its first byte to its last."""

PATH: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"
METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of Prometheus' text format."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class PageServer:
    """Answers connections with the page that *text* gives."""

    def __init__(
        self, text: Callable[[], Awaitable[bytes]], deadline_s: float = DEADLINE_S
    ) -> None:
        self._text = text
        self._deadline_s = deadline_s
        self._connections: set[asyncio.Task[None]] = set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection, if there is room for one more."""
        if len(self._connections) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        serving = self._serve(reader, writer)
        task = asyncio.get_running_loop().create_task(serving, name="metrics")
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def close(self) -> None:
        """End all connections."""
        for task in (ending := tuple(self._connections)):
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(self._deadline_s):
                    for part in await self._answer(reader):
                        writer.write(part)
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        except Exception:  # noqa: BLE001 (a bug here is no end of the daemon)
            _log.exception("a request for metrics failed")
        finally:
            # Does nothing to a connection that has been closed in good order.
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        except asyncio.IncompleteReadError:
            return _response(HTTPStatus.BAD_REQUEST)
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST)
        method, target, _ = words
        if target.split("?", 1)[0] != PATH:
            return _response(HTTPStatus.NOT_FOUND, f"the metrics are at {PATH}\n".encode())
        if method not in {"GET", "HEAD"}:
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, more="Allow: GET, HEAD\r\n")
        text = await self._text()
        return _response(HTTPStatus.OK, text, kind=METRICS, body=method == "GET")


def _response(
    status: HTTPStatus, text: bytes = b"", *, kind: str = _TEXT, more: str = "", body: bool = True
) -> tuple[bytes, bytes]:
    """Head and body."""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(text)}\r\n"
        f"{more}Connection: close\r\n\r\n"
    )
    return head.encode(), text if body else b""
