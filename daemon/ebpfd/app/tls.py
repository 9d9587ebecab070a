"""Mutual TLS: the daemon's own certificate, and the authorities of those that it lets in."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from ebpfd.app.config_table import SettingsError
from ebpfd_api.address import Endpoint
from ebpfd_api.key_file import exposure
from ebpfd_api.validity import time_problems

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OutOfTimeError(SettingsError):
    """A certificate has expired, or does not count yet."""


@dataclass(frozen=True, slots=True)
class TlsListener:
    """Where to listen over TCP, and the files, all in PEM form, without which nobody listens."""

    endpoints: tuple[Endpoint, ...]
    cert: Path
    """The daemon's certificate, with those between it and its authority behind it."""

    key: Path
    client_ca: Path
    """The authorities whose certificates let somebody in."""

    def configuration(self) -> grpc.ServerCertificateConfiguration:
        """What the files say; ``SettingsError`` names the one that cannot be used."""
        key = _content("key", self.key)
        cert, client_ca = _content("cert", self.cert), _content("client-ca", self.client_ca)
        if why := exposure(self.key):
            raise SettingsError(f"key {self.key}: {why}")
        self._check()
        _check_time(self.cert, cert, self.client_ca, client_ca)
        return grpc.ssl_server_certificate_configuration([(key, cert)], root_certificates=client_ca)

    def credentials(self) -> grpc.ServerCredentials:
        """For a server that refuses who shows no certificate; files that change count at once."""
        renewal = Renewal(self)
        return grpc.dynamic_ssl_server_credentials(
            self.configuration(),
            renewal.next,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            require_client_authentication=True,
        )

    def marks(self) -> tuple[tuple[int, int, int], ...]:
        """Other values when a file is another one, or has changed; ``OSError``."""
        found = [path.stat() for path in (self.cert, self.key, self.client_ca)]
        return tuple((each.st_ino, each.st_mtime_ns, each.st_mode) for each in found)

    def _check(self) -> None:
        """GRPC would take anything, and then refuse everybody without a word."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key, password=lambda: "")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                message = f"key {self.key}: it is not that of the certificate {self.cert}"
                raise SettingsError(message) from None
            raise SettingsError(
                f"cert {self.cert}, key {self.key}: these must be a certificate and its private "
                "key in PEM form, the key without a password"
            ) from None
        try:
            context.load_verify_locations(self.client_ca)
        except ssl.SSLError:
            message = f"client-ca {self.client_ca}: this must be certificates in PEM form"
            raise SettingsError(message) from None


class Renewal:
    """New certificates without a restart: gRPC asks before each handshake."""

    def __init__(self, listener: TlsListener) -> None:
        self._listener = listener
        self._seen = listener.marks()
        self._complained = ""

    def next(self) -> grpc.ServerCertificateConfiguration | None:
        """What is to be used from now on; None: what has been used."""
        try:
            marks = self._listener.marks()
            if marks == self._seen:
                return None
            new = self._listener.configuration()
            if marks != self._listener.marks():  # somebody is writing them
                return None
        except (SettingsError, OSError) as error:
            if str(error) != self._complained:
                self._complained = str(error)
                _log.warning("new certificates cannot be used", reason=str(error))
            return None
        self._seen, self._complained = marks, ""
        _log.info("certificates renewed", cert=str(self._listener.cert))
        return new


def _check_time(cert_path: Path, cert: bytes, ca_path: Path, ca: bytes) -> None:
    """Who listens in spite of it would be refused by all, or refuse all; ``OutOfTimeError``."""
    for problem in filter(None, time_problems(cert)):
        raise OutOfTimeError(f"cert {cert_path}: {problem}: name one that is valid now")
    problems = time_problems(ca)
    if problems and all(problems):
        message = f"{problems[0]}: name the certificate of an authority that is valid now"
        raise OutOfTimeError(f"client-ca {ca_path}: {message}")


def _content(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name} {path}: {error.strerror}") from None
