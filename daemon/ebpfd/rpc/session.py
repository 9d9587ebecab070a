"""One extension's connection: a module at the far end of two streams.

``RemoteModule`` stands for the process wherever the host wants a module.  Callbacks go out with
an id and come back with it; nothing here handles messages one after the other, since an attach
callback may contain another call.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any, Protocol
from uuid import UUID

from google.protobuf.message import Message

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.modules import (
    AttachAnswer,
    BatchOutcome,
    ContextCall,
    ContextOutcome,
    DeclinedError,
    FireCall,
    HelperCall,
    HelperOutcome,
    MapArgument,
    MapCall,
    ModuleGoneError,
    NotReadyError,
)
from ebpfd.host.peers import UNKNOWN, Peer
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd.objects.origin import Origin
from ebpfd.objects.programs import RunContext
from ebpfd.rpc.batch_codec import decode_result, encode_batch
from ebpfd.rpc.leases import Lease
from ebpfd.rpc.map_call_codec import decode_map_return, encode_map_call
from ebpfd.rpc.origin_codec import encode_origin, origin_of
from ebpfd.rpc.registration_codec import (
    WIRE_ROLES,
    decode_dispatch,
    encode_instance,
    encode_side,
)
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2, registrar_pb2

MAX_OUTGOING = 1024
"""Messages that wait for a module that does not read; with more it counts as gone."""

MAX_FORWARDED_BYTES = (16 << 20) - 4096
"""One module's words to another: a message that the receiver refuses would end its stream."""


