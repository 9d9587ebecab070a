"""A daemon over TLS: everything works for who has a certificate, and nothing for who has none."""

import asyncio
import os
import ssl
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from ebpfd_api.metadata import TOKEN
from ebpfd_api.v1 import registrar_pb2, registrar_pb2_grpc
from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Certificates, Client, DaemonUnavailable, EbpfdError, Extension, Hook, Result
from tests.certificates import DAY, Authority
from tests.daemon.rpc.wire import greeting
from tests.e2e.net import Net, net
from tests.e2e.world import PATIENCE_S, PROGRAMS, SAMPLE, command, world
from tests.packets import UDP


async def test_everything_works_over_tls(tmp_path: Path) -> None:
    """Commands, an extension in its own process, a client: load, attach, fire, look."""
    async with net(tmp_path) as n:
        sample_process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", SAMPLE, stderr=PIPE, env={**os.environ, **n.environment()}
        )
        try:
            assert sample_process.stderr is not None
            assert b"connected to tls:" in await sample_process.stderr.readline()
            loaded = await n.ctl("-o", "json", "program", "load", str(PROGRAMS / "count.o"))
            assert loaded.code == 0, loaded.err
            (program,) = loaded.json()
            attach = ("link", "attach", str(program["id"]), "--attach-type", "sample_ext")
            attached = await n.ctl(*attach)
            assert attached.code == 0, attached.err
            async with Client(n.address, certificates=n.certificates, hold=True, name="far") as far:
                answer = await far.fire("sample_ext", data=UDP)
                assert answer.code is Result.SUCCESS
                (extension,) = await far.extensions()
                (owner,) = await far.owners()
            assert extension.process_id == 0  # it is of another host, for all we know
            for peer in (extension.peer, owner.peer):
                assert peer is not None
                assert peer.process is None
                assert peer.certificate is not None
                assert peer.certificate.names == ("ops.example", "other")
                assert peer.certificate.address.startswith(("ipv4:127.0.0.1:", "ipv6:[::1]:"))
            (row,) = (await n.ctl("-o", "json", "extension", "list")).json()
            assert row["peer"]["names"] == ["ops.example", "other"]
            assert "ops.example" in (await n.ctl("provider", "list")).out
            connected = [each for each in n.world.log() if each["event"] == "extension connected"]
            assert [each["certificate"] for each in connected] == [["ops.example", "other"]]
        finally:
            sample_process.terminate()
            await sample_process.wait()
        assert sample_process.returncode == 0


async def test_options_name_the_files_as_well(tmp_path: Path) -> None:
    """Before the environment."""
    async with net(tmp_path) as n:
        files = ("--cert", str(n.client.cert), "--key", str(n.client.key), "--ca", str(n.ca.path))
        wrong = dict.fromkeys(("EBPFD_CERT", "EBPFD_KEY", "EBPFD_CA"), "/nowhere")
        ran = await command("ebpfctl", "--address", n.address, *files, "program", "list", **wrong)
        assert ran.code == 0, ran.err


async def test_an_extension_leaves_its_hook_to_a_daemon_far_away(tmp_path: Path) -> None:
    """The daemon is asked with the extension's certificates."""
    hook = Hook(events.guid, sample, name="gate", hosted=True)
    async with (
        net(tmp_path) as n,
        Extension(sample, hook, address=n.address, certificates=n.certificates),
    ):
        (made,) = await n.world.client.hooks()
        assert (made.name, made.hosted) == ("gate", True)


