"""The conversation of a module process with the registrar.

Calls go one way with call ids, callbacks the other way with callback ids, and neither waits for
the other: a registration is answered only when the attaches that it queued have ended, so this
side handles callbacks while its own call is open.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias
from uuid import uuid4

import grpc

from ebpfd_api import protocol
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import registrar_pb2, registrar_pb2_grpc
from ebpfd_sdk._connection import Connection, Metadata
from ebpfd_sdk._context_calls import ContextCalls
from ebpfd_sdk._errors import DaemonUnavailable, Refused, RegistrationRefused
from ebpfd_sdk._helper_calls import HelperCalls
from ebpfd_sdk._map_calls import MapCalls
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import Tasks, logger

SessionCall: TypeAlias = (
    "grpc.aio.StreamStreamCall[registrar_pb2.SessionRequest, registrar_pb2.SessionResponse]"
)

HANDSHAKE_S: Final = 10.0
GREETINGS: Final = 5
PROCESS_INSTANCE: Final = uuid4()
"""Made anew when the process starts."""


class Session:
    """``Registrar.Session``, from hello to the end of the stream."""

    def __init__(
        self,
        connection: Connection,
        identity: Metadata,
        helpers: HelperCalls,
        tasks: Tasks,
        on_lost: Callable[[DaemonUnavailable], None],
    ) -> None:
        self._connection = connection
        self._helpers = helpers
        self._map_calls = MapCalls(tasks)
        self._context_calls = ContextCalls(tasks)
        self._tasks = tasks
        self._on_lost = on_lost
        stub = registrar_pb2_grpc.RegistrarStub(connection.channel)
        self._begin: Callable[[], SessionCall] = partial(stub.Session, metadata=identity)
        self._call = self._begin()
        self._outgoing: asyncio.Queue[registrar_pb2.SessionRequest] = asyncio.Queue()
        self._last_call_id = 0
        self._calls: dict[int, asyncio.Future[registrar_pb2.CallReturn]] = {}
        self._providers: dict[int, Provider] = {}
        self._registering: Provider | None = None
        self._bindings: dict[int, Provider] = {}
        self._callbacks: set[asyncio.Task[None]] = set()
        self._completions: dict[int, asyncio.Event] = {}
        self._welcome = False
        self.heard = False
        """Whether the daemon has said something; whoever asks for it resets it."""

        self._lost: DaemonUnavailable | None = None

    async def open(
        self, name: str, registrations: int, resume_token: bytes
    ) -> registrar_pb2.Welcome:
        """Say hello, and how many registrations follow; return what the daemon says to it."""
        hello = registrar_pb2.Hello(
            protocol_version=protocol.MAJOR,
            protocol_minor=protocol.MINOR,
            capabilities=[protocol.LEASE],
            resume_token=resume_token,
            name=name,
            process_instance=PROCESS_INSTANCE.bytes,
            process_id=os.getpid(),
            registrations=registrations,
        )
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                async with self._connection.translated():
                    welcome = await self._greet(registrar_pb2.SessionRequest(hello=hello))
        except TimeoutError:
            raise self._connection.unavailable(f"no welcome in {HANDSHAKE_S:.0f} s") from None
        if not isinstance(welcome, registrar_pb2.SessionResponse) or not welcome.HasField(
            "welcome"
        ):
            raise self._connection.unavailable("it does not speak the registrar's protocol")
        self._welcome = True
        self._tasks.start(self._write(), name="session writer")
        self._tasks.start(self._read(), name="session reader")
        return welcome.welcome

    async def register(self, provider: Provider) -> int:
        """Register a provider; one after the other, so that its first attaches find it."""
        self._helpers.add(provider)
        self._map_calls.add(provider)
        self._context_calls.add(provider)
        self._registering = provider
        answer = await self._ask(
            registrar_pb2.SessionRequest(
                register=registrar_pb2.Register(
                    role=registrar_pb2.ROLE_PROVIDER, instance=provider.instance(), has_cleanup=True
                )
            )
        )
        self._registering = None
        if answer.status != NtStatus.SUCCESS:
            raise RegistrationRefused(provider.label, answer.status, answer.message)
        self._providers[answer.registration] = provider
        return answer.registration

    async def deregister(self, registration: int) -> None:
        """Deregister, and wait until the last binding is gone."""
        completion = self._completions[registration] = asyncio.Event()
        answer = await self._ask(
            registrar_pb2.SessionRequest(
                deregister=registrar_pb2.Deregister(registration=registration)
            )
        )
        if answer.status == NtStatus.PENDING:
            await completion.wait()
        del self._completions[registration]
        self._providers.pop(registration, None)
        if self._lost:
            raise self._lost

    async def close(self) -> None:
        """End the stream from this side; nothing may be registered any more."""
        if not self._welcome or self._lost:
            self._call.cancel()
            return
        await self._outgoing.join()
        self._lost = self._connection.unavailable("the session is closed")
        await self._call.done_writing()

    async def abandon(self, lost: DaemonUnavailable) -> None:
        """After a loss: end the stream, and let every link go as if the daemon had asked for it."""
        self._end(lost)
        self._call.cancel()
        for binding, provider in self._bindings.items():
            self._call_back(provider.detach(binding), name="detach callback")
        while self._callbacks:
            await asyncio.wait(self._callbacks)

    async def _greet(self, hello: registrar_pb2.SessionRequest) -> object:
        """Send *hello* and return what comes; a call that ends amid the write is made again.

        For gRPC says INTERNAL then, whatever status the daemon has ended it with.
        """
        for left in reversed(range(GREETINGS)):
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await self._call.write(hello)
            try:
                return await self._call.read()
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.INTERNAL or not left:
                    raise
            self._call = self._begin()
        raise AssertionError("the last one returns or raises")

    async def _ask(self, request: registrar_pb2.SessionRequest) -> registrar_pb2.CallReturn:
        if self._lost:
            raise self._lost
        self._last_call_id += 1
        request.call_id = self._last_call_id
        answer: asyncio.Future[registrar_pb2.CallReturn] = (
            asyncio.get_running_loop().create_future()
        )
        self._calls[request.call_id] = answer
        self._outgoing.put_nowait(request)
        try:
            return await answer
        finally:
            del self._calls[request.call_id]

    async def _write(self) -> None:
        """Write what others queued: writes on one call must not overlap."""
        while True:
            request = await self._outgoing.get()
            try:
                await self._call.write(request)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                pass  # the reader meets the same end, and says why
            finally:
                self._outgoing.task_done()

    async def _read(self) -> None:
        """Dispatch messages until the stream ends, without waiting for what they start."""
        reason = "the daemon closed the session"
        try:
            while isinstance(message := await self._call.read(), registrar_pb2.SessionResponse):
                self.heard = True
                self._dispatch(message)
        except grpc.aio.AioRpcError as error:
            reason = error.details() or error.code().name
        self._end(self._connection.unavailable(reason))

    def _end(self, lost: DaemonUnavailable) -> None:
        if self._lost:
            return
        self._lost = lost
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(lost)
        for completion in self._completions.values():
            completion.set()
        self._on_lost(lost)

    def _dispatch(self, message: registrar_pb2.SessionResponse) -> None:
        match message.WhichOneof("message"):
            case "call_return":
                answer = self._calls.get(message.call_return.call_id)
                if answer is not None and not answer.done():
                    answer.set_result(message.call_return)
            case "attach":
                self._call_back(self._attach(message), name="attach callback")
            case "detach":
                # Looked up now: a cleanup that has come with it, too late for both, is quicker.
                provider = self._bindings.get(message.detach.binding)
                self._call_back(self._detach(message, provider), name="detach callback")
            case "described" | "offered":
                self._client_changed(message)
            case "cleanup":
                self._cleanup(message)
            case "helper_call":
                self._helpers.handle(message.callback_id, message.helper_call, self._return_helper)
            case "map_call":
                call = message.map_call
                bound = self._bindings.get(call.binding)
                self._map_calls.handle(bound, message.callback_id, call, self._return_map)
            case "context_call":
                call_id, asked = message.callback_id, message.context_call
                self._context_calls.handle(call_id, asked, self._return_context)
            case "deregister_complete":
                self._completed(message.deregister_complete.registration)
            case "heartbeat":
                self._outgoing.put_nowait(
                    registrar_pb2.SessionRequest(heartbeat=registrar_pb2.Heartbeat())
                )
            case _:
                logger.warning("ignored a message that this version does not know")

    def _client_changed(self, message: registrar_pb2.SessionResponse) -> None:
        offered = message.HasField("offered")
        binding = message.offered.binding if offered else message.described.binding
        provider = self._bindings.get(binding)
        if provider is None:
            return
        if offered:
            self._call_back(provider.offered(binding), name="local program")
        else:
            provider.described(binding, message.described.peer)

    def _completed(self, registration: int) -> None:
        completion = self._completions.get(registration)
        if completion is not None:
            completion.set()

    def _call_back(self, work: Coroutine[None, None, None], *, name: str) -> None:
        task = self._tasks.start(work, name=name)
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)

    async def _attach(self, message: registrar_pb2.SessionResponse) -> None:
        callback = message.attach
        # Until register is answered, its registration has no number on this side.
        provider = self._providers.get(callback.registration) or self._registering
        if provider is None:
            self._return(message.callback_id, NtStatus.NOINTERFACE, "no such registration")
            return
        try:
            side = await provider.attach(callback)
        except Refused as refusal:
            self._return(message.callback_id, refusal.status, refusal.message)
        except Exception as error:  # noqa: BLE001 (the extension's own code may raise anything)
            logger.exception("%s: attaching failed", provider.label)
            reason = f"{provider.label}: {type(error).__name__}: {error}"
            self._return(message.callback_id, NtStatus.INVALID_DEVICE_STATE, reason)
        else:
            if self._lost:  # meanwhile: nobody else will detach it
                await provider.detach(callback.binding)
                return
            self._bindings[callback.binding] = provider
            self._return(message.callback_id, NtStatus.SUCCESS, provider=side)

    async def _detach(
        self, message: registrar_pb2.SessionResponse, provider: Provider | None
    ) -> None:
        try:
            if provider is not None:
                await provider.detach(message.detach.binding)
        finally:
            # Whatever the extension's own notice did, nothing is in flight any more.
            self._return(message.callback_id, NtStatus.SUCCESS)

    def _cleanup(self, message: registrar_pb2.SessionResponse) -> None:
        self._bindings.pop(message.cleanup.binding, None)
        self._return(message.callback_id, NtStatus.SUCCESS)

    def _return(
        self,
        callback_id: int,
        status: NtStatus,
        message: str = "",
        *,
        provider: registrar_pb2.BindingSide | None = None,
    ) -> None:
        self._outgoing.put_nowait(
            registrar_pb2.SessionRequest(
                callback_return=registrar_pb2.CallbackReturn(
                    callback_id=callback_id, status=status, message=message, provider=provider
                )
            )
        )

    def _return_helper(self, answer: registrar_pb2.HelperReturn) -> None:
        self._outgoing.put_nowait(registrar_pb2.SessionRequest(helper_return=answer))

    def _return_context(self, answer: registrar_pb2.ContextReturn) -> None:
        self._outgoing.put_nowait(registrar_pb2.SessionRequest(context_return=answer))

    def _return_map(self, answer: registrar_pb2.MapReturn) -> None:
        self._outgoing.put_nowait(registrar_pb2.SessionRequest(map_return=answer))
