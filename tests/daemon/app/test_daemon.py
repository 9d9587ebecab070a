"""Start and stop: sockets, locks, and who may use them."""

import asyncio
import os
import socket
import stat
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ebpfd.app import Settings, SettingsError, running
from ebpfd.app.config import OpenTo
from ebpfd.app.locks import InUseError, locked, private_directory
from ebpfd.app.notify import extend_start, notify, watchdog_s
from ebpfd.app.refusal import refusal
from ebpfd.host.programs import Programs
from ebpfd.host.services import Services
from ebpfd.store import StoreError
from ebpfd_api.address import Endpoint
from ebpfd_api.result import Result
from ebpfd_api.v1 import links_pb2, programs_pb2
from tests.daemon.host.world import object_file, until
from tests.daemon.rpc.wire import PATIENCE_S, serving


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


async def refused(settings: Settings) -> str:
    """Why a daemon with *settings* does not start."""
    with pytest.raises((InUseError, ExceptionGroup)) as caught:
        async with running(settings):
            pass
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, InUseError), error
    return str(error)


async def test_a_socket_is_its_owners_alone_and_goes_with_the_daemon(tmp_path: Path) -> None:
    """Mode 0600 in a directory of mode 0700."""
    path = tmp_path / "made" / "ebpfd.sock"
    async with asyncio.timeout(PATIENCE_S), running(Settings(listen=(path,))):
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert (mode(path), mode(path.parent)) == (0o600, 0o700)
        assert mode(path.with_name("ebpfd.sock.lock")) == 0o600
    assert not path.exists()


@pytest.mark.parametrize("open_to", OpenTo, ids=lambda open_to: open_to.value)
async def test_both_sockets_are_open_to_whom_they_are_to_be(
    tmp_path: Path, open_to: OpenTo
) -> None:
    """That of the API, and the one beside it which says who somebody is."""
    path = tmp_path / "ebpfd.sock"
    settings = Settings(listen=(path,), open_to=open_to)
    async with asyncio.timeout(PATIENCE_S), running(settings):
        hello = path.with_name("ebpfd.sock.hello")
        for each in (path, hello):
            assert stat.S_ISSOCK(each.stat().st_mode)
            assert mode(each) == open_to.mode, each
        assert mode(path.with_name("ebpfd.sock.lock")) == 0o600


async def test_a_second_daemon_on_a_socket_is_refused_by_name(tmp_path: Path) -> None:
    """And the first one goes on serving."""
    async with serving(tmp_path) as w:
        message = await refused(Settings(listen=(tmp_path / "ebpfd.sock",)))
        assert f"(pid {os.getpid()})" in message
        assert "--listen" in message
        assert (await w.links.List(links_pb2.LinksListRequest())).links == []


async def test_a_second_daemon_on_a_state_directory_is_refused(tmp_path: Path) -> None:
    """Its socket is another one; afterwards the directory is free again."""
    first = Settings(listen=(tmp_path / "a",), state=tmp_path / "state")
    second = Settings(listen=(tmp_path / "b",), state=tmp_path / "state")
    async with asyncio.timeout(PATIENCE_S):
        async with running(first):
            assert "state directory" in await refused(second)
            assert not (tmp_path / "b").exists()
        async with running(second):
            pass


async def test_ids_given_while_a_daemon_stops_are_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls are served until all has been detached, and their ids may have been seen."""
    settings = Settings(listen=(tmp_path / "a",), state=tmp_path / "state")
    given: list[int] = []
    close = Programs.close

    async def asked_meanwhile(programs: Programs) -> None:
        given.append(daemon.objects.next_id())
        await close(programs)

    monkeypatch.setattr(Programs, "close", asked_meanwhile)
    async with asyncio.timeout(PATIENCE_S):
        async with running(settings) as daemon:
            pass
        async with running(settings) as daemon:
            assert daemon.objects.last_id == given[0]


async def test_several_sockets_serve_the_same_daemon(tmp_path: Path) -> None:
    """And a socket that a killed daemon left is taken over."""
    paths = (tmp_path / "a", tmp_path / "b")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(paths[0]))
    async with asyncio.timeout(PATIENCE_S), running(Settings(listen=paths)):
        for path in paths:
            async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
                # The stub makes its methods at run time, where no type checker sees them.
                health: Any = health_pb2_grpc.HealthStub(channel)
                answer = await health.Check(health_pb2.HealthCheckRequest())
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    """A wrong --listen must not cost anybody a file."""
    path = tmp_path / "precious"
    path.write_text("letters")
    assert "is no socket" in await refused(Settings(listen=(path,)))
    assert path.read_text() == "letters"
    (tmp_path / "folder").mkdir()
    assert "is no socket" in await refused(Settings(listen=(tmp_path / "folder",)))


async def test_a_path_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """A file where a directory should be; a directory where the lock should be."""
    (tmp_path / "file").write_text("")
    message = await refused(Settings(listen=(tmp_path / "file" / "ebpfd.sock",)))
    assert "cannot be used" in message
    assert message.endswith("choose another --listen")
    (tmp_path / "ebpfd.sock.lock").mkdir()
    assert "cannot be used" in await refused(Settings(listen=(tmp_path / "ebpfd.sock",)))


async def test_a_live_socket_of_another_program_is_not_removed(tmp_path: Path) -> None:
    """Of whatever kind it is; and the message names it, and the option that led there."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        path = tmp_path / kind.name
        with socket.socket(socket.AF_UNIX, kind) as others:
            others.bind(str(path))
            if kind is not socket.SOCK_DGRAM:
                others.listen()
            message = await refused(Settings(listen=(path,)))
            assert message.startswith(f"{path} is another program's socket")
            assert message.endswith("choose another --listen")
            message = await refused(Settings(listen=(tmp_path / "a",), metrics=path))
            assert message.endswith("choose another --metrics")
            assert path.is_socket()


