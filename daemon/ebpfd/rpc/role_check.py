"""Roles, asked before each call.

The one place where calls are refused; what a call's messages or files name only later, its servicer
asks about with the same caller, and the refusal comes back to here.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from inspect import isasyncgenfunction
from typing import Any, TypeAlias

import grpc

from ebpfd.errors import AccessDeniedError
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.owner import token_of
from ebpfd.rpc.rules import Asked, Rule, Things, rule_of

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Behavior: TypeAlias = Callable[[Any, _Context], Any]


class RoleCheck(grpc.aio.ServerInterceptor):
    """Refuses calls that no role of the caller allows, with PERMISSION_DENIED."""

    def __init__(self, callers: Callers, things: Things) -> None:
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
        kind = "_".join(
            "stream" if streams else "unary"
            for streams in (handler.request_streaming, handler.response_streaming)
        )
        behavior: _Behavior = getattr(handler, kind)
        streams = handler.request_streaming

        def check(request: Any, context: _Context) -> None:
            if rule is None:
                raise AccessDeniedError(f"nobody may call {method}: the daemon has no rule for it")
            caller = self._callers.of(context)
            asked = Asked(None if streams else request, caller, token_of(context) is not None)
            for need in rule(self._things, asked):
                caller.check(need)

        async def call(request: Any, context: _Context) -> Any:
            try:
                check(request, context)
                return await behavior(request, context)
            except AccessDeniedError as error:
                await _refuse(context, error)

        async def generate(request: Any, context: _Context) -> AsyncIterator[Any]:
            try:
                check(request, context)
            except AccessDeniedError as error:
                await _refuse(context, error)
            async with aclosing(behavior(request, context)) as responses:
                async for response in responses:
                    yield response

        make = getattr(grpc, f"{kind}_rpc_method_handler")
        checked: _Handler = make(
            generate if isasyncgenfunction(behavior) else call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
        return checked


async def _refuse(context: _Context, error: AccessDeniedError) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, str(error))
