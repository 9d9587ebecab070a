"""What happens often is told once, and then as a number."""

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.access import Summaries


def test_the_first_of_a_kind_is_told_and_the_others_are_counted() -> None:
    """In each span of time anew."""
    summaries = Summaries[str](most=8)
    assert [summaries.note(kind) for kind in "aaba"] == [True, False, True, False]
    assert summaries.end_span() == [("a", 2)]
    assert summaries.note("a")
    assert summaries.end_span() == []


@given(st.lists(st.lists(st.integers(0, 9))), st.integers(1, 5))
def test_nothing_is_lost_and_lines_are_bounded(spans: list[list[int]], most: int) -> None:
    """What is told and what is counted is all that happened; lines are twice *most* and one."""
    summaries = Summaries[int](most)
    for span in spans:
        told = sum(summaries.note(kind) for kind in span)
        counted = summaries.end_span()
        assert told + sum(count for _, count in counted) == len(span)
        assert told <= most
        assert len(counted) <= most + 1