async def test_what_is_in_use_is_told_with_the_option_that_names_it(tmp_path: Path) -> None:
    """A daemon on the same state, the same socket, the same place for metrics."""
    state, metrics = tmp_path / "state", tmp_path / "metrics"
    first = Settings(listen=(tmp_path / "a",), state=state, metrics=metrics)
    async with asyncio.timeout(PATIENCE_S), running(first):
        for settings, option in (
            (Settings(listen=(tmp_path / "a",)), "--listen"),
            (Settings(listen=(tmp_path / "b",), state=state), "--state"),
            (Settings(listen=(tmp_path / "c",), metrics=metrics), "--metrics"),
        ):
            assert (await refused(settings)).endswith(f"choose another {option}")


async def test_a_socket_that_grpc_cannot_have_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say why; mostly there are no descriptors left."""

    def fail(*_: object) -> int:
        raise RuntimeError("Failed to bind to address")

    monkeypatch.setattr("grpc.aio._server.Server.add_insecure_port", fail)
    message = await refused(Settings(listen=(tmp_path / "a",)))
    assert message.startswith(f"unix:{tmp_path}/a cannot be listened on: raise `LimitNOFILE=`")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InUseError("it is in use"), "it is in use"),
        (ExceptionGroup("", [ExceptionGroup("", [StoreError("it is damaged")])]), "it is damaged"),
        (ExceptionGroup("", [OSError(28, "No space", "/a")]), "/a: No space: make room there"),
        (OSError(24, "Too many", "/a"), "/a: Too many: raise `LimitNOFILE=` of the unit"),
        (ZeroDivisionError(), None),
    ],
)
def test_a_refusal_is_what_is_behind_it_in_one_line(error: Exception, line: str | None) -> None:
    """And what can be done; a bug keeps its traceback."""
    assert (refusal(error) or "None").startswith(str(line))


async def test_a_daemon_that_does_not_start_tells_its_audit_nothing(tmp_path: Path) -> None:
    """It has neither started nor stopped."""
    audit = tmp_path / "audit"
    async with asyncio.timeout(PATIENCE_S), running(Settings(listen=(tmp_path / "a",))):
        await refused(Settings(listen=(tmp_path / "a",), audit=audit))
        assert await asyncio.to_thread(audit.read_text) == ""


def test_a_directory_that_others_can_change_is_refused(tmp_path: Path) -> None:
    """They could put a socket of their own there; a sticky one as /tmp is taken."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(InUseError, match="can be changed by"):
        private_directory(shared, "--listen")
    shared.chmod(0o1777)
    private_directory(shared, "--listen")


def test_a_lock_is_free_again_after_its_block(tmp_path: Path) -> None:
    """Whatever ended the block."""
    path = tmp_path / "lock"
    with pytest.raises(ZeroDivisionError), locked(path, "it", "--state"):
        raise ZeroDivisionError
    with (
        locked(path, "it", "--state"),
        pytest.raises(InUseError, match="it is in use"),
        locked(path, "it", "--state"),
    ):
        pass


async def test_stopping_lets_go_of_everything(tmp_path: Path) -> None:
    """Links are detached while their extension answers; sessions and streams end; no delay."""
    loop = asyncio.get_running_loop()
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        await w.attach("count.o", module)
        await module.open_data()
        begun = loop.time()
        await module.during(w.stop())
        assert loop.time() - begun < 4, "nobody waited for a deadline"
        assert await module.ended() is grpc.StatusCode.OK
        left = [*w.daemon.objects.programs(), *w.daemon.objects.links()]
        assert (left, w.daemon.sessions.all(), module.bindings != []) == ([], [], True)


