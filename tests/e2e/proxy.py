"""A proxy between two Unix sockets that can do to a connection what networks do.

async with proxy(folder / "proxy.sock", "daemon.sock") as between:
    ...                       # peers connect to between.address
    between.hold()            # nothing passes, nothing is closed
    between.release()
    between.cut()             # both ends see the connection end at once
    between.half_close()      # the target is told that no more comes; its words still pass
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

CHUNK: Final = 1 << 16


class Proxy:
    """What passes between the peers and the target."""

    def __init__(self, path: Path, target: Path) -> None:
        self.address = f"unix:{path}"
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._writers)

    def hold(self) -> None:
        """Let nothing pass in either direction; what comes meanwhile waits."""
        self._flows.clear()

    def release(self) -> None:
        """Let pass what waits, and all that follows."""
        self._flows.set()

    def cut(self) -> None:
        """End every connection at both ends, without a word; new ones may come."""
        for peer, target in tuple(self._writers.items()):
            peer.transport.abort()
            target.transport.abort()

    def half_close(self) -> None:
        """Tell the target that nothing more comes from the peers; it may go on to speak."""
        for target in tuple(self._writers.values()):
            with suppress(OSError):
                target.write_eof()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a peer, until one end closes it."""
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(str(self._target))
        except OSError:
            writer.transport.abort()
            return
        self._writers[writer] = far_writer
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, far_writer))
                group.create_task(self._pass_on(far_reader, writer))
        finally:
            del self._writers[writer]
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):  # a closed end ends this direction
            while chunk := await reader.read(CHUNK):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()


@asynccontextmanager
async def proxy(path: Path, target: Path) -> AsyncGenerator[Proxy]:
    """A proxy that listens on *path* within the block."""
    between = Proxy(path, target)
    server = await asyncio.start_unix_server(between.connected, str(path))
    try:
        yield between
    finally:
        server.close()
        between.release()
        between.cut()
        # Not `wait_closed`: before Python 3.12.1 it returns at once, later it waits for handlers.
