"""The ``Hook`` service: the data streams of extensions, and fires of clients.

``Invoke`` is the hot path: a message that names a light program is answered in the turn it
arrives.  Only what must wait, for a helper or for its turn, gets a task of its own.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc
import structlog

from ebpfd.contracts import ContractError
from ebpfd.errors import RequestError
from ebpfd.host.chains import Chains, ChainTarget
from ebpfd.host.invocation import RefusalError, Target
from ebpfd.host.modules import ModuleGoneError
from ebpfd.host.services import Services
from ebpfd.host.targets import Targets
from ebpfd.objects.chains import Outcome
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.contract_codec import decode_guid
from ebpfd.rpc.fire_stream import FireStream, Firing
from ebpfd.rpc.origin_codec import decode_origin
from ebpfd.rpc.session import RemoteModule, Sessions
from ebpfd.rpc.single_events import SingleEvents
from ebpfd.rpc.streams import CALL_ENDED, Requests, Streams
from ebpfd_api.metadata import LET_IN, SESSION
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as pb
from ebpfd_api.v1 import hook_pb2_grpc as services_pb

MAX_UNSENT: Final = 256
"""Replies that wait until an extension reads; with more, nothing more of it is read."""

MAX_UNSENT_BYTES: Final = 4 << 20
"""The same, of what they take."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class InvokeStream:
    """One extension's data stream."""

    def __init__(
        self,
        context: "grpc.aio.ServicerContext[pb.InvokeRequest, pb.InvokeResponse]",
        module: RemoteModule,
        targets: Targets,
        chains: Chains,
        services: Services,
        singles: SingleEvents,
    ) -> None:
        self._singles = singles
        self._requests = Requests()
        self._context = context
        self._module = module
        self._targets = targets
        self._chains = chains
        self._services = services
        # gRPC allows one read and one write at a time.
        self._turn, self._writing = asyncio.Lock(), asyncio.Lock()
        self._read_all = False
        self._due = self._unsent = self._unsent_bytes = 0
        self._sent = asyncio.Event()
        self._ended = False

    def end(self) -> None:
        """Read no more: the module is gone, or the daemon ends."""
        self._ended = True
        self._requests.end()
        self._sent.set()

    async def serve(self) -> None:
        """Answer messages until the stream ends; afterwards nobody writes on it."""
        try:
            await self._serve()
            while self._due and not self._ended:  # who sends no more may still read
                self._sent.clear()
                await self._sent.wait()
        finally:
            self._ended = True
        async with self._writing:
            pass
        if self._requests.trouble:
            await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, self._requests.trouble)

    async def _serve(self) -> None:
        """Two take turns, so that one can read while the other one writes."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._take_turns(), name="data stream")
            await self._take_turns()

    async def _take_turns(self) -> None:
        while True:
            async with self._turn:
                # Who sends one at a time waits for this answer: a change of turns is for those
                # who have more on the way, and only while nobody else waits meanwhile.
                while (request := await self._next()) is not None and self._goes_first(request):
                    await self._handle(request)
            if request is None:
                return
            await self._handle(request)

    async def _next(self) -> pb.InvokeRequest | None:
        """The next request; None: it was the last."""
        while self._holds_too_much() and not self._ended:
            self._sent.clear()
            await self._sent.wait()
        request = None if self._read_all else await self._requests.next(self._context.read)
        if not isinstance(request, pb.InvokeRequest):
            self._read_all = True
            return None
        self._module.heard()
        return request

    def _goes_first(self, request: pb.InvokeRequest) -> bool:
        if request.count <= 1:
            self._singles.note()
            return True
        return self._singles.lately

    def _holds_too_much(self) -> bool:
        return self._unsent >= MAX_UNSENT or self._unsent_bytes >= MAX_UNSENT_BYTES

    async def _handle(self, request: pb.InvokeRequest) -> None:
        reply = self._answer(request)
        if reply is not None:
            await self._writing.acquire()
            try:
                await self._write(reply)
            except ModuleGoneError:
                self.end()  # and gRPC is about to tell the handler

    async def send(self, message: pb.InvokeResponse) -> None:
        """Send *message* after those before it; ``ModuleGoneError`` if the stream has ended."""
        await self._writing.acquire()
        if self._ended:
            self._writing.release()
            raise ModuleGoneError
        # A write that is cancelled would end the stream.
        await self._services.finish(self._write(message), name="message on a data stream")

    async def _write(self, message: pb.InvokeResponse) -> None:
        """Write, and let the next one write."""
        try:
            await self._context.write(message)
        except CALL_ENDED:
            raise ModuleGoneError from None
        finally:
            self._writing.release()

    def _answer(self, request: pb.InvokeRequest) -> pb.InvokeResponse | None:
        """The reply, or None if it comes later or is not due."""
        try:
            if request.HasField("fire_return"):
                answer = request.fire_return
                self._module.answered(answer.fire_id, answer)
                return None
            target = self._target(request)
            done = target.run_now(request, decode_origin(request) or self._module.origin)
            if done is not None:
                return _reply(request, done)
            size_bytes = request.ByteSize()
            target.enqueue(request.count or 1, size_bytes)
        except RequestError as error:
            return _refusal(request, error)
        self._due += 1
        within_s = request.deadline_ms / 1000
        deadline = asyncio.get_running_loop().time() + within_s if within_s else None
        answering = self._answer_later(target, request, size_bytes, deadline)
        self._services.start(answering, name=f"invoke {request.sequence}")
        return None

    def _target(self, request: pb.InvokeRequest) -> Target | ChainTarget:
        """Who is to run; ``RequestError`` if it is nobody that this module may invoke."""
        if request.binding:
            return self._targets.find(request.binding, self._module)
        match request.WhichOneof("target"):
            case "chain":
                return self._chains.of_bindings(request.chain.bindings, self._module)
            case "hook":
                try:
                    attach_type = decode_guid(request.hook.attach_type, "hook.attach_type")
                except ContractError as error:
                    raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None
                return self._chains.of_event(attach_type, request.hook.parameter, self._module)
            case _:
                message = "target: name a binding, a chain of them, or a hook and a parameter"
                raise RequestError(Result.INVALID_ARGUMENT, message)

    async def _answer_later(
        self,
        target: Target | ChainTarget,
        request: pb.InvokeRequest,
        size_bytes: int,
        deadline: float | None,
    ) -> None:
        try:
            reply = await self._awaited(target, request, size_bytes, deadline)
            count = request.count or 1
            del request  # or it would be there for as long as nobody reads
            unsent_bytes = reply.ByteSize()
            self._unsent += 1
            self._unsent_bytes += unsent_bytes
            try:
                await self.send(reply)
            except ModuleGoneError:  # nobody is there to be told
                target.lose(count)
            finally:
                self._unsent -= 1
                self._unsent_bytes -= unsent_bytes
        finally:
            self._due -= 1
            self._sent.set()

    async def _awaited(
        self,
        target: Target | ChainTarget,
        request: pb.InvokeRequest,
        size_bytes: int,
        deadline: float | None,
    ) -> pb.InvokeResponse:
        try:
            origin = decode_origin(request) or self._module.origin
            done = await target.run_queued(
                request, origin, size_bytes=size_bytes, deadline=deadline
            )
            return _reply(request, done)
        except RequestError as error:
            return _refusal(request, error)
        except Exception as error:  # noqa: BLE001 (whoever waits for a code must get one)
            _log.exception("an invocation failed", extension=self._module.name)
            failed = RequestError(Result.FAILED, f"{type(error).__name__}: {error}")
            return _refusal(request, failed)


class HookServicer(services_pb.HookServicer):
    """Data streams of extensions, fires of clients."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        targets: Targets,
        chains: Chains,
        callers: Callers,
        services: Services,
        streams: Streams,
        firing: Firing,
    ) -> None:
        self._callers = callers
        self._firing = firing
        self._singles = SingleEvents()
        self._sessions = sessions
        self._targets = targets
        self._chains = chains
        self._services = services
        self._streams = streams

    async def Invoke(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request_iterator: AsyncIterator[pb.InvokeRequest],  # noqa: ARG002 (the context reads it faster)
        context: "grpc.aio.ServicerContext[pb.InvokeRequest, pb.InvokeResponse]",
    ) -> None:
        """Serve one extension's data stream until it ends."""
        module = self._module_of(context)
        if module is None:
            await context.abort(
                grpc.StatusCode.UNAUTHENTICATED,
                f'name your session: metadata "{SESSION}" must hold the welcome\'s session_id',
            )
        try:
            guard, there = self._firing.guard, len(module.data_streams)
            guard.check("streams", there, 1, "end one, or use those")
        except RequestError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, error.message)
        stream = InvokeStream(
            context, module, self._targets, self._chains, self._services, self._singles
        )
        self._streams.opened(context, stream.end)
        module.data_streams.append(stream)
        self._firing.hooks.streaming()
        try:
            with module.ending(stream.end):
                await stream.serve()
        finally:
            module.data_streams.remove(stream)

    async def Fire(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request_iterator: AsyncIterator[pb.FireRequest],
        context: "grpc.aio.ServicerContext[pb.FireRequest, pb.FireResponse]",
    ) -> None:
        """Fire hooks: each message is answered when its hook has answered."""
        caller, peer = self._callers.of(context), self._callers.peers.of(context)
        stream = FireStream(context, self._firing, caller, peer)
        self._streams.opened(context, stream.end)
        await context.send_initial_metadata(((LET_IN, "1"),))
        await stream.serve(request_iterator)

    def _module_of(
        self, context: "grpc.aio.ServicerContext[pb.InvokeRequest, pb.InvokeResponse]"
    ) -> RemoteModule | None:
        metadata = context.invocation_metadata() or ()
        for key, value in metadata:
            if key == SESSION:
                return self._sessions.find(value if isinstance(value, str) else value.decode())
        return None


def _reply(request: pb.InvokeRequest, done: Outcome) -> pb.InvokeResponse:
    reply = pb.InvokeResponse(sequence=request.sequence, codes=done.codes, results=done.results)
    if contexts := done.contexts:
        reply.contexts = contexts
    if data := done.data:
        reply.data = data
    return reply


def _refusal(request: pb.InvokeRequest, error: RequestError) -> pb.InvokeResponse:
    return pb.InvokeResponse(
        sequence=request.sequence,
        code=error.code,
        message=error.message,
        failure_result=error.result if isinstance(error, RefusalError) else None,
    )
