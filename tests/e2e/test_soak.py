"""A mixed load for a moment; ``python tests/bench/soak.py`` is the long form, and measures."""

from pathlib import Path

from tests.bench.soak import grown, soak


async def test_a_mixed_load_breaks_no_rule(tmp_path: Path) -> None:
    """Invocations, fires, visitors, durable changes and an extension that ends, all at once."""
    _, done = await soak(tmp_path, 5.0)
    assert done["checks"] >= 1
    assert done["fire SUCCESS"] >= 1
    assert done["visits"] >= 1
    assert done["invocations"] >= 1


def test_growth_is_of_the_last_quarter_over_the_second() -> None:
    """What the start takes, and what is let go in between, does not count."""
    assert grown([9, 9, 1, 1, 5, 5, 2, 2]) == (1, 2)
