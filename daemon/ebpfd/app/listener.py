"""The gRPC server on its Unix sockets, which their owner alone can use at first, and over TLS."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import grpc
import structlog

from ebpfd.app.locks import InUseError, locked
from ebpfd.app.tls import OutOfTimeError, TlsListener
from ebpfd.host.hello import Hello
from ebpfd.store.advice import advice_for
from ebpfd_api.address import hello_path

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

MAX_MESSAGE_BYTES: Final = 16 << 20

OPTIONS: Final = (
    # Less than may be sent: what one module says of itself is passed on in a longer message.
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES - 8192),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    # A stream that nobody reads holds a few hundred KiB instead of megabytes; with less, one long
    # message waits for the other side's word in its middle.
    ("grpc.http2.lookahead_bytes", 262144),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
)

TLS_OPTIONS: Final = (
    # The end of a host, unlike that of a process, says nothing: what it held would stay for ever.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 60_000),
)


@asynccontextmanager
async def listening(
    server: grpc.aio.Server,
    hello: Hello,
    paths: tuple[Path, ...],
    mode: int,
    tls: TlsListener | None,
    grace_s: float,
) -> AsyncGenerator[tuple[str, ...]]:
    """Serve on *paths* and *tls* within the block, which gets the addresses; then they are gone.

    Without a certificate that is valid now *tls* is left out, and the log says so.
    *mode* says who else may connect to *paths*.
    """
    async with AsyncExitStack() as stack:
        for path in paths:
            lock = path.with_name(path.name + ".lock")
            stack.enter_context(locked(lock, f"unix:{path}", "--listen"))
            stack.enter_context(_removed(path, "--listen"))
            hello_socket = stack.enter_context(bound(Path(hello_path(str(path))), mode=mode))
            # Before anybody can call who would ask for it.
            await stack.enter_async_context(hello.serving(hello_socket))
            with _umask(0o777 & ~mode):
                _add_port(server, path)
        addresses = [f"unix:{path}" for path in paths]
        if tls is not None:
            try:
                credentials = await asyncio.to_thread(tls.credentials)
            except OutOfTimeError as error:
                # What goes on here needs no certificate.
                _log.error("not listening over TLS, but on Unix sockets alone", reason=str(error))
            else:
                addresses += _add_secure_ports(server, tls, credentials)
        await server.start()
        try:
            yield tuple(addresses)
        finally:
            await server.stop(grace_s)


def _add_port(server: grpc.aio.Server, path: Path) -> None:
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError:  # which does not say why
        raise InUseError(
            f"unix:{path} cannot be listened on: {advice_for(errno.EMFILE)} if there are no "
            "descriptors left, or choose another --listen"
        ) from None


def _add_secure_ports(
    server: grpc.aio.Server, tls: TlsListener, credentials: grpc.ServerCredentials
) -> list[str]:
    addresses: list[str] = []
    for endpoint in tls.endpoints:
        try:
            port = server.add_secure_port(str(endpoint), credentials)
        except RuntimeError:
            raise InUseError(
                f"tls:{endpoint} cannot be listened on: another process does, or it is no address "
                "of this host: choose another --listen"
            ) from None
        addresses.append(f"tls:{replace(endpoint, port=port)}")
    return addresses


@contextmanager
def _removed(path: Path, option: str) -> Generator[None]:
    """Remove what a killed daemon left behind, and in the end what we leave."""
    if os.path.lexists(path):
        if not path.is_socket():
            raise InUseError(f"{path} is no socket, and would be lost: choose another {option}")
        if _answers(path):
            raise InUseError(
                f"{path} is another program's socket, which answers there: stop that program, "
                f"or choose another {option}"
            )
    path.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    """Whether anybody has the socket, of whatever kind it is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as asking:
        try:
            asking.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            pass  # it is of another kind, has no time just now, or is not for us
    return True


@contextmanager
def bound(
    path: Path,
    kind: socket.SocketKind = socket.SOCK_STREAM,
    *,
    mode: int = 0o600,
    option: str = "--listen",
) -> Generator[socket.socket]:
    """A socket, for this user alone unless *mode* says more; closed and removed in the end."""
    with _removed(path, option), socket.socket(socket.AF_UNIX, kind) as made:
        with _umask(0o777 & ~mode):
            made.bind(str(path))
        yield made


@contextmanager
def _umask(mask: int) -> Generator[None]:
    """The socket's mode comes from the umask at the moment it is bound."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
