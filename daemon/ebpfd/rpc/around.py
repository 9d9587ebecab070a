"""Interceptors that put something around the behavior of methods, each once."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Around(grpc.aio.ServerInterceptor):
    """Keeps the handlers that it has made: they serve every call of their methods."""

    def __init__(self) -> None:
        self._made: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Answer with a handler that ``around`` has made, or with none: there is no such method."""
        method = handler_call_details.method
        if made := self._made.get(method):
            return made
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        made = self._made[method] = self.around(method, handler)
        return made

    @abstractmethod
    def around(self, method: str, handler: Handler) -> Handler:
        """Make the handler of a method from its own, or return that."""
