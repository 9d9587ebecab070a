"""The buckets that latencies are counted in: `stats.proto` says how they are laid out."""

from typing import Final

BUCKETS: Final = 140
"""The last one has all that took longer, too."""


def bucket_start(bucket: int) -> int:
    """The least nanoseconds that fall into *bucket*; it ends where the next one starts."""
    if bucket < 4:
        return bucket
    return (4 + bucket % 4) << (bucket // 4 - 1)
