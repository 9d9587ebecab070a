"""Who caused a batch, for helpers that ask who is running."""

from typing import TypeAlias

Origin: TypeAlias = tuple[int, int, int | None]
"""Process, thread and user (if known)."""
