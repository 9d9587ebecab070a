"""An extension on the bare stubs, without the SDK: what the wire costs by itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID, uuid4

import grpc

from ebpfd_api import npi
from ebpfd_api.metadata import SESSION
from ebpfd_api.v1 import contract_pb2, hook_pb2, registrar_pb2, registrar_pb2_grpc

PROGRAM_TYPE: Final = UUID("0a0c5f0e-59a7-4d53-9c5b-1f3f6c1e7b11")
ATTACH_TYPE: Final = UUID("0a0c5f0f-59a7-4d53-9c5b-1f3f6c1e7b11")
CONTEXT_SIZE: Final = 64


@dataclass(slots=True)
class RawExtension:
    """A registered session; ``binding`` is set while a link is attached."""

    session_id: str
    binding: int = 0

    def open_stream(self, channel: grpc.aio.Channel) -> Any:
        """A ``Hook.Invoke`` stream of bytes, so that (de)serialising is the caller's."""
        invoke = cast("Any", channel.stream_stream("/ebpfd_api.v1.Hook/Invoke"))
        return invoke(metadata=((SESSION, self.session_id),))

    def request(self, contexts: bytes, count: int) -> bytes:
        """One message for the attached link."""
        return hook_pb2.InvokeRequest(
            sequence=1, binding=self.binding, count=count, contexts=contexts
        ).SerializeToString()


@asynccontextmanager
async def raw_extension(channel: grpc.aio.Channel) -> AsyncGenerator[RawExtension]:
    """Connect and register the program type "bench_event" and its hook."""
    call: Any = registrar_pb2_grpc.RegistrarStub(channel).Session()
    hello = registrar_pb2.Hello(protocol_version=1, name="bench", process_instance=uuid4().bytes)
    await call.write(registrar_pb2.SessionRequest(hello=hello))
    welcome = await call.read()
    extension = RawExtension(welcome.welcome.session_id)
    for number, instance in enumerate((_program_information(), _hook()), start=1):
        register = registrar_pb2.Register(role=registrar_pb2.ROLE_PROVIDER, instance=instance)
        await call.write(registrar_pb2.SessionRequest(call_id=number, register=register))
        answer = await call.read()
        assert answer.call_return.status == 0, answer
    serving = asyncio.create_task(_serve(call, extension))
    try:
        yield extension
    finally:
        serving.cancel()
        call.cancel()


async def _serve(call: Any, extension: RawExtension) -> None:
    """Accept every client and agree to every detach."""
    while (message := await call.read()) is not grpc.aio.EOF:
        answer = registrar_pb2.CallbackReturn(callback_id=message.callback_id)
        if message.HasField("attach"):
            answer.provider.binding_context = b"bench"
            extension.binding = message.attach.binding
        await call.write(registrar_pb2.SessionRequest(callback_return=answer))


def _program_information() -> registrar_pb2.RegistrationInstance:
    descriptor = contract_pb2.ProgramTypeDescriptor(
        name="bench_event",
        context_descriptor=contract_pb2.ContextDescriptor(
            size=CONTEXT_SIZE, data=-1, end=-1, meta=-1
        ),
        program_type=PROGRAM_TYPE.bytes,
    )
    data = contract_pb2.ProgramData(
        program_info=contract_pb2.ProgramInfo(type_descriptor=descriptor),
        section_prefixes=["bench_event"],
    )
    return registrar_pb2.RegistrationInstance(
        npi_id=npi.PROGRAM_INFORMATION.bytes,
        module_id=registrar_pb2.ModuleId(guid=PROGRAM_TYPE.bytes),
        characteristics=registrar_pb2.Characteristics(program_data=data),
    )


def _hook() -> registrar_pb2.RegistrationInstance:
    data = contract_pb2.AttachProviderData(
        supported_program_type=PROGRAM_TYPE.bytes, name="bench_event"
    )
    return registrar_pb2.RegistrationInstance(
        npi_id=npi.HOOK.bytes,
        module_id=registrar_pb2.ModuleId(guid=ATTACH_TYPE.bytes),
        characteristics=registrar_pb2.Characteristics(attach_provider_data=data),
    )
