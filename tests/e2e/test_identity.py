"""Who is there: the hello socket, its tokens, and what the daemon makes of them."""

import asyncio
import os
import stat
import subprocess
import sys
from collections import defaultdict
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import pytest

from ebpfd.host import peers
from ebpfd.rpc.peers import TokenCheck, token_in
from ebpfd_api.metadata import TOKEN
from ebpfd_api.v1 import objects_pb2, objects_pb2_grpc, registrar_pb2, registrar_pb2_grpc
from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import (
    AttachCapability,
    AttachedLink,
    Client,
    Extension,
    Origin,
    Peer,
    PeerProcess,
    Result,
)
from tests.conformance.assembler import assemble
from tests.conformance.elf import object_file
from tests.daemon.rpc.wire import Module, Wire, greeting, serving
from tests.e2e.world import PATIENCE_S, PROGRAMS, SAMPLE, World, world
from tests.e2e.world import sample as sample_process
from tests.packets import UDP

ME = PeerProcess(os.getpid(), os.getuid(), os.getgid())
HERE = Origin(ME.pid, ME.pid, ME.uid)
NOBODY = 65534
LONG = 1024
"""Contexts in a message that goes on a stream of its own."""

ASKING = """
mov %r6, %r1
call 19
rsh %r0, 32
mov %r7, %r0
lsh %r7, 2
mov %r1, %r6
call 21
and %r0, 3
or %r0, %r7
exit
"""

ASK = """
import socket, sys, time
with socket.socket(socket.AF_UNIX) as hello:
    hello.connect(sys.argv[1])
    print(hello.makefile().readline(), flush=True)
sys.stdin.read()
"""

TRY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX) as there:
        try:
            there.connect(path)
            print(there.recv(100))
        except OSError as error:
            print(error.strerror)
"""


def metadata(token: str) -> tuple[tuple[str, str], ...]:
    """What a call with *token* carries."""
    return ((TOKEN, token),)


def opened(path: Path, mode: int) -> None:
    """Let others in, on purpose."""
    path.chmod(mode)


async def code_of(w: Wire, token: str) -> grpc.StatusCode:
    """What a call with *token* comes to."""
    call: Any = w.registrar.ListProviders(
        registrar_pb2.ListProvidersRequest(), metadata=metadata(token)
    )
    return await call.code()  # type: ignore[no-any-return]


async def test_the_hello_socket_says_a_token_and_how_long_it_lasts(tmp_path: Path) -> None:
    """On one line, without being asked; its owner alone can connect."""
    async with serving(tmp_path) as w:
        path = tmp_path / "ebpfd.sock"
        said = await greeting(path)
        token, seconds = said.split()
        assert said == f"{token} {seconds}\n"
        assert float(seconds) == peers.TOKEN_S
        assert await greeting(path) != said
        assert await code_of(w, token) is grpc.StatusCode.OK
        mode = os.stat(f"{path}.hello").st_mode  # noqa: PTH116
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
    assert sorted(os.listdir(tmp_path)) == ["ebpfd.sock.lock"]  # noqa: PTH208


async def test_a_session_s_peer_is_the_process_that_has_the_token(tmp_path: Path) -> None:
    """Whatever process it says it is: in another namespace it has another id."""
    async with serving(tmp_path) as w:
        token = (await greeting(tmp_path / "ebpfd.sock")).split()[0]
        stub = registrar_pb2_grpc.RegistrarStub(w.channel)
        module = Module(w.channel)
        module.call.cancel()
        module.call = stub.Session(metadata=metadata(token))
        await module.hello("known", process_id=1)
        (known,) = w.daemon.sessions.all()
        assert known.peer.process == peers.Process(ME.pid, ME.uid, ME.gid)
        assert known.process_id == ME.pid
        assert known.origin == (ME.pid, ME.pid, ME.uid)


async def test_who_has_no_token_is_served_and_not_known(tmp_path: Path) -> None:
    """As modules that know nothing of tokens; what they say of their process is what they say."""
    async with serving(tmp_path) as w:
        await w.module("foreign")
        (foreign,) = w.daemon.sessions.all()
        assert foreign.peer == peers.UNKNOWN
        assert (foreign.process_id, foreign.origin) == (1, (1, 1, None))


@pytest.mark.parametrize("token", ["", "forged", "x" * 43])
async def test_a_token_that_was_never_given_is_refused(tmp_path: Path, token: str) -> None:
    """On calls of each kind, before they do anything; and the message says what to do."""
    async with serving(tmp_path) as w:
        assert await code_of(w, token) is grpc.StatusCode.UNAUTHENTICATED
        objects = objects_pb2_grpc.ObjectsStub(w.channel)
        hold: Any = objects.Hold(objects_pb2.HoldRequest(name="x"), metadata=metadata(token))
        with pytest.raises(grpc.aio.AioRpcError, match="get a new one from the hello socket"):
            await hold.read()
        assert tuple(w.daemon.owners.all()) == ()
        stub = registrar_pb2_grpc.RegistrarStub(w.channel)
        session = stub.Session(metadata=metadata(token))
        assert await session.code() is grpc.StatusCode.UNAUTHENTICATED
        assert w.daemon.sessions.all() == []


async def test_a_token_that_has_expired_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given, and its time is over."""
    monkeypatch.setattr(peers, "TOKEN_S", 0.0)
    async with serving(tmp_path) as w:
        token = (await greeting(tmp_path / "ebpfd.sock")).split()[0]
        assert await code_of(w, token) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_ends_with_its_process(tmp_path: Path) -> None:
    """Whoever has seen it has nothing of it then."""
    async with serving(tmp_path) as w:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            ASK,
            f"{tmp_path}/ebpfd.sock.hello",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        token = (await child.stdout.readline()).decode().split()[0]
        assert await code_of(w, token) is grpc.StatusCode.OK
        child.kill()
        await child.wait()
        while await code_of(w, token) is grpc.StatusCode.OK:
            pass


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_gets_no_token() -> None:
    """The sockets are closed to him; were the hello socket open, it would say nothing."""
    with TemporaryDirectory(dir="/tmp") as folder:
        opened(Path(folder), 0o711)
        await nothing_for_others(Path(folder))


