"""Runs in another process, as whoever takes them back sees them."""

from typing import Protocol


class Elsewhere(Protocol):
    """The process of a link's hook, which runs the link's program and what it leads to itself."""

    @property
    def process_id(self) -> int:
        """Of that process."""
        ...

    @property
    def running(self) -> int:
        """Batches that run there now, as that process says."""
        ...

    def close(self) -> None:
        """Let it begin no more runs; twice is once.  Nothing waits here."""
        ...

    async def ended(self) -> None:
        """Wait until none of its runs reaches a map or a counter any more."""
        ...
