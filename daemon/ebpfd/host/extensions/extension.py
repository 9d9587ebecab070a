"""One extension that this daemon hosts: ``life`` with a process and a clock.

A session belongs to the child in whose process session its process is, so a wrapper around an
extension is no hindrance.
"""

import asyncio
import os
import signal
import time
from typing import Protocol

import structlog

from ebpfd.host.extensions import life as lives
from ebpfd.host.extensions.life import Effect, Life, State
from ebpfd.host.extensions.output import LogBudget, OutputLine
from ebpfd.host.extensions.process import ChildProcess, Starter
from ebpfd.host.extensions.spec import ExtensionSpec
from ebpfd.host.recent_lines import RecentLines
from ebpfd.host.services import Services

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Connected(Protocol):
    """A module that is connected, whoever started it."""

    @property
    def process_id(self) -> int:
        """What it says of its process."""
        ...


class HostedExtension:
    """One of them."""

    def __init__(
        self, spec: ExtensionSpec, environment: dict[str, str], starter: Starter, services: Services
    ) -> None:
        self.spec = spec
        self.life = Life(since_s=_now())
        self.output = RecentLines[OutputLine]()
        self.modules: list[Connected] = []
        """Its sessions."""

        self._environment = environment
        self._starter = starter
        self._services = services
        self._process: ChildProcess | None = None
        self._pending: Effect | None = None
        self._last_complaint = ""
        self._timer: asyncio.TimerHandle | None = None
        self._budget = LogBudget()
        self._telling: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._log = _log.bind(extension=spec.name)

    @property
    def process_id(self) -> int:
        """The child's process, or 0."""
        return self._process.pid if self._process else 0

    @property
    def since_ns(self) -> int:
        """Since when it is in its state, since the epoch."""
        return time.time_ns() - int((_now() - self.life.since_s) * 1e9)

    def apply(self, event: lives.Event) -> None:
        """Let *event* happen."""
        before = self.life
        self.life, effect = lives.step(before, event, _now(), self.spec.policy)
        self._set_timer()
        if self.life.state is not before.state:
            self._tell()
        match effect:
            case Effect.SPAWN:
                self._services.start(self._run(), name=f"extension {self.spec.name}")
            case Effect.TERMINATE | Effect.KILL:
                self._pending = effect
                self._signal()
            case None:
                pass
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def reach(self, states: frozenset[State], within_s: float) -> bool:
        """Wait until it is in one of *states*; False if that takes too long."""
        try:
            async with asyncio.timeout(within_s):
                while self.life.state not in states:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def owns(self, process_id: int) -> bool:
        """Whether a process is the child or runs in its process session."""
        if self._process is None:
            return False
        try:
            return self._process.pid in (process_id, os.getsid(process_id))
        except OSError:  # it has ended, or was never here
            return False

    def close(self) -> None:
        """Nothing happens to it any more."""
        if self._timer:
            self._timer.cancel()
        self._tell_left_out()
        self.output.close()

    async def _run(self) -> None:
        """One process from its start to its end."""
        self._last_complaint = ""
        try:
            self._process = await self._starter.start(self.spec, self._environment, self._write)
            self._signal()
            ended = self._ended(await self._process.ended())
        except OSError as error:
            ended = lives.Ended(f"could not be started: {error.strerror}")
        except Exception as error:  # noqa: BLE001 (there is no process, and that must be known)
            self._log.exception("extension could not be started")
            ended = lives.Ended(f"could not be started: {error}")
        finally:
            self._process = self._pending = None
        self.apply(ended)

    def _signal(self) -> None:
        """Send what is to be sent, which may have been asked for before there was a process."""
        if self._process is None:
            return
        match self._pending:
            case Effect.TERMINATE:
                self._process.signal(signal.SIGTERM)
            case Effect.KILL:
                self._process.kill()
            case _:
                return
        self._pending = None

    def _ended(self, code: int) -> lives.Ended:
        if code < 0:
            reason = f"ended by {_signal_name(-code)}"
        else:
            reason = f"ended with exit code {code}"
            if code and self._last_complaint:
                reason += f": {self._last_complaint}"
        return lives.Ended(reason, clean=code == 0)

    def _write(self, stream: str, text: str) -> None:
        if stream == "stderr":
            self._last_complaint = text
        self.output.add(OutputLine(time.time_ns(), stream, text))
        if self._budget.allows(_now()):
            self._log.info("extension output", stream=stream, text=text)
        elif self._telling is None:
            loop = asyncio.get_running_loop()
            self._telling = loop.call_later(1.0, self._tell_left_out)

    def _tell_left_out(self) -> None:
        if self._telling:
            self._telling.cancel()
            self._telling = None
        if lines := self._budget.take_left_out():
            where = f"`ebpfctl extension logs {self.spec.name}`"
            self._log.warning(f"{lines} lines not logged: {where}", lines=lines)

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self.life.deadline_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self.life.deadline_s, self.apply, lives.Deadline())

    def _tell(self) -> None:
        life, log = self.life, self._log
        match life.state:
            case State.FAILED:
                log.error("extension failed", reason=life.reason)
            case State.BACKING_OFF:
                delay_s = round((life.deadline_s or _now()) - _now(), 3)
                log.warning("extension ended", reason=life.reason, again_in_s=delay_s)
            case State.STOPPED:
                log.info("extension stopped", reason=life.reason)
            case _:
                log.info("extension state", state=life.state.value)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _now() -> float:
    return asyncio.get_running_loop().time()
