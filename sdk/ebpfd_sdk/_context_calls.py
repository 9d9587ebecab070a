"""Calls of the daemon for the contexts of test runs."""

from collections.abc import Callable
from typing import TypeAlias

from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import Tasks

Reply: TypeAlias = Callable[[registrar_pb2.ContextReturn], None]


class ContextCalls:
    """Finds the program type of a call, and lets it answer."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._providers: dict[bytes, Provider] = {}

    def add(self, provider: Provider) -> None:
        """Serve the contexts of *provider*, if it is a program type."""
        self._providers[provider.guid.bytes] = provider

    def handle(self, callback_id: int, call: registrar_pb2.ContextCall, reply: Reply) -> None:
        """Answer when the program type has."""
        provider = self._providers.get(call.program_type)
        if provider is not None:
            work = _answer(provider, callback_id, call, reply)
            self._tasks.start(work, name="context of a test run")
            return
        refusal = registrar_pb2.ContextReturn(
            callback_id=callback_id,
            result=Result.INVALID_ARGUMENT,
            message="this extension does not provide the program type",
        )
        reply(refusal)


async def _answer(
    provider: Provider, callback_id: int, call: registrar_pb2.ContextCall, reply: Reply
) -> None:
    answer = await provider.call_context(call)
    answer.callback_id = callback_id
    reply(answer)
