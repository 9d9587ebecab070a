"""``bpf_map_type``, numbered as in eBPF for Windows (not as in Linux)."""

from enum import IntEnum
from typing import Final

FIRST_CUSTOM: Final = 15
"""From here on the types belong to extensions."""

FIRST_UNKNOWN: Final = 17
"""``BPF_MAP_TYPE_MAX``: no number from here on is a type."""


class MapType(IntEnum):
    """Types of maps; those from 15 on belong to extensions."""

    UNSPEC = 0
    HASH = 1
    ARRAY = 2
    PROG_ARRAY = 3
    PERCPU_HASH = 4
    PERCPU_ARRAY = 5
    HASH_OF_MAPS = 6
    ARRAY_OF_MAPS = 7
    LRU_HASH = 8
    LPM_TRIE = 9
    QUEUE = 10
    LRU_PERCPU_HASH = 11
    STACK = 12
    RINGBUF = 13
    PERF_EVENT_ARRAY = 14
    SAMPLE_HASH_MAP = 15
    XSKMAP = 16


def map_type_name(number: int) -> str:
    """The name of a map type in lower case, or its number."""
    known = MapType._value2member_map_
    return MapType(number).name.lower() if number in known else str(number)
