"""A module process as it shows itself on the wire, to a registrar that has no daemon behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import count
from typing import Any, Final, TypeAlias
from uuid import uuid4

from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import contract_pb2, hook_pb2, registrar_pb2

PROVIDER: Final = registrar_pb2.ROLE_PROVIDER
DISPATCH: Final = registrar_pb2.DispatchTable(
    version=1, functions=["invoke", "batch_begin", "batch_invoke", "batch_end"]
)
"""Of every link, as in eBPF for Windows."""


class PeerError(Exception):
    """The module went away, or did not answer as it must."""


Reply: TypeAlias = Callable[[hook_pb2.InvokeRequest], hook_pb2.InvokeResponse]


def nothing_changed(request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
    """Answer that each program returned 0."""
    contexts = request.count or 1
    return hook_pb2.InvokeResponse(
        sequence=request.sequence, codes=bytes(contexts), results=bytes(4 * contexts)
    )


class Peer:
    """The module process at the far end, as it shows itself on the wire."""

    def __init__(self, reply: Reply = nothing_changed) -> None:
        self.reply = reply
        self.session_id = str(uuid4())
        self.resume_token = uuid4().bytes
        self.hello: registrar_pb2.Hello | None = None
        self.registered: dict[int, registrar_pb2.RegistrationInstance] = {}
        self.leaving: set[int] = set()
        """Registrations that it has begun to deregister."""

        self.left: set[int] = set()
        """Those that have no client any more."""

        self.has_data_stream = False
        self.invocations: list[hook_pb2.InvokeRequest] = []
        self.answers = asyncio.Event()
        """While it is clear, invocations are not answered."""

        self.answers.set()
        self.complete_detaches: set[int] = set()
        self.late: list[str] = []
        """Invocations of bindings that the module had let go of."""

        self.mistakes: list[str] = []
        self.heartbeats = 0
        self.ended = False
        self.outgoing: asyncio.Queue[registrar_pb2.SessionResponse | None] = asyncio.Queue()
        self.streams: list[asyncio.Queue[hook_pb2.InvokeResponse | None]] = []
        self._changed = asyncio.Event()
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._call_ids: set[int] = set()
        self._bindings: dict[int, int] = {}
        self._gone: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that the module says."""
        while not true():
            if self.ended:
                raise PeerError("its session ended")
            self._changed.clear()
            await self._changed.wait()

    async def ask(self, **callback: Any) -> Any:
        """Send a callback; return the module's answer."""
        return await self.begin(**callback)

    def begin(self, **callback: Any) -> "asyncio.Future[Any]":
        """Send a callback; the future has the module's answer."""
        callback_id = next(self._ids)
        self.send(callback_id=callback_id, **callback)
        return self._expect(callback_id)

    def send(self, **message: Any) -> None:
        """Send a message."""
        self.outgoing.put_nowait(registrar_pb2.SessionResponse(**message))

    async def beat(self) -> None:
        """Send a heartbeat, and wait for the module's."""
        before = self.heartbeats
        self.send(heartbeat=registrar_pb2.Heartbeat())
        await self.until(lambda: self.heartbeats > before)

    async def attach(
        self,
        registration: int,
        parameter: bytes = b"",
        *,
        has_data: bool = True,
        has_dispatch: bool = True,
    ) -> tuple[registrar_pb2.CallbackReturn, int]:
        """Offer a client of the registration's own contract; return the answer and the binding.

        A hook's client can do without what it must have.
        """
        binding = next(self._ids)
        npi = self.registered[registration].npi_id if registration in self.registered else b""
        peer = registrar_pb2.RegistrationInstance(
            npi_id=npi or HOOK.bytes, module_id=registrar_pb2.ModuleId(guid=uuid4().bytes)
        )
        client = registrar_pb2.BindingSide(binding_context=binding.to_bytes(8, "little"))
        if peer.npi_id == HOOK.bytes:
            link = contract_pb2.ExtensionData(
                data=parameter, link_id=binding, program_id=1, program_name="program"
            )
            if has_data:
                peer.characteristics.extension_data.CopyFrom(link)
            if has_dispatch:
                client.dispatch.CopyFrom(DISPATCH)
        answer: registrar_pb2.CallbackReturn = await self.ask(
            attach=registrar_pb2.AttachCallback(
                role=PROVIDER,
                binding=binding,
                registration=registration,
                peer=peer,
                client=client,
            )
        )
        if answer.status == NtStatus.SUCCESS:
            self._bindings[binding] = registration
        return answer, binding

    async def detach(self, binding: int) -> None:
        """Ask the module to let go, and wait until it has; then let it clean up."""
        answer = await self.ask(detach=registrar_pb2.DetachCallback(role=PROVIDER, binding=binding))
        if answer.status == NtStatus.PENDING:
            await self.until(lambda: binding in self.complete_detaches)
        elif answer.status != NtStatus.SUCCESS:
            raise PeerError(
                f"detach: it answered {status_name(answer.status)}, not SUCCESS or PENDING"
            )
        self._gone.add(binding)
        self._bindings.pop(binding, None)
        cleaned = await self.ask(
            cleanup=registrar_pb2.CleanupCallback(role=PROVIDER, binding=binding)
        )
        if cleaned.status != NtStatus.SUCCESS:
            raise PeerError(f"it answered {status_name(cleaned.status)} to cleanup, not SUCCESS")

    def hang_up(self) -> None:
        """End both streams, as a daemon that stops."""
        self.outgoing.put_nowait(None)
        for stream in self.streams:
            stream.put_nowait(None)

    def fire(
        self,
        attach_type: bytes,
        batch: hook_pb2.Batch,
        parameter: bytes | None = None,
        origin: hook_pb2.Origin | None = None,
    ) -> "asyncio.Future[hook_pb2.FireReturn]":
        """Hand a client's fire to the module; ``PeerError`` if there is nowhere to send it."""
        if not self.streams:
            raise PeerError("it has no data stream")
        fire_id = next(self._ids)
        fire = hook_pb2.Fire(
            fire_id=fire_id,
            attach_type=attach_type,
            has_parameter=parameter is not None,
            parameter=parameter or b"",
            batch=batch,
            origin=origin,
            deadline_ms=5000,
        )
        self.streams[0].put_nowait(hook_pb2.InvokeResponse(fire=fire))
        return self._expect(fire_id)

    # What the module says

    async def read_session(self, requests: AsyncIterator[registrar_pb2.SessionRequest]) -> None:
        """Take everything that it says, until the stream ends."""
        try:
            async for request in requests:
                self._take(request)
                self._changed.set()
        finally:
            self.end()

    async def read_stream(
        self,
        requests: AsyncIterator[hook_pb2.InvokeRequest],
        answers: "asyncio.Queue[hook_pb2.InvokeResponse | None]",
    ) -> None:
        """Answer its invocations."""
        self.has_data_stream = True
        self._changed.set()
        async for request in requests:
            if request.HasField("fire_return"):
                self._answered(request.fire_return.fire_id, request.fire_return)
            else:
                self._note_late(request)
                self.invocations.append(request)
                self._start(self._answer(request, answers))
            self._changed.set()

    def end(self) -> None:
        """Its session is over."""
        self.ended = True
        self.outgoing.put_nowait(None)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(PeerError("its session ended"))
                answer.exception()  # seen, also where nobody waits
        self._changed.set()

    def _take(self, request: registrar_pb2.SessionRequest) -> None:
        kind = request.WhichOneof("message")
        if self.hello is None and kind != "hello":
            self.mistakes.append(f"it sent {kind} before hello")
        match kind:
            case "hello":
                if self.hello is not None:
                    self.mistakes.append("it said hello twice")
                self.hello = request.hello
            case "register":
                registration = next(self._ids)
                self.registered[registration] = request.register.instance
                self._return(request, registration=registration)
            case "deregister":
                self._start(self._deregister(request))
            case "wait_deregistered":
                self._return(request)
            case "detach_complete":
                self.complete_detaches.add(request.detach_complete.binding)
                if request.call_id:
                    self._return(request)
            case "heartbeat":
                self.heartbeats += 1
            case "callback_return" | "helper_return" | "map_return" | "context_return" as answer:
                returned = getattr(request, answer)
                self._answered(returned.callback_id, returned)
            case _:
                self.mistakes.append(f"it sent {kind}, which is no message of a provider's")

    def _return(self, request: registrar_pb2.SessionRequest, **answer: Any) -> None:
        kind, call_id = request.WhichOneof("message"), request.call_id
        if call_id == 0:
            self.mistakes.append(f"its {kind} has no call id")
        elif call_id in self._call_ids:
            self.mistakes.append(f"its {kind} has the call id {call_id}, which it used before")
        self._call_ids.add(call_id)
        self.send(call_return=registrar_pb2.CallReturn(call_id=call_id, **answer))

    async def _deregister(self, request: registrar_pb2.SessionRequest) -> None:
        registration = request.deregister.registration
        if self.registered.pop(registration, None) is None:
            self._return(request, status=NtStatus.INVALID_PARAMETER)
            return
        self.leaving.add(registration)
        bindings = [each for each, owner in self._bindings.items() if owner == registration]
        self._return(request, status=NtStatus.PENDING if bindings else NtStatus.SUCCESS)
        try:
            for binding in bindings:
                await self.detach(binding)
        except PeerError:
            return  # it did not wait for its clients
        self.left.add(registration)
        self._changed.set()
        if bindings:
            complete = registrar_pb2.DeregisterComplete(registration=registration)
            self.send(deregister_complete=complete)

    def _note_late(self, request: hook_pb2.InvokeRequest) -> None:
        late = self._gone.intersection((request.binding, *request.chain.bindings))
        self.late += [f"binding {binding}" for binding in late]

    async def _answer(
        self,
        request: hook_pb2.InvokeRequest,
        answers: "asyncio.Queue[hook_pb2.InvokeResponse | None]",
    ) -> None:
        await self.answers.wait()
        answers.put_nowait(self.reply(request))

    def _expect(self, id_: int) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = answer
        if self.ended:
            self.end()
        return answer

    def _answered(self, id_: int, answer: object) -> None:
        waiting = self._waiting.pop(id_, None)
        if waiting is None:
            self.mistakes.append(f"it answered callback {id_}, which was not or no more open")
        elif not waiting.done():
            waiting.set_result(answer)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def status_name(status: int) -> str:
    """An NTSTATUS in words."""
    known = NtStatus._value2member_map_
    return NtStatus(status).name if status in known else f"status {status:#x}"
