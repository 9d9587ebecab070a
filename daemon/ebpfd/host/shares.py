"""Threads for many users, each with a share: whoever uses up its own keeps nobody else waiting."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ebpfd.errors import RequestError
from ebpfd_api.result import Result

_Value = TypeVar("_Value")


class Shares:
    """Runs work on *threads*, at most *most* of one user at once; the rest of it waits its turn."""

    def __init__(self, threads: ThreadPoolExecutor, most: int) -> None:
        self._threads = threads
        self._most = most
        self._running = Counter[Hashable]()
        self._waiting: dict[Hashable, deque[Callable[[], None]]] = {}

    def run(self, user: Hashable, work: Callable[[], _Value]) -> asyncio.Future[_Value]:
        """Start *work*, or let it wait; ``RequestError`` if there is no thread to start it on."""
        if self._running[user] < self._most:
            return self._start(user, work)
        answer: asyncio.Future[_Value] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(user, deque())
        waiting.append(partial(self._start_later, user, work, answer))
        return answer

    @property
    def running(self) -> int:
        """What runs, of all users."""
        return self._running.total()

    @property
    def most_running(self) -> int:
        """What runs of the user who has most."""
        return max(self._running.values(), default=0)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return bool(self._running or self._waiting)

    def _start(self, user: Hashable, work: Callable[[], _Value]) -> asyncio.Future[_Value]:
        try:
            running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except RuntimeError as error:  # no thread can be started, or the daemon ends
            raise RequestError(Result.NO_MEMORY, f"no thread to run on: {error}") from None
        self._running[user] += 1
        running.add_done_callback(lambda _: self._ended(user))
        return running

    def _start_later(
        self, user: Hashable, work: Callable[[], _Value], answer: asyncio.Future[_Value]
    ) -> None:
        if answer.done():
            return
        try:
            running = self._start(user, work)
        except RequestError as error:
            answer.set_exception(error)
        else:
            running.add_done_callback(partial(_hand_on, answer))

    def _ended(self, user: Hashable) -> None:
        self._running[user] -= 1
        waiting = self._waiting.get(user, ())
        while waiting and self._running[user] < self._most:
            waiting.popleft()()
        if not waiting:
            self._waiting.pop(user, None)
        if not self._running[user]:
            del self._running[user]


def _hand_on(answer: asyncio.Future[_Value], running: asyncio.Future[_Value]) -> None:
    if running.cancelled():
        answer.cancel()
    elif answer.done():
        running.exception()  # nobody asks for it any more
    elif error := running.exception():
        answer.set_exception(error)
    else:
        answer.set_result(running.result())
