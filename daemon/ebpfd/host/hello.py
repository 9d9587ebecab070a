"""The hello socket: a process that connects to it is told by which token its calls are known.

gRPC shows nothing of the process behind a connection; the system does, of a socket that is ours.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from ebpfd.host.peers import TOKEN_S, Tokens, process_at

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Hello:
    """Gives tokens, and ends them with their processes."""

    def __init__(self, tokens: Tokens, *, anybody: bool = False) -> None:
        self._tokens = tokens
        self._anybody = anybody
        self._descriptors: dict[int, int] = {}  # by pid, of processes that have tokens

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncGenerator[None]:
        """Greet whoever connects to *listener* within the block."""
        server = await asyncio.start_unix_server(self._greet, sock=listener)
        try:
            yield
        finally:
            server.close()
            for pid in list(self._descriptors):
                self._ended(pid)

    def _greet(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say it at once and hang up: what the other side sends is never read."""
        writer.write(self._greeting(writer.get_extra_info("socket")))
        writer.close()

    def _greeting(self, connection: socket.socket) -> bytes:
        """The line for whoever connected; other users than the daemon's and root need not get one.

        Where *anybody* does, it only says who he is: roles say what that is worth.
        """
        process = process_at(connection)
        if not self._anybody and process.uid not in (os.geteuid(), 0):
            _log.warning("hello refused", pid=process.pid, uid=process.uid)
            return b""
        if process.pid and not self._watch(process.pid):
            return b""
        return f"{self._tokens.give(process)} {TOKEN_S:.0f}\n".encode()

    def _watch(self, pid: int) -> bool:
        """Hear of a process's end; False: it has ended."""
        if pid in self._descriptors:
            return True
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        except OSError:  # a system without, or no descriptor left: its tokens end by themselves
            return True
        self._descriptors[pid] = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._ended, pid)
        return True

    def _ended(self, pid: int) -> None:
        descriptor = self._descriptors.pop(pid)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)
        self._tokens.ended(pid)
