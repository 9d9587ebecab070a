"""Roles, asked before each call.

The one place where calls are refused; what a call's messages or files name only later, its servicer
asks about with the same caller, and the refusal comes back to here.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc

from ebpfd.errors import AccessDeniedError
from ebpfd.host.audit import Audit
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.guarded import guarded
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.rules import OURS, Asked, Rule, Things, rule_of

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class RoleCheck(grpc.aio.ServerInterceptor):
    """Refuses calls that no role of the caller allows, with PERMISSION_DENIED."""

    def __init__(self, callers: Callers, things: Things, audit: Audit) -> None:
        self._audit = audit
        self._callers = callers
        self._things = things
        self._handlers: dict[str, _Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["_Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Put the check before the method's own behavior."""
        method = handler_call_details.method
        if known := self._handlers.get(method):
            return known
        handler = await continuation(handler_call_details)
        if handler is None:  # there is no such method
            return None
        checked = self._handlers[method] = self._checked(handler, rule_of(method), method)
        return checked

    def _checked(self, handler: _Handler, rule: Rule | None, method: str) -> _Handler:
        streams = handler.request_streaming

        def check(request: Any, context: _Context) -> None:
            if rule is None:
                raise AccessDeniedError(f"nobody may call {method}: the daemon has no rule for it")
            caller = self._callers.of(context)
            asked = Asked(None if streams else request, caller, token_of(context) is not None)
            for need in rule(self._things, asked):
                caller.check(need)

        @asynccontextmanager
        async def guard(request: Any, context: _Context) -> AsyncGenerator[None]:
            try:
                check(request, context)
                yield
            except AccessDeniedError as error:
                who, thing = self._callers.peers.of(context), method.removeprefix(OURS)
                why = str(error)
                await self._audit.count("refused", who, "ACCESS_DENIED", thing, message=why)
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, why)

        return guarded(handler, guard)
