"""The files by which this process and a daemon on ``tls:HOST:PORT`` prove who they are."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

from ebpfd_api.key_file import exposure
from ebpfd_api.result import Result
from ebpfd_sdk._errors import EbpfdError

VARIABLES: Final = {"cert": "EBPFD_CERT", "key": "EBPFD_KEY", "ca": "EBPFD_CA"}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form; one that is None is named by EBPFD_CERT, EBPFD_KEY or EBPFD_CA."""

    cert: str | Path | None = None
    """The certificate of this process."""

    key: str | Path | None = None
    """Its private key."""

    ca: str | Path | None = None
    """The authorities that the daemon's certificate may be from."""

    def path(self, name: str) -> Path:
        """Where the file ``cert``, ``key`` or ``ca`` is; EbpfdError if nobody says it."""
        said: str | Path | None = getattr(self, name)
        path = said or os.environ.get(VARIABLES[name])
        if not path:
            raise _wrong(
                f"{name}: over TCP a daemon and its clients prove to each other who they are: name "
                f"a file with --{name} or {VARIABLES[name]}"
            )
        return Path(path)

    def credentials(self) -> grpc.ChannelCredentials:
        """For a channel; EbpfdError if a file cannot be used."""
        ca, key, cert = (self._content(name) for name in ("ca", "key", "cert"))
        if why := exposure(self.path("key")):
            raise _wrong(f"key {self.path('key')}: {why}")
        self.context()
        return grpc.ssl_channel_credentials(ca, key, cert)

    def context(self) -> ssl.SSLContext:
        """The same for a connection without gRPC; EbpfdError if a file cannot be used."""
        cert, key, ca = (self.path(name) for name in ("cert", "key", "ca"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["h2"])
        try:
            context.load_cert_chain(cert, key, password=lambda: "")
        except ssl.SSLError:
            raise _wrong(
                f"cert {cert}, key {key}: these must be a certificate and its private key in PEM "
                "form, the key without a password"
            ) from None
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError:
            raise _wrong(f"ca {ca}: this must be certificates in PEM form") from None
        return context

    def _content(self, name: str) -> bytes:
        path = self.path(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise _wrong(f"{name} {path}: {error.strerror}") from None


def _wrong(message: str) -> EbpfdError:
    return EbpfdError(Result.INVALID_ARGUMENT, message)
