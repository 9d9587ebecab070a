"""A TLS listener is started with good files or not at all, and takes new ones as they come."""

import asyncio
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ebpfd.app import Settings, SettingsError
from ebpfd.app.locks import InUseError
from ebpfd.app.tls import OutOfTimeError, Renewal, TlsListener
from ebpfd.app.tls_expiry import CertificateExpiry
from ebpfd_api.address import Endpoint, tls_endpoint
from ebpfd_api.validity import validity_of
from tests.certificates import DAY, Authority, Issued
from tests.daemon.rpc.wire import serving


def parsed(issued: Issued, ca: Path, *listen: str) -> Settings:
    """Settings from a command line."""
    return Settings.parse(
        listen or ("tls:localhost:0",),
        None,
        cert=str(issued.cert),
        key=str(issued.key),
        client_ca=str(ca),
    )


def refusal(issued: Issued, ca: Path) -> str:
    """Why a daemon does not start."""
    with pytest.raises(SettingsError) as caught:
        parsed(issued, ca)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("tls:host.example:443", Endpoint("host.example", 443)),
        ("tls:127.0.0.1:0", Endpoint("127.0.0.1", 0)),
        ("tls:[::1]:65535", Endpoint("::1", 65535)),
        ("tls:::1:1", None),
        ("tls:host", None),
        ("tls:host:", None),
        ("tls:host:65536", None),
        ("tls:unix:/path:1", None),
        ("host:1", None),
        ("tls:host:1\n", None),
    ],
)
def test_an_address_is_read_and_written(text: str, endpoint: Endpoint | None) -> None:
    """An IPv6 address is in brackets."""
    assert tls_endpoint(text) == endpoint
    if endpoint:
        assert f"tls:{endpoint}" == text


def test_a_listener_has_all_files_or_is_none(tmp_path: Path) -> None:
    """There is no TCP without certificates of both sides."""
    ca = Authority(tmp_path)
    issued = ca.issue("daemon", "localhost")
    files = {"cert": str(issued.cert), "key": str(issued.key), "client_ca": str(ca.path)}

    def parse(listen: str, names: Iterable[str]) -> Settings:
        said = {name: path for name, path in files.items() if name in names}
        return Settings.parse(
            (listen, "unix:/a/b"),
            None,
            cert=said.get("cert"),
            key=said.get("key"),
            client_ca=said.get("client_ca"),
        )

    settings = parse("tls:localhost:1", files)
    endpoints = (Endpoint("localhost", 1),)
    assert settings.tls == TlsListener(endpoints, issued.cert, issued.key, ca.path)
    assert settings.listen == (Path("/a/b"),)
    for each in files:
        option = each.replace("_", "-")
        with pytest.raises(SettingsError, match=f"there is no --{option}: .* give"):
            parse("tls:localhost:1", files.keys() - {each})
        with pytest.raises(SettingsError, match=f"{option}: .*which is not among --listen"):
            parse("unix:/c", {each})


def test_there_is_always_a_unix_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extensions that the daemon hosts are there, and its operator."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    ca = Authority(tmp_path)
    assert parsed(ca.issue("daemon"), ca.path).listen == (tmp_path / "ebpfd" / "ebpfd.sock",)


def test_a_configuration_file_says_the_same(tmp_path: Path) -> None:
    """And does not get in the way of who listens elsewhere on the command line."""
    ca = Authority(tmp_path)
    issued = ca.issue("daemon")
    config = tmp_path / "ebpfd.toml"
    config.write_text(
        'listen = ["tls:[::]:50051", "unix:/a/b"]\n'
        f'[tls]\ncert = "{issued.cert}"\nkey = "{issued.key}"\nclient_ca = "{ca.path}"\n'
    )
    settings = Settings.parse((), None, config=str(config))
    assert settings.tls == TlsListener((Endpoint("::", 50051),), issued.cert, issued.key, ca.path)
    assert Settings.parse(("unix:/c",), None, config=str(config)).tls is None
    config.write_text(f'listen = ["unix:/a/b"]\n[tls]\ncert = "{issued.cert}"\n')
    with pytest.raises(SettingsError, match="cert: it is for tls:HOST:PORT"):
        Settings.parse((), None, config=str(config))


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """Before anybody is refused because of them."""
    ca = Authority(tmp_path)
    good, other = ca.issue("good"), ca.issue("other")
    nothing = tmp_path / "nothing"
    nothing.touch(mode=0o600)
    missing = tmp_path / "missing"
    assert refusal(Issued(missing, good.key), ca.path).startswith(f"cert {missing}: No such")
    assert refusal(Issued(good.cert, missing), ca.path).startswith(f"key {missing}: No such")
    assert refusal(good, missing).startswith(f"client-ca {missing}: No such")
    assert "is not that of the certificate" in refusal(Issued(good.cert, other.key), ca.path)
    assert "in PEM form" in refusal(Issued(nothing, good.key), ca.path)
    assert "in PEM form" in refusal(Issued(good.cert, nothing), ca.path)
    assert f"client-ca {nothing}: this must be certificates" in refusal(good, nothing)
    assert "without a password" in refusal(ca.issue("locked", password=b"x"), ca.path)