class DataStream(Protocol):
    """A module's ``Hook.Invoke`` stream."""

    async def send(self, message: hook_pb2.InvokeResponse) -> None:
        """Send *message* after those before it; ``ModuleGoneError`` if the stream has ended.

        A caller that is cancelled meanwhile does no harm to the stream.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Expected:
    """An answer that somebody waits for, and the kind of message that it must be."""

    kind: type[Message]
    answer: asyncio.Future[Any]
    attach: registrar_pb2.AttachCallback | None = None
    """What it is the answer to, if that must be undone when it comes too late."""


@dataclass(frozen=True, slots=True)
class ModuleIdentity:
    """Who a module says it is, and who its peer is."""

    name: str
    session_id: str
    process_instance: bytes
    process_id: int
    registrations: int = 0
    """How many it registers before it counts as started; 0: one is enough."""

    resume_token: bytes = b""
    """With it, the same process ends this session and takes its place."""

    peer: Peer = UNKNOWN
    """What is known for sure."""


class RemoteModule:
    """A module process, as NMR callbacks, fires and helper calls reach it."""

    def __init__(self, identity: ModuleIdentity, lease: Lease | None = None) -> None:
        self.identity = identity
        self.lease = lease
        self.origin = _origin(identity)
        """Who causes its batches, unless they say it."""

        self.data_streams: list[DataStream] = []
        """Fires go to the first one."""

        self.gone = asyncio.Event()
        self.end_reason = ""
        """Why the daemon has ended the session; empty: it has not."""

        self.outgoing = asyncio.Queue[registrar_pb2.SessionResponse | None](MAX_OUTGOING)
        """Control messages to send; None: no more, the connection is over."""

        self.connected_ns = time.time_ns()
        self.registrations = 0
        """Made so far."""

        self._callback_ids = count(1)
        self._waiting: dict[int, _Expected] = {}
        self._ends: set[Callable[[], object]] = set()
        self._overdue: dict[int, registrar_pb2.AttachCallback] = {}

    @property
    def name(self) -> str:
        """What the module calls itself."""
        return self.identity.name

    @property
    def peer(self) -> Peer:
        """Who is at the far end, for sure."""
        return self.identity.peer

    @property
    def process_id(self) -> int:
        """Its process on this host, as the system says or else as it says itself; 0: none here."""
        if process := self.peer.process:
            return process.pid
        return 0 if self.peer.certificate else self.identity.process_id

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Offer a provider to this client."""
        message = registrar_pb2.SessionResponse()
        attach = message.attach
        attach.role = registrar_pb2.ROLE_CLIENT
        attach.binding, attach.registration = call.binding, call.registration
        attach.peer.CopyFrom(encode_instance(call.provider_instance))
        answer = await self._call_back(message)
        return answer.status if answer else NtStatus.DEVICE_NOT_READY

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Offer a client to this provider."""
        message = registrar_pb2.SessionResponse()
        attach = message.attach
        attach.role = registrar_pb2.ROLE_PROVIDER
        attach.binding, attach.registration = call.binding, call.registration
        attach.peer.CopyFrom(encode_instance(call.client_instance))
        attach.client.CopyFrom(encode_side(call.client_context, call.client_dispatch))
        if message.ByteSize() > MAX_FORWARDED_BYTES:
            refusal = "the client's data is longer than a message may be"
            return AttachAnswer(NtStatus.INVALID_PARAMETER, message=refusal)
        answer = await self._call_back(message)
        if answer is None:
            return AttachAnswer(NtStatus.DEVICE_NOT_READY, message="the extension went away")
        side = answer.provider
        # A module may leave its context out; NMR calls detach only where there is one.
        context = side.binding_context or call.binding.to_bytes(8, "little")
        return AttachAnswer(answer.status, context, decode_dispatch(side), answer.message)

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """Ask the module to make no new calls."""
        message = registrar_pb2.SessionResponse()
        message.detach.binding, message.detach.role = binding, WIRE_ROLES[role]
        answer = await self._call_back(message)
        pending = answer is not None and answer.status == NtStatus.PENDING
        return NtStatus.PENDING if pending else NtStatus.SUCCESS

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """Let the module free its binding context."""
        message = registrar_pb2.SessionResponse()
        message.cleanup.binding, message.cleanup.role = binding, WIRE_ROLES[role]
        await self._call_back(message)

    async def fire(
        self, call: FireCall, deadline_s: float, handed: Callable[[], None]
    ) -> BatchOutcome:
        """Hand a client's fire to the module."""
        if not self.data_streams:
            raise NotReadyError
        stream = self.data_streams[0]
        message = hook_pb2.InvokeResponse(fire=hook_pb2.Fire(origin=encode_origin(call.origin)))
        fire = message.fire
        fire.attach_type = call.attach_type.bytes
        fire.has_parameter, fire.parameter = call.parameter is not None, call.parameter or b""
        fire.deadline_ms = ceil(deadline_s * 1000)
        encode_batch(call.batch, fire.batch)
        if message.ByteSize() > MAX_FORWARDED_BYTES:
            refusal = f"batch: with its parameter it takes more than {MAX_FORWARDED_BYTES} bytes"
            raise RequestError(Result.INVALID_ARGUMENT, refusal)
        fire.fire_id, answer = self._expect(hook_pb2.FireReturn)
        async with self._deadline(fire.fire_id, deadline_s):
            await stream.send(message)
            handed()
            returned: hook_pb2.FireReturn = await answer
        if returned.declined:
            raise DeclinedError(returned.result.message or f"{self.name} is leaving")
        return decode_result(returned.result)

    async def call_helper(self, call: HelperCall, deadline_s: float) -> HelperOutcome:
        """Run one of the module's helpers."""
        message = registrar_pb2.SessionResponse(callback_id=0)
        helper = message.helper_call
        helper.program_type, helper.helper_id = call.program_type.bytes, call.helper_id
        helper.context, helper.program_id = call.context, call.program_id
        helper.deadline_ms = ceil(deadline_s * 1000)
        for argument in call.arguments:
            match argument:
                case int():
                    helper.arguments.add(integer=argument)
                case bytes():
                    helper.arguments.add(memory=argument)
                case MapArgument(map_id):
                    helper.arguments.add(map_id=map_id)
                case None:
                    helper.arguments.add(absent=registrar_pb2.Absent())
        message.callback_id, answer = self._expect(registrar_pb2.HelperReturn)
        async with self._deadline(message.callback_id, deadline_s):
            self.send(message)
            outcome: registrar_pb2.HelperReturn = await answer
        outputs = tuple((output.argument, output.memory) for output in outcome.outputs)
        return HelperOutcome(outcome.result, outputs, outcome.error)

    def described(self, binding: nmr.BindingHandle, client: nmr.RegistrationInstance) -> None:
        """Let the provider of *binding* know what its client says of itself now."""
        message = registrar_pb2.SessionResponse()
        message.described.binding = binding
        message.described.peer.CopyFrom(encode_instance(client))
        self.send(message)

    def offered(self, binding: nmr.BindingHandle) -> None:
        """Let the provider of *binding* know that its process may run the program itself."""
        message = registrar_pb2.SessionResponse()
        message.offered.binding = binding
        self.send(message)

    async def call_map(self, call: MapCall, patience_s: float) -> ProviderReturn:
        """Call a function of a custom map's provider."""
        message = registrar_pb2.SessionResponse(map_call=encode_map_call(call))
        message.callback_id, answer = self._expect(registrar_pb2.MapReturn)
        async with self._deadline(message.callback_id, patience_s):
            self.send(message)
            return decode_map_return(await answer)

    async def call_context(self, call: ContextCall, deadline_s: float) -> ContextOutcome:
        """Make or end a context of a test run."""
        flat = call.flat
        message = registrar_pb2.SessionResponse()
        asked = message.context_call
        create, destroy = (
            registrar_pb2.CONTEXT_FUNCTION_CREATE,
            registrar_pb2.CONTEXT_FUNCTION_DESTROY,
        )
        asked.function = create if call.creates else destroy
        asked.program_type, asked.deadline_ms = call.program_type.bytes, int(deadline_s * 1000)
        asked.context, asked.data, asked.meta_length = flat.context, flat.data, flat.meta_length
        if message.ByteSize() > MAX_FORWARDED_BYTES:
            refusal = f"context and data take more than {MAX_FORWARDED_BYTES} bytes"
            raise RequestError(Result.INVALID_ARGUMENT, refusal)
        message.callback_id, answer = self._expect(registrar_pb2.ContextReturn)
        async with self._deadline(message.callback_id, deadline_s):
            self.send(message)
            said: registrar_pb2.ContextReturn = await answer
        made = RunContext(said.context, said.data, said.meta_length)
        return ContextOutcome(said.result, said.message, made)

    def send(self, message: registrar_pb2.SessionResponse) -> None:
        """Send a control message; a module that does not read any more is gone."""
        try:
            self.outgoing.put_nowait(message)
        except asyncio.QueueFull:
            self.lose()

    def answered(self, callback_id: int, answer: Message) -> None:
        """An answer has arrived; one that nobody waits for is late and means nothing.

        Nor does one of another kind: callbacks, helper calls and fires share their ids.
        """
        if attach := self._overdue.pop(callback_id, None):
            self._undo(attach, answer)
        expected = self._waiting.get(callback_id)
        if expected is None or not isinstance(answer, expected.kind):
            return
        del self._waiting[callback_id]
        if not expected.answer.done():
            expected.answer.set_result(answer)
        elif expected.attach is not None and expected.answer.cancelled():
            self._undo(expected.attach, answer)  # whoever waits is about to learn that it is late

    def _undo(self, attach: registrar_pb2.AttachCallback, answer: Message) -> None:
        """A provider that agreed too late holds a binding that is none: it is told to let go.

        A client that did has its cleanup from the registrar.
        """
        agreed = isinstance(answer, registrar_pb2.CallbackReturn) and not answer.status
        if not agreed or attach.role != registrar_pb2.ROLE_PROVIDER:
            return
        for ending in (
            registrar_pb2.SessionResponse(
                detach=registrar_pb2.DetachCallback(role=attach.role, binding=attach.binding)
            ),
            registrar_pb2.SessionResponse(
                cleanup=registrar_pb2.CleanupCallback(role=attach.role, binding=attach.binding)
            ),
        ):
            ending.callback_id = next(self._callback_ids)  # nobody waits for the answers
            self.send(ending)

    def ask(self) -> None:
        """Ask for a sign of life."""
        self.send(registrar_pb2.SessionResponse(heartbeat=registrar_pb2.Heartbeat(ask=True)))

    def heard(self) -> None:
        """It has said something."""
        if self.lease is not None:
            self.lease.heard = True

    def lose(self, reason: str = "", *, in_order: bool = False) -> None:
        """The connection is over: everybody who waits for an answer learns it.

        With a *reason* it is the daemon that ends it, and its far end is told why.  One that has
        left *in_order* had deregistered all: it answered whatever it had begun, so a fire without
        an answer may be another's.
        """
        self.end_reason = self.end_reason or reason
        self.gone.set()
        while not self.outgoing.empty():
            self.outgoing.get_nowait()
        self.outgoing.put_nowait(None)
        for end in list(self._ends):
            end()
        self._overdue.clear()
        waiting, self._waiting = self._waiting, {}
        for expected in waiting.values():
            if not expected.answer.done():
                passed_on = in_order and expected.kind is hook_pb2.FireReturn
                gone = DeclinedError(f"{self.name} has left") if passed_on else ModuleGoneError()
                expected.answer.set_exception(gone)

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Generator[None]:
        """Within the block, *end* is called when the connection is over."""
        self._ends.add(end)
        if self.gone.is_set():
            end()
        try:
            yield
        finally:
            self._ends.discard(end)

    async def _call_back(
        self, message: registrar_pb2.SessionResponse
    ) -> registrar_pb2.CallbackReturn | None:
        """The module's return, or None if it went away first."""
        attach = message.attach if message.HasField("attach") else None
        message.callback_id, answer = self._expect(registrar_pb2.CallbackReturn, attach)
        self.send(message)
        try:
            returned: registrar_pb2.CallbackReturn = await answer
        except ModuleGoneError:
            return None
        except asyncio.CancelledError:  # overdue, or the daemon ends
            waiting = self._waiting.pop(message.callback_id, None)
            if attach is not None and waiting is not None:
                self._overdue[message.callback_id] = attach
            elif attach is not None and not answer.cancelled() and answer.exception() is None:
                self._undo(attach, answer.result())  # it came in the same turn, just before
            raise
        return returned

    def _expect(
        self, kind: type[Message], attach: registrar_pb2.AttachCallback | None = None
    ) -> tuple[int, asyncio.Future[Any]]:
        callback_id = next(self._callback_ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.gone.is_set():
            answer.set_exception(ModuleGoneError())
        else:
            self._waiting[callback_id] = _Expected(kind, answer, attach)
        return callback_id, answer

    @asynccontextmanager
    async def _deadline(self, callback_id: int, deadline_s: float) -> AsyncGenerator[None]:
        """Within the block an answer is waited for; afterwards it is late."""
        try:
            async with asyncio.timeout(deadline_s):
                yield
        finally:
            self._waiting.pop(callback_id, None)


class Sessions:
    """The module processes that are connected."""

    def __init__(self) -> None:
        self._by_id: dict[str, RemoteModule] = {}
        self._by_token: dict[bytes, RemoteModule] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, module: RemoteModule) -> None:
        """A module has said hello."""
        self._by_id[module.identity.session_id] = module
        self._by_token[module.identity.resume_token] = module

    def remove(self, module: RemoteModule) -> None:
        """Its session has ended."""
        self._by_id.pop(module.identity.session_id, None)
        self._by_token.pop(module.identity.resume_token, None)

    def resumed(self, process_instance: bytes, token: bytes) -> RemoteModule | None:
        """The session whose *token* a process has shown, if it is that process's own."""
        module = self._by_token.get(token)
        if module is None or module.identity.process_instance != process_instance:
            return None
        return module

    def find(self, session_id: str) -> RemoteModule | None:
        """The module of that session."""
        return self._by_id.get(session_id)

    def all(self) -> list[RemoteModule]:
        """Every connected module."""
        return list(self._by_id.values())


def _origin(identity: ModuleIdentity) -> Origin | None:
    claimed = identity.process_id
    return origin_of(identity.peer) or ((claimed, claimed, None) if claimed else None)


def process_instance(value: bytes) -> str:
    """A process-instance UUID as text; empty if the module gave none."""
    return str(UUID(bytes=value)) if len(value) == 16 else ""
