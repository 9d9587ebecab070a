"""Calls that last: at the daemon's end each of them is told, and waited for.

gRPC's own stop waits for them too, but while it closes the connection already: a caller that
writes at that moment loses what it has not read, its call's end among it.  And it knows no way to
tell a call that only waits to end.

A handler is not cancelled while it writes: if that is its first message, gRPC would never send the
call's status.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError

CALL_ENDED: Final = (grpc.aio.UsageError, grpc.aio.InternalError, asyncio.InvalidStateError)
"""What a write meets on a call that has ended."""

Request = TypeVar("Request")

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Streams:
    """The calls that last and are open."""

    def __init__(self) -> None:
        self._ends: dict[_Context, Callable[[], object] | None] = {}
        self.closing = False
        self._all_gone = asyncio.Event()

    def opened(self, context: _Context, end: Callable[[], object] | None = None) -> None:
        """Keep in mind a call; *end* makes it come to its end, where nothing else does."""
        self._ends[context] = end
        # The stubs name a class that no method is.
        context.add_done_callback(cast("Any", self._gone))
        if self.closing and end is not None:
            end()

    async def close(self) -> None:
        """Tell all calls to end; returns when each has sent its status."""
        self.closing = True
        for end in list(self._ends.values()):
            if end is not None:
                end()
        while self._ends:
            self._all_gone.clear()
            await self._all_gone.wait()

    def _gone(self, context: _Context) -> None:
        self._ends.pop(context, None)
        if not self._ends:
            self._all_gone.set()


class Requests:
    """A caller's requests, until it sends no more or it is time to end."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._reading: asyncio.Task[Any] | None = None
        self.trouble = ""
        """What is wrong with a request that nobody can read: it was the last."""

    def end(self) -> None:
        """Read no more.  What has been read is still answered."""
        self._ended.set()
        if self._reading is not None:
            self._reading.cancel()

    async def read(self, source: AsyncIterator[Request]) -> AsyncGenerator[Request]:
        """Each request, in the task of a call's handler."""
        while (request := await self.next(partial(anext, source, None))) is not None:
            yield request
            del request  # it may be long, and the next one long in coming

    async def next(self, read: Callable[[], Awaitable[Request]]) -> Request | None:
        """What *read* gives; None: it is time to end.  One at a time may ask."""
        if self._ended.is_set():
            return None
        self._reading = reading = asyncio.current_task()
        try:
            return await read()
        except asyncio.CancelledError:
            if reading is None or not self._ended.is_set():
                raise
            reading.uncancel()
            return None
        except DecodeError as error:
            self._ended.set()
            self.trouble = f"a message cannot be decoded: {error}"
            return None
        finally:
            self._reading = None
