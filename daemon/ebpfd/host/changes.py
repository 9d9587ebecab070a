"""Changes that somebody may wait for, without being told what they were."""

import asyncio


class Changes:
    """Counts changes, and wakes those who wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: dict[asyncio.Future[None], None] = {}

    def note(self) -> None:
        """Something has changed."""
        self.count += 1
        waiting, self._waiting = self._waiting, {}
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def next(self) -> None:
        """Wait for the next change; none is missed that comes after the call."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        try:
            await waiter
        finally:
            self._waiting.pop(waiter, None)