def out_of_time(issued: Issued, ca: Path) -> str:
    """Why a daemon that starts does not listen over TLS."""
    listener = parsed(issued, ca).tls
    assert listener is not None
    with pytest.raises(OutOfTimeError) as caught:
        listener.configuration()
    return str(caught.value)


def test_certificates_out_of_their_time_are_named(tmp_path: Path) -> None:
    """The daemon's own; of authorities one that is valid is enough."""
    ca, old = Authority(tmp_path), Authority(tmp_path, "old", valid=-DAY)
    good, late = ca.issue("good"), ca.issue("late", valid=-DAY)
    early = ca.issue("early", began=DAY, valid=2 * DAY)
    until = f"{late.until:%Y-%m-%d %H:%M} UTC"
    assert out_of_time(late, ca.path) == (
        f"cert {late.cert}: it expired on {until}: name one that is valid now"
    )
    assert f"cert {early.cert}: it is not valid before " in out_of_time(early, ca.path)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(good.cert.read_bytes() + late.cert.read_bytes())
    assert "it expired on" in out_of_time(Issued(chain, good.key), ca.path)
    assert out_of_time(good, old.path).startswith(f"client-ca {old.path}: it expired on")
    both = tmp_path / "both.pem"
    both.write_bytes(old.path.read_bytes() + ca.path.read_bytes())
    listener = parsed(good, both).tls
    assert listener is not None
    listener.configuration()


async def test_an_expired_certificate_leaves_the_local_service_alone(tmp_path: Path) -> None:
    """The daemon serves on its socket, and the log names the file and the date."""
    ca = Authority(tmp_path)
    late = ca.issue("late", valid=-DAY)
    settings = await asyncio.to_thread(parsed, late, ca.path, "tls:localhost:0")
    with capture_logs() as logged:
        async with serving(tmp_path, tls=settings.tls) as w:
            assert [each.partition(":")[0] for each in w.daemon.addresses] == ["unix"]
    (line,) = [each for each in logged if each["log_level"] == "error"]
    assert f"{late.cert}: it expired on {late.until:%Y-%m-%d}" in line["reason"]


def test_the_log_warns_before_the_certificate_expires(tmp_path: Path) -> None:
    """From two weeks before, once a day; how long it has is known all the time."""
    issued = Authority(tmp_path).issue("daemon")
    end_s, pem = issued.until.timestamp(), issued.cert.read_bytes()
    expiry = CertificateExpiry(issued.cert)
    with capture_logs() as logged:
        for days in (15, 13.9, 13.8, 12.9, -1):
            expiry.look(pem, end_s - days * 86400)
            assert expiry.at_s == end_s
        expiry.look(b"", end_s - 86400)
    assert [line["days"] for line in logged] == [13, 12]
    assert {line["expires"][:10] for line in logged} == {f"{issued.until:%Y-%m-%d}"}


@given(st.binary(max_size=200))
def test_what_is_no_certificate_has_no_validity(content: bytes) -> None:
    """Nor does it do any harm."""
    with pytest.raises(ValueError, match="no certificate"):
        validity_of(content)


@pytest.mark.parametrize(
    ("mode", "private"), [(0o600, True), (0o640, True), (0o644, False), (0o620, False)]
)
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int, *, private: bool) -> None:
    """A group may read it, as that of a service's keys does."""
    ca = Authority(tmp_path)
    issued = ca.issue("daemon")
    issued.key.chmod(mode)
    if private:
        parsed(issued, ca.path)
    else:
        assert refusal(issued, ca.path).endswith(f"(mode {mode:o}): chmod 600 it")


def test_new_files_are_taken_when_they_fit_together(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Until then the old ones are used, and the log says why, once."""
    ca = Authority(tmp_path)
    issued = ca.issue("daemon")
    renewal = Renewal(TlsListener((), issued.cert, issued.key, ca.path))
    assert renewal.next() is None
    before = issued.cert.read_bytes()
    ca.issue("daemon")
    after = issued.cert.read_bytes()
    issued.cert.write_bytes(before)
    assert renewal.next() is None
    assert renewal.next() is None
    issued.cert.write_bytes(after)
    assert renewal.next() is not None
    assert renewal.next() is None
    issued.key.unlink()
    assert renewal.next() is None
    said = capfd.readouterr()
    assert (said.out + said.err).count("new certificates cannot be used") == 2
    assert (said.out + said.err).count("certificates renewed") == 1


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Two daemons on one port would share its clients."""
    ca = Authority(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tls:127.0.0.1:{taken.getsockname()[1]}"
        listen, issued = f"unix:{tmp_path / 'a'}", ca.issue("daemon")
        settings = await asyncio.to_thread(parsed, issued, ca.path, listen, address)
        with pytest.raises(BaseExceptionGroup) as caught:
            async with serving(tmp_path, listen=settings.listen, tls=settings.tls):
                pass
    (error,) = caught.value.exceptions
    assert isinstance(error, InUseError)
    assert str(error).startswith(f"{address} cannot be listened on: another process does")
