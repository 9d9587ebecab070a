"""A registrar without a daemon: it asks a module what no daemon would, and holds answers back."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc

from ebpfd_api.metadata import SESSION
from ebpfd_api.v1 import hook_pb2, registrar_pb2
from ebpfd_sdk.testing._peer import Peer, PeerError, Reply, nothing_changed


class ScriptedRegistrar:
    """Takes one module process after the other; *peer* is the last that came."""

    def __init__(self, reply: Reply = nothing_changed) -> None:
        self._reply = reply
        self.peers: list[Peer] = []
        self._arrival = asyncio.Condition()

    async def arrived(self, after: int = 0) -> Peer:
        """Wait for a module process to open a session, beyond the first so many."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.peers) > after)
        return self.peers[-1]

    async def session(
        self, request_iterator: AsyncIterator[registrar_pb2.SessionRequest], context: Any
    ) -> AsyncGenerator[registrar_pb2.SessionResponse]:
        """Serve one module process."""
        del context
        peer = Peer(self._reply)
        peer.send(
            welcome=registrar_pb2.Welcome(
                protocol_version=1,
                daemon_version="check",
                daemon_instance=uuid4().bytes,
                session_id=peer.session_id,
                resume_token=peer.resume_token,
            )
        )
        async with self._arrival:
            self.peers.append(peer)
            self._arrival.notify_all()
        reader = asyncio.create_task(peer.read_session(request_iterator))
        try:
            with suppress(PeerError):  # it went without a word
                await peer.until(lambda: peer.hello is not None)
            async for message in _queued(peer.outgoing):
                yield message
        finally:
            reader.cancel()
            peer.end()

    async def invoke(
        self, request_iterator: AsyncIterator[hook_pb2.InvokeRequest], context: Any
    ) -> AsyncGenerator[hook_pb2.InvokeResponse]:
        """Serve its data stream, if it names its session."""
        session_id = dict(context.invocation_metadata()).get(SESSION)
        peer = next((each for each in self.peers if each.session_id == session_id), None)
        if peer is None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, f"{SESSION}: no such session")
            return
        answers = asyncio.Queue[hook_pb2.InvokeResponse | None]()
        peer.streams.append(answers)
        reader = asyncio.create_task(peer.read_stream(request_iterator, answers))
        try:
            async for message in _queued(answers):
                yield message
        finally:
            reader.cancel()


@asynccontextmanager
async def scripted_registrar(
    folder: Path, reply: Reply = nothing_changed
) -> AsyncGenerator[tuple[ScriptedRegistrar, str]]:
    """A registrar that serves, and its address; *reply* answers invocations."""
    registrar = ScriptedRegistrar(reply)
    address = f"unix:{folder / 'registrar.sock'}"
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(_handlers(registrar))
    server.add_insecure_port(address)
    await server.start()
    try:
        yield registrar, address
    finally:
        await server.stop(grace=None)


def _handlers(registrar: ScriptedRegistrar) -> list[grpc.GenericRpcHandler]:
    """The two streams of a module process; nobody calls anything else."""
    session = grpc.stream_stream_rpc_method_handler(
        registrar.session,
        request_deserializer=registrar_pb2.SessionRequest.FromString,
        response_serializer=registrar_pb2.SessionResponse.SerializeToString,
    )
    invoke = grpc.stream_stream_rpc_method_handler(
        registrar.invoke,
        request_deserializer=hook_pb2.InvokeRequest.FromString,
        response_serializer=hook_pb2.InvokeResponse.SerializeToString,
    )
    return [
        grpc.method_handlers_generic_handler("ebpfd_api.v1.Registrar", {"Session": session}),
        grpc.method_handlers_generic_handler("ebpfd_api.v1.Hook", {"Invoke": invoke}),
    ]


async def _queued(queue: "asyncio.Queue[Any]") -> AsyncGenerator[Any]:
    while (message := await queue.get()) is not None:
        yield message
