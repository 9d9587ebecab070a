"""A child process whose output goes to a file, so that it never waits for its reader."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 60.0
"""What any one step may take before it counts as broken."""

TAIL_LINES: Final = 15


class ProcessFailedError(Exception):
    """A child process did not do what it was started for; the message has its last words."""


class ChildProcess:
    """A command that can be started, stopped, killed and started again."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log_path = log
        """Where everything goes that it prints."""

        self._environment = dict(environment)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, running or the last that ran."""
        return self._started.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, minus the signal if one ended it; None: it runs, or never did."""
        return None if self._child is None else self._child.poll()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    async def start(self) -> None:
        """Start it; what it prints is added to its log."""
        await asyncio.to_thread(self.start_now)

    async def stop(self, timeout_s: float = PATIENCE_S) -> int:
        """Ask it to end with SIGTERM; return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait(timeout_s)

    async def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; return its exit code."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.ended()
        except TimeoutError:
            said = self.failure(f"has not ended after {timeout_s:g} s")
            raise ProcessFailedError(said) from None
        return self._started.wait()

    async def ended(self) -> None:
        """Wait for its end, for ever."""
        if not self.running:
            return
        descriptor = os.pidfd_open(self.pid)
        loop = asyncio.get_running_loop()
        end = asyncio.Event()
        loop.add_reader(descriptor, end.set)
        try:
            await end.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        self._started.send_signal(number)

    def kill(self) -> None:
        """End it at once with SIGKILL, if it runs."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def start_now(self) -> None:
        """Do what ``start`` does, without a loop."""
        self.check_stopped()
        try:
            with self.log_path.open("ab") as log:
                self._child = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self._environment},
                )
        except OSError as error:
            raise ProcessFailedError(
                f"{self.name} cannot be started: {error.strerror}: {self.command[0]}"
            ) from None

    def check_stopped(self) -> None:
        """Refuse to go on while it runs."""
        if self.running:
            raise ProcessFailedError(f"{self.name} runs already")

    def failure(self, what: str) -> str:
        """Say that something went wrong, with the last lines that it printed."""
        lines = self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        said = "\n  ".join(lines) if lines else "(it printed nothing)"
        return f"{self.name} {what}; it said:\n  {said}"

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise ProcessFailedError(f"{self.name} was never started")
        return self._child
