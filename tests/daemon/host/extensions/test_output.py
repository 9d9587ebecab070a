"""What children write: lines, and how fast they are read."""

from hypothesis import given
from hypothesis import strategies as st

from ebpfd.host.extensions.output import (
    BYTES_A_SECOND,
    LOGGED_A_SECOND,
    MAX_LINE_BYTES,
    Budget,
    LineCutter,
    LogBudget,
)


def test_lines_are_cut_where_they_end_however_they_come() -> None:
    """The last one needs no end; blank ones are nothing."""
    cutter = LineCutter()
    assert cutter.feed(b"on") == []
    assert cutter.feed(b"e\r\n\n  \ntwo\nthr") == ["one", "two"]
    assert cutter.feed(b"ee") == []
    assert cutter.end() == ["three"]
    assert cutter.end() == []


def test_a_terminal_obeys_nothing_that_an_extension_prints() -> None:
    """Escape sequences, separators and what is no UTF-8 are shown as what they are: nothing."""
    assert LineCutter().feed("a\tb\x1b[2Jc\u2028d\n".encode()) == ["a\tb\ufffd[2Jc\ufffdd"]
    assert LineCutter().feed(b"\xff\xfe\n") == ["\ufffd\ufffd"]


@given(st.lists(st.binary(max_size=3 * MAX_LINE_BYTES), max_size=5))
def test_what_waits_for_its_end_is_bounded(chunks: list[bytes]) -> None:
    """And no line is longer than the longest, whatever comes."""
    cutter, lines = LineCutter(), list[str]()
    for chunk in chunks:
        lines += cutter.feed(chunk)
        assert len(cutter._rest) <= MAX_LINE_BYTES  # pyright: ignore[reportPrivateUsage]
    lines += cutter.end()
    assert all(0 < len(line) <= MAX_LINE_BYTES for line in lines)
    assert all("\n" not in line for line in lines)


@given(st.binary(max_size=4096), st.integers(1, 100))
def test_how_it_is_cut_does_not_depend_on_how_it_comes(content: bytes, size: int) -> None:
    """One at a time or all at once."""
    at_once = LineCutter()
    expected = at_once.feed(content) + at_once.end()
    cutter, lines = LineCutter(), list[str]()
    for at in range(0, len(content), size):
        lines += cutter.feed(content[at : at + size])
    assert lines + cutter.end() == expected


def test_a_second_s_worth_is_read_at_once_and_the_rest_as_it_comes() -> None:
    """Who floods waits; who was quiet has a second's worth again."""
    budget = Budget(now_s=0.0)
    assert budget.pause_s([], BYTES_A_SECOND, now_s=1.0) == 0.0
    assert budget.pause_s([], BYTES_A_SECOND, now_s=1.0) == 1.0
    assert budget.pause_s([], BYTES_A_SECOND // 2, now_s=2.0) == 0.5
    assert budget.pause_s([], BYTES_A_SECOND, now_s=100.0) == 0.0


def test_the_log_takes_so_many_lines_of_each_second() -> None:
    """The others are counted; a new second has room again."""
    budget = LogBudget()
    assert sum(budget.allows(5.0) for _ in range(LOGGED_A_SECOND + 7)) == LOGGED_A_SECOND
    assert not budget.allows(5.9)
    assert (budget.take_left_out(), budget.take_left_out()) == (8, 0)
    assert budget.allows(6.0)
    assert budget.take_left_out() == 0
