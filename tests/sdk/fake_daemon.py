"""A daemon without an engine: the real wire protocol on a real socket, every answer scripted.

``journal`` records what happened in order; ``gate`` holds back the answers to invocations, so
that a test decides when something is in flight.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

import grpc

from ebpfd_api.metadata import LET_IN, SESSION
from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import (
    contract_pb2,
    hook_pb2,
    hook_pb2_grpc,
    links_pb2_grpc,
    maps_pb2_grpc,
    programs_pb2_grpc,
    registrar_pb2,
    registrar_pb2_grpc,
)
from tests.sdk.fake_maps import FakeMaps
from tests.sdk.fake_objects import FakeLinks, FakePrograms

PROGRAM_DISPATCH = registrar_pb2.DispatchTable(
    version=1, functions=["invoke", "batch_begin", "batch_invoke", "batch_end"]
)

Reply: TypeAlias = Callable[[hook_pb2.InvokeRequest], hook_pb2.InvokeResponse]


def count_up(request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
    """Answer with the number of each context within its message, and nothing changed."""
    return hook_pb2.InvokeResponse(
        sequence=request.sequence,
        codes=bytes(request.count),
        results=b"".join(index.to_bytes(4, "little") for index in range(request.count)),
    )


class FakeDaemon(registrar_pb2_grpc.RegistrarServicer, hook_pb2_grpc.HookServicer):
    """One module process's registrar, and what it would see of the data stream."""

    def __init__(self) -> None:
        self.address = ""
        self.programs, self.maps, self.links = FakePrograms(), FakeMaps(), FakeLinks()
        self.journal: list[str] = []
        self.hello = registrar_pb2.Hello()
        self.lease_ms = 0
        self.declined = 0
        self.registered: dict[int, registrar_pb2.RegistrationInstance] = {}
        self.requests: list[hook_pb2.InvokeRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.noted = asyncio.Event()
        self.reply: Reply = count_up
        self.refuse = NtStatus.SUCCESS
        self.leave_out: Literal["peer", "client", ""] = ""
        self.attach_on_register: list[bytes] = []
        self.deregister_pending = False
        self.calls = asyncio.Event()
        """Not set: calls of the module are not answered."""

        self.calls.set()
        self.held = 0
        self.heartbeats = asyncio.Event()
        self.sessions = 0
        self.session_ids: list[str] = []
        self.attach_returns: list[registrar_pb2.CallbackReturn] = []
        self._to_module: asyncio.Queue[registrar_pb2.SessionResponse | None] = asyncio.Queue()
        self._to_stream: asyncio.Queue[hook_pb2.InvokeResponse | None] = asyncio.Queue()
        self._returns: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._bindings: dict[int, int] = {}
        self.watched: list[registrar_pb2.WatchResponse] = []
        self._tasks: set[asyncio.Task[None]] = set()

    # What a test asks for

    @property
    def hook(self) -> int:
        """The registration of the hook."""
        return next(id_ for id_, each in self.registered.items() if each.npi_id == HOOK.bytes)

    async def attach(
        self,
        parameter: bytes = b"",
        registration: int | None = None,
        priority: int = 0,
        policy: contract_pb2.LinkPolicy | None = None,
    ) -> Any:
        """Attach a link; return the module's answer and the binding."""
        binding = self._new_id()
        registration = self.hook if registration is None else registration
        said = contract_pb2.ExtensionData(
            data=parameter,
            link_id=binding,
            program_id=1,
            program_name="parse",
            priority=priority,
            policy=policy,
        )
        peer = registrar_pb2.RegistrationInstance(
            npi_id=HOOK.bytes,
            characteristics=registrar_pb2.Characteristics(extension_data=said),
        )
        callback = registrar_pb2.AttachCallback(
            role=registrar_pb2.ROLE_PROVIDER,
            binding=binding,
            registration=registration,
            peer=peer,
            client=registrar_pb2.BindingSide(dispatch=PROGRAM_DISPATCH),
        )
        if self.leave_out:
            callback.ClearField(self.leave_out)
        answer = await self._ask(attach=callback)
        if answer.status == NtStatus.SUCCESS:
            self._bindings[binding] = registration
        return answer, binding

    async def link(
        self,
        parameter: bytes = b"",
        priority: int = 0,
        policy: contract_pb2.LinkPolicy | None = None,
    ) -> int:
        """Attach a link that is welcome; return the binding."""
        answer, binding = await self.attach(parameter, priority=priority, policy=policy)
        assert answer.status == NtStatus.SUCCESS, answer.message
        return int(binding)

    async def describe(self, binding: int, policy: contract_pb2.LinkPolicy) -> None:
        """Say that a link has another policy, and another program."""
        said = contract_pb2.ExtensionData(
            link_id=binding, policy=policy, program_id=2, program_name="other"
        )
        characteristics = registrar_pb2.Characteristics(extension_data=said)
        peer = registrar_pb2.RegistrationInstance(characteristics=characteristics)
        described = registrar_pb2.Described(binding=binding, peer=peer)
        self._to_module.put_nowait(registrar_pb2.SessionResponse(described=described))

    async def detach(self, binding: int) -> None:
        """Detach a link and clean up."""
        self.journal.append(f"detach {binding}")
        self.noted.set()
        role = registrar_pb2.ROLE_PROVIDER
        answer = await self._ask(detach=registrar_pb2.DetachCallback(role=role, binding=binding))
        assert answer.status == NtStatus.SUCCESS
        self.journal.append(f"detached {binding}")
        await self._ask(cleanup=registrar_pb2.CleanupCallback(role=role, binding=binding))
        del self._bindings[binding]

    def detach_late(self, binding: int) -> None:
        """Detach a link and clean up, without waiting for either."""
        role = registrar_pb2.ROLE_PROVIDER
        detach = registrar_pb2.DetachCallback(role=role, binding=binding)
        cleanup = registrar_pb2.CleanupCallback(role=role, binding=binding)
        self._start(self._ask(detach=detach))
        self._start(self._ask(cleanup=cleanup))
        del self._bindings[binding]

    async def call_helper(self, call: registrar_pb2.HelperCall) -> Any:
        """Call a helper of the module's."""
        return await self._ask(helper_call=call)

    async def call_context(self, call: registrar_pb2.ContextCall) -> Any:
        """Ask for a context of a test run."""
        return await self._ask(context_call=call)

    async def fire(self, fire: hook_pb2.Fire) -> hook_pb2.BatchResult:
        """Hand a client's fire to the module."""
        fire.fire_id = self._new_id()
        outcome = self._returns[fire.fire_id] = asyncio.get_running_loop().create_future()
        self._to_stream.put_nowait(hook_pb2.InvokeResponse(fire=fire))
        result: hook_pb2.BatchResult = (await outcome).result
        return result

    def send(self, reply: hook_pb2.InvokeResponse) -> None:
        """Answer an invocation out of turn."""
        self._to_stream.put_nowait(reply)

    def beat(self) -> None:
        """Ask for a sign of life."""
        self._send(heartbeat=registrar_pb2.Heartbeat())

    async def registrations(self, count: int) -> None:
        """Wait until so many registrations are there, of a session that has not ended."""
        async with asyncio.timeout(10):
            while len(self.registered) < count:
                self.noted.clear()
                await self.noted.wait()

    def end_stream(self) -> None:
        """End the data stream alone."""
        self._to_stream.put_nowait(None)

    def hang_up(self) -> None:
        """End both streams, as a daemon that stops; what was registered is forgotten."""
        self.registered.clear()
        self._to_module.put_nowait(None)
        self._to_stream.put_nowait(None)

    # What a module says

    async def Session(  # noqa: N802 (the wire's name)
        self, request_iterator: Any, context: Any
    ) -> AsyncGenerator[registrar_pb2.SessionResponse]:
        """Answer the module's calls, and pass callbacks to it."""
        # Of this session alone: what nobody has read of an earlier one is gone with it.
        to_module = self._to_module = asyncio.Queue()
        self.registered.clear()
        self._bindings.clear()
        self.sessions += 1
        self.noted.set()
        reader = asyncio.create_task(self._read_session(request_iterator))
        try:
            while (message := await to_module.get()) is not None:
                yield message
        finally:
            reader.cancel()

    async def Invoke(  # noqa: N802 (same)
        self, request_iterator: Any, context: Any
    ) -> AsyncGenerator[hook_pb2.InvokeResponse]:
        """Answer invocations as the script says."""
        metadata = dict(context.invocation_metadata())
        self.session_ids.append(metadata[SESSION])
        to_stream = self._to_stream = asyncio.Queue[hook_pb2.InvokeResponse | None]()
        reader = asyncio.create_task(self._read_stream(request_iterator, to_stream))
        try:
            while (message := await to_stream.get()) is not None:
                yield message
        finally:
            reader.cancel()

    async def Fire(  # noqa: N802 (same)
        self, request_iterator: Any, context: Any
    ) -> AsyncGenerator[hook_pb2.FireResponse]:
        """Hand the fires of clients to the module."""
        await context.send_initial_metadata(((LET_IN, "1"),))
        async for request in request_iterator:
            fire = hook_pb2.Fire(
                attach_type=request.hook.guid,
                parameter=request.parameter,
                has_parameter=request.HasField("parameter"),
                batch=request.batch,
                deadline_ms=request.deadline_ms,
                origin=request.origin if request.HasField("origin") else None,
            )
            yield hook_pb2.FireResponse(sequence=request.sequence, result=await self.fire(fire))

    def ListProviders(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """List what is registered."""
        return registrar_pb2.ListProvidersResponse(
            registrations=[
                registrar_pb2.Registration(
                    registration=id_,
                    role=registrar_pb2.ROLE_PROVIDER,
                    instance=instance,
                    owner=self.hello.name,
                    npi_name="hook" if instance.npi_id == HOOK.bytes else "program information",
                )
                for id_, instance in self.registered.items()
            ]
        )

    def ListClients(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """List nothing."""
        return registrar_pb2.ListClientsResponse()

    def ListBindings(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """List nothing."""
        return registrar_pb2.ListBindingsResponse()

    def Disconnect(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """End nothing."""
        self.journal.append(f"disconnect {request.registration}")
        gone = registrar_pb2.Registration(registration=request.registration, owner="o")
        return registrar_pb2.DisconnectResponse(registrations=[gone])

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[registrar_pb2.WatchResponse]:  # noqa: N802 (same)
        """What the test says, and then nothing more for ever."""
        del request, context
        for part in self.watched:
            yield part
        await asyncio.Event().wait()

    async def _read_session(self, requests: AsyncIterator[registrar_pb2.SessionRequest]) -> None:
        async for request in requests:
            match request.WhichOneof("message"):
                case "hello":
                    self.hello = request.hello
                    self._send(
                        welcome=registrar_pb2.Welcome(
                            session_id=f"session-{self.sessions}",
                            resume_token=b"token %d" % self.sessions,
                            lease_ms=self.lease_ms,
                        )
                    )
                case "register":
                    self._start(self._when_answering(self._register(request)))
                case "deregister":
                    self._start(self._when_answering(self._deregister(request)))
                case "callback_return":
                    self._returns.pop(request.callback_return.callback_id).set_result(
                        request.callback_return
                    )
                case "context_return":
                    self._returns.pop(request.context_return.callback_id).set_result(
                        request.context_return
                    )
                case "helper_return":
                    self._returns.pop(request.helper_return.callback_id).set_result(
                        request.helper_return
                    )
                case _:
                    self.heartbeats.set()
        self.journal.append("session ended")
        self.noted.set()

    async def _read_stream(
        self,
        requests: AsyncIterator[hook_pb2.InvokeRequest],
        to_stream: "asyncio.Queue[hook_pb2.InvokeResponse | None]",
    ) -> None:
        async for request in requests:
            if request.HasField("fire_return"):
                self.declined += request.fire_return.declined
                self._returns.pop(request.fire_return.fire_id).set_result(request.fire_return)
                continue
            self.requests.append(request)
            self.noted.set()
            self._start(self._answer(request, to_stream))

    async def _answer(
        self,
        request: hook_pb2.InvokeRequest,
        to_stream: "asyncio.Queue[hook_pb2.InvokeResponse | None]",
    ) -> None:
        await self.gate.wait()
        self.journal.append(f"answer {request.count}")
        to_stream.put_nowait(self.reply(request))
        self.noted.set()

    async def _when_answering(self, work: Any) -> None:
        try:
            if not self.calls.is_set():
                self.held += 1
                self.noted.set()
            await self.calls.wait()
            await work
        finally:
            work.close()

    async def _register(self, request: registrar_pb2.SessionRequest) -> None:
        id_ = self._new_id()
        answer = registrar_pb2.CallReturn(call_id=request.call_id, registration=id_)
        if self.refuse != NtStatus.SUCCESS:
            answer.status, answer.message = self.refuse, "because the test says so"
        else:
            self.registered[id_] = request.register.instance
            self.noted.set()
            if request.register.instance.npi_id == HOOK.bytes:
                for parameter in self.attach_on_register:
                    returned, _ = await self.attach(parameter, id_)
                    self.attach_returns.append(returned)
        self._send(call_return=answer)

    async def _deregister(self, request: registrar_pb2.SessionRequest) -> None:
        id_ = request.deregister.registration
        answer = registrar_pb2.CallReturn(call_id=request.call_id)
        if self.deregister_pending:
            answer.status = NtStatus.PENDING
            self._send(call_return=answer)
        for binding in [each for each, owner in self._bindings.items() if owner == id_]:
            await self.detach(binding)
        kind = "hook" if self.registered.pop(id_).npi_id == HOOK.bytes else "program type"
        self.journal.append(f"deregistered {kind}")
        if self.deregister_pending:
            complete = registrar_pb2.DeregisterComplete(registration=id_)
            self._send(deregister_complete=complete)
        else:
            self._send(call_return=answer)

    async def _ask(self, **message: Any) -> Any:
        callback_id = self._new_id()
        answer = self._returns[callback_id] = asyncio.get_running_loop().create_future()
        self._to_module.put_nowait(
            registrar_pb2.SessionResponse(callback_id=callback_id, **message)
        )
        return await answer

    def _send(self, **message: Any) -> None:
        self._to_module.put_nowait(registrar_pb2.SessionResponse(**message))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id


@asynccontextmanager
async def serving(directory: Path) -> AsyncGenerator[FakeDaemon]:
    """Run a fake daemon on a socket in *directory*."""
    daemon = FakeDaemon()
    daemon.address = f"unix:{directory}/ebpfd.sock"
    server = grpc.aio.server()
    registrar_pb2_grpc.add_RegistrarServicer_to_server(daemon, server)
    hook_pb2_grpc.add_HookServicer_to_server(daemon, server)
    programs_pb2_grpc.add_ProgramsServicer_to_server(daemon.programs, server)
    maps_pb2_grpc.add_MapsServicer_to_server(daemon.maps, server)
    links_pb2_grpc.add_LinksServicer_to_server(daemon.links, server)
    server.add_insecure_port(daemon.address)
    await server.start()
    try:
        yield daemon
    finally:
        await server.stop(grace=None)
