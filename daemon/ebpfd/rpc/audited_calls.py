"""Calls that change something, in the audit log."""

from typing import Any

import grpc

from ebpfd.host.audit import Audit
from ebpfd.host.services import Services
from ebpfd.rpc.around import Around, Context, Handler
from ebpfd.rpc.changes import CHANGES, Change
from ebpfd.rpc.peers import Peers
from ebpfd.rpc.rules import OURS
from ebpfd_api.result import result_name
from ebpfd_api.v1 import maps_pb2


class AuditedCalls(Around):
    """A change is told before it is answered."""

    def __init__(self, audit: Audit, peers: Peers, services: Services) -> None:
        super().__init__()
        self._audit = audit
        self._peers = peers
        self._services = services

    def around(self, method: str, handler: Handler) -> Handler:
        """Put the log around the behavior of a method that changes something."""
        change = CHANGES.get(method.removeprefix(OURS))
        return handler if change is None else self._told(handler, change)

    def _told(self, handler: Handler, change: Change) -> Handler:
        behavior: Any = handler.unary_unary

        async def tell(request: Any, context: Context) -> Any:
            who = self._peers.of(context)  # at once: a token ends with its process
            response = await behavior(request, context)
            code, facts = response.status.code, change.facts(request, response)
            if response.status.message:
                facts["message"] = response.status.message
            outcome = result_name(code)
            if change.often and not _puts(request):
                thing = str(getattr(request, change.often))
                await self._audit.count(change.what, who, outcome, thing, **facts)
            else:
                await self._audit.record(change.what, who, outcome, **facts)
            return response

        async def finish(request: Any, context: Context) -> Any:
            """A caller who hangs up does not get away without a line."""
            return await self._services.finish(tell(request, context), name=change.what)

        return grpc.unary_unary_rpc_method_handler(
            finish,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _puts(request: Any) -> bool:
    """Whether it puts a program or a map into a map: nothing that is done very often."""
    return isinstance(request, maps_pb2.UpdateRequest) and bool(request.WhichOneof("object"))