async def nothing_for_others(folder: Path) -> None:
    """Of a daemon in a folder that others can enter."""
    async with serving(folder):
        path = folder / "ebpfd.sock"
        paths = (str(path), f"{path}.hello")

        async def tried(*paths: str) -> list[str]:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", TRY, *paths, stdout=subprocess.PIPE
            )
            out, _ = await child.communicate()
            return out.decode().splitlines()

        assert await tried(*paths) == ["Permission denied"] * 2
        opened(Path(paths[1]), 0o666)
        assert await tried(paths[1]) == ["b''"]


async def test_listings_show_who_is_there(tmp_path: Path) -> None:
    """Extensions, providers and owners, each with its process and user as the system knows them."""
    async with (
        world(tmp_path, "--extension", SAMPLE) as w,
        sample_process(w, "--window", "8") as process,
        Client(w.address, hold=True, name="holder"),
    ):
        hosted, other = await w.client.extensions()
        assert hosted.peer == Peer(PeerProcess(hosted.process_id, ME.uid, ME.gid))
        assert other.peer == Peer(PeerProcess(process.pid, ME.uid, ME.gid))
        rows = await w.ctl_json("extension", "list")
        assert rows[1]["peer"] == {"pid": process.pid, "uid": ME.uid, "gid": ME.gid}
        providers = await w.ctl_json("provider", "list")
        of_daemon = [each["peer"] for each in providers if each["owner"] == "daemon"]
        assert of_daemon == [None]
        assert {each["peer"]["pid"] for each in providers if each["owner"] != "daemon"} == {
            hosted.process_id,
            process.pid,
        }
        table = (await w.ctl("provider", "list")).out
        assert f"pid={process.pid}, uid={ME.uid}" in table
        (owner,) = await w.client.owners()
        assert owner.peer == Peer(ME)
        (row,) = await w.ctl_json("owner", "list")
        assert row["peer"]["pid"] == ME.pid


async def test_helpers_that_ask_who_is_running_are_told_the_session_s_peer(tmp_path: Path) -> None:
    """Unless the batch names its origin."""
    async with world(tmp_path) as w, Extension(sample, events, address=w.address):
        await asking(w)
        await events.attached()
        assert (await events.invoke(SampleContext())).result == told(HERE)
        await named(w)


async def test_helpers_that_run_in_the_extension_are_told_the_same(tmp_path: Path) -> None:
    """Of events and of batches that the engine runs there."""
    async with world(tmp_path, "--local") as w, Extension(sample, events, address=w.address):
        link = await asking(w)
        await events.attached()
        sent = events.counters.messages_sent
        assert events.invoke_now(SampleContext()) == told(HERE)
        await named(w)
        assert events.counters.messages_sent == sent
        await link.detach()


async def named(w: World) -> None:
    """The origins of events, of batches, and of fires, which this process runs."""
    first, second = Origin(7, 8, 0), Origin(9, 10)
    answers = await asyncio.gather(
        events.invoke(origin=first),
        events.invoke(deadline_s=60, origin=second),
        events.invoke(origin=second),
        events.invoke(),
    )
    assert [each.result for each in answers] == [
        told(each) for each in (first, second, second, HERE)
    ]
    batch = await events.invoke_batch(count=2, origin=first)
    assert list(batch.numbers) == [told(first)] * 2
    async with events.batch_begin(origin=second) as begun:
        added = [begun.invoke() for _ in range(2)]
    assert [each.result().result for each in added] == [told(second)] * 2
    fired = await w.client.fire("sample_ext", origin=second)
    assert fired.result == told(second)