async def test_an_extension_survives_the_daemon_and_new_certificates(tmp_path: Path) -> None:
    """It connects again when a daemon is back on its port."""
    async with (
        net(tmp_path) as n,
        Extension(sample, events, address=n.address, certificates=n.certificates),
    ):
        program = (await n.world.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await program.attach("sample_ext")
        assert (await events.invoke(SampleContext(), data=UDP)).code is Result.SUCCESS
        n.world.daemon.kill()
        await n.world.daemon.wait()
        (tmp_path / "ready.sock").unlink()
        daemon = n.ca.issue("daemon", "localhost")
        again = ("--listen", n.address, *daemon.serving(n.ca.path))
        async with world(tmp_path, *again) as w, asyncio.timeout(PATIENCE_S):
            while not await w.client.extensions():
                pass


async def refused(n: Net, certificates: Certificates) -> str:
    """Why there is no connection: the SDK's words, which are those of commands."""
    async with Client(n.address, certificates=certificates) as client:
        with pytest.raises(DaemonUnavailable) as caught:
            await client.providers()
    with pytest.raises(DaemonUnavailable) as again:
        async with Extension(sample, events, address=n.address, certificates=certificates):
            pass
    assert str(again.value) == str(caught.value)
    files = {
        "EBPFD_CERT": str(certificates.cert),
        "EBPFD_KEY": str(certificates.key),
        "EBPFD_CA": str(certificates.ca),
    }
    ran = await n.ctl("provider", "list", **files)
    code = Result.RPC_EXCEPTION
    assert (ran.code, ran.err) == (1, f"error: {code.name} ({code.value}): {caught.value}\n")
    return str(caught.value)


async def test_a_client_that_is_not_to_come_in_is_told_so(tmp_path: Path) -> None:
    """Of another authority, or too late."""
    async with net(tmp_path) as n:
        stranger = Authority(tmp_path, "strangers").issue("stranger", "ops.example")
        late = n.ca.issue("late", "ops.example", valid=-DAY)
        refusal = f"no connection to the daemon at {n.address}: it does not take the certificate"
        assert await refused(n, stranger.known_by(n.ca.path)) == (
            f"{refusal} {stranger.cert}: use one that is valid now, and issued by an authority in "
            "its --client-ca"
        )
        said = await refused(n, late.known_by(n.ca.path))
        assert said.startswith(f"{refusal} {late.cert}: it expired on {late.until:%Y-%m-%d %H:%M}")
        assert said.endswith(" UTC: use one that is valid now")
        assert [each for each in n.world.log() if each["event"] == "extension connected"] == []


async def test_a_daemon_that_is_not_to_be_believed_is_not(tmp_path: Path) -> None:
    """Its certificate is another one without a restart, and clients say what is wrong with it."""
    async with net(tmp_path) as n:
        others = Authority(tmp_path, "others")
        said = await refused(n, n.client.known_by(others.path))
        assert f": its certificate is from no authority in {others.path} (" in said
        assert said.endswith("name the file of the right one with --ca or EBPFD_CA")
        n.ca.issue("daemon", "elsewhere.example")
        said = await refused(n, n.certificates)
        assert ": its certificate is not for localhost: use a name that it has" in said
        n.ca.issue("daemon", "localhost")
        assert (await n.ctl("provider", "list")).code == 0
        n.ca.issue("daemon", "localhost", valid=-DAY)
        assert (await n.ctl("provider", "list")).code == 0, "the last one that counts is used"
        refusals = [each for each in n.world.log() if each["event"].startswith("new certificates")]
        assert "it expired on" in refusals[-1]["reason"]


@pytest.mark.parametrize(
    ("began", "valid", "why"),
    [(-20 * DAY, -DAY, "it expired on {:%Y-%m-%d %H:%M} UTC"), (DAY, 2 * DAY, "not valid before")],
)
async def test_a_certificate_out_of_its_time_is_said_to_be(
    tmp_path: Path, began: timedelta, valid: timedelta, why: str
) -> None:
    """A daemon serves without TLS then; of one that has it already, clients say the date."""
    ca = Authority(tmp_path)
    daemon, client = ca.issue("daemon", "localhost", began=began, valid=valid), ca.issue("client")
    why = why.format(daemon.until)
    async with world(tmp_path, "--listen", "tls:localhost:0", *daemon.serving(ca.path)) as w:
        assert await w.client.providers()
        (line,) = [each for each in w.log() if each["level"] == "error"]
        (serving,) = [each for each in w.log() if each["event"] == "serving"]
    assert serving["listen"] == [w.address]
    assert f"cert {daemon.cert}: it" in line["reason"]
    assert why in line["reason"]
    assert "name one that is valid now" in line["reason"]

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(daemon.cert, daemon.key)
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        certificates = client.known_by(ca.path)
        async with Client(f"tls:localhost:{port}", certificates=certificates) as far:
            with pytest.raises(DaemonUnavailable, match="its certificate does not count: it") as e:
                await far.providers()
    assert why in str(e.value)


async def test_without_a_certificate_nobody_is_served(tmp_path: Path) -> None:
    """Nor without TLS; and a daemon that is gone is no matter of certificates."""
    async with net(tmp_path) as n:
        target = n.address.removeprefix("tls:")
        ca = grpc.ssl_channel_credentials(n.ca.path.read_bytes())
        for channel in (grpc.aio.insecure_channel(target), grpc.aio.secure_channel(target, ca)):
            async with channel:
                stub = registrar_pb2_grpc.RegistrarStub(channel)
                call: Any = stub.ListProviders(registrar_pb2.ListProvidersRequest())
                assert await call.code() is grpc.StatusCode.UNAVAILABLE
        ran = await n.ctl("provider", "list", EBPFD_CERT="")
        assert ran.code == 1
        assert "cert: over TCP a daemon and its clients prove" in ran.err
        n.world.daemon.terminate()
        await n.world.daemon.wait()
        gone = (await n.ctl("provider", "list")).err
        assert "(connection refused): start it with `ebpfd run`" in gone


async def test_what_is_no_tls_is_said_to_be_none(tmp_path: Path) -> None:
    """Something else has the port."""

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n" * 10)
        writer.close()

    ca = Authority(tmp_path)
    certificates = ca.issue("client").known_by(ca.path)
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Client(f"tls:127.0.0.1:{port}", certificates=certificates) as client:
            with pytest.raises(DaemonUnavailable, match="no TLS is spoken there"):
                await client.providers()


async def test_files_that_a_client_cannot_use_are_named(tmp_path: Path) -> None:
    """Before it tries anything."""
    ca = Authority(tmp_path)
    issued = ca.issue("client")

    async def refusal(certificates: Certificates) -> str:
        with pytest.raises(EbpfdError) as caught:
            async with Client("tls:localhost:1", certificates=certificates):
                pass
        assert caught.value.code is Result.INVALID_ARGUMENT
        return str(caught.value)

    assert (await refusal(Certificates(issued.cert, issued.key))).endswith("with --ca or EBPFD_CA")
    missing = Certificates(issued.cert, issued.key, "/no/where")
    assert await refusal(missing) == "ca /no/where: No such file or directory"
    assert "in PEM form" in await refusal(Certificates(ca.path, issued.key, ca.path))
    issued.key.chmod(0o604)
    exposed = await refusal(issued.known_by(ca.path))
    assert exposed == (f"key {issued.key}: others can read or change it (mode 604): chmod 600 it")


async def test_a_token_does_not_count_over_tls(tmp_path: Path) -> None:
    """It is of a process of the daemon's host; the certificate says who is there."""
    async with net(tmp_path) as n:
        token, *_ = (await greeting(tmp_path / "ebpfd.sock")).split()
        credentials = n.certificates.credentials()
        async with grpc.aio.secure_channel(n.address.removeprefix("tls:"), credentials) as channel:
            stub = registrar_pb2_grpc.RegistrarStub(channel)
            session = stub.Session(metadata=((TOKEN, token),))
            hello = registrar_pb2.Hello(
                protocol_version=1, name="both", process_id=os.getpid(), process_instance=bytes(16)
            )
            await session.write(registrar_pb2.SessionRequest(hello=hello))
            await session.read()
            (extension,) = await n.world.client.extensions()
            assert extension.peer is not None
            assert extension.peer.process is None
            assert extension.process_id == 0
            session.cancel()
