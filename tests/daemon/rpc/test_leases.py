"""Leases: who is silent is asked, and who stays silent is gone."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.rpc.leases import Due, Lease, keep_leases
from ebpfd_api.protocol import LEASE_TICKS
from tests.virtual_time import virtually

LEASE_S = 15.0


def test_silence_is_asked_twice_and_then_the_end() -> None:
    """The first tick only begins to count: it may come just after a message."""
    lease = Lease()
    said = [lease.tick() for _ in range(1 + LEASE_TICKS)]
    quiet, question = Due.NOTHING, Due.QUESTION
    assert said == [quiet, quiet, question, quiet, question, quiet, Due.END]


@given(st.lists(st.integers(0, 2 * LEASE_TICKS), max_size=30))
def test_the_end_is_there_after_a_whole_lease_and_never_before(silences: list[int]) -> None:
    """Whatever the rhythm of its messages is."""
    lease = Lease()
    for silence in silences:
        lease.heard = True
        lease.tick()
        ends = [lease.tick() is Due.END for _ in range(silence)]
        assert ends == [tick >= LEASE_TICKS for tick in range(1, silence + 1)]


class Listener:
    """A module that is asked, and answers for as long as it lives."""

    def __init__(self, *, leased: bool = True, alive: bool = True) -> None:
        self.lease = Lease() if leased else None
        self.alive = alive
        self.asked = 0

    def ask(self) -> None:
        """Answer with a sign of life."""
        self.asked += 1
        if self.alive and self.lease:
            self.lease.heard = True


def hours(modules: list[Listener], seconds: float = 3600.0) -> dict[Listener, float]:
    """When each of *modules* was ended."""
    ended: dict[Listener, float] = {}

    def end(module: Listener) -> None:
        modules.remove(module)
        ended[module] = asyncio.get_running_loop().time()

    async def wait() -> None:
        keeping = asyncio.create_task(keep_leases(lambda: modules, LEASE_S, end))
        await asyncio.sleep(seconds)
        keeping.cancel()

    virtually(wait())
    return ended


def test_only_who_does_not_answer_is_ended() -> None:
    """Within a sixth more than the lease; who has not promised to answer may be silent for ever."""
    dead, idle, free = Listener(alive=False), Listener(), Listener(leased=False, alive=False)
    ended = hours([dead, idle, free])
    assert set(ended) == {dead}
    assert LEASE_S <= ended[dead] <= LEASE_S * 7 / 6 + 1e-6
    assert (dead.asked, free.asked) == (2, 0)
    assert idle.asked <= 3600 / (LEASE_S / 3)


def test_a_busy_module_is_never_asked() -> None:
    """Its messages are signs of life enough."""
    busy = Listener()

    async def talk() -> None:
        keeping = asyncio.create_task(keep_leases(lambda: [busy], LEASE_S, lambda _: None))
        for _ in range(10_000):
            await asyncio.sleep(0.1)
            assert busy.lease is not None
            busy.lease.heard = True
        keeping.cancel()

    virtually(talk())
    assert busy.asked == 0
