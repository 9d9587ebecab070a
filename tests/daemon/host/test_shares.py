"""Shares of threads: what one user sends too much of waits, and nobody else for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.host.shares import Shares

MOST = 2
USERS = "abc"
STEPS = st.lists(
    st.tuples(st.sampled_from(["run", "end", "cancel"]), st.integers(0, 20)), max_size=40
)


class Threads(ThreadPoolExecutor):
    """Threads whose work begins at once and ends when the test says so."""

    def __init__(self) -> None:
        super().__init__(1)
        self.begun: list[tuple[Callable[..., Any], Future[Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin."""
        future = Future[Any]()
        future.set_running_or_notify_cancel()
        self.begun.append((fn, future))
        return future

    def end(self, index: int) -> None:
        """End what has begun at *index* of those that run."""
        work, future = self.begun.pop(index)
        future.set_result(work())


async def turn() -> None:
    """Let the loop hand results on: through a thread's future, a running one, a waiting one."""
    for _ in range(5):
        await asyncio.sleep(0)


@given(STEPS)
def test_each_user_has_its_share_and_its_order(steps: list[tuple[str, int]]) -> None:
    """At most so many run, as many as may, first come first; and every answer is its own."""

    async def play() -> None:
        threads = Threads()
        shares = Shares(threads, MOST)
        sent: list[tuple[str, int, asyncio.Future[tuple[str, int]]]] = []
        began: dict[str, list[int]] = {user: [] for user in USERS}

        def note() -> None:
            for work, _ in threads.begun:
                user, number = work()
                if number not in began[user]:
                    began[user].append(number)

        async def check() -> None:
            await turn()
            note()
            running = Counter(work()[0] for work, _ in threads.begun)
            assert all(count <= MOST for count in running.values())
            for user in USERS:
                assert began[user] == sorted(began[user])
                waits = [
                    each
                    for sender, number, each in sent
                    if sender == user and number not in began[user] and not each.done()
                ]
                assert not waits or running[user] == MOST

        for what, which in steps:
            if what == "run":
                mine = (USERS[which % len(USERS)], len(sent))
                sent.append((*mine, shares.run(mine[0], partial(tuple[str, int], mine))))
            elif what == "end" and threads.begun:
                threads.end(which % len(threads.begun))
            elif what == "cancel" and sent:
                user, number, waiting = sent[which % len(sent)]
                if number not in began[user]:
                    waiting.cancel()
            await check()
        while threads.begun:
            threads.end(0)
            await check()
        for sender, place, answer in sent:
            assert answer.cancelled() or answer.result() == (sender, place)
        assert not shares.busy

    asyncio.run(play())