async def test_stopping_waits_only_so_long_for_a_deaf_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is taken as gone."""
    monkeypatch.setattr("ebpfd.app.daemon.STOP_S", 0.1)
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        link = await w.attach("count.o", module)
        assert link.binding
        await w.stop()
        assert await module.ended() is grpc.StatusCode.OK
    assert w.daemon.sessions.all() == []


async def test_a_load_in_progress_does_not_keep_the_daemon(tmp_path: Path) -> None:
    """Its attach is unanswered: the daemon stops all the same, and the caller is told."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        module.held.add("attach")
        request = programs_pb2.LoadRequest(object=object_file("count.o"))
        loading = asyncio.ensure_future(module.during(w.programs.Load(request)))
        await until(lambda: bool(w.daemon.registrar.bindings()[1:]))
        await w.stop()
        assert (await loading).status.code == Result.EXTENSION_FAILED_TO_LOAD


@pytest.mark.parametrize(
    ("listen", "complaint"),
    [
        ("tcp:1", "only unix:PATH"),
        ("unix:", "only unix:PATH"),
        ("tls:", "not tls:HOST:PORT"),
        ("tls:host", "not tls:HOST:PORT"),
        ("tls:host:65536", "not tls:HOST:PORT"),
        ("tls:::1:1", "not tls:HOST:PORT"),
        ("tls:host:1", "there is no --cert"),
        ("unix:/" + 101 * "x", "longer than 101 bytes"),
        ("unix:/" + 51 * "é", "longer than 101 bytes"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_named(listen: str, complaint: str) -> None:
    """The message repeats it and says what is possible."""
    with pytest.raises(SettingsError, match=complaint) as caught:
        Settings.parse((listen,), None)
    assert listen in str(caught.value)


@pytest.mark.parametrize(
    ("metrics", "address", "shown"),
    [
        ("127.0.0.1:9464", Endpoint("127.0.0.1", 9464), "127.0.0.1:9464"),
        ("localhost:0", Endpoint("127.0.0.1", 0), "127.0.0.1:0"),
        ("[::1]:80", Endpoint("::1", 80), "[::1]:80"),
        ("unix:/m", Path("/m"), "/m"),
    ],
)
def test_metrics_are_for_this_host(metrics: str, address: Endpoint | Path, shown: str) -> None:
    """A loopback address with its port, or a socket; nowhere unless it is asked for."""
    settings = Settings.parse(("unix:/a",), None, metrics=metrics)
    assert settings.metrics == address
    assert str(settings.metrics) == shown
    assert Settings.parse(("unix:/a",), None).metrics is None


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        ("9464", "write HOST:PORT or unix:PATH"),
        ("localhost", "write HOST:PORT or unix:PATH"),
        ("localhost:http", "write HOST:PORT or unix:PATH"),
        ("localhost:65536", "write HOST:PORT or unix:PATH"),
        ("unix:", "write HOST:PORT or unix:PATH"),
        ("unix:/" + 107 * "x", "longer than 107 bytes"),
        ("0.0.0.0:9464", "only 127.0.0.1"),
        ("[::]:9464", "only 127.0.0.1"),
        (":9464", "only 127.0.0.1"),
        ("example.org:9464", "only 127.0.0.1"),
    ],
)
def test_a_place_where_metrics_cannot_be_shown_is_named(metrics: str, complaint: str) -> None:
    """The message repeats it and says what is possible."""
    with pytest.raises(SettingsError, match=complaint) as caught:
        Settings.parse(("unix:/a",), None, metrics=metrics)
    assert f"metrics {metrics}: " in str(caught.value)


def test_settings_come_from_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are made absolute; without an address the user's own is taken."""
    monkeypatch.chdir(tmp_path)
    settings = Settings.parse(("unix:a", "unix:/b"), "state")
    assert settings == Settings((tmp_path / "a", Path("/b")), tmp_path / "state")
    monkeypatch.setenv("EBPFD_ADDRESS", "unix:/run/somewhere")
    assert Settings.parse((), None) == Settings((Path("/run/somewhere"),))


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_if_it_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
) -> None:
    """By the socket that the environment names; else nothing happens."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    name = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name if abstract else name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name if abstract else name)
        notify("READY=1")
        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    ("usec", "pid", "within_s"),
    [
        (None, None, None),
        ("60000000", None, 60.0),
        ("60000000", "{}", 60.0),
        ("60000000", "1{}", None),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_who_is_watched_knows_how_long_he_may_be_silent(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, within_s: float | None
) -> None:
    """If it is this process that is watched."""
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value.format(os.getpid()))
    assert watchdog_s() == within_s


async def test_a_start_that_takes_longer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the time that it had is over, and again before what it asked for is."""
    monkeypatch.setattr("ebpfd.app.notify.EXTENSION_S", 0.04)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        async with asyncio.timeout(PATIENCE_S), Services() as services:
            services.start(extend_start(), name="start")
            for _ in range(2):
                said = await asyncio.get_running_loop().sock_recv(listener, 100)
                assert said == b"EXTEND_TIMEOUT_USEC=40000"
