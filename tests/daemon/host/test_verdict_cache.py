"""The memory of verdicts is bounded, and takes none that hangs on chance."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ebpfd.host.verdict_cache import OVERHEAD_BYTES, VerdictCache
from ebpfd.host.verification_frames import (
    Explanation,
    PathStep,
    RegisterEvent,
    Rejection,
    Source,
    Verdict,
    Witness,
)

ACCEPTED = Verdict("ours", worst_case=7, steps=3)
LINE = Source("a.c", 3, 4, "  x = 1;")
REFUSED = Verdict(
    "ours",
    Rejection(
        "why",
        3,
        source=LINE,
        explanation=Explanation(
            "kind",
            path=[PathStep("branch", 1, LINE, "x < 3", True, 4, LINE, 2)],
            registers=[(1, "0")],
            history=[RegisterEvent("written", 2, LINE, "text")],
            witness=Witness(b"\x00\xff", b"", 0, ["note"], "out", 3, 5),
        ),
    ),
)


def key(number: int) -> bytes:
    """A key like others."""
    return hashlib.sha256(number.to_bytes(8, "little")).digest()


def test_a_verdict_comes_back_as_it_was_and_says_so() -> None:
    """All that explains a rejection too."""
    cache = VerdictCache()
    for number, verdict in enumerate((ACCEPTED, REFUSED)):
        assert cache.get(key(number)) is None
        cache.put(key(number), verdict)
        assert cache.get(key(number)) == replace(verdict, cached=True)


def test_what_hangs_on_chance_is_not_remembered() -> None:
    """The next one who asks may have more luck."""
    cache = VerdictCache()
    cache.put(key(1), replace(REFUSED, by_chance=True))
    assert cache.get(key(1)) is None
    assert (len(cache), cache.size_bytes) == (0, 0)


def test_what_was_used_longest_ago_goes_first() -> None:
    """Being asked for counts as use."""
    cache = VerdictCache(most_verdicts=2)
    cache.put(key(1), ACCEPTED)
    cache.put(key(2), ACCEPTED)
    cache.get(key(1))
    cache.put(key(3), ACCEPTED)
    assert [number for number in (1, 2, 3) if cache.get(key(number))] == [1, 3]


def test_a_verdict_that_is_too_large_is_not_taken() -> None:
    """It would drive out all others."""
    cache = VerdictCache(most_bytes=4 * OVERHEAD_BYTES)
    cache.put(key(1), ACCEPTED)
    cache.put(key(2), Verdict("ours", Rejection("x" * 4 * OVERHEAD_BYTES)))
    assert cache.get(key(1)) is not None
    assert cache.get(key(2)) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 600)), max_size=40))
def test_it_never_holds_more_than_it_may(puts: list[tuple[int, int]]) -> None:
    """Neither in number nor in bytes; and the latest is always there."""
    cache = VerdictCache(most_verdicts=4, most_bytes=2000)
    for number, size in puts:
        verdict = Verdict("ours", Rejection("x" * size))
        cache.put(key(number), verdict)
        assert len(cache) <= 4
        assert cache.size_bytes <= 2000
        assert cache.get(key(number)) == replace(verdict, cached=True)
