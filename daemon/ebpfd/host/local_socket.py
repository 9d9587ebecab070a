"""The socket by which processes of the daemon's own user get programs to run them themselves.

One message asks for one link, one message answers, both JSON in UTF-8:

    {"session": "...", "binding": 7}            with "cannot": why the process cannot run any
    {"refusal": "", "lane": null,               with descriptors: image, gate, lines, their
     "origin": [7, 7, 0], "led": 0,              event, gates of as many programs as it leads
     "helpers": [65537], "helper_s": 30}         to, maps
    {"refusal": "why it stays remote"}

The session is named by what its welcome said.  gRPC carries no descriptors, so this is a socket of
its own; the system says whose process is at the other end.
"""

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.local_process import LocalProcess
from ebpfd.host.local_runs import LocalRun, LocalRuns
from ebpfd.host.modules import Module
from ebpfd.host.peers import process_at
from ebpfd.host.trace import TraceLog
from ebpfd_api.result import Result

MAX_MESSAGE_BYTES: Final = 4096

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Process(LocalProcess):
    """A process at the other end, until its connection and itself have ended."""

    def __init__(self, connection: socket.socket, pid: int, trace: TraceLog) -> None:
        super().__init__(pid, trace)
        self.connection = connection
        self.descriptor = os.pidfd_open(pid)


class LocalSocket:
    """Answers processes; *find* gives the module of a session, *trace* gets what they print."""

    def __init__(
        self, runs: LocalRuns, find: Callable[[str], Module | None], trace: TraceLog
    ) -> None:
        self._runs = runs
        self._trace = trace
        self._find = find
        self._processes: set[_Process] = set()

    @asynccontextmanager
    async def serving(self, listener: socket.socket) -> AsyncGenerator[None]:
        """Answer whoever connects to *listener* within the block."""
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        listener.listen()
        loop.add_reader(listener, self._accept, listener)
        try:
            yield
        finally:
            loop.remove_reader(listener)
            for process in tuple(self._processes):
                self._ended(process)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:  # it has hung up again, or there is no descriptor left for it
            return
        peer = process_at(connection)
        if peer.uid != os.geteuid():
            _log.warning("local runs refused", pid=peer.pid, uid=peer.uid)
            connection.close()
            return
        try:
            process = _Process(connection, peer.pid, self._trace)
        except OSError:  # it has ended, or is in another namespace: its end would not be seen
            connection.close()
            return
        connection.setblocking(False)
        self._processes.add(process)
        loop = asyncio.get_running_loop()
        loop.add_reader(connection, self._answer, process)
        loop.add_reader(process.descriptor, self._ended, process)

    def _answer(self, process: _Process) -> None:
        try:
            request = process.connection.recv(MAX_MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            request = b""
        if not request:
            asyncio.get_running_loop().remove_reader(process.connection)
            return
        refusal, run = "", None
        try:
            run = self._handed_over(process, request)
        except RequestError as error:
            refusal = error.message
        try:
            _send(process.connection, refusal, run)
        except OSError as error:  # it does not read, or has gone, or no descriptor is left
            asyncio.get_running_loop().remove_reader(process.connection)
            if run is not None:
                run.close_for(f"it could not be handed over: {error.strerror}")

    def _handed_over(self, process: _Process, request: bytes) -> LocalRun | None:
        session, binding, cannot = _read(request)
        module = self._find(session)
        if module is None:
            raise RequestError(Result.OBJECT_NOT_FOUND, "session: there is none of this name")
        if cannot:
            self._runs.refuse(binding, module, cannot)
            return None
        return self._runs.hand_over(binding, module, process)

    def _ended(self, process: _Process) -> None:
        """The process is no more, or the daemon ends."""
        loop = asyncio.get_running_loop()
        process.end()
        self._processes.discard(process)
        loop.remove_reader(process.descriptor)
        loop.remove_reader(process.connection)
        os.close(process.descriptor)
        process.connection.close()


def _send(connection: socket.socket, refusal: str, run: LocalRun | None) -> None:
    from ebpfd_vm.sharing import (  # noqa: PLC0415 (for daemons that hand programs over)
        descriptors,
        sealed,
    )

    if run is None:
        connection.send(json.dumps({"refusal": refusal}).encode())
        return
    said = {
        "refusal": "",
        "lane": run.lane,
        "origin": run.process.origin,
        "led": len(run.gates) - 1,
        "helpers": run.helpers,
        "helper_s": run.helper_s,
    }
    image = sealed(run.image.data)
    try:
        gate, *led = (each.fileno() for each in run.gates)
        lines = descriptors([run.process.ring()])
        maps = descriptors([each.map for each in run.maps])
        message = [json.dumps(said).encode()]
        socket.send_fds(connection, message, [image, gate, *lines, *led, *maps])
    finally:
        os.close(image)


def _read(request: bytes) -> tuple[str, int, str]:
    try:
        said: Any = json.loads(request)
        session, binding, cannot = said["session"], said["binding"], said.get("cannot", "")
        if isinstance(session, str) and isinstance(binding, int) and isinstance(cannot, str):
            return session, binding, cannot
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    message = 'this is not {"session": TEXT, "binding": NUMBER}'
    raise RequestError(Result.INVALID_ARGUMENT, message)
