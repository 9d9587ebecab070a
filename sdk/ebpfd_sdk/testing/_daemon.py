"""The installed daemon as a child process, on a socket in a folder of its own."""

import asyncio
import json
import os
import select
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

from ebpfd_sdk.testing._process import PATIENCE_S, ChildProcess, ProcessFailedError


class NotInstalledError(Exception):
    """There is no ``ebpfd`` to start."""

    def __init__(self) -> None:
        super().__init__(
            f"{sys.executable} has no ebpfd, and no command `ebpfd` is on PATH: install it with "
            "`pip install ebpfd`"
        )


class DaemonProcess(ChildProcess):
    """A daemon for tests; ``start`` returns when it serves."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        """Its socket, its log and its state directory lie here."""

        self.address = f"unix:{folder / 'ebpfd.sock'}"
        """For ``Client`` and ``Extension``, or as ``EBPFD_ADDRESS``; the same after a restart."""

        state = str(folder / "state")
        super().__init__(
            "the daemon",
            (*find_daemon(), "run", "--listen", self.address, "--state", state, *options),
            folder / "daemon.log",
            {"NOTIFY_SOCKET": str(folder / "ready.sock")},
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """What lets other processes find it."""
        return {"EBPFD_ADDRESS": self.address}

    def start_now(self) -> None:
        """Start it, and wait until it serves."""
        self.check_stopped()
        path = self.folder / "ready.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(path))
            try:
                super().start_now()
                self._await(ready)
            except BaseException:
                self.kill()
                raise
            finally:
                path.unlink()

    def log(self) -> list[dict[str, Any]]:
        """What it has logged so far, each entry with its ``event``."""
        lines = self.log_path.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _await(self, ready: socket.socket) -> None:
        end = os.pidfd_open(self.pid)
        try:
            waiting = select.poll()
            waiting.register(ready, select.POLLIN)
            waiting.register(end, select.POLLIN)
            events = waiting.poll(PATIENCE_S * 1000)
        finally:
            os.close(end)
        if not events:
            raise ProcessFailedError(self.failure(f"does not serve after {PATIENCE_S:g} s"))
        if all(descriptor != ready.fileno() for descriptor, _ in events):
            raise ProcessFailedError(self.failure(f"ended with exit code {self.exit_code}"))


class daemon:  # noqa: N801 (used as the function that it reads as)
    """A daemon that serves while the block lasts, and leaves no file behind.

    *options* are those of ``ebpfd run``.  ``with`` does as well as ``async with``.
    """

    def __init__(self, *options: str) -> None:
        self._options = options
        self._daemon: DaemonProcess | None = None

    def __enter__(self) -> DaemonProcess:
        # Short: the path of a socket has room for a hundred bytes.
        folder = Path(tempfile.mkdtemp(prefix="ebpfd-"))
        try:
            self._daemon = DaemonProcess(folder, *self._options)
            self._daemon.start_now()
        except BaseException:
            shutil.rmtree(folder)
            raise
        return self._daemon

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._daemon is not None:
            self._daemon.kill()
            shutil.rmtree(self._daemon.folder)

    async def __aenter__(self) -> DaemonProcess:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.__exit__, kind, error, trace)


def find_daemon() -> tuple[str, ...]:
    """What starts ``ebpfd``: the module of the Python that runs, else the command on PATH."""
    if find_spec("ebpfd") is not None:
        return sys.executable, "-m", "ebpfd"
    command = shutil.which("ebpfd")
    if command is None:
        raise NotInstalledError
    return (command,)
