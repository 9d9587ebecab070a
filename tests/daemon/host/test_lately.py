"""Counts that have grown lately, and those of which that is long ago."""

from collections import Counter

from ebpfd.host.lately import COUNTS_A_TURN, Lately


async def test_what_grew_is_told_until_the_second_look() -> None:
    """So it is of one to two times the time between looks, also if nobody has looked yet."""
    counts = Counter(a=2)
    lately = Lately(lambda: list(counts.items()))
    assert lately.grown() == {"a": 2}
    await lately.look()
    counts["a"] += 1
    assert lately.grown() == {"a": 3}
    await lately.look()
    assert lately.grown() == {"a": 1}
    await lately.look()
    assert lately.grown() == {}


async def test_what_is_new_or_gone_is_no_obstacle() -> None:
    """Links come and go, and a look may take several turns."""
    counts = Counter(dict.fromkeys(range(3 * COUNTS_A_TURN), 1))
    lately = Lately(lambda: list(counts.items()))
    for _ in range(2):
        await lately.look()
    del counts[0]
    counts[-1] = 5
    assert lately.grown() == {-1: 5}
