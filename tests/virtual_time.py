"""An event loop whose clock runs only while everybody waits: an hour's deadline takes no time."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


class _Selector(selectors.SelectSelector):
    """Moves the clock on instead of waiting for it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        assert timeout is not None, "everybody waits, and nothing is due"
        self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop for tests without sockets and threads."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Seconds since the loop began, all of them virtual."""
        return self._virtual.now


def virtually(work: Coroutine[Any, Any, _Value]) -> _Value:
    """Run *work* on such a loop; a deadlock fails at once."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def virtual(
    test: Callable[_Arguments, Coroutine[Any, Any, _Value]],
) -> Callable[_Arguments, _Value]:
    """Run a *test* on such a loop."""

    @functools.wraps(test)
    def run(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Value:
        return virtually(test(*arguments, **named))

    return run
