"""Tasks with an owner: a group for loops and callbacks, ended and awaited together."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Value = TypeVar("_Value")


class Services:
    """A TaskGroup whose end cancels what still runs.

    A service that *fails* is logged and ends alone: all of them serve one module or one call, and
    a bug that one of those meets must not end the daemon.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()

    def start(self, service: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Run *service* until it ends or the block is left."""
        supervised = _supervised(service, name)
        try:
            task = self._group.create_task(supervised, name=name)
        except RuntimeError:  # the block has been left
            supervised.close()
            service.close()
            raise
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # Does something only if the task was cancelled before it began.
        task.add_done_callback(lambda _: service.close())
        return task

    async def finish(self, work: Coroutine[Any, Any, _Value], *, name: str) -> _Value:
        """Run *work* to its end even if the caller is cancelled meanwhile.

        What changes state in several steps must not be left half done because a client hung up.
        """
        outcome: asyncio.Future[_Value] = asyncio.get_running_loop().create_future()
        task = self.start(_settle(work, outcome), name=name)
        task.add_done_callback(partial(_ended, work, outcome))
        try:
            return await asyncio.shield(outcome)
        finally:
            # An error leads by its traceback to this frame, and from here to itself: maps and
            # programs that it was about would be there until a collection of garbage.
            del outcome

    async def __aenter__(self) -> Self:
        """Open the group."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cancel what still runs, and wait for it."""
        for task in tuple(self._running):
            task.cancel()
        await self._group.__aexit__(kind, error, trace)


async def _supervised(service: Coroutine[Any, Any, None], name: str) -> None:
    try:
        await service
    except Exception:  # noqa: BLE001 (the service supervisor)
        _log.exception("a service failed", service=name)


async def _settle(work: Coroutine[Any, Any, _Value], outcome: asyncio.Future[_Value]) -> None:
    """Put the value or the error of *work* into *outcome*, so that it does not end the group."""
    try:
        value = await work
    except asyncio.CancelledError:
        outcome.cancel()
        raise
    except Exception as error:  # noqa: BLE001 (raised again where the caller waits)
        outcome.set_exception(error)
        outcome.exception()  # a caller that hung up never looks: that is no news for the log
        del outcome  # as in `finish`
    else:
        outcome.set_result(value)


def _ended(
    work: Coroutine[Any, Any, object], outcome: asyncio.Future[_Value], _: asyncio.Task[None]
) -> None:
    """Does something only if the task was cancelled before it began."""
    work.close()
    outcome.cancel()
