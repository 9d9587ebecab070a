"""Tasks that belong to somebody: named, kept, reported when they fail, ended on close."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

logger: Final = logging.getLogger("ebpfd_sdk")


class Tasks:
    """The tasks of one owner.

    A TaskGroup would end the owner's body when one callback fails; here a failure concerns only
    whoever waits for that callback, and is logged.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None], *, name: str) -> asyncio.Task[None]:
        """Run *work* until it ends or the owner closes."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """Cancel what still runs, and wait for it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("%s failed", task.get_name(), exc_info=error)
