"""A channel to the daemon, and what goes wrong on it in the SDK's own words."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

import grpc

from ebpfd_api.address import tls_endpoint
from ebpfd_api.metadata import TOKEN
from ebpfd_api.result import Result
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._errors import DaemonUnavailable, EbpfdError
from ebpfd_sdk._socket_trouble import socket_trouble
from ebpfd_sdk._tls_trouble import tls_trouble
from ebpfd_sdk._token import TokenSource

OPTIONS: Final = (
    # Bounds what a stream that nobody reads can pile up, here and in the daemon.
    ("grpc.http2.lookahead_bytes", 262144),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", 16 << 20),
    # A daemon that starts again is met within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A proxy for the web is none for a daemon on this host.
    ("grpc.enable_http_proxy", 0),
    # The end of a channel is not shared with other channels of this process.
    ("grpc.use_local_subchannel_pool", 1),
)

TLS_OPTIONS: Final = (
    # The end of a host, unlike that of a process, says nothing.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)

_UNGREETED: Final = "before receiving SETTINGS frame"
"""In what gRPC says of somebody who has taken a connection and then said nothing."""

UNREACHABLE: Final = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}
)


QUOTAS: Final = "[quotas]"
"""Stands in what the daemon says of a quota; gRPC itself has the same status for long messages."""

Metadata: TypeAlias = tuple[tuple[str, str], ...]

UNIX: Final = "unix:"
PERMISSION_DENIED: Final = "permission denied"


class Connection:
    """One channel, and the address for messages."""

    def __init__(self, address: str, certificates: Certificates | None = None) -> None:
        self.address = address
        self._certificates = certificates or Certificates()
        self._endpoint = tls_endpoint(address)
        unix = address.startswith(UNIX)
        if self._endpoint is not None:
            self.channel = grpc.aio.secure_channel(
                f"dns:{self._endpoint}", self._certificates.credentials(), (*OPTIONS, *TLS_OPTIONS)
            )
        elif unix:
            self.channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        else:
            advice = "an address is unix:PATH or tls:HOST:PORT"
            raise DaemonUnavailable(address, "this is no address", advice)
        self._tokens = TokenSource(address.removeprefix(UNIX)) if unix else None

    async def identity(self) -> Metadata:
        """Metadata by which the daemon knows this process, for a call that is made now."""
        token = await self._tokens.token() if self._tokens else ""
        return ((TOKEN, token),) if token else ()

    def refused(self, identity: Metadata, error: grpc.aio.AioRpcError) -> bool:
        """Whether a call did nothing but fail for its *identity*, which is then used no more."""
        if not identity or error.code() is not grpc.StatusCode.UNAUTHENTICATED:
            return False
        assert self._tokens is not None, "the identity is from there"
        self._tokens.refused(identity[0][1])
        return True

    @asynccontextmanager
    async def translated(self) -> AsyncGenerator[None]:
        """Turn what gRPC raises into what the SDK raises."""
        try:
            yield
        except grpc.aio.AioRpcError as error:
            raise await self.error_of(error) from None

    async def error_of(self, error: grpc.aio.AioRpcError) -> EbpfdError:
        """Say what a failed call means to its caller."""
        details = error.details() or error.code().name
        if error.code() is grpc.StatusCode.UNAVAILABLE and self._endpoint is not None:
            trouble = await tls_trouble(self._endpoint, self._certificates)
            if trouble is not None:
                return DaemonUnavailable(self.address, *trouble)
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED or _UNGREETED in details:
            return DaemonUnavailable(
                self.address,
                "it takes connections but does not answer",
                "it may be stopped, or have more to do than it can: see its log, or restart it",
            )
        if error.code() in UNREACHABLE:
            return self.unavailable(details)
        if error.code() is grpc.StatusCode.PERMISSION_DENIED:
            return EbpfdError(Result.ACCESS_DENIED, details)
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and QUOTAS in details:
            return EbpfdError(Result.NO_MEMORY, details)
        return EbpfdError(Result.RPC_EXCEPTION, f"{error.code().name}: {details}")

    def unavailable(self, details: str) -> DaemonUnavailable:
        """Say that nobody answers, in few words."""
        reason = _shortened(details)
        if reason == PERMISSION_DENIED and self.address.startswith(UNIX):
            return DaemonUnavailable(self.address, *socket_trouble(self.address.removeprefix(UNIX)))
        return DaemonUnavailable(self.address, reason)

    async def close(self) -> None:
        """End all calls on the channel."""
        await self.channel.close()


def _shortened(details: str) -> str:
    """Keep the system's own word of a connection error, without gRPC's story of it."""
    for error in ("no such file or directory", "connection refused", PERMISSION_DENIED):
        if error in details.lower():
            return error
    return details.splitlines()[0] if details else os.strerror(0)