@pytest.mark.parametrize("links", [1, 2], ids=["link", "chain"])
@pytest.mark.parametrize("name", ["sample_ext", "gate"], ids=["extension", "hosted"])
async def test_helpers_that_ask_are_told_who_fires(tmp_path: Path, name: str, links: int) -> None:
    """Whoever runs the hook, and not that one; unless the fire names its origin."""
    async with world(tmp_path) as w, sample_process(w):
        takes = AttachCapability.MULTI_ATTACH_WITH_WILDCARD
        await w.client.create_hook("gate", "sample", capability=takes)
        for _ in range(links if name == "gate" else 1):
            await asking(w, name)
        assert (await w.client.fire(name)).result == told(HERE)
        for origin in (Origin(7, 8, 0), Origin(7, 8, NOBODY), Origin(9, 10)):
            assert (await w.client.fire(name, origin=origin)).result == told(origin)
            columns = await w.client.fire_batch(name, count=2, origin=origin)
            assert list(columns.numbers) == [told(origin)] * 2
        (other,) = (await w.ctl_json("hook", "fire", name))["results"]
        assert int(other) & 3 == int(os.getuid() == 0)
        assert int(other) >> 2 not in {os.getpid(), w.daemon.pid}


async def asking(w: World, hook: str = "sample_ext") -> AttachedLink:
    """Attach a program that asks who is running: its result is what ``told`` says."""
    code = assemble(ASKING)
    program_file = object_file(code.code, code.functions).replace(b"conformance", b"sample_ext\0")
    program = (await w.client.load(program_file, file_name="who.o"))["program"]
    return await program.attach(hook)


def told(origin: Origin) -> int:
    """What helpers 19 and 21 say: the process, and in two bits 1 for root, 3 for nobody knows."""
    admin = 3 if origin.uid is None else int(origin.uid == 0)
    return origin.pid << 2 | admin


async def test_every_call_says_who_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of clients, and so of commands, and of extensions; also those that last."""
    callers: defaultdict[str, set[str | None]] = defaultdict(set)
    checked = TokenCheck.intercept_service

    async def seen(self: TokenCheck, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        callers[details.method.split("/")[-1]].add(token_in(details.invocation_metadata))
        return await checked(self, continuation, details)

    monkeypatch.setattr(TokenCheck, "intercept_service", seen)
    address = f"unix:{tmp_path / 'ebpfd.sock'}"
    async with (
        serving(tmp_path),
        Extension(sample, events, address=address),
        Client(address, hold=True, name="holder") as client,
    ):
        program = (await client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await program.attach("sample_ext")
        assert (await client.fire("sample_ext", data=UDP)).code is Result.SUCCESS
        await events.invoke_batch(bytes(LONG * SampleContext.layout.size), count=LONG)
        async with aclosing(client.watch_registrar()) as watch:
            await anext(watch)
        assert [key async for key in program.maps["by_protocol"]]
        assert [line async for line in client.trace(follow=False)] == []
    assert callers.keys() >= {"Fire", "Hold", "Invoke", "Session", "Trace", "Watch", "Dump"}
    assert [method for method, tokens in callers.items() if None in tokens] == []


async def test_a_daemon_that_starts_anew_does_not_know_the_tokens_of_the_old_one(
    tmp_path: Path,
) -> None:
    """Clients and extensions get new ones by themselves, whatever they call first."""
    address = f"unix:{tmp_path / 'ebpfd.sock'}"
    async with (
        Client(address) as client,
        Client(address) as firing,
        Client(address) as following,
        world(tmp_path) as w,
    ):
        said = await greeting(tmp_path / "ebpfd.sock")
        for each in (client, firing, following):
            await each.providers()
        async with Extension(sample, events, address=w.address):
            w.daemon.kill()
            await w.daemon.wait()
            (tmp_path / "ready.sock").unlink()
            async with world(tmp_path) as again:
                assert await refused(again, said.split()[0])
                assert {each.owner for each in await client.providers()} >= {"daemon"}
                fires = await asyncio.gather(*(firing.fire("sample_ext") for _ in range(3)))
                assert {each.code for each in fires} == {Result.OBJECT_NOT_FOUND}
                assert [line async for line in following.trace(follow=False)] == []
                async with asyncio.timeout(PATIENCE_S):
                    while not (found := await again.client.extensions()):
                        pass
                assert [each.peer for each in found] == [Peer(ME)]


async def refused(w: World, token: str) -> bool:
    """Whether a daemon refuses calls with *token*."""
    async with grpc.aio.insecure_channel(w.address) as channel:
        stub = registrar_pb2_grpc.RegistrarStub(channel)
        call: Any = stub.ListProviders(
            registrar_pb2.ListProvidersRequest(), metadata=metadata(token)
        )
        return await call.code() is grpc.StatusCode.UNAUTHENTICATED
