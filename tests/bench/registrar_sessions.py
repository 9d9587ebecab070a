"""Many sessions that only keep their leases, for ``registrar.py``, each on a connection of its own.

    python tests/bench/registrar_sessions.py ADDRESS SESSIONS

Each registers a provider that nobody wants.  It prints a line when all have, and ends when killed.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import grpc

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd_api import protocol  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_api.v1 import registrar_pb2, registrar_pb2_grpc  # noqa: E402

OWN_CONNECTION: Final = (("grpc.use_local_subchannel_pool", 1),)
OPENING: Final = 20
"""Sessions that open at the same time."""


async def session(address: str, opening: asyncio.Semaphore, ready: asyncio.Queue[None]) -> None:
    """One session, for as long as the daemon has it."""
    async with grpc.aio.insecure_channel(address, options=OWN_CONNECTION) as channel:
        call: Any = registrar_pb2_grpc.RegistrarStub(channel).Session()
        async with opening:
            await _begin(call)
        ready.put_nowait(None)
        while isinstance(message := await call.read(), registrar_pb2.SessionResponse):
            if message.heartbeat.ask:
                heartbeat = registrar_pb2.Heartbeat()
                await call.write(registrar_pb2.SessionRequest(heartbeat=heartbeat))


async def _begin(call: Any) -> None:
    """Say hello and register."""
    hello = registrar_pb2.Hello(
        protocol_version=protocol.MAJOR,
        name="idle",
        process_instance=uuid4().bytes,
        capabilities=[protocol.LEASE],
    )
    await call.write(registrar_pb2.SessionRequest(hello=hello))
    welcome = await call.read()
    assert welcome.welcome.lease_ms, welcome
    instance = registrar_pb2.RegistrationInstance(
        npi_id=uuid4().bytes,
        module_id=registrar_pb2.ModuleId(guid=uuid4().bytes),
        characteristics=registrar_pb2.Characteristics(blob=registrar_pb2.Blob(value=b"idle")),
    )
    register = registrar_pb2.Register(role=registrar_pb2.ROLE_PROVIDER, instance=instance)
    await call.write(registrar_pb2.SessionRequest(call_id=1, register=register))
    answer = await call.read()
    assert answer.call_return.status == 0, answer


async def main(address: str, sessions: int) -> None:
    """Open all, say so, and stay."""
    opening, ready = asyncio.Semaphore(OPENING), asyncio.Queue[None]()
    async with asyncio.TaskGroup() as group:
        for _ in range(sessions):
            group.create_task(session(address, opening, ready))
        for _ in range(sessions):
            await ready.get()
        sys.stdout.write("{}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
