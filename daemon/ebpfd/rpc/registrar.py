"""The ``Registrar`` service: sessions of module processes, and lists."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Final
from uuid import UUID, uuid4

import grpc
import structlog

from ebpfd import nmr
from ebpfd.access import Need, module_need
from ebpfd.contracts import AttachProviderData, BtfFunctionsData, ContractError, ProgramData
from ebpfd.errors import AccessDeniedError, RequestError
from ebpfd.host.audit import Audit
from ebpfd.host.contracts import Contracts
from ebpfd.host.extensions import Hosted
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.rpc.binding_codec import encode_binding, encode_part
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.changes import registration_facts
from ebpfd.rpc.contract_codec import decode_guid
from ebpfd.rpc.hello import OtherProtocolError, Terms, agree
from ebpfd.rpc.leases import Lease, keep_leases
from ebpfd.rpc.registration_codec import (
    decode_dispatch,
    decode_instance,
    decode_role,
    encode_registration,
    encode_side,
)
from ebpfd.rpc.session import ModuleIdentity, RemoteModule, Sessions, process_instance
from ebpfd.rpc.status import answering
from ebpfd.rpc.streams import CALL_ENDED, Requests, Streams
from ebpfd_api import protocol
from ebpfd_api.npi import HOOK, NAMES, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus, ntstatus_name
from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2 as pb
from ebpfd_api.v1 import registrar_pb2_grpc as services_pb

MOST_MS: Final = 2**32 - 1
"""What the field can hold: 49 days."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RegistrarServicer(services_pb.RegistrarServicer):
    """Sessions in, registrations listed."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        contracts: Contracts,
        sessions: Sessions,
        callers: Callers,
        audit: Audit,
        hosted: Hosted,
        services: Services,
        streams: Streams,
        version: str,
        lease_s: float,
        local_socket: str = "",
        guard: QuotaGuard | None = None,
    ) -> None:
        self._guard = guard or QuotaGuard()
        self._registrar = registrar
        self._contracts = contracts
        self._sessions = sessions
        self._audit = audit
        self._callers = callers
        self._hosted = hosted
        self._services = services
        self._streams = streams
        self._version = version
        self._lease_s = lease_s
        self._local_socket = local_socket
        self._instance = uuid4()

    async def Session(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        request_iterator: AsyncIterator[pb.SessionRequest],
        context: "grpc.aio.ServicerContext[pb.SessionRequest, pb.SessionResponse]",
    ) -> None:
        """Serve one module process until its stream ends."""
        first = await anext(request_iterator, None)
        if first is None or not first.HasField("hello"):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first message must be hello")
        hello = first.hello
        try:
            terms = agree(hello, self._version)
        except OtherProtocolError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        old = self._sessions.resumed(hello.process_instance, hello.resume_token)
        if old is not None:
            self._end(old, "another session of the same process has taken its place")
        try:
            self._guard.check("sessions", len(self._sessions), 1, "stop some extensions")
        except RequestError as error:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, error.message)
        module = RemoteModule(
            ModuleIdentity(
                name=hello.name or "unnamed",
                session_id=secrets.token_urlsafe(16),
                process_instance=hello.process_instance,
                process_id=hello.process_id,
                registrations=hello.registrations,
                resume_token=secrets.token_bytes(16),
                peer=self._callers.peers.of(context),
            ),
            Lease() if terms.leased else None,
        )
        # Before the welcome, which names the session: the module may use the name at once.
        self._sessions.add(module)
        self._streams.opened(context, module.lose)
        self._hosted.connected(module)
        instance = process_instance(module.identity.process_instance)
        _log_of(module).info("extension connected", instance=instance)
        self._tell("session.begin", module, takes_over=old is not None)
        module.send(self._welcome(module, terms))
        writer = self._services.start(
            _write_all(module, context), name=f"session writer of {module.name}"
        )
        try:
            await self._read(module, request_iterator)
        finally:
            self._end(module)
        await asyncio.wait((writer,))
        if module.end_reason:
            await context.abort(grpc.StatusCode.ABORTED, module.end_reason)

    async def keep_leases(self) -> None:
        """End the sessions of modules that are silent for too long, for ever."""
        silent = f"nothing was heard of it for {self._lease_s:g} s"
        await keep_leases(
            self._sessions.all, self._lease_s, lambda module: self._end(module, silent)
        )

    def _welcome(self, module: RemoteModule, terms: Terms) -> pb.SessionResponse:
        return pb.SessionResponse(
            welcome=pb.Welcome(
                protocol_version=protocol.MAJOR,
                protocol_minor=terms.minor,
                capabilities=terms.capabilities,
                daemon_version=self._version,
                daemon_instance=self._instance.bytes,
                session_id=module.identity.session_id,
                resume_token=module.identity.resume_token,
                lease_ms=min(int(self._lease_s * 1000), MOST_MS) if terms.leased else 0,
                local_socket=self._local_socket,
            )
        )

    def _end(self, module: RemoteModule, reason: str = "") -> None:
        """A session is over, by itself or for a *reason*; twice is once."""
        if self._sessions.find(module.identity.session_id) is None:
            return
        log, why = _log_of(module), {"reason": reason} if reason else {}
        left = self._registrar.owned(module)
        waiting = sum(
            each.binding_count for each in left if each.instance.npi_id != PROGRAM_INFORMATION
        )
        self._sessions.remove(module)
        self._hosted.left(module)
        self._drop(module, reason, in_order=not left and not reason)
        self._tell("session.end", module, registrations=[each.handle for each in left], **why)
        if left:
            log.warning("extension lost", registrations=len(left), links_waiting=waiting, **why)
        else:
            log.info("extension left", **why)

    def _drop(self, module: RemoteModule, reason: str = "", *, in_order: bool = False) -> None:
        """Nothing of *module* is there any more, and nobody waits for it."""
        types = self._program_types_of(module)
        self._registrar.lost(module)
        module.lose(reason, in_order=in_order)
        self._providers_left(types)

    def _providers_left(self, types: Iterable[UUID]) -> None:
        for each in types:
            self._services.start(self._contracts.provider_left(each), name=f"contract of {each}")

    def _program_types_of(self, module: RemoteModule) -> list[UUID]:
        """The types that *module* provides."""
        return [
            each.instance.characteristics.program_type
            for each in self._registrar.owned(module)
            if each.role is nmr.Role.PROVIDER
            and isinstance(each.instance.characteristics, ProgramData)
        ]

    async def _read(self, module: RemoteModule, source: AsyncIterator[pb.SessionRequest]) -> None:
        requests = Requests()
        with module.ending(requests.end):
            async for request in requests.read(source):
                module.heard()
                self._dispatch(module, request)
        if requests.trouble:
            self._end(module, requests.trouble)

    def _dispatch(self, module: RemoteModule, request: pb.SessionRequest) -> None:
        match request.WhichOneof("message"):
            case "callback_return":
                answer = request.callback_return
                module.answered(answer.callback_id, answer)
            case "helper_return":
                module.answered(request.helper_return.callback_id, request.helper_return)
            case "map_return":
                module.answered(request.map_return.callback_id, request.map_return)
            case "context_return":
                module.answered(request.context_return.callback_id, request.context_return)
            case "wait_deregistered":
                self._start(module, request, self._wait(module, request.wait_deregistered))
            case "detach_complete":
                self._detach_complete(module, request)
            case "register":
                self._start(module, request, self._register(module, request.register))
            case "deregister":
                self._start(module, request, self._deregister(module, request.deregister))
            case "client_attach_provider":
                call = request.client_attach_provider
                self._start(module, request, self._attach_provider(module, call))
            case "heartbeat":
                if request.heartbeat.ask:
                    module.send(pb.SessionResponse(heartbeat=pb.Heartbeat()))
            case _:
                _log.warning("unknown session message", extension=module.name)

    def _start(self, module: RemoteModule, request: pb.SessionRequest, work: Any) -> None:
        """Do *work* beside other calls, and answer with what it returns."""

        async def answer() -> None:
            if module.gone.is_set():
                return  # what it would register now, nobody would ever deregister
            try:
                returned: pb.CallReturn = await work
            except ContractError as error:
                returned = pb.CallReturn(status=NtStatus.INVALID_PARAMETER, message=str(error))
            except AccessDeniedError as error:
                returned = pb.CallReturn(status=NtStatus.ACCESS_DENIED, message=str(error))
            except nmr.RegistrarError as error:
                returned = pb.CallReturn(status=error.status, message=str(error))
            except RequestError as error:
                returned = pb.CallReturn(
                    status=NtStatus.INSUFFICIENT_RESOURCES, message=error.message
                )
            returned.call_id = request.call_id
            await self._tell_of(module, request, returned)
            module.send(pb.SessionResponse(call_return=returned))

        name = f"{request.WhichOneof('message')} of {module.name}"
        task = self._services.start(answer(), name=name)
        task.add_done_callback(lambda _: work.close())

    def _tell(self, what: str, module: RemoteModule, **facts: Any) -> None:
        self._audit.note(what, module.peer, "SUCCESS", extension=module.name, **facts)

    async def _tell_of(
        self, module: RemoteModule, request: pb.SessionRequest, returned: pb.CallReturn
    ) -> None:
        """Tell of a registration that comes or goes, before its module knows."""
        match request.WhichOneof("message"):
            case "register":
                facts = registration_facts(request.register)
            case "deregister":
                facts = {}
            case _:
                return
        facts |= {"extension": module.name, "registration": returned.registration}
        if returned.message:
            facts["message"] = returned.message
        what, outcome = request.WhichOneof("message") or "", ntstatus_name(returned.status)
        if returned.status == NtStatus.ACCESS_DENIED:
            await self._audit.count("refused", module.peer, outcome, "Registrar/Session", **facts)
        else:
            await self._audit.record(what, module.peer, outcome, **facts)

    async def _register(self, module: RemoteModule, register: pb.Register) -> pb.CallReturn:
        role = decode_role(register.role)
        instance = decode_instance(register.instance, role)
        self._callers.at(module.peer).check(_need(instance, role))
        if role is nmr.Role.PROVIDER:
            await self._remember(instance, module.name)
            if module.gone.is_set():  # meanwhile: nobody would ever deregister it
                return pb.CallReturn(status=NtStatus.DEVICE_NOT_READY)
        handle = await self._registrar.register(
            role, instance, module, has_cleanup=register.has_cleanup
        )
        module.registrations += 1
        if module.registrations == max(1, module.identity.registrations):
            self._hosted.registered(module)
        return pb.CallReturn(status=NtStatus.SUCCESS, registration=handle)

    async def _remember(self, instance: nmr.RegistrationInstance, origin: str) -> None:
        match instance.characteristics, instance.module_id.value:
            case ProgramData() as data, _:
                await self._contracts.remember_program_type(data, origin)
            case AttachProviderData() as data, attach_type if not isinstance(attach_type, int):
                await self._contracts.remember_attach_type(attach_type, data)
            case BtfFunctionsData() as data, module if not isinstance(module, int):
                self._contracts.remember_functions(module, data)
            case _:
                pass  # a contract that the daemon only brokers

    async def _deregister(self, module: RemoteModule, call: pb.Deregister) -> pb.CallReturn:
        handle = nmr.RegistrationHandle(call.registration)
        types = self._program_types_of(module)
        status = await self._registrar.deregister(handle, by=module)
        self._providers_left(types)
        if status == NtStatus.PENDING:
            self._services.start(
                self._complete_later(module, handle), name=f"deregistration {handle}"
            )
        return pb.CallReturn(status=status, registration=handle)

    async def _complete_later(self, module: RemoteModule, handle: nmr.RegistrationHandle) -> None:
        await self._registrar.wait_deregistered(handle)
        complete = pb.DeregisterComplete(registration=handle)
        module.send(pb.SessionResponse(deregister_complete=complete))

    async def _attach_provider(
        self, module: RemoteModule, call: pb.ClientAttachProvider
    ) -> pb.CallReturn:
        binding = nmr.BindingHandle(call.binding)
        if self._registrar.provider_of(binding).instance.npi_id == HOOK:
            # A hook would take it for a link: it would hold the place of one, and spoil events.
            message = "a hook takes links only, and those are the daemon's: attach a program"
            return pb.CallReturn(status=NtStatus.INVALID_PARAMETER, message=message)
        context = call.client.binding_context or call.binding.to_bytes(8, "little")
        side = await self._registrar.attach_provider(
            binding, context, decode_dispatch(call.client), by=module
        )
        answer = pb.CallReturn(status=side.status, message=side.message)
        if side.status == NtStatus.SUCCESS:
            answer.provider.CopyFrom(encode_side(side.context, side.dispatch))
        return answer

    async def _wait(self, module: RemoteModule, call: pb.WaitDeregistered) -> pb.CallReturn:
        handle = nmr.RegistrationHandle(call.registration)
        status = await self._registrar.wait(handle, by=module)
        return pb.CallReturn(status=status, registration=handle)

    def _detach_complete(self, module: RemoteModule, request: pb.SessionRequest) -> None:
        """A module that is wrong is told in the log, and if it gave a call id."""
        call, answer = request.detach_complete, pb.CallReturn(call_id=request.call_id)
        try:
            self._registrar.detach_complete(
                nmr.BindingHandle(call.binding), decode_role(call.role), by=module
            )
        except (ContractError, nmr.RegistrarError) as error:
            refused = error.status if isinstance(error, nmr.RegistrarError) else None
            answer.status = refused or NtStatus.INVALID_PARAMETER
            answer.message = str(error)
            _log.warning("detach_complete refused", extension=module.name, reason=str(error))
        if request.call_id:
            module.send(pb.SessionResponse(call_return=answer))

    async def ListProviders(
        self,
        request: pb.ListProvidersRequest,
        context: "grpc.aio.ServicerContext[pb.ListProvidersRequest, pb.ListProvidersResponse]",
    ) -> pb.ListProvidersResponse:
        """Registered providers."""
        del context
        response = pb.ListProvidersResponse()
        with answering(response.status):
            found = self._registrar.providers(_npi_filter(request.npi_id))
            response.registrations.extend(map(self._encode, found))
        return response

    async def ListClients(
        self,
        request: pb.ListClientsRequest,
        context: "grpc.aio.ServicerContext[pb.ListClientsRequest, pb.ListClientsResponse]",
    ) -> pb.ListClientsResponse:
        """Registered clients."""
        del context
        response = pb.ListClientsResponse()
        with answering(response.status):
            found = self._registrar.clients(_npi_filter(request.npi_id))
            response.registrations.extend(map(self._encode, found))
        return response

    async def ListBindings(
        self,
        request: pb.ListBindingsRequest,
        context: "grpc.aio.ServicerContext[pb.ListBindingsRequest, pb.ListBindingsResponse]",
    ) -> pb.ListBindingsResponse:
        """Clients with the providers that they are bound to."""
        del request, context
        found = self._registrar.bound()
        return pb.ListBindingsResponse(
            bindings=[
                encode_binding(each, self._encode, self._registrar.waits(each.binding.handle))
                for each in found
            ]
        )

    async def Watch(
        self,
        request: pb.WatchRequest,
        context: "grpc.aio.ServicerContext[pb.WatchRequest, pb.WatchResponse]",
    ) -> AsyncIterator[pb.WatchResponse]:
        """What is there, then every change."""
        try:
            npi_id = _npi_filter(request.npi_id)
        except RequestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        self._streams.opened(context)
        async with aclosing(self._registrar.watch(npi_id)) as parts:
            async for part in parts:
                yield encode_part(part, self._encode_briefly)

    async def Disconnect(
        self,
        request: pb.DisconnectRequest,
        context: "grpc.aio.ServicerContext[pb.DisconnectRequest, pb.DisconnectResponse]",
    ) -> pb.DisconnectResponse:
        """End a module's session as if its process had vanished."""
        del context
        response = pb.DisconnectResponse()
        with answering(response.status):
            found = self._registrar.registration(nmr.RegistrationHandle(request.registration))
            module = self._registrar.module_of(found)
            if not isinstance(module, RemoteModule):
                message = f"registration {found.handle} is the daemon's own: it has no session"
                raise RequestError(Result.INVALID_ARGUMENT, message)
            had = [self._encode_briefly(each) for each in self._registrar.owned(module)]
            _log.warning("extension disconnected", extension=module.name, registrations=len(had))
            self._drop(module, "an operator has disconnected it")
            response.registrations.extend(had)
        return response

    def _encode(self, registration: nmr.RegistrationSnapshot) -> pb.Registration:
        return encode_registration(registration, self._registrar.module_of(registration))

    def _encode_briefly(self, registration: nmr.RegistrationSnapshot) -> pb.Registration:
        module = self._registrar.module_of(registration)
        return encode_registration(registration, module, brief=True)


