"""From a program on an engine thread to a helper in an extension, and back.

The thread waits; the event loop carries the call.  Whatever goes wrong ends the invocation with
one code: TIMEOUT for a late helper, FAILED for one that raised, EXTENSION_FAILED_TO_LOAD for one
whose extension has gone, and NO_MEMORY where too many calls wait already.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

from ebpfd.host.modules import (
    ExtensionModule,
    HelperArgument,
    HelperCall,
    HelperOutcome,
    MapArgument,
    Module,
    ModuleGoneError,
)
from ebpfd.host.program_elements import ProgramElements
from ebpfd.host.quotas import QuotaGuard
from ebpfd.objects import Rundown
from ebpfd_api.helper_calls import DEADLINE_S, MOST_LATE
from ebpfd_api.result import Result
from ebpfd_vm import HelperError, Map

GRACE_S: Final = 1.0
"""What the loop may take beyond a deadline, before the thread gives it up."""

_P = ParamSpec("_P")
_Value = TypeVar("_Value")


class _Batch(threading.local):
    """What runs on this thread: how often each helper, by program and id, was late for it.

    From ``deadline`` on, the loop's time, none is waited for.
    """

    def __init__(self) -> None:
        self.late = Counter[tuple[int, int]]()
        self.deadline: float | None = None


_batch = _Batch()


def as_batch(work: Callable[_P, _Value], *arguments: _P.args, **named: _P.kwargs) -> _Value:
    """Do *work*, which is one batch, on this thread."""
    _batch.late.clear()
    _batch.deadline = None
    return work(*arguments, **named)


def answer_by(deadline: float) -> None:
    """Let the batch on this thread wait for helpers no longer than until then."""
    _batch.deadline = deadline


@dataclass(frozen=True, slots=True)
class Target:
    """Who serves a helper at the moment, what it is called there, and how long it may take.

    ``deadline_s`` is None if its author does not say.
    """

    provider: ExtensionModule | None
    program_type: UUID
    helper_id: int
    calls: Rundown
    """That a call of it is in flight."""

    deadline_s: float | None = None

    @property
    def label(self) -> str:
        """What tells it from its extension's other helpers."""
        return f"helper {self.helper_id} of {self.program_type}"


class HelperCalls:
    """The calls that wait for extensions; none waits longer than *longest_s*.

    A helper that hangs leaves room for the others of its extension.
    """

    def __init__(
        self,
        longest_s: float,
        guard: QuotaGuard | None = None,
        elements: ProgramElements | None = None,
    ) -> None:
        self.longest_s: Final = longest_s
        self.elements: Final = elements
        self._guard = guard or QuotaGuard()
        self._waiting = Counter[Hashable]()

    def most_waiting(self) -> tuple[int, int]:
        """Calls of the extension, and of the helper, of which most wait."""
        extensions, helpers = [0], [0]
        for place, count in self._waiting.items():
            (helpers if isinstance(place, tuple) else extensions).append(count)
        return max(extensions), max(helpers)

    @property
    def patience_s(self) -> float:
        """What a thread waits for, if even the loop does not answer."""
        elements_s = self.elements.deadline_s if self.elements else 0.0
        return max(self.longest_s, elements_s) + GRACE_S

    @property
    def waiting(self) -> bool:
        """Whether any call waits."""
        return bool(self._waiting)

    def deadline_s(self, target: Target) -> float:
        """How long a call is waited for."""
        return min(target.deadline_s or DEADLINE_S, self.longest_s)

    @contextmanager
    def one_more(self, extension: Module | None, helper: str) -> Generator[None]:
        """Within the block a call waits; ``HelperError`` NO_MEMORY if too many do."""
        places = (extension, (extension, helper))
        quotas = ("extension_helper_calls", "helper_calls")
        for quota, place in zip(quotas, places, strict=True):
            if self._waiting[place] >= getattr(self._guard.quotas, quota):
                message = f"{self._waiting[place]} calls wait for it already"
                self._guard.count(quota, f"{helper}: {message}")
                raise HelperError(Result.NO_MEMORY, message)
        self._waiting.update(places)
        try:
            yield
        finally:
            self._waiting.subtract(places)
            for place in places:
                if not self._waiting[place]:
                    del self._waiting[place]


