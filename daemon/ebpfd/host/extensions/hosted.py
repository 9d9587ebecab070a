"""The extensions that this daemon hosts, together: in order, and as the operator says.

They register like any others, over the socket.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.extensions import life as lives
from ebpfd.host.extensions.extension import Connected, HostedExtension
from ebpfd.host.extensions.life import State
from ebpfd.host.extensions.process import Starter
from ebpfd.host.extensions.spec import ExtensionSpec
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
                f"this daemon hosts no extension {name!r}; it hosts those that it was "
                "started with (`ebpfd run --extension` or `--config`); stop another where it was "
                "started, or cut it off with `ebpfctl provider disconnect`",
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


def _now() -> float:
    return asyncio.get_running_loop().time()