def _need(instance: nmr.RegistrationInstance, role: nmr.Role) -> Need:
    """What whoever registers this needs."""
    npi, module = instance.npi_id, instance.module_id.value
    assert npi is not None, "it was decoded"
    what = f"as a {role.value} of {NAMES.get(npi, npi)}"
    if role is nmr.Role.PROVIDER and isinstance(module, UUID):
        return module_need((npi, module), f"{what}, module {module}")
    return module_need((npi,), what)


def _log_of(module: RemoteModule) -> structlog.stdlib.BoundLogger:
    certificate = module.peer.certificate
    bound: structlog.stdlib.BoundLogger = (
        _log.bind(extension=module.name, certificate=certificate.names)
        if certificate
        else _log.bind(extension=module.name, pid=module.process_id)
    )
    return bound


async def _write_all(
    module: RemoteModule,
    context: "grpc.aio.ServicerContext[pb.SessionRequest, pb.SessionResponse]",
) -> None:
    """Send what is queued, in order, until the connection is over."""
    try:
        while (message := await module.outgoing.get()) is not None:
            await context.write(message)
    except CALL_ENDED:
        module.lose()


def _npi_filter(npi_id: bytes) -> UUID | None:
    """The NPI that is asked for, if it is one; ``RequestError`` INVALID_ARGUMENT."""
    if not npi_id:
        return None
    try:
        return decode_guid(npi_id, "npi_id")
    except ContractError as error:
        raise RequestError(Result.INVALID_ARGUMENT, str(error)) from None
