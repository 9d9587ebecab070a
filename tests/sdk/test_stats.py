"""Latencies as a client reads them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd_api.latency import BUCKETS, bucket_start
from ebpfd_sdk import Latency

COUNTS = st.lists(st.integers(0, 1000), max_size=BUCKETS)
PARTS = st.floats(0, 1)


def test_buckets_follow_one_another_and_grow_by_a_quarter_at_most() -> None:
    """From 0 to more than a minute."""
    starts = [bucket_start(bucket) for bucket in range(BUCKETS + 1)]
    assert starts[:9] == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert all(below - least <= max(least / 4, 1) for least, below in pairwise(starts))
    assert all(least < below for least, below in pairwise(starts))
    assert starts[BUCKETS - 1] > 60_000_000_000


def test_quantiles_are_read_within_their_bucket() -> None:
    """Runs of a bucket are spread evenly over it."""
    latency = Latency((*[0] * 24, 10, 0, 90))
    assert list(latency.ranges()) == [(128, 160, 10), (192, 224, 90)]
    assert latency.quantile(0.05) == pytest.approx(144)
    assert latency.quantile(0.1) == pytest.approx(160)
    assert latency.quantile(0.55) == pytest.approx(208)
    assert latency.quantile(1) == pytest.approx(224)
    assert Latency().quantile(0.5) is None


@given(COUNTS, PARTS, PARTS)
def test_quantiles_never_fall(counts: list[int], one: float, other: float) -> None:
    """Of more runs, more or the same; none only if there are no runs."""
    latency = Latency(tuple(counts))
    lower, higher = (latency.quantile(part) for part in sorted((one, other)))
    if latency.runs == 0:
        assert lower is higher is None
    else:
        assert lower is not None
        assert higher is not None
        assert lower <= higher


@given(COUNTS, COUNTS)
def test_what_came_since_is_what_was_added(before: list[int], added: list[int]) -> None:
    """Bucket by bucket; an earlier reading may know of fewer buckets."""
    longer = max(len(before), len(added))
    then = before + [0] * (longer - len(before))
    more = added + [0] * (longer - len(added))
    now = Latency(tuple(map(sum, zip(then, more, strict=True))))
    since = now.since(Latency(tuple(before)))
    assert since.buckets == tuple(more)
    assert since.runs == sum(added)
