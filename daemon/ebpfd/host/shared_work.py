"""Work that several want at once is done once, for as long as anybody waits for it."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Running(Generic[T]):
    task: "asyncio.Task[T]"
    waiting: int = 0


class SharedWork(Generic[T]):
    """Work in progress, by what it is about."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: dict[Hashable, _Running[T]] = {}

    async def result(self, about: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the work comes to that is in progress, or that *begin* makes.

        One caller's cancellation is no other's; with the last caller the work is cancelled, and
        has ended when that one returns.
        """
        running = self._running.get(about)
        if running is None:
            running = _Running(asyncio.create_task(begin(), name=self._name))
            self._running[about] = running
        running.waiting += 1
        try:
            return await asyncio.shield(running.task)
        finally:
            running.waiting -= 1
            if not running.waiting:
                # Whoever comes from here on must not be given work that is about to end.
                del self._running[about]
                if not running.task.done():
                    running.task.cancel()
                    await asyncio.wait([running.task])
