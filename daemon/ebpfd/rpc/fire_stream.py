"""The fires of one client: they run beside each other, and each has its answer when it is there.

Only the handing over is in order, and only of one hook and parameter: what waits for an extension,
or for what an extension makes of it, keeps nothing else waiting.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from weakref import WeakValueDictionary

import grpc
import structlog

from ebpfd.access import Action, Caller
from ebpfd.errors import AccessDeniedError, RequestError
from ebpfd.host.audit import Audit
from ebpfd.host.hooks import Hooks
from ebpfd.host.links import Links
from ebpfd.host.modules import BatchOutcome, FireCall
from ebpfd.host.peers import Peer
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.turns import Turns
from ebpfd.rpc.attach_type import decode_attach_type
from ebpfd.rpc.batch_codec import decode_batch, encode_result
from ebpfd.rpc.origin_codec import decode_origin, origin_of
from ebpfd.rpc.rules import Things
from ebpfd.rpc.streams import CALL_ENDED, Requests
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as pb

DEFAULT_DEADLINE_S: Final = 5.0

MAX_UNANSWERED: Final = 1024
"""Fires of one stream that wait, or whose answers nobody has read; with more, no more is read."""

MAX_UNANSWERED_BYTES: Final = 32 << 20
"""The same, of what they take."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Firing:
    """What fires need of the daemon."""

    hooks: Hooks
    links: Links
    things: Things
    audit: Audit
    guard: QuotaGuard


class FireStream:
    """One client's stream of fires; *peer* is what is known of the client."""

    def __init__(
        self,
        context: "grpc.aio.ServicerContext[pb.FireRequest, pb.FireResponse]",
        firing: Firing,
        caller: Caller,
        peer: Peer,
    ) -> None:
        self._context = context
        self._firing = firing
        self._caller = caller
        self._peer = peer
        self._origin = origin_of(peer)
        """Of what names none."""

        self._requests = Requests()
        self._writing = asyncio.Lock()  # gRPC allows one write at a time
        self._turns = WeakValueDictionary[tuple[UUID, bytes | None], Turns]()
        """By hook and parameter: of those whose fires have not been handed over yet."""

        self._unanswered = self._unanswered_bytes = 0
        self._answered = asyncio.Event()

    def end(self) -> None:
        """Read no more.  What has been read is still answered."""
        self._requests.end()

    async def serve(self, source: AsyncIterator[pb.FireRequest]) -> None:
        """Answer fires until the client sends no more; nothing of them outlasts the stream."""
        async with asyncio.TaskGroup() as fires:
            async for request in self._requests.read(source):
                size_bytes = request.ByteSize()
                self._unanswered += 1
                self._unanswered_bytes += size_bytes
                # Its deadline begins here: the task's first step is in the next turn.
                answering = self._answer(request, size_bytes, self._context.time_remaining())
                fires.create_task(answering, name=f"fire {request.sequence}")
                del request, answering
                while self._holds_too_much():
                    self._answered.clear()
                    await self._answered.wait()
        if self._requests.trouble:
            await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, self._requests.trouble)

    def _holds_too_much(self) -> bool:
        return self._unanswered >= MAX_UNANSWERED or self._unanswered_bytes >= MAX_UNANSWERED_BYTES

    async def _answer(self, request: pb.FireRequest, size_bytes: int, left_s: float | None) -> None:
        """Answer a fire, with at most *left_s* for it, which is what the whole call has left."""
        try:
            response = pb.FireResponse(sequence=request.sequence)
            encode_result(await self._outcome(request, left_s), response.result)
            del request  # or it would be there for as long as nobody reads
            answer_bytes = response.ByteSize()
            self._unanswered_bytes += answer_bytes - size_bytes
            size_bytes = answer_bytes
            async with self._writing:
                await self._context.write(response)
        except CALL_ENDED:
            pass  # nobody is there to be told
        finally:
            self._unanswered -= 1
            self._unanswered_bytes -= size_bytes
            self._answered.set()

    async def _outcome(self, request: pb.FireRequest, left_s: float | None) -> BatchOutcome:
        try:
            return await self._fire(request, left_s)
        except AccessDeniedError as error:  # other fires of the stream may be for other hooks
            audit, why = self._firing.audit, str(error)
            await audit.count("refused", self._peer, "ACCESS_DENIED", "Hook/Fire", message=why)
            return BatchOutcome(code=Result.ACCESS_DENIED, message=why)
        except Exception as error:  # noqa: BLE001 (whoever waits for a code must get one)
            _log.exception("a fire failed", sequence=request.sequence)
            return BatchOutcome(code=Result.FAILED, message=f"{type(error).__name__}: {error}")

    async def _fire(self, request: pb.FireRequest, left_s: float | None) -> BatchOutcome:
        firing, default = self._firing, 0
        try:
            self._caller.check(firing.things.hook(Action.FIRE, request.hook))
            attach_type: UUID = firing.links.find_attach_type(decode_attach_type(request.hook))
            default = firing.links.default_result(attach_type)
            parameter = request.parameter if request.HasField("parameter") else None
            origin = decode_origin(request) or self._origin
            call = FireCall(attach_type, parameter, decode_batch(request.batch), origin)
            deadline_s = request.deadline_ms / 1000 or DEFAULT_DEADLINE_S
            if left_s is not None:
                deadline_s = min(deadline_s, max(left_s, 0.0))
            # Who names a deadline would rather wait than be told that nobody is there.
            wait, turns = bool(request.deadline_ms), self._turns_at(attach_type, parameter)
            with firing.guard.place("fires", "wait for some"):
                return await firing.hooks.fire(call, deadline_s, wait=wait, turns=turns)
        except RequestError as error:
            return BatchOutcome(code=error.code, message=error.message, failure_result=default)

    def _turns_at(self, attach_type: UUID, parameter: bytes | None) -> Turns:
        turns = self._turns.get((attach_type, parameter))
        if turns is None:
            turns = self._turns[attach_type, parameter] = Turns()
        return turns
