"""The daemon as a service: how it starts, who may use it, what it tells others of itself."""

import asyncio
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from ebpfd.cli.children import ready_socket
from ebpfd_api import protocol
from ebpfd_api.v1 import (
    hook_pb2,
    hook_pb2_grpc,
    maps_pb2,
    maps_pb2_grpc,
    objects_pb2,
    objects_pb2_grpc,
    programs_pb2,
    programs_pb2_grpc,
    registrar_pb2,
    registrar_pb2_grpc,
)
from tests.e2e.world import PATIENCE_S, command, world


async def test_systemd_hears_that_it_is_ready_and_that_it_stops(tmp_path: Path) -> None:
    """Type=notify: READY=1 once it serves, STOPPING=1 on SIGTERM, exit code 0."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        loop = asyncio.get_running_loop()
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ebpfd", "run", "--listen", f"unix:{tmp_path}/ebpfd.sock",
            stderr=PIPE, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "PATH": "/usr/bin"},
        )  # fmt: skip
        async with asyncio.timeout(30):
            assert await loop.sock_recv(systemd, 64) == b"READY=1"
            daemon.send_signal(signal.SIGTERM)
            assert await loop.sock_recv(systemd, 64) == b"STOPPING=1"
            assert await daemon.wait() == 0
    assert not (tmp_path / "ebpfd.sock").exists()


async def test_systemd_hears_that_the_loop_turns(tmp_path: Path) -> None:
    """If it watches: WATCHDOG=1 at half of the time, from before it is ready."""
    with ready_socket(tmp_path / "notify") as systemd:
        daemon = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ebpfd", "run", "--listen", f"unix:{tmp_path}/ebpfd.sock",
            stderr=PIPE, env={
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "200000",
                "PATH": "/usr/bin",
            },
        )  # fmt: skip
        loop, heard = asyncio.get_running_loop(), list[bytes]()
        async with asyncio.timeout(30):
            while heard.count(b"WATCHDOG=1") < 3:
                heard.append(await loop.sock_recv(systemd, 64))
            assert b"READY=1" in heard
            daemon.send_signal(signal.SIGTERM)
            assert await daemon.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with exit code 0."""
    async with world(tmp_path) as w:
        w.daemon.send_signal(number)
        async with asyncio.timeout(30):
            assert await w.daemon.wait() == 0
        assert [line["event"] for line in w.log()][-2:] == ["stopping", "stopped"]


async def test_calls_that_last_come_to_their_end(tmp_path: Path) -> None:
    """At the daemon's end none of them is cut off, and none holds it up until it is."""
    async with world(tmp_path) as w, grpc.aio.insecure_channel(w.address) as channel:
        ring = await w.client.create_map("ringbuf", 0, 0, 4096)
        health_stub: Any = health_pb2_grpc.HealthStub(channel)
        health = health_stub.Watch(health_pb2.HealthCheckRequest())
        fires = hook_pb2_grpc.HookStub(channel).Fire()
        await fires.write(hook_pb2.FireRequest(sequence=1))
        registrar = registrar_pb2_grpc.RegistrarStub(channel)
        session = registrar.Session()
        hello = registrar_pb2.Hello(protocol_version=protocol.MAJOR, name="idle")
        await session.write(registrar_pb2.SessionRequest(hello=hello))
        watch = registrar.Watch(registrar_pb2.WatchRequest())
        hold = objects_pb2_grpc.ObjectsStub(channel).Hold(objects_pb2.HoldRequest(name="idle"))
        trace = programs_pb2_grpc.ProgramsStub(channel).Trace(programs_pb2.TraceRequest())
        events = maps_pb2_grpc.MapsStub(channel).Events(maps_pb2.EventsRequest(id=ring.id))
        for each in (health, fires, session, watch, hold):
            assert await each.read() is not grpc.aio.EOF
        await events.initial_metadata()
        w.daemon.terminate()
        async with asyncio.timeout(PATIENCE_S):
            for each in (health, fires, session, watch, hold, trace, events):
                while await each.read() is not grpc.aio.EOF:
                    pass
                assert await each.code() == grpc.StatusCode.OK, each
            assert await w.daemon.wait() == 0
        assert {line["level"] for line in w.log()} == {"info"}


async def test_only_its_owner_can_use_the_socket(tmp_path: Path) -> None:
    """The socket's mode is 0600."""
    async with world(tmp_path):
        mode = (tmp_path / "ebpfd.sock").stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("same", ["socket", "state directory"])
async def test_a_second_daemon_is_refused(tmp_path: Path, same: str) -> None:
    """Same socket or same state: a clear message with the first one's pid, no takeover."""
    async with world(tmp_path) as w:
        listen = w.address if same == "socket" else f"unix:{tmp_path}/other.sock"
        state = tmp_path / ("state" if same == "state directory" else "other")
        ran = await command("ebpfd", "run", "--listen", listen, "--state", str(state))
        assert ran.code == 1
        assert f"pid {w.daemon.pid}" in ran.err
        assert "Traceback" not in ran.err
        assert await w.client.providers(), "the first one serves as before"


async def test_a_killed_daemon_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """After kill -9 the next one starts on the same socket and state."""
    async with world(tmp_path) as w:
        w.daemon.kill()
        await w.daemon.wait()
        (tmp_path / "ready.sock").unlink()
        async with world(tmp_path) as again:
            assert await again.client.programs() == ()


async def test_an_address_that_is_no_unix_socket_is_a_usage_error(tmp_path: Path) -> None:
    """Exit code 2 and what is possible."""
    ran = await command("ebpfd", "run", "--listen", "localhost:50051")
    assert ran.code == 2
    assert "only unix:PATH and tls:HOST:PORT are possible" in ran.err
    long = await command("ebpfd", "run", "--listen", f"unix:{tmp_path}/{'x' * 120}")
    assert long.code == 2
    assert "101 bytes" in long.err


async def test_health_says_serving(tmp_path: Path) -> None:
    """The standard health service."""
    async with world(tmp_path) as w, grpc.aio.insecure_channel(w.address) as channel:
        # The stub makes its methods at run time, where no type checker sees them.
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_is_enough_to_list_the_providers(tmp_path: Path) -> None:
    """A client that has no schema asks for it, and then for the providers."""
    async with world(tmp_path) as w:
        names = await asyncio.to_thread(_providers_by_reflection, w.address)
        assert names == ["general helpers"]


def _providers_by_reflection(address: str) -> list[str]:
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert "ebpfd_api.v1.Registrar" in database.get_services()
        pool = descriptor_pool.DescriptorPool(database)
        method = pool.FindServiceByName("ebpfd_api.v1.Registrar").FindMethodByName("ListProviders")
        request = message_factory.GetMessageClass(method.input_type)
        response = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            "/ebpfd_api.v1.Registrar/ListProviders",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        answer: Any = call(request())
        return [each.module_name for each in answer.registrations]
