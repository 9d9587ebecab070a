"""Who makes a call: the token that it carries, checked before the call begins."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import grpc

from ebpfd.host.peers import UNKNOWN, Certificate, Peer, Tokens
from ebpfd_api.metadata import TOKEN
from ebpfd_api.v1 import peer_pb2

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Metadata: TypeAlias = "Iterable[tuple[str, str | bytes]]"

_REFUSAL: Final = (
    f'{TOKEN}: this token is not valid, or not any more: get a new one from the hello socket, "'
    'PATH.hello" beside the socket PATH'
)


class TokenCheck(grpc.aio.ServerInterceptor):
    """Refuses calls with a token that stands for nobody; those without one pass."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        # Of the most general kind, which serves a call of any kind that it only refuses.
        self._refusal: _Handler = grpc.stream_stream_rpc_method_handler(_refuse)

    async def intercept_service(  # type: ignore[override]
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Let a call through, or not."""
        token = token_in(handler_call_details.invocation_metadata)
        if token is not None and self._tokens.find(token) is None:
            return self._refusal
        return await continuation(handler_call_details)


class Peers:
    """Whom calls come from."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def of(self, context: _Context) -> Peer:
        """What is known of the caller."""
        if certificate := _certificate(context):
            return Peer(certificate=certificate)  # a token is of processes of this host
        token = token_in(context.invocation_metadata())
        process = None if token is None else self._tokens.find(token)
        return UNKNOWN if process is None else Peer(process)


def token_in(metadata: "_Metadata | None") -> str | None:
    """The token among a call's metadata."""
    for key, value in metadata or ():
        if key == TOKEN:
            return value if isinstance(value, str) else value.decode(errors="replace")
    return None


def encode_peer(peer: Peer) -> peer_pb2.Peer:
    """A peer for listings."""
    message = peer_pb2.Peer()
    if process := peer.process:
        message.process.pid, message.process.uid = process.pid, process.uid
        message.process.gid = process.gid
    if certificate := peer.certificate:
        message.certificate.names.extend(certificate.names)
        message.certificate.address = certificate.address
    return message


def _certificate(context: _Context) -> Certificate | None:
    """What the caller has shown, if it has come over TLS."""
    shown = context.auth_context()
    if b"ssl" not in shown.get("transport_security_type", ()):
        return None
    names = shown.get("x509_subject_alternative_name") or shown.get("x509_common_name") or ()
    return Certificate(
        names=tuple(each.decode(errors="replace") for each in names),
        address=unquote(context.peer()),
    )


async def _refuse(_: object, context: _Context) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, _REFUSAL)
