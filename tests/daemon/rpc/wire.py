"""A daemon in this process on a real socket, and modules that speak its wire protocol by hand."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID, uuid4

import grpc

from ebpfd.app import Daemon, Settings, running
from ebpfd.contracts import ContextDescriptor
from ebpfd.rpc.contract_codec import encode_attach_data, encode_program_data
from ebpfd_api.metadata import SESSION
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import (
    hook_pb2_grpc,
    links_pb2,
    links_pb2_grpc,
    maps_pb2_grpc,
    programs_pb2,
    programs_pb2_grpc,
    registrar_pb2_grpc,
)
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HOOK_DATA,
    PROGRAM_TYPE,
    SAMPLE,
    with_descriptor,
)
from tests.daemon.host.world import object_file

_Value = TypeVar("_Value")
_SessionCall: TypeAlias = "grpc.aio.StreamStreamCall[reg.SessionRequest, reg.SessionResponse]"
_InvokeCall: TypeAlias = "grpc.aio.StreamStreamCall[hook.InvokeRequest, hook.InvokeResponse]"

PATIENCE_S: Final = 20.0
NPI: Final = UUID(int=1234)

_OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
)


def plain(npi: bytes = NPI.bytes, guid: bytes = bytes(15) + b"\1", **more: Any) -> Any:
    """An instance, of a contract that the daemon only brokers unless it is one of its own."""
    return reg.RegistrationInstance(npi_id=npi, module_id=reg.ModuleId(guid=guid), **more)


async def greeting(path: Path) -> str:
    """What the hello socket of the one at *path* says to this process: a token comes first."""
    reader, writer = await asyncio.open_unix_connection(f"{path}.hello")
    said = (await reader.read()).decode()
    writer.close()
    return said


class EndedError(Exception):
    """The session has ended."""


class Module:
    """A module process: its session, and its data stream if it opens one."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.call: _SessionCall = registrar_pb2_grpc.RegistrarStub(channel).Session()
        self.name = self.session_id = ""
        self.data: _InvokeCall | None = None
        self.held: set[str] = set()
        self.attach_status: int = NtStatus.SUCCESS
        self.bindings: list[int] = []
        self.map_calls: list[reg.MapCall] = []
        self.map_answer: Callable[[reg.MapCall], reg.MapReturn] = lambda _: reg.MapReturn()
        # A read or a write that is cancelled would cancel the stream, so neither ever is.
        self._incoming: asyncio.Queue[reg.SessionResponse | None] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._calls = 0
        self._returns: dict[int, reg.CallReturn] = {}

    async def hello(self, name: str = "module", **more: Any) -> reg.Welcome:
        """Open the session; what the daemon says to it."""
        message = reg.Hello(protocol_version=1, name=name, process_instance=bytes(16), process_id=1)
        message.MergeFrom(reg.Hello(**more))
        await self.write(hello=message)
        self._reading = asyncio.ensure_future(self._read_all())
        welcome = (await self.read()).welcome
        self.name, self.session_id = name, welcome.session_id
        return welcome

    async def write(self, *, call_id: int = 0, **message: Any) -> None:
        """Send one message."""
        await asyncio.shield(self._write(reg.SessionRequest(call_id=call_id, **message)))

    async def read(self) -> reg.SessionResponse:
        """The next message, which must be one."""
        message = await self._incoming.get()
        if message is None:
            self._incoming.put_nowait(None)  # whoever reads next learns it too
            raise EndedError
        return message

    async def ended(self) -> grpc.StatusCode:
        """How the stream ended, after all that it still brings."""
        with suppress(EndedError):
            while True:
                await self.read()
        return await self.call.code()

    async def next(self, wanted: str) -> reg.SessionResponse:
        """The next message of the kind *wanted*; callbacks of other kinds are answered."""
        while True:
            message = await self.read()
            if message.WhichOneof("message") == wanted:
                return message
            await self._answer(message)

    async def ask(self, **message: Any) -> reg.CallReturn:
        """Make a call; callbacks that come before its answer are answered."""
        self._calls += 1
        await self.write(call_id=self._calls, **message)
        return await self.returned(self._calls)

    async def returned(self, call_id: int) -> reg.CallReturn:
        """The answer to the call *call_id*."""
        while call_id not in self._returns:
            await self._answer(await self.read())
        return self._returns.pop(call_id)

    async def provide(self, *, program_type: bool = True, hooks: bool = True) -> list[int]:
        """Register the sample's contracts."""
        handles: list[int] = []
        if program_type:
            data = reg.Characteristics(program_data=encode_program_data(SAMPLE))
            handles.append(await self.register(PROGRAM_INFORMATION.bytes, PROGRAM_TYPE.bytes, data))
        if hooks:
            data = reg.Characteristics(attach_provider_data=encode_attach_data(HOOK_DATA))
            handles.append(await self.register(HOOK.bytes, ATTACH_TYPE.bytes, data))
        return handles

    async def provide_other(self) -> None:
        """Register a second program type, which has the first one's name but other contexts."""
        descriptor = ContextDescriptor(size=16, data=0, end=8)
        other = with_descriptor(SAMPLE, program_type=uuid4(), context_descriptor=descriptor)
        other = dataclasses.replace(other, fields=(), section_prefixes=("picky",))
        data = reg.Characteristics(program_data=encode_program_data(other))
        await self.register(PROGRAM_INFORMATION.bytes, other.program_type.bytes, data)

    async def during(self, work: Awaitable[_Value]) -> _Value:
        """The value of *work*; callbacks that come meanwhile are answered."""
        answering = asyncio.ensure_future(self._answer_all())
        try:
            return await work
        finally:
            answering.cancel()

    async def open_data(self) -> _InvokeCall:
        """Open the data stream."""
        metadata = ((SESSION, self.session_id),)
        self.data = hook_pb2_grpc.HookStub(self._channel).Invoke(metadata=metadata)
        await self.data.wait_for_connection()
        return self.data

    async def invoke(self, **request: Any) -> hook.InvokeResponse:
        """Send one message on the data stream and read one."""
        assert self.data is not None
        await self.data.write(hook.InvokeRequest(**request))
        answer = await self.data.read()
        assert isinstance(answer, hook.InvokeResponse), "the data stream has ended"
        return answer

    async def register(self, npi: bytes, guid: bytes, data: reg.Characteristics) -> int:
        """Register a provider, which must succeed."""
        instance = plain(npi, guid, characteristics=data)
        register = reg.Register(role=reg.ROLE_PROVIDER, instance=instance, has_cleanup=True)
        answer = await self.ask(register=register)
        assert answer.status == NtStatus.SUCCESS, answer.message
        return answer.registration

    async def _read_all(self) -> None:
        try:
            while isinstance(message := await self.call.read(), reg.SessionResponse):
                self._incoming.put_nowait(message)
        except (grpc.aio.AioRpcError, asyncio.CancelledError):
            pass
        self._incoming.put_nowait(None)

    async def _write(self, message: reg.SessionRequest) -> None:
        async with self._writing:
            await self.call.write(message)

    async def _answer_all(self) -> None:
        with suppress(EndedError):
            while True:
                await self._answer(await self.read())

    async def _answer(self, message: reg.SessionResponse) -> None:
        kind = message.WhichOneof("message")
        if kind == "call_return":
            self._returns[message.call_return.call_id] = message.call_return
            return
        if kind == "map_call":
            self.map_calls.append(message.map_call)
            returned = self.map_answer(message.map_call)
            returned.callback_id = message.callback_id
            await self.write(map_return=returned)
            return
        if kind in self.held or kind not in {"attach", "detach", "cleanup"}:
            return
        status = self.attach_status if kind == "attach" else NtStatus.SUCCESS
        if kind == "attach" and status == NtStatus.SUCCESS:
            self.bindings.append(message.attach.binding)
        await self.return_to(message.callback_id, status)

    async def return_to(self, callback_id: int, status: int, message: str = "") -> None:
        """Answer a callback."""
        answer = reg.CallbackReturn(callback_id=callback_id, status=status, message=message)
        await self.write(callback_return=answer)


