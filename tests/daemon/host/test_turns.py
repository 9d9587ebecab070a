"""Turns: in the order of their taking, at everything at once, and nobody waits for ever."""

import asyncio
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.host.turns import Turn, Turns

JOBS = st.lists(st.frozensets(st.integers(0, 3), min_size=1), max_size=12)


async def work(jobs: list[frozenset[int]], given_up: frozenset[int]) -> dict[int, list[int]]:
    """Do *jobs*, each of which needs some things; who used each, in order."""
    things = [Turns() for _ in range(4)]
    used: dict[int, list[int]] = {number: [] for number in range(4)}

    async def job(number: int, needed: dict[int, Turn]) -> None:
        try:
            for turn in needed.values():
                await turn.wait()
            for thing in needed:
                used[thing].append(number)
            await asyncio.sleep(0)
        finally:
            for turn in needed.values():
                turn.leave()

    running: list[asyncio.Task[None]] = []
    for number, needed in enumerate(jobs):
        turns = {thing: things[thing].take() for thing in needed}
        running.append(asyncio.create_task(job(number, turns)))
    await asyncio.sleep(0)
    for number, task in enumerate(running):
        if number in given_up:
            task.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(*running, return_exceptions=True)
    return used


@given(JOBS, st.frozensets(st.integers(0, 11)))
def test_each_thing_is_used_in_the_order_in_which_turns_were_taken(
    jobs: list[frozenset[int]], given_up: frozenset[int]
) -> None:
    """By everybody who does not give up, whatever else they need."""
    used = asyncio.run(work(jobs, given_up))
    for thing, users in used.items():
        wanted = deque(number for number, needed in enumerate(jobs) if thing in needed)
        assert users == sorted(users)
        assert {*wanted} - given_up <= {*users} <= {*wanted}
