"""An extension on the bare stubs, without the SDK, that can be wrong in one way.

Run as ``python tests/check/bare_extension.py [FAULT]``, with ``EBPFD_ADDRESS`` set.  Without a
fault it does all that the conformance run asks for, and reconnects when its daemon comes back.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from itertools import count
from typing import Any, Final
from uuid import UUID, uuid4

import grpc

from ebpfd_api import npi
from ebpfd_api.metadata import SESSION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, hook_pb2, hook_pb2_grpc, registrar_pb2_grpc
from ebpfd_api.v1 import registrar_pb2 as reg

PROGRAM_TYPE: Final = UUID("b2f5d5f6-5a0e-4f0e-8c39-0f6f5f0b7c01")
ATTACH_TYPE: Final = UUID("b2f5d5f7-5a0e-4f0e-8c39-0f6f5f0b7c01")
NAME: Final = "bare"
HEX_BAD: Final = "ff"
BAD_PARAMETER: Final = bytes.fromhex(HEX_BAD)
PROCESS: Final = uuid4()
RESUME: Final = [b""]
"""What the last welcome said."""

FAULT: Final = sys.argv[1] if len(sys.argv) > 1 else ""


class BareExtension:
    """One session, with one program type and one hook."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._call: Any = registrar_pb2_grpc.RegistrarStub(channel).Session()
        self._stream: Any = None
        self._writing = asyncio.Lock()
        self._stream_writing = asyncio.Lock()
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._invoked: dict[int, asyncio.Future[hook_pb2.InvokeResponse]] = {}
        self._completions: dict[int, asyncio.Event] = {}
        self._registrations: dict[int, UUID] = {}
        self._registering = PROGRAM_TYPE
        self._in_flight: dict[int, int] = {}
        self._drained = asyncio.Condition()
        self._bindings: dict[int, UUID] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Register, and serve until *stop* is set or the daemon is gone."""
        hello = reg.Hello(
            protocol_version=2 if FAULT == "wrong-version" else 1,
            name="" if FAULT == "no-name" else NAME,
            process_instance=_process().bytes if FAULT != "no-instance" else b"",
            resume_token=RESUME[0] if FAULT != "forgets" else b"",
            process_id=os.getpid(),
            registrations=3 if FAULT == "promises-more" else 2,
        )
        if FAULT == "speaks-first":
            await self._write(heartbeat=reg.Heartbeat())
        if FAULT != "silent":
            await self._write(hello=hello)
        welcome = await self._call.read()
        if not isinstance(welcome, reg.SessionResponse):
            return  # the daemon is gone again
        RESUME[0] = welcome.welcome.resume_token
        reading = asyncio.ensure_future(self._read())
        streaming: asyncio.Future[None] | None = None
        if FAULT != "no-stream":
            invoke: Any = hook_pb2_grpc.HookStub(self._channel).Invoke
            self._stream = invoke(metadata=((SESSION, welcome.welcome.session_id),))
            streaming = asyncio.ensure_future(self._read_stream())
        for instance in (_program_type(), _hook()):
            self._registering = UUID(bytes=instance.module_id.guid)
            answer = await self._ask(
                register=reg.Register(role=reg.ROLE_PROVIDER, instance=instance, has_cleanup=True)
            )
            if answer.status != NtStatus.SUCCESS:
                sys.exit(f"not registered: {answer.message}")
            self._registrations[answer.registration] = self._registering
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait((stopping, reading), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await self._leave()
        stopping.cancel()
        if streaming is not None:
            streaming.cancel()
        self._call.cancel()

    async def _leave(self) -> None:
        if FAULT == "just-ends":
            return
        for registration in reversed(list(self._registrations)):
            done = self._completions[registration] = asyncio.Event()
            answer = await self._ask(deregister=reg.Deregister(registration=registration))
            if FAULT == "does-not-wait":
                return
            if answer.status == NtStatus.PENDING:
                await done.wait()

    # The session

    async def _read(self) -> None:
        try:
            while isinstance(message := await self._call.read(), reg.SessionResponse):
                self._dispatch(message)
        except grpc.aio.AioRpcError:
            pass  # the daemon is gone
        for answer in self._answers.values():
            answer.cancel()

    def _dispatch(self, message: reg.SessionResponse) -> None:
        id_ = message.callback_id
        match message.WhichOneof("message"):
            case "call_return":
                self._answers.pop(message.call_return.call_id).set_result(message.call_return)
            case "deregister_complete":
                self._completions[message.deregister_complete.registration].set()
            case "attach":
                self._start(self._attach(id_, message.attach))
            case "detach":
                self._start(self._detach(id_, message.detach.binding))
            case "cleanup":
                known = self._bindings.pop(message.cleanup.binding, None)
                self._start(self._return(id_, self._unknown_is(known)))
            case "helper_call":
                error = "" if FAULT == "helps-anyway" else "no such helper"
                self._start(
                    self._write(helper_return=reg.HelperReturn(callback_id=id_, error=error))
                )
            case "heartbeat":
                if FAULT != "no-heartbeat":
                    self._start(self._write(heartbeat=reg.Heartbeat()))
            case kind:
                self._take_news(id_, kind or "")

    def _take_news(self, id_: int, kind: str) -> None:
        """What is not for us is ignored."""
        if kind == "map_call" and FAULT == "serves-anything":
            self._start(self._write(map_return=reg.MapReturn(callback_id=id_)))
        if not kind and FAULT == "dies-of-news":
            sys.exit("what is this?")
        if not kind and FAULT == "agrees-to-news":
            self._start(self._return(id_, NtStatus.SUCCESS))

    async def _attach(self, id_: int, attach: reg.AttachCallback) -> None:
        module = self._registrations.get(attach.registration)
        if module is None and attach.registration < 1 << 40:
            module = self._registering
        if module is None and FAULT != "attaches-anything":
            await self._return(id_, NtStatus.NOINTERFACE)
            return
        said = attach.peer.characteristics
        parameter = said.extension_data.data
        whole = said.HasField("extension_data") and attach.client.HasField("dispatch")
        if module == ATTACH_TYPE and not whole and FAULT != "takes-half-links":
            await self._return(id_, NtStatus.INVALID_PARAMETER, message="no data, or no dispatch")
            return
        if module == ATTACH_TYPE and FAULT != "takes-two" and self._attached():
            await self._return(id_, NtStatus.ACCESS_DENIED, message="one is enough")
            return
        bad = parameter == BAD_PARAMETER and FAULT != "takes-bad-parameters"
        if bad or (FAULT == "refuses-links" and module == ATTACH_TYPE):
            await self._return(id_, NtStatus.INVALID_PARAMETER, message="not this one")
            return
        self._bindings[attach.binding] = module or PROGRAM_TYPE
        self._in_flight[attach.binding] = 0
        await self._return(id_, provider=reg.BindingSide(binding_context=b"bare"))
        if FAULT == "answers-twice":
            await self._return(id_)

    async def _detach(self, id_: int, binding: int) -> None:
        if FAULT == "never-detaches":
            return
        known = self._bindings.get(binding)
        flying = self._in_flight.pop(binding, 0)
        if flying and FAULT != "lets-go-early":
            await self._return(id_, NtStatus.PENDING)
            async with self._drained:
                await self._drained.wait_for(lambda: not self._invoked)
            role = reg.ROLE_PROVIDER
            await self._write(detach_complete=reg.DetachComplete(binding=binding, role=role))
        else:
            await self._return(id_, self._unknown_is(known))
        if FAULT == "invokes-later" and known == ATTACH_TYPE:
            await self._ask(register=reg.Register(role=reg.ROLE_CLIENT))  # time goes by
            await self._write_stream(hook_pb2.InvokeRequest(sequence=1 << 30, binding=binding))

    def _unknown_is(self, known: UUID | None) -> NtStatus:
        wrong = known is None and FAULT == "misses-bindings"
        return NtStatus.INVALID_PARAMETER if wrong else NtStatus.SUCCESS

    async def _ask(self, **message: Any) -> reg.CallReturn:
        call_id = 7 if FAULT == "one-call-id" else next(self._ids)
        answer = self._answers[call_id] = asyncio.get_running_loop().create_future()
        await self._write(call_id=call_id, **message)
        returned: reg.CallReturn = await answer
        return returned

    async def _return(self, id_: int, status: int = 0, **more: Any) -> None:
        returned = reg.CallbackReturn(callback_id=id_, status=status, **more)
        await self._write(callback_return=returned)

    async def _write(self, **message: Any) -> None:
        async with self._writing:
            await self._call.write(reg.SessionRequest(**message))

    # The data stream

    async def _read_stream(self) -> None:
        try:
            while isinstance(message := await self._stream.read(), hook_pb2.InvokeResponse):
                if message.HasField("fire"):
                    self._start(self._run(message.fire))
                elif message.sequence in self._invoked:
                    self._invoked[message.sequence].set_result(message)
        except grpc.aio.AioRpcError:
            pass  # the daemon is gone

    async def _run(self, fire: hook_pb2.Fire) -> None:
        result = hook_pb2.BatchResult(code=Result.OBJECT_NOT_FOUND)
        attached = self._attached()
        if fire.attach_type == ATTACH_TYPE.bytes and attached:
            result = await self._invoke(attached[0], fire.batch)
        elif FAULT == "fires-anything":
            result.code = Result.SUCCESS
        if FAULT == "ignores-fires":
            return
        returned = hook_pb2.FireReturn(fire_id=fire.fire_id, result=result)
        await self._write_stream(hook_pb2.InvokeRequest(fire_return=returned))

    def _attached(self) -> list[int]:
        return [each for each in self._in_flight if self._bindings.get(each) == ATTACH_TYPE]

    async def _invoke(self, binding: int, batch: hook_pb2.Batch) -> hook_pb2.BatchResult:
        if FAULT == "runs-nothing":
            return hook_pb2.BatchResult(codes=bytes(1), results=bytes(4))
        sequence = next(self._ids)
        answer = self._invoked[sequence] = asyncio.get_running_loop().create_future()
        self._in_flight[binding] += 1
        await self._write_stream(
            hook_pb2.InvokeRequest(
                sequence=sequence, binding=binding, count=batch.count, contexts=batch.contexts
            )
        )
        done = await answer
        async with self._drained:
            del self._invoked[sequence]
            if binding in self._in_flight:
                self._in_flight[binding] -= 1
            self._drained.notify_all()
        code = Result.FAILED if FAULT == "misreports" else done.code
        return hook_pb2.BatchResult(code=code, codes=done.codes, results=done.results)

    async def _write_stream(self, request: hook_pb2.InvokeRequest) -> None:
        async with self._stream_writing:
            await self._stream.write(request)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _process() -> UUID:
    return uuid4() if FAULT == "other-process" else PROCESS


def _program_type() -> reg.RegistrationInstance:
    size = 4 if FAULT == "bad-contract" else 64
    descriptor = contract_pb2.ProgramTypeDescriptor(
        name=NAME,
        context_descriptor=contract_pb2.ContextDescriptor(size=size, data=-1, end=-1, meta=-1),
        program_type=(ATTACH_TYPE if FAULT == "mixed-up" else PROGRAM_TYPE).bytes,
    )
    data = contract_pb2.ProgramData(
        program_info=contract_pb2.ProgramInfo(type_descriptor=descriptor),
        section_prefixes=() if FAULT == "no-section" else (NAME,),
    )
    return reg.RegistrationInstance(
        npi_id=npi.PROGRAM_INFORMATION.bytes,
        module_id=reg.ModuleId(guid=PROGRAM_TYPE.bytes),
        characteristics=reg.Characteristics(program_data=data),
    )


def _hook() -> reg.RegistrationInstance:
    data = contract_pb2.AttachProviderData(
        supported_program_type=PROGRAM_TYPE.bytes,
        name=f"{NAME} events",
        capability=contract_pb2.ATTACH_CAPABILITY_SINGLE_ATTACH,
    )
    said = reg.Characteristics(attach_provider_data=data)
    if FAULT == "no-characteristics":
        said = reg.Characteristics(blob=reg.Blob(value=b"hook"))
    return reg.RegistrationInstance(
        npi_id=npi.HOOK.bytes,
        module_id=reg.ModuleId(guid=ATTACH_TYPE.bytes),
        characteristics=said,
    )


async def main() -> None:
    """Serve until SIGTERM, daemon after daemon."""
    stop = asyncio.Event()
    if FAULT != "goes-on":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    else:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    options = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100))
    gone = (asyncio.CancelledError, *(() if FAULT else (grpc.aio.AioRpcError,)))
    while not stop.is_set():
        async with grpc.aio.insecure_channel(os.environ["EBPFD_ADDRESS"], options) as channel:
            await channel.channel_ready()
            with suppress(*gone):  # as the daemon
                await BareExtension(channel).serve(stop)
        if FAULT == "ends-with-daemon" and not stop.is_set():
            sys.exit(4)
        if FAULT == "sulks" and not stop.is_set():
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
