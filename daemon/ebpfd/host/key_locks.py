"""One lock for each key that somebody is about to write."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Held:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class KeyLocks:
    """Writers of one key come one after the other, in their order; others do not wait."""

    def __init__(self) -> None:
        self._held: dict[bytes, _Held] = {}

    @asynccontextmanager
    async def holding(self, key: bytes) -> AsyncGenerator[None]:
        """Be the only writer of *key* within the block."""
        held = self._held.setdefault(key, _Held())
        held.users += 1
        try:
            async with held.lock:
                yield
        finally:
            held.users -= 1
            if held.users == 0:
                del self._held[key]
