"""Calls of one custom map to its provider: with a deadline, and with what comes after it.

A caller is answered at the deadline, but the call goes on: what succeeds late is taken back, since
the provider would else keep something for a value that nobody has stored.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import structlog

from ebpfd import nmr
from ebpfd.contracts import MapProviderData
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.modules import MapCall, MapModule, ModuleGoneError
from ebpfd.host.services import Services
from ebpfd.objects import MapShape
from ebpfd.objects.custom_maps import ProviderCall, ProviderReturn, undo_of
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.result import Result

Late: TypeAlias = Callable[[ProviderCall, ProviderReturn], ProviderCall | None]
"""What a call that was given up and has returned calls for."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BoundProvider:
    """A provider that has taken the map."""

    binding: nmr.BindingHandle
    context: bytes
    owner: MapModule
    data: MapProviderData


class ProviderCalls:
    """Calls to whichever provider is ``bound`` at the moment."""

    def __init__(
        self, services: Services, deadlines: Deadlines, map_id: int, shape: MapShape
    ) -> None:
        self.bound: BoundProvider | None = None
        self.late: Late | None = None
        """None: a map that does not exist yet."""

        self.doubtful: set[bytes] = set()
        """Keys of elements whose provider still may agree to their deletion."""

        self.unanswered = 0
        """Calls that go on, also of callers that were answered at the deadline."""

        self._services = services
        self._deadlines = deadlines
        self._map_id = map_id
        self._shape = shape
        self._map_context = b""

    async def call(self, call: ProviderCall) -> ProviderReturn:
        """What the provider answers; TIMEOUT and EXTENSION_FAILED_TO_LOAD if it does not."""
        bound = self.bound
        if bound is None:
            code, message = Result.EXTENSION_FAILED_TO_LOAD, "its provider has gone"
            return ProviderReturn(code, message, unanswered=True)
        answer: asyncio.Future[ProviderReturn] = asyncio.get_running_loop().create_future()
        function = call.function.name.lower()
        self._services.start(
            self._ask(bound, call, answer), name=f"{function} of map {self._map_id}"
        )
        try:
            async with asyncio.timeout(self._deadlines.map_s):
                await answer
        except TimeoutError:
            if answer.cancelled():  # else it came in the last moment
                return self._overdue(call, bound)
        returned = answer.result()
        if call.function is MapFunction.PREPROCESS_MAP_CREATE and not returned.result:
            self._map_context = returned.map_context
        return returned

    def _overdue(self, call: ProviderCall, bound: BoundProvider) -> ProviderReturn:
        function, limit = call.function.name.lower(), f"{self._deadlines.map_s:g} s"
        if call.asks_to_delete:
            self.doubtful.add(call.key)
        _log.warning("a custom map is overdue", map=self._map_id, function=function)
        message = f"the extension {bound.owner.name} took longer than {limit} for {function}"
        return ProviderReturn(Result.TIMEOUT, message, unanswered=True)

    async def _ask(
        self, bound: BoundProvider, call: ProviderCall, answer: "asyncio.Future[ProviderReturn]"
    ) -> None:
        """Ask, beyond the deadline too."""
        self.unanswered += 1
        try:
            await self._asked(bound, call, answer)
        finally:
            self.unanswered -= 1

    async def _asked(
        self, bound: BoundProvider, call: ProviderCall, answer: "asyncio.Future[ProviderReturn]"
    ) -> None:
        restart = call.function is MapFunction.PREPROCESS_MAP_CREATE
        asked = MapCall(
            binding=bound.binding,
            binding_context=bound.context,
            map_context=b"" if restart else self._map_context,
            map_id=self._map_id,
            shape=self._shape,
            call=call,
            deadline_s=self._deadlines.map_s,
        )
        try:
            returned = await bound.owner.call_map(asked, self._deadlines.drain_s)
        except ModuleGoneError:
            message = f"the extension {bound.owner.name} went away before it answered"
            code = Result.EXTENSION_FAILED_TO_LOAD
            returned = ProviderReturn(code, message, unanswered=True)
        except TimeoutError:
            returned = ProviderReturn(Result.TIMEOUT)  # nobody waits any more
        if answer.done():
            await self._take_back(bound, asked, returned)
        else:
            answer.set_result(returned)

    async def _take_back(
        self, bound: BoundProvider, asked: MapCall, returned: ProviderReturn
    ) -> None:
        call = asked.call
        if self.late is None:
            undo = undo_of(bound.data, call, returned)
        else:
            undo = self.late(call, returned)
        if call.asks_to_delete:
            self.doubtful.discard(call.key)
        if undo is None:
            return
        context = returned.map_context or asked.map_context
        try:
            await bound.owner.call_map(
                replace(asked, map_context=context, call=undo), self._deadlines.drain_s
            )
        except (ModuleGoneError, TimeoutError):
            return