class HelperBridge:
    """Calls helpers of whichever extension serves them at the moment, as *target* tells."""

    def __init__(
        self,
        program_id: int,
        target: Callable[[int], Target],
        calls: HelperCalls,
        *,
        elements_by: frozenset[int] = frozenset(),
    ) -> None:
        self._elements_by = elements_by
        self._program_id = program_id
        self._target = target
        self._calls = calls
        self._map_ids: dict[int, int] = {}
        self._loop = asyncio.get_running_loop()

    def know_maps(self, maps: Sequence[tuple[Map, int]]) -> None:
        """Tell which id each engine map has; the caller keeps the maps alive."""
        self._map_ids = {id(engine_map): map_id for engine_map, map_id in maps}

    def __call__(
        self, helper_id: int, arguments: Sequence[int | bytes | Map | None], context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        """Run helper *helper_id*; called on an engine thread."""
        late, helper = _batch.late, (self._program_id, helper_id)
        if late[helper] >= MOST_LATE:
            message = f"it was late for {MOST_LATE} events of this batch, and is not asked again"
            raise HelperError(Result.TIMEOUT, message)
        try:
            return self._ask(helper_id, arguments, context)
        except HelperError as error:
            if error.code == Result.TIMEOUT:
                late[helper] += 1
            raise

    def _ask(
        self, helper_id: int, arguments: Sequence[int | bytes | Map | None], context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        passed = [self._argument(argument) for argument in arguments]
        calling = self._call(helper_id, passed, context, _batch.deadline)
        answer = asyncio.run_coroutine_threadsafe(calling, self._loop)
        patience_s = self._calls.patience_s
        try:
            outcome = answer.result(patience_s)
        except TimeoutError:
            answer.cancel()
            raise HelperError(Result.TIMEOUT, f"nothing came in {patience_s:g} s") from None
        if outcome.error:
            raise HelperError(Result.FAILED, outcome.error)
        return outcome.result, list(outcome.outputs)

    async def _call(
        self,
        helper_id: int,
        arguments: Sequence[HelperArgument],
        context: bytes,
        deadline: float | None,
    ) -> HelperOutcome:
        if self._calls.elements is not None and helper_id in self._elements_by:
            return await self._write(self._calls.elements, helper_id, arguments, deadline)
        target = self._target(helper_id)
        if target.provider is None:
            raise _gone()
        call = HelperCall(
            program_type=target.program_type,
            helper_id=target.helper_id,
            arguments=arguments,
            context=context,
            program_id=self._program_id,
        )
        deadline_s = self._until(deadline, self._calls.deadline_s(target))
        try:
            with self._calls.one_more(target.provider, target.label), target.calls.use():
                async with asyncio.timeout(deadline_s):
                    return await target.provider.call_helper(call, deadline_s)
        except TimeoutError:
            raise HelperError(Result.TIMEOUT, f"it took longer than {deadline_s:.3g} s") from None
        except ModuleGoneError:
            raise _gone() from None

    async def _write(
        self,
        elements: ProgramElements,
        helper_id: int,
        arguments: Sequence[HelperArgument],
        deadline: float | None,
    ) -> HelperOutcome:
        """Write an element of a custom map, whose provider is asked."""
        deadline_s = self._until(deadline, elements.deadline_s)
        which, *others = arguments
        map_id = which.map_id if isinstance(which, MapArgument) else 0
        with self._calls.one_more(elements.provider(map_id), f"map {map_id}"):
            return HelperOutcome(await elements.write(helper_id, map_id, others, deadline_s))

    def _until(self, deadline: float | None, most_s: float) -> float:
        """How long may be waited; ``HelperError`` TIMEOUT for not at all."""
        if deadline is None:
            return most_s
        left_s = deadline - self._loop.time()
        if left_s <= 0:
            raise HelperError(Result.TIMEOUT, "it was not asked: the deadline has passed")
        return min(most_s, left_s)

    def _argument(self, argument: int | bytes | Map | None) -> HelperArgument:
        if isinstance(argument, Map):
            return MapArgument(self._map_ids.get(id(argument), 0))
        return argument


def _gone() -> HelperError:
    return HelperError(Result.EXTENSION_FAILED_TO_LOAD, "the extension that serves it has gone")
