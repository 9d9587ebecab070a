"""Waiting for a change."""

import asyncio

from ebpfd.host.changes import Changes
from tests.virtual_time import virtually


def test_whoever_waits_no_longer_is_forgotten() -> None:
    """Fires wait for changes with a deadline, and on a quiet daemon there are none for days."""

    async def scene() -> None:
        changes = Changes()
        for _ in range(3):
            try:
                async with asyncio.timeout(3600):
                    await changes.next()
            except TimeoutError:
                continue
        assert not changes._waiting  # pyright: ignore[reportPrivateUsage]
        waiters = [asyncio.create_task(changes.next()) for _ in range(2)]
        await asyncio.sleep(0)
        changes.note()
        await asyncio.gather(*waiters)
        assert changes.count == 1

    virtually(scene())
