"""Calls of the daemon to the providers of an extension's map types."""

from collections.abc import Callable
from typing import TypeAlias

from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import Tasks

Reply: TypeAlias = Callable[[registrar_pb2.MapReturn], None]


class MapCalls:
    """Finds who provides the map of a call, and lets it answer."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._providers: list[Provider] = []

    def add(self, provider: Provider) -> None:
        """Serve the maps of *provider*, if it has any."""
        self._providers.append(provider)

    def handle(
        self, bound: Provider | None, callback_id: int, call: registrar_pb2.MapCall, reply: Reply
    ) -> None:
        """Answer when the provider has; *bound* is that of the binding, if there still is one."""
        provider = next((each for each in self._providers if each.has_map(call.map_context)), bound)
        if provider is not None:
            self._tasks.start(_answer(provider, callback_id, call, reply), name="map call")
            return
        message = f"there is no map {call.map_id} here"
        reply(
            registrar_pb2.MapReturn(
                callback_id=callback_id, result=Result.INVALID_OBJECT, message=message
            )
        )


async def _answer(
    provider: Provider, callback_id: int, call: registrar_pb2.MapCall, reply: Reply
) -> None:
    answer = await provider.call_map(call)
    answer.callback_id = callback_id
    reply(answer)
