"""Something around the behavior of a method, of whichever kind that is."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from inspect import isasyncgenfunction
from typing import Any, TypeAlias

import grpc

from ebpfd.rpc.around import Context, Handler

Guard: TypeAlias = "Callable[[Any, Context], AbstractAsyncContextManager[None]]"
"""Given a call's request, or its stream of them, and its context: what the call happens within."""


def guarded(handler: Handler, guard: Guard) -> Handler:
    """A handler whose calls happen within *guard*; each message of a stream costs nothing more.

    Where a behavior generates its answers, each of them passes through.
    """
    kind = "_".join(
        "stream" if streams else "unary"
        for streams in (handler.request_streaming, handler.response_streaming)
    )
    behavior: Callable[[Any, Context], Any] = getattr(handler, kind)

    async def call(request: Any, context: Context) -> Any:
        async with guard(request, context):
            return await behavior(request, context)

    async def generate(request: Any, context: Context) -> AsyncIterator[Any]:
        async with guard(request, context), aclosing(behavior(request, context)) as responses:
            async for response in responses:
                yield response

    make = getattr(grpc, f"{kind}_rpc_method_handler")
    made: Handler = make(
        generate if isasyncgenfunction(behavior) else call,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )
    return made
