"""Showing metrics where the settings say."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from ebpfd.app.listener import bound
from ebpfd.app.locks import InUseError, locked
from ebpfd.host.stats import Stats
from ebpfd.metrics.http import MAX_HEAD_BYTES, PATH, PageServer
from ebpfd.metrics.page import Page
from ebpfd_api.address import Endpoint

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@asynccontextmanager
async def showing(stats: Stats, address: Path | Endpoint) -> AsyncGenerator[None]:
    """Show the metrics of *stats* within the block."""
    async with AsyncExitStack() as stack:
        page = Page(stats)
        stack.push_async_callback(page.close)
        pages = PageServer(page.text)
        stack.push_async_callback(pages.close)
        match address:
            case Path():
                lock = address.with_name(address.name + ".lock")
                stack.enter_context(locked(lock, f"unix:{address}", "--metrics"))
                made = stack.enter_context(bound(address, option="--metrics"))
                server = await asyncio.start_unix_server(
                    pages.connected, sock=made, limit=MAX_HEAD_BYTES
                )
                where = f"unix:{address}"
            case Endpoint():
                server = await _on_port(pages, address)
                number = server.sockets[0].getsockname()[1]
                where = f"http://{Endpoint(address.host, number)}{PATH}"
        stack.callback(server.close)
        _log.info("showing metrics", at=where)
        yield


async def _on_port(pages: PageServer, address: Endpoint) -> asyncio.Server:
    try:
        return await asyncio.start_server(
            pages.connected, address.host, address.port, limit=MAX_HEAD_BYTES
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise InUseError(f"metrics {address}: {reason}: choose another --metrics") from None
