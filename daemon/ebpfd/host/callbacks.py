"""Who is waited for, and how long: the deadlines of callbacks.

A module that does not answer must not hold its peers for ever.  Past the deadline an attach is
taken as refused, a detach as complete and a cleanup as done; the log says so, and so does the
binding as long as it lasts.  The daemon's own modules have no deadline: what they wait for, a
peer's callback or an invocation, has one of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

import structlog

from ebpfd import nmr
from ebpfd.host.modules import LocalModule, Module

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What modules may take, in seconds."""

    callback_s: float = 30.0
    """A callback, from its call to its return; of a client's attach only what is its own."""

    drain_s: float = 300.0
    """A detach that returned PENDING, until it is complete."""

    lease_s: float = 15.0
    """What a module may be silent that has promised not to be."""

    map_s: float = 10.0
    """A function of a custom map's provider."""

    helper_s: float = 30.0
    """A helper that a program calls, whatever its author says."""

    local_s: float = 5.0
    """A run in its hook's process that had begun when its link was taken away: a batch has no
    other bound.
    """


class Callback(Enum):
    """What a module is doing while others wait for it."""

    ATTACH = "attach"
    DETACH = "detach"
    CLEANUP = "cleanup"
    DRAIN = "drain"
    """The detach callback has returned PENDING."""


_TAKEN_AS: Final = {
    Callback.ATTACH: "refused",
    Callback.DETACH: "complete",
    Callback.CLEANUP: "done",
    Callback.DRAIN: "complete",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One callback of one side of a binding."""

    callback: Callback
    binding: nmr.BindingHandle
    role: nmr.Role
    module: Module


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody who is waited for, and for how long by now."""

    callback: Callback
    role: nmr.Role
    module: str
    elapsed_s: float


@dataclass(slots=True)
class _Running:
    """A callback that has not returned, or a drain that is not complete."""

    call: Call
    since: float
    clock: asyncio.Timeout | None = None
    paused: bool = False
    drain: asyncio.TimerHandle | None = None


class Callbacks:
    """The callbacks that run.  Of one side of a binding never more than one does."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._running: dict[tuple[nmr.BindingHandle, nmr.Role], _Running] = {}
        self._overdue: dict[nmr.BindingHandle, list[str]] = {}

    async def run(
        self, call: Call, work: Coroutine[Any, Any, _Value], *, failed: _Value, late: _Value
    ) -> _Value:
        """The callback's value; *failed* if it raises, *late* if it takes too long.

        A module's bug stays the module's.
        """
        key = call.binding, call.role
        running = self._running[key] = _Running(call, _now())
        clock = asyncio.timeout(self._patience(call.module))
        try:
            async with clock:
                running.clock = clock
                return await work
        except Exception:  # noqa: BLE001 (the supervisor of callbacks)
            if clock.expired():
                self._note(call)
                return late
            _log.exception("a module's callback failed", module=call.module.name)
            return failed
        finally:
            work.close()
            self._running.pop(key, None)

    def pause(self, binding: nmr.BindingHandle) -> None:
        """A client waits for its nested call: that time is the provider's."""
        running = self._running.get((binding, nmr.Role.CLIENT))
        if running is not None and running.clock is not None and not running.clock.expired():
            running.paused = True
            running.clock.reschedule(None)

    def resume(self, binding: nmr.BindingHandle) -> None:
        """The nested call has been answered: the client's own time begins anew."""
        running = self._running.get((binding, nmr.Role.CLIENT))
        if running is None or not running.paused or running.clock is None:
            return
        running.paused, running.since = False, _now()
        if (patience := self._patience(running.call.module)) is not None:
            running.clock.reschedule(running.since + patience)

    def drain(self, call: Call, complete: Callable[[], None]) -> None:
        """A detach has returned PENDING: past the deadline do *complete*."""
        running = self._running[call.binding, call.role] = _Running(call, _now())
        if self._patience(call.module) is not None:

            def overdue() -> None:
                self.drained(call.binding, call.role)
                self._note(call)
                complete()

            delay = self._deadlines.drain_s
            running.drain = asyncio.get_running_loop().call_later(delay, overdue)

    def drained(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """A detach that had returned PENDING is complete."""
        running = self._running.get((binding, role))
        if running is not None and running.call.callback is Callback.DRAIN:
            del self._running[binding, role]
            if running.drain is not None:
                running.drain.cancel()

    def lost(self, module: Module) -> None:
        """Nothing will complete that a vanished *module* had in flight."""
        for (binding, role), running in list(self._running.items()):
            if running.call.module is module:
                self.drained(binding, role)

    def forget(self, binding: nmr.BindingHandle) -> None:
        """The binding is gone."""
        self._overdue.pop(binding, None)
        for role in nmr.Role:
            self.drained(binding, role)

    def waits(self, binding: nmr.BindingHandle) -> list[Wait]:
        """Who of this binding is waited for."""
        found = (self._running.get((binding, role)) for role in nmr.Role)
        return [
            Wait(each.call.callback, each.call.role, each.call.module.name, _now() - each.since)
            for each in found
            if each is not None and not each.paused
        ]

    def overdue(self, binding: nmr.BindingHandle) -> tuple[str, ...]:
        """What of this binding was not waited for any longer."""
        return tuple(self._overdue.get(binding, ()))

    def _patience(self, module: Module) -> float | None:
        return None if isinstance(module, LocalModule) else self._deadlines.callback_s

    def overdue_text(self, call: Call) -> str:
        """What people are told if *call* takes too long."""
        drain = call.callback is Callback.DRAIN
        did = "complete its detach" if drain else f"return from its {call.callback.value} callback"
        taken = _TAKEN_AS[call.callback]
        return f"{call.module.name} did not {did} in {self._limit(call):g} s: taken as {taken}"

    def _limit(self, call: Call) -> float:
        drain = call.callback is Callback.DRAIN
        return self._deadlines.drain_s if drain else self._deadlines.callback_s

    def _note(self, call: Call) -> None:
        self._overdue.setdefault(call.binding, []).append(self.overdue_text(call))
        _log.warning(
            "a module is overdue",
            module=call.module.name,
            binding=call.binding,
            role=call.role.value,
            callback=call.callback.value,
            after_s=self._limit(call),
            taken_as=_TAKEN_AS[call.callback],
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
