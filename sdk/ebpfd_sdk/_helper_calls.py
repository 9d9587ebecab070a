"""Calls of programs to the helpers of an extension."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._helper import Helper
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import Tasks

Reply: TypeAlias = Callable[[registrar_pb2.HelperReturn], None]


class HelperCalls:
    """Finds the function of a call, runs it and answers; an exception is an answer too."""

    def __init__(self, tasks: Tasks) -> None:
        self._providers: dict[bytes, Provider] = {}
        self._tasks = tasks

    def add(self, provider: Provider) -> None:
        """Serve the helpers of *provider*."""
        self._providers[provider.guid.bytes] = provider

    def handle(self, callback_id: int, call: registrar_pb2.HelperCall, reply: Reply) -> None:
        """Answer at once if the helper is a plain function, else when it is done."""
        provider = self._providers.get(call.program_type)
        helper = provider.helpers().get(call.helper_id) if provider else None
        if helper is None:
            label = provider.label if provider else "this extension"
            reason = f"{label} has no helper {call.helper_id:#x}"
            reply(registrar_pb2.HelperReturn(callback_id=callback_id, error=reason))
        elif helper.asynchronous:
            self._tasks.start(
                _run_async(helper, callback_id, call, reply), name=f"helper {helper.name}"
            )
        else:
            reply(_run(helper, callback_id, call))


def _run(
    helper: Helper, callback_id: int, call: registrar_pb2.HelperCall
) -> registrar_pb2.HelperReturn:
    try:
        parameters = helper.unmarshal(call)
        return helper.marshal(callback_id, parameters, helper.function(*parameters))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (the extension's own code may raise anything)
        return helper.failed(callback_id, error)


async def _run_async(
    helper: Helper, callback_id: int, call: registrar_pb2.HelperCall, reply: Reply
) -> None:
    """Nobody waits beyond the deadline: then the call is cancelled, and not answered."""
    deadline = asyncio.timeout(call.deadline_ms / 1000 if call.deadline_ms else None)
    try:
        async with deadline:
            parameters = helper.unmarshal(call)
            result: int | Awaitable[int] = helper.function(*parameters)
            answer = helper.marshal(
                callback_id, parameters, await result if inspect.isawaitable(result) else result
            )
    except (Exception, asyncio.CancelledError) as error:
        if deadline.expired():
            return
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
            raise
        answer = helper.failed(callback_id, error)
    reply(answer)
