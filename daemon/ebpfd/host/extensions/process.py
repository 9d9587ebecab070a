"""A child process and its output.

``subprocess`` starts it, not the event loop: uvloop forks, and what gRPC has registered to run in
a forked child crashes there now and then.  ``subprocess`` uses vfork, which runs nothing but exec,
as long as it is given no function to run in between; so the launcher does that after exec.  The
kernel ends the child with the *thread* that started it, hence a thread that stays: ``Starter``.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ebpfd.host.extensions.output import Budget, LineCutter
from ebpfd.host.extensions.spec import ExtensionSpec

LAUNCHER: Final = Path(__file__).with_name("launcher.py")

CHUNK_BYTES: Final = 4096
"""Read at once: what that many lines cost the event loop is bearable."""

LAST_WORDS_S: Final = 2.0
"""How long a process that outlived its parent may keep the output open."""

OnLine = Callable[[str, str], None]
"""Takes the stream's name and a line."""


class Starter:
    """The thread that starts children; they do not outlive it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="extension starter")

    async def start(
        self, spec: ExtensionSpec, environment: dict[str, str], on_line: OnLine
    ) -> "ChildProcess":
        """Start *spec*'s command; ``OSError`` if the system does not let us."""
        loop = asyncio.get_running_loop()
        order = {
            "command": spec.command,
            "parent": os.getpid(),
            "memory_bytes": spec.limits.memory_bytes,
            "nice": spec.limits.nice,
            "cpus": spec.limits.cpus,
        }
        popen, descriptor = await loop.run_in_executor(
            self._thread, _start, json.dumps(order), environment
        )
        return ChildProcess(popen, descriptor, on_line)

    def close(self) -> None:
        """End the thread, and with it whatever child is left."""
        self._thread.shutdown(wait=False)


class ChildProcess:
    """A child that runs, with a process session and group of its own."""

    def __init__(self, popen: "subprocess.Popen[bytes]", descriptor: int, on_line: OnLine) -> None:
        self._popen = popen
        self._descriptor = descriptor
        self.pid = popen.pid
        self._on_line = on_line
        assert popen.stdout is not None, "started with a pipe"
        assert popen.stderr is not None, "started with a pipe"
        self._pipes: dict[str, IO[bytes]] = {"stdout": popen.stdout, "stderr": popen.stderr}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child alone; one that has ended hears nothing."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def kill(self) -> None:
        """End the child and what it started."""
        # Until it is waited for, its number is nobody else's.
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Read its output until it has ended and return its exit code, negative for a signal.

        Called once.  Cancelled, it kills the child.
        """
        readers = [
            asyncio.create_task(self._read(name, pipe), name=f"{name} of {self.pid}")
            for name, pipe in self._pipes.items()
        ]
        try:
            await _exited(self._descriptor)
            # What it started has nobody to answer to any more.
            self.kill()
            code = self._popen.wait()
            await asyncio.wait(readers, timeout=LAST_WORDS_S)
            return code
        finally:
            for reader in readers:
                reader.cancel()
            if self._popen.returncode is None:
                self.kill()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await _exited(self._descriptor)
                self._popen.poll()
            os.close(self._descriptor)
            await asyncio.wait(readers)

    async def _read(self, name: str, pipe: IO[bytes]) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        try:
            transport, _ = await loop.connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), pipe
            )
        except BaseException:
            pipe.close()
            raise
        cutter, budget = LineCutter(), Budget(loop.time())
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                lines = cutter.feed(chunk)
                for line in lines:
                    self._on_line(name, line)
                # Meanwhile the pipe fills, and the child waits.
                await asyncio.sleep(budget.pause_s(lines, len(chunk), loop.time()))
        finally:
            for line in cutter.end():
                self._on_line(name, line)
            transport.close()


def _start(order: str, environment: dict[str, str]) -> "tuple[subprocess.Popen[bytes], int]":
    """Start a child; it, and a descriptor that tells of its end."""
    popen = subprocess.Popen(
        [sys.executable, "-I", "-S", str(LAUNCHER), order],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        # Ctrl-C at the daemon's terminal is for the daemon, which stops its children in order.
        start_new_session=True,
    )
    try:
        return popen, os.pidfd_open(popen.pid)
    except OSError:
        popen.kill()
        popen.communicate()
        raise


async def _exited(descriptor: int) -> None:
    """Wait until our child has ended, and leave it to be waited for."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)


def resident_bytes(pid: int) -> int:
    """What of a process is in memory; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
