"""Recent lines, for whoever looks and whoever follows."""

from dataclasses import dataclass

from ebpfd.host.recent_lines import RECENT_LINES, RecentLine, RecentLines


@dataclass(frozen=True, slots=True)
class Line(RecentLine):
    """A number."""

    number: int


async def test_who_follows_ends_with_the_last_line() -> None:
    """Also who begins to follow when no line will come any more."""
    lines = RecentLines[Line]()
    lines.add(Line(1))
    following = lines.follow()
    assert (await anext(following)).number == 1
    lines.add(Line(2))
    lines.close()
    assert [line.number async for line in following] == [2]
    assert [line.number async for line in lines.follow()] == [1, 2]
    assert lines.followers == 0


async def test_what_is_kept_is_bounded_and_what_is_lost_is_counted() -> None:
    """For a follower that does not read, and for whoever comes later."""
    lines = RecentLines[Line]()
    following = lines.follow()
    lines.add(Line(0))
    assert (await anext(following)).number == 0
    for number in range(1, RECENT_LINES + 11):
        lines.add(Line(number))
    assert len(lines.recent()) == RECENT_LINES
    first = await anext(following)
    assert (first.number, first.lost) == (11, 10)
    await following.aclose()
