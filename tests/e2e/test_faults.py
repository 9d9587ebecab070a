"""Kills at random moments; ``python -m tests.e2e.faults`` is the long form."""

from pathlib import Path

from tests.e2e.faults.__main__ import rounds


async def test_nothing_that_was_acknowledged_is_lost_when_somebody_ends(
    tmp_path: Path,
) -> None:
    """Daemon, extension and client, each ended under load; the checker finds nothing wrong."""
    assert set((await rounds(tmp_path, 2, seed=7)).values()) == {2}
