"""The data stream of an extension: one writer, one reader, any number of lanes.

    invoke() -> lane -> [writer] -> Hook.Invoke -> [reader] -> futures

A pending read or write is never cancelled while the stream is in use: gRPC would end the call.
Writes never overlap, because only the writer task writes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

import grpc

from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._batch import Columns, Pending, columns_of

InvokeCall: TypeAlias = "grpc.aio.StreamStreamCall[bytes, hook_pb2.InvokeResponse]"


LATELY_S: Final = 0.005
"""After which nobody counts on another message like the last."""


class Sender(Protocol):
    """A lane as the stream sees it."""

    listed: bool

    @property
    def sendable(self) -> bool:
        """Whether a message waits and the window has room for it."""
        ...

    def take(self, sequence: int) -> tuple[Pending, bytes] | None:
        """Take the next message that somebody still wants."""
        ...

    def settle(self, pending: Pending, columns: Columns, result: int | None = None) -> None:
        """Take the reply to a message out of flight; *result* is the daemon's for a failed one."""
        ...

    def lose(self, reason: str) -> None:
        """Answer what waits, because the stream is gone."""
        ...


class InvokeStream:
    """``Hook.Invoke`` of one session; what is to be sent waits until there is a call."""

    def __init__(self, on_fire: Callable[[hook_pb2.Fire], None]) -> None:
        self._on_fire = on_fire
        self._loop = asyncio.get_running_loop()
        self._answered_s = -LATELY_S
        self._sequence = 0
        self._working: deque[Sender] = deque()
        self._in_flight: dict[int, tuple[Sender, Pending]] = {}
        self._fire_returns: deque[hook_pb2.FireReturn] = deque()
        self._parked: asyncio.Future[None] | None = None
        self._fires_written = asyncio.Event()
        self._fires_written.set()
        self._lost = ""
        self.heard = False
        """Whether the daemon has said something; whoever asks for it resets it."""

    def wake(self, lane: Sender) -> None:
        """Note that a lane has something to send; it is sent when this turn is over."""
        if self._lost:
            # Not at once: a caller that loops must let others run.
            asyncio.get_running_loop().call_soon(lane.lose, self._lost)
        elif not lane.listed and lane.sendable:
            lane.listed = True
            self._working.append(lane)
            self._unpark()

    def answer_fire(self, answer: hook_pb2.FireReturn) -> None:
        """Send what a client's fire came to; without a stream nobody is there to be told."""
        if self._lost:
            return
        self._fire_returns.append(answer)
        self._fires_written.clear()
        self._unpark()

    async def fires_written(self) -> None:
        """Wait until the answers to fires are on their way."""
        await self._fires_written.wait()

    async def write(self, call: InvokeCall) -> None:
        """Send what lanes and fires have, one message of each in turn, until *call* ends."""
        try:
            while True:
                if not self._fire_returns and not self._working:
                    self._parked = asyncio.get_running_loop().create_future()
                    await self._parked
                if self._fire_returns:
                    answer = self._fire_returns.popleft()
                    message = hook_pb2.InvokeRequest(fire_return=answer)
                    await call.write(message.SerializeToString())
                    if not self._fire_returns:
                        self._fires_written.set()
                if self._working:
                    request = self._take(self._working.popleft())
                    if request is not None:
                        await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the reader meets the same end, and says why

    async def read(self, call: InvokeCall) -> str:
        """Settle replies until *call* ends; return why it did."""
        while True:
            try:
                reply = await call.read()
            except grpc.aio.AioRpcError as error:
                return error.details() or error.code().name
            if not isinstance(reply, hook_pb2.InvokeResponse):
                return "the daemon closed the data stream"
            self.heard = True
            self._answered_s = self._loop.time()
            flown = self._in_flight.pop(reply.sequence, None)  # a fire has no sequence
            if flown is None:
                if reply.HasField("fire"):
                    self._on_fire(reply.fire)
            else:
                lane, pending = flown
                if reply.code and reply.HasField("failure_result"):
                    lane.settle(pending, columns_of(reply), reply.failure_result)
                else:
                    lane.settle(pending, columns_of(reply))

    @property
    def lately(self) -> bool:
        """Whether anything is in flight, or was a moment ago."""
        return bool(self._in_flight) or self._loop.time() - self._answered_s < LATELY_S

    def lose(self, reason: str) -> None:
        """Answer everything with CANCELED, now and from now on."""
        self._lost = reason
        self._fires_written.set()
        flown, self._in_flight = self._in_flight, {}
        working, self._working = self._working, deque()
        for lane, pending in flown.values():
            lane.settle(pending, Columns(Result.CANCELED, reason))
        for lane in working:
            lane.lose(reason)

    def _unpark(self) -> None:
        if self._parked is not None and not self._parked.done():
            self._parked.set_result(None)

    def _take(self, lane: Sender) -> bytes | None:
        lane.listed = False
        self._sequence += 1
        sequence = self._sequence
        taken = lane.take(sequence)
        if taken is None:
            return None
        pending, request = taken
        self._in_flight[sequence] = (lane, pending)
        if lane.sendable:
            self.wake(lane)
        return request
