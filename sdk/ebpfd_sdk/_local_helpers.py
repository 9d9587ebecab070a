"""Helpers of programs that run in this process: plain calls, with the outcomes of the daemon's.

Nothing can interrupt a Python function: one that takes too long is TIMEOUT once it returns, and
what it has answered is lost, as it is when the daemon has given it up.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ParamSpec, TypeVar

from ebpfd_api.helper_calls import DEADLINE_S, MOST_LATE
from ebpfd_api.result import Result
from ebpfd_sdk._helper import Helper

P = ParamSpec("P")
T = TypeVar("T")


def why_not(called: Iterable[Helper]) -> str:
    """Say why a program that calls these helpers cannot run here; empty if it can."""
    for helper in called:
        if helper.asynchronous:
            return f"its helper {helper.name} is an async def, which only the daemon can wait for"
    return ""


class LocalHelpers:
    """Answers calls of one program; none may take longer than *longest_s*."""

    def __init__(self, helpers: Mapping[int, Helper], longest_s: float) -> None:
        self._helpers = helpers
        self._longest_s = longest_s
        self._late: Counter[int] | None = None
        """Of the batch that runs now."""

    def as_batch(self, run: Callable[P, T]) -> Callable[P, T]:
        """Make a function of which each call is a batch."""

        def batch(*arguments: P.args, **named: P.kwargs) -> T:
            around, self._late = self._late, Counter()
            try:
                return run(*arguments, **named)
            finally:
                self._late = around

        return batch

    def __call__(
        self, helper_id: int, arguments: Sequence[object], context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        """Call a helper, as the engine wants it; its ``HelperError`` if that fails."""
        from ebpfd_vm import HelperError  # noqa: PLC0415 (who calls this has it)

        helper = self._helpers.get(helper_id)
        if helper is None:
            raise HelperError(Result.FAILED, f"the extension has no helper {helper_id:#x}")
        late = self._late
        if late is not None and late[helper_id] >= MOST_LATE:
            message = f"it was late for {MOST_LATE} events of this batch, and is not asked again"
            raise HelperError(Result.TIMEOUT, message)
        begun, failure, answer = time.monotonic(), "", (0, list[tuple[int, bytes]]())
        try:
            parameters = helper.parameters_of(arguments, context)
            answer = helper.answer(parameters, helper.function(*parameters))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (the extension's own code may raise anything)
            failure = helper.reason(error)
        deadline_s = min(helper.deadline_s or DEADLINE_S, self._longest_s)
        if time.monotonic() - begun > deadline_s:
            if late is not None:
                late[helper_id] += 1
            raise HelperError(Result.TIMEOUT, f"it took longer than {deadline_s:.3g} s")
        if failure:
            raise HelperError(Result.FAILED, failure)
        return answer
