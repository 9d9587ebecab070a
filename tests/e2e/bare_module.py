"""A module on the bare stubs, without the SDK: a provider, a client, or both.

Run as ``python tests/e2e/bare_module.py NAME [--provide NPI] [--want NPI] ADDRESS``.  It prints one
line of JSON for each thing that happens to it.  A module that does both is a chained extension: it
provides only while it is bound itself, and lets its own provider go only after its last client.
"""

import argparse
import asyncio
import json
import signal
import sys
from typing import Any
from uuid import UUID, uuid4

import grpc

from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import registrar_pb2 as reg
from ebpfd_api.v1 import registrar_pb2_grpc


class BareModule:
    """One session, with whatever it registered."""

    def __init__(self, name: str, channel: grpc.aio.Channel, want: str, provide: str) -> None:
        self.name, self.want, self.provide = name, want, provide
        self._call: Any = registrar_pb2_grpc.RegistrarStub(channel).Session()
        self._writing = asyncio.Lock()
        self._answers: dict[int, asyncio.Future[reg.CallReturn]] = {}
        self._completions: dict[int, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._provided: asyncio.Future[int] | None = None
        self._wanted = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Say hello, register, answer callbacks; at the end deregister, the provider first."""
        await self._write(
            hello=reg.Hello(
                protocol_version=1, name=self.name, process_instance=uuid4().bytes, process_id=1
            )
        )
        welcome = await self._call.read()
        assert welcome.HasField("welcome")
        reading = asyncio.ensure_future(self._read())
        say("connected")
        if self.provide and not self.want:
            self._provided = asyncio.ensure_future(self._register(reg.ROLE_PROVIDER, self.provide))
            await self._provided
        if self.want:
            self._wanted = await self._register(reg.ROLE_CLIENT, self.want)
        say("registered")
        await stop.wait()
        await self._deregister_provider()
        if self.want:
            await self._deregister(self._wanted)
        say("deregistered")
        await self._call.done_writing()
        await reading

    async def _ask(self, **message: Any) -> reg.CallReturn:
        call_id = len(self._answers) + 1
        answer = self._answers[call_id] = asyncio.get_running_loop().create_future()
        await self._write(call_id=call_id, **message)
        returned: reg.CallReturn = await answer
        return returned

    async def _register(self, role: reg.Role, npi: str) -> int:
        blob = reg.Blob(content_type="text/x-own", value=f"{self.name} says \x00\xff".encode())
        instance = reg.RegistrationInstance(
            npi_id=UUID(npi).bytes,
            module_id=reg.ModuleId(if_luid=7),
            characteristics=reg.Characteristics(blob=blob),
        )
        answer = await self._ask(
            register=reg.Register(role=role, instance=instance, has_cleanup=True)
        )
        assert answer.status == NtStatus.SUCCESS, answer
        return answer.registration

    async def _deregister_provider(self) -> None:
        provided, self._provided = self._provided, None
        if provided is not None:
            await self._deregister(await provided)

    async def _deregister(self, registration: int) -> None:
        completion = self._completions[registration] = asyncio.Event()
        answer = await self._ask(deregister=reg.Deregister(registration=registration))
        if answer.status == NtStatus.PENDING:
            await completion.wait()

    async def _read(self) -> None:
        while isinstance(message := await self._call.read(), reg.SessionResponse):
            match message.WhichOneof("message"):
                case "call_return":
                    self._answers[message.call_return.call_id].set_result(message.call_return)
                case "deregister_complete":
                    self._completions[message.deregister_complete.registration].set()
                case "attach" if message.attach.role == reg.ROLE_CLIENT:
                    self._start(self._attach_provider(message.callback_id, message.attach))
                case "attach":
                    self._start(self._attach_client(message.callback_id, message.attach))
                case "detach":
                    self._start(self._detach(message.callback_id, message.detach))
                case "cleanup":
                    say("cleanup", role=message.cleanup.role)
                    self._start(self._return(message.callback_id))
                case _:
                    pass

    async def _attach_provider(self, callback_id: int, attach: reg.AttachCallback) -> None:
        mine = reg.BindingSide(
            binding_context=self.name.encode(),
            dispatch=reg.DispatchTable(version=3, functions=["notify"]),
        )
        answer = await self._ask(
            client_attach_provider=reg.ClientAttachProvider(binding=attach.binding, client=mine)
        )
        if answer.status == NtStatus.SUCCESS:
            self._say_bound("client", attach.peer, answer.provider)
        await self._return(callback_id, answer.status)
        if answer.status == NtStatus.SUCCESS and self.provide:
            # A detach that comes meanwhile waits for it.
            self._provided = asyncio.ensure_future(self._register(reg.ROLE_PROVIDER, self.provide))

    async def _attach_client(self, callback_id: int, attach: reg.AttachCallback) -> None:
        self._say_bound("provider", attach.peer, attach.client)
        side = reg.BindingSide(
            binding_context=self.name.encode(),
            dispatch=reg.DispatchTable(version=4, functions=["read", "write"]),
        )
        await self._return(callback_id, provider=side)

    async def _detach(self, callback_id: int, detach: reg.DetachCallback) -> None:
        say("detach", role=detach.role)
        if not (detach.role == reg.ROLE_CLIENT and self._provided):
            await self._return(callback_id)
            return
        # What is above goes first: until then calls may come that need what is below.
        await self._return(callback_id, NtStatus.PENDING)
        await self._deregister_provider()
        complete = reg.DetachComplete(binding=detach.binding, role=detach.role)
        answer = await self._ask(detach_complete=complete)
        say("completed", status=answer.status)

    async def _return(self, callback_id: int, status: int = 0, **more: Any) -> None:
        answer = reg.CallbackReturn(callback_id=callback_id, status=status, **more)
        await self._write(callback_return=answer)

    async def _write(self, **message: Any) -> None:
        async with self._writing:
            await self._call.write(reg.SessionRequest(**message))

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _say_bound(self, role: str, peer: reg.RegistrationInstance, side: reg.BindingSide) -> None:
        blob = peer.characteristics.blob
        say(
            "bound",
            role=role,
            content_type=blob.content_type,
            characteristics=blob.value.hex(),
            luid=peer.module_id.if_luid,
            context=side.binding_context.decode(),
            dispatch=[side.dispatch.version, *side.dispatch.functions],
        )


def say(event: str, **more: Any) -> None:
    """Print what happened."""
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--provide", default="")
    parser.add_argument("--want", default="")
    parser.add_argument("address")
    arguments = parser.parse_args()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with grpc.aio.insecure_channel(arguments.address) as channel:
        module = BareModule(arguments.name, channel, arguments.want, arguments.provide)
        await module.run(stop)


if __name__ == "__main__":
    asyncio.run(main())
