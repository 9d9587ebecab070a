"""The extensions that this daemon hosts: ``life`` with processes, time and the operator's word.

They register like any others, over the socket.  A session belongs to the child in whose process
session its process is, so a wrapper around an extension is no hindrance.
"""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.extensions import life as lives
from ebpfd.host.extensions.life import Effect, Life, State
from ebpfd.host.extensions.output import OutputLine
from ebpfd.host.extensions.process import ChildProcess, Starter
from ebpfd.host.extensions.spec import ExtensionSpec
from ebpfd.host.recent_lines import RecentLines
from ebpfd.host.services import Services
from ebpfd_api.result import Result

CLOSE_S: Final = 10.0
"""What stopping all of them may take at the daemon's end."""

KILLED_S: Final = 5.0
"""From SIGKILL until the system has ended a child, or is stuck."""

_DAEMONS_OWN: Final = frozenset(
    {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}
)

_RESTING: Final = frozenset({State.STOPPED, State.FAILED})
_SETTLED: Final = frozenset({State.RUNNING, *_RESTING})
_NOT_STOPPING: Final = frozenset(State) - {State.STOPPING}

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
        self._log.info("extension output", stream=stream, text=text)

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


class Hosted:
    """All of them, in the order in which they start."""

    def __init__(self, specs: Sequence[ExtensionSpec], address: str, services: Services) -> None:
        self._services = services
        self._starter = Starter()
        self._extensions = {
            spec.name: HostedExtension(spec, _environment(spec, address), self._starter, services)
            for spec in specs
        }
        self._beginning: asyncio.Task[None] | None = None
        self._closing = False
        self.settled = asyncio.Event()
        """Each has been started, and has registered, failed or taken too long."""

    def all(self) -> tuple[HostedExtension, ...]:
        """Every one, in the order in which they start."""
        return tuple(self._extensions.values())

    def find(self, name: str) -> HostedExtension:
        """The extension of that name."""
        try:
            return self._extensions[name]
        except KeyError:
            raise RequestError(
                Result.OBJECT_NOT_FOUND,
                f"name: this daemon hosts no extension {name!r}; it hosts those that it was "
                "started with (`ebpfd run --extension` or `--config`)",
            ) from None

    def begin(self) -> None:
        """Start them one after the other; ``settled`` tells when that is done."""
        if self._extensions:
            self._beginning = self._services.start(self._begin(), name="start of extensions")
        else:
            self.settled.set()

    async def start(self, name: str) -> HostedExtension:
        """Start one, and see it register."""
        extension = self._changeable(name)
        extension.apply(lives.Start())
        return await self._see_it_register(extension)

    async def start_again(self, name: str, within_s: float | None = None) -> HostedExtension:
        """Stop one as ``stop`` does, if it runs; start it, and see it register."""
        extension = self._changeable(name)
        within_s = extension.spec.policy.stop_s if within_s is None else within_s
        extension.apply(lives.StartAgain(within_s))
        return await self._see_it_register(extension, within_s)

    async def stop(self, name: str, within_s: float | None = None) -> HostedExtension:
        """Let one leave in good order, or kill it when that takes too long; see it end."""
        extension = self._changeable(name)
        within_s = extension.spec.policy.stop_s if within_s is None else within_s
        extension.apply(lives.Stop(within_s))
        if not await extension.reach(_NOT_STOPPING, within_s + KILLED_S):
            raise RequestError(Result.TIMEOUT, f"extension {name} does not end")
        if extension.life.state not in _RESTING:
            raise RequestError(
                Result.INVALID_STATE, f"extension {name} was started again meanwhile, on request"
            )
        return extension

    async def close(self) -> None:
        """Stop all, the last one first, each when the one before it has ended."""
        self._closing = True
        if self._beginning:
            self._beginning.cancel()
        until_s = _now() + CLOSE_S
        for extension in reversed(self.all()):
            within_s = min(extension.spec.policy.stop_s, max(0.0, until_s - _now()))
            extension.apply(lives.Stop(within_s))
            if not await extension.reach(_RESTING, within_s + KILLED_S):
                _log.error("extension does not end", extension=extension.spec.name)
            extension.close()
        self._starter.close()

    def connected(self, module: Connected) -> None:
        """A module has said hello."""
        for extension in self.all():
            if extension.owns(module.process_id):
                extension.modules.append(module)

    def registered(self, module: Connected) -> None:
        """All that a module provides is registered."""
        for extension in self.all():
            if module in extension.modules:
                extension.apply(lives.Registered())

    def left(self, module: Connected) -> None:
        """A module's session has ended."""
        for extension in self.all():
            if module in extension.modules:
                extension.modules.remove(module)
                if not extension.modules:
                    extension.apply(lives.Disconnected())

    async def _begin(self) -> None:
        try:
            for extension in self.all():
                extension.apply(lives.Start())
                if not await extension.reach(_SETTLED, extension.spec.policy.start_s):
                    _log.warning(
                        "extension has not registered, the next one starts",
                        extension=extension.spec.name,
                    )
        finally:
            self.settled.set()

    def _changeable(self, name: str) -> HostedExtension:
        extension = self.find(name)
        if self._closing:
            raise RequestError(Result.INVALID_STATE, "the daemon is stopping")
        return extension

    async def _see_it_register(
        self, extension: HostedExtension, within_s: float = 0.0
    ) -> HostedExtension:
        policy = extension.spec.policy
        patience_s = within_s + policy.start_s + 2 * KILLED_S
        await extension.reach(_SETTLED | {State.BACKING_OFF}, patience_s)
        life, name = extension.life, extension.spec.name
        if life.state is not State.RUNNING:
            raise RequestError(
                Result.EXTENSION_FAILED_TO_LOAD,
                f"extension {name} is {life.state.value}: {life.reason or 'no reason known'}; "
                f"what it said: `ebpfctl extension logs {name}`",
            )
        return extension


def _environment(spec: ExtensionSpec, address: str) -> dict[str, str]:
    ours = {
        "EBPFD_ADDRESS": address,
        "EBPFD_EXTENSION": spec.name,
        # A line is of use while it is new.
        "PYTHONUNBUFFERED": "1",
    }
    # What the service manager told the daemon is not for its children.
    inherited = {name: value for name, value in os.environ.items() if name not in _DAEMONS_OWN}
    return {**inherited, **ours, **spec.environment}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _now() -> float:
    return asyncio.get_running_loop().time()
