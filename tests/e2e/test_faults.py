"""Kills at random moments; ``python -m tests.e2e.faults`` is the long form."""

from pathlib import Path

from tests.e2e.faults.__main__ import PARTIES, rounds


async def test_nothing_that_was_acknowledged_is_lost_when_somebody_is_killed(
    tmp_path: Path,
) -> None:
    """Daemon, extension and client, each killed under load; the checker finds nothing wrong."""
    assert await rounds(tmp_path, 3, seed=7) == dict.fromkeys(PARTIES, 3)
