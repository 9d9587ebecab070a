"""A look at a disk, which may not answer: it keeps one thread busy then, not one for each asker."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class OneLook(Generic[_Value]):
    """Calls *look* on a thread; who asks while it goes on gets what it finds, too."""

    def __init__(self, look: Callable[[], _Value]) -> None:
        self._look = look
        self._looking: asyncio.Future[_Value] | None = None

    async def found(self) -> _Value:
        """What there is; an asker who is cancelled ends nothing."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().run_in_executor(None, self._look)
            self._looking.add_done_callback(_note_error)
        return await asyncio.shield(self._looking)


def _note_error(looking: asyncio.Future[_Value]) -> None:
    """If all who asked have given up, it is no news for the log."""
    if not looking.cancelled():
        looking.exception()
