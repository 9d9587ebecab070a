"""What an expression names."""

import pytest

from tests.monitoring.promql import Matcher, Selector, parse


def test_metrics_and_labels_are_told_from_words_and_functions() -> None:
    """Also where an aggregation's grouping stands behind it."""
    found = parse(
        'sum by (link, le) (rate(a_bucket{hook=~"$hook", outcome!="success"}[$__rate_interval]))'
        " / ignoring (le) group_left sum(b) without (x) > 0.1 and time() - c offset 1d == bool 14"
    )
    matchers = (Matcher("hook", "=~", "$hook"), Matcher("outcome", "!=", "success"))
    assert found.selectors == [Selector("a_bucket", matchers), Selector("b"), Selector("c")]
    assert found.groupings == [
        ("by", ("link", "le")),
        ("ignoring", ("le",)),
        ("group_left", ()),
        ("without", ("x",)),
    ]
    assert found.kept == ("link", "le")
    assert parse("a").kept is None


@pytest.mark.parametrize(
    ("operator", "value", "matched"),
    [
        ("=", "a", {"a"}),
        ("!=", "a", {"b", "ab"}),
        ("=~", "a|b", {"a", "b"}),
        ("!~", "a|b", {"ab"}),
    ],
)
def test_matchers_are_for_whole_values(operator: str, value: str, matched: set[str]) -> None:
    """As in Prometheus."""
    matcher = Matcher("x", operator, value)
    assert {each for each in ("a", "b", "ab") if matcher.matches(each)} == matched


@pytest.mark.parametrize("text", ["a{b}", "a{b=c}", "a ; b", '"a"', "a{b=~'c'}"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    """Rather than passed over."""
    with pytest.raises((ValueError, IndexError)):
        parse(text)