@dataclass(frozen=True, slots=True)
class Wire:
    """A serving daemon with stubs of all its services."""

    daemon: Daemon
    stop: Callable[[], Awaitable[None]]
    channel: grpc.aio.Channel
    programs: "programs_pb2_grpc.ProgramsAsyncStub"
    links: "links_pb2_grpc.LinksAsyncStub"
    maps: "maps_pb2_grpc.MapsAsyncStub"
    hooks: "hook_pb2_grpc.HookAsyncStub"
    registrar: "registrar_pb2_grpc.RegistrarAsyncStub"

    async def module(self, name: str = "module") -> Module:
        """A module process that has said hello."""
        module = Module(self.channel)
        await module.hello(name)
        return module

    async def load(
        self, name: str, module: Module, metadata: Sequence[tuple[str, str]] = ()
    ) -> programs_pb2.Program:
        """Load the one program of a file."""
        request = programs_pb2.LoadRequest(object=object_file(name), file_name=name)
        response = await module.during(self.programs.Load(request, metadata=metadata))
        assert response.status.code == Result.SUCCESS, response.status
        return response.programs[0]

    async def attach(self, name: str, module: Module, parameter: bytes = b"") -> links_pb2.Link:
        """Load a program and attach it to the sample's hook."""
        program = await self.load(name, module)
        request = links_pb2.AttachRequest(
            program_id=program.id,
            attach_type=hook.AttachType(name="sample_ext"),
            parameter=parameter,
        )
        response = await module.during(self.links.Attach(request))
        assert response.status.code == Result.SUCCESS, response.status
        return response.link


@asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncGenerator[Wire]:
    """A daemon with its socket in *folder*, and other *settings*; no test within may take long."""
    path = folder / "ebpfd.sock"
    async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as stack:
        chosen = dataclasses.replace(Settings(listen=(path,)), **settings)
        daemon = await stack.enter_async_context(running(chosen))
        channel = grpc.aio.insecure_channel(f"unix:{path}", options=_OPTIONS)
        stop = stack.pop_all().aclose
        stack.push_async_callback(stop)
        stack.push_async_callback(channel.close)
        yield Wire(
            daemon=daemon,
            stop=stop,
            channel=channel,
            programs=programs_pb2_grpc.ProgramsStub(channel),
            links=links_pb2_grpc.LinksStub(channel),
            maps=maps_pb2_grpc.MapsStub(channel),
            hooks=hook_pb2_grpc.HookStub(channel),
            registrar=registrar_pb2_grpc.RegistrarStub(channel),
        )
