"""The ``Extensions`` service."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any, Final, TypeAlias

import grpc

from ebpfd.host.extensions import Hosted, HostedExtension, OutputLine, State, resident_bytes
from ebpfd.host.registrar import RegistrarHost
from ebpfd.nmr import RegistrationSnapshot, Role
from ebpfd.rpc.peers import encode_peer
from ebpfd.rpc.registration_codec import encode_registration
from ebpfd.rpc.session import RemoteModule, Sessions
from ebpfd.rpc.status import answering
from ebpfd.rpc.streams import Streams
from ebpfd_api.v1 import extensions_pb2 as pb
from ebpfd_api.v1 import extensions_pb2_grpc as services_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_STATES: Final = {
    State.STARTING: pb.EXTENSION_STATE_STARTING,
    State.RUNNING: pb.EXTENSION_STATE_RUNNING,
    State.BACKING_OFF: pb.EXTENSION_STATE_BACKING_OFF,
    State.STOPPING: pb.EXTENSION_STATE_STOPPING,
    State.STOPPED: pb.EXTENSION_STATE_STOPPED,
    State.FAILED: pb.EXTENSION_STATE_FAILED,
}
_STREAMS: Final = {"stdout": pb.OUTPUT_STREAM_STDOUT, "stderr": pb.OUTPUT_STREAM_STDERR}


class ExtensionsServicer(services_pb.ExtensionsServicer):
    """Who provides contracts, and what becomes of those that the daemon hosts."""

    def __init__(
        self, *, hosted: Hosted, sessions: Sessions, registrar: RegistrarHost, streams: Streams
    ) -> None:
        self._hosted = hosted
        self._sessions = sessions
        self._registrar = registrar
        self._streams = streams

    async def List(
        self, request: pb.ExtensionsListRequest, context: _Context
    ) -> pb.ExtensionsListResponse:
        """Hosted ones, then others that are connected."""
        del request, context
        hosted = self._hosted.all()
        response = pb.ExtensionsListResponse()
        for each in hosted:
            response.extensions.append(await self._encode(each))
        children = {module for each in hosted for module in each.modules}
        for module in self._sessions.all():
            if module not in children:
                response.extensions.add(
                    name=module.name,
                    state=_state_of(module),
                    process_id=module.process_id,
                    since_ns=module.connected_ns,
                    provides=self._provided([module]),
                    peer=encode_peer(module.peer),
                )
        return response

    async def Start(
        self, request: pb.ExtensionsStartRequest, context: _Context
    ) -> pb.ExtensionsStartResponse:
        """Start one."""
        del context
        response = pb.ExtensionsStartResponse()
        with answering(response.status):
            started = await self._hosted.start(request.name)
            response.extension.CopyFrom(await self._encode(started))
        return response

    async def Stop(
        self, request: pb.ExtensionsStopRequest, context: _Context
    ) -> pb.ExtensionsStopResponse:
        """Stop one."""
        del context
        response = pb.ExtensionsStopResponse()
        with answering(response.status):
            stopped = await self._hosted.stop(request.name, _within_s(request))
            response.extension.CopyFrom(await self._encode(stopped))
        return response

    async def Restart(
        self, request: pb.ExtensionsRestartRequest, context: _Context
    ) -> pb.ExtensionsRestartResponse:
        """Stop one, if it runs, and start it."""
        del context
        response = pb.ExtensionsRestartResponse()
        with answering(response.status):
            started = await self._hosted.start_again(request.name, _within_s(request))
            response.extension.CopyFrom(await self._encode(started))
        return response

    async def Logs(
        self, request: pb.ExtensionsLogsRequest, context: _Context
    ) -> AsyncIterator[pb.ExtensionsLogsResponse]:
        """Recent lines, then new ones."""
        response = pb.ExtensionsLogsResponse()
        with answering(response.status):
            output = self._hosted.find(request.name).output
        if response.status.code:
            yield response
            return
        if not request.follow:
            for line in output.recent():
                yield _encode_line(line)
            return
        self._streams.opened(context)
        async with aclosing(output.follow()) as lines:
            async for line in lines:
                yield _encode_line(line)

    async def _encode(self, each: HostedExtension) -> pb.Extension:
        process_id = each.process_id
        resident = await asyncio.to_thread(resident_bytes, process_id) if process_id else 0
        modules = [module for module in self._sessions.all() if module in each.modules]
        return pb.Extension(
            name=each.spec.name,
            hosted=True,
            state=_STATES[each.life.state],
            process_id=process_id,
            restarts=each.life.restarts,
            since_ns=each.since_ns,
            reason=each.life.reason,
            provides=self._provided(modules),
            resident_bytes=resident,
            peer=encode_peer(modules[0].peer) if modules else None,
        )

    def _provided(self, modules: Iterable[RemoteModule]) -> list[pb.ProvidedModule]:
        return [
            _encode_provider(registration, module)
            for module in modules
            for registration in self._registrar.owned(module)
            if registration.role is Role.PROVIDER
        ]


def _encode_provider(registration: RegistrationSnapshot, module: RemoteModule) -> pb.ProvidedModule:
    encoded = encode_registration(registration, module, brief=True)
    return pb.ProvidedModule(
        registration=encoded.registration,
        npi_id=encoded.instance.npi_id,
        npi_name=encoded.npi_name,
        module_id=encoded.instance.module_id,
        module_name=encoded.module_name,
        binding_count=encoded.binding_count,
    )


def _within_s(request: pb.ExtensionsStopRequest | pb.ExtensionsRestartRequest) -> float | None:
    return request.within_ms / 1000 if request.HasField("within_ms") else None


def _encode_line(line: OutputLine) -> pb.ExtensionsLogsResponse:
    return pb.ExtensionsLogsResponse(
        time_ns=line.time_ns, stream=_STREAMS[line.stream], text=line.text, lost=line.lost
    )


def _state_of(module: RemoteModule) -> pb.ExtensionState:
    """Of one that the daemon does not host: its hello has said how much it registers."""
    if module.registrations < module.identity.registrations:
        return pb.EXTENSION_STATE_STARTING
    return pb.EXTENSION_STATE_CONNECTED
