"""All maps of a process have so much memory together, and no more."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from ebpfd_vm import EngineError, Map, limit_map_memory, map_memory

HASH, ARRAY = 1, 2
NO_MEMORY = 12
MIB = 1 << 20


@contextmanager
def room_for(size_bytes: int) -> Generator[None]:
    """Maps may have so much more than they have."""
    limit_map_memory(map_memory()[0] + size_bytes)
    try:
        yield
    finally:
        limit_map_memory(None)


def fill(map_: Map, first: int) -> None:
    """Put in eight mebibytes, a kibibyte each."""
    for number in range(first, first + 8192):
        map_.update(number.to_bytes(4, "little"), bytes(1024))


@pytest.mark.parametrize("shared", [False, True])
def test_a_map_that_grows_ends_at_the_limit(shared: bool) -> None:
    """NO_MEMORY; what it holds it keeps, and it grows again when there is room."""
    map_ = Map(HASH, 4, 1024, 8, shared=shared)
    before, refusals = map_memory()
    with room_for(4 * MIB):
        with pytest.raises(EngineError) as refused:
            fill(map_, 0)
        added = map_.count or 0
        assert refused.value.code == NO_MEMORY
        assert "and may have" in refused.value.message
        assert added > 1000
        assert 3 * MIB < map_memory()[0] - before <= 4 * MIB
        assert map_memory()[1] > refusals
        map_.delete(bytes(4))
        assert map_.lookup(b"\1\0\0\0") == bytes(1024)
    fill(map_, added)
    assert map_memory()[0] - before > 8 * MIB


def test_a_map_that_goes_makes_room() -> None:
    """For another one, which was too large beside it."""
    first = Map(ARRAY, 4, 1024, 1024)
    with room_for(MIB // 2):
        with pytest.raises(EngineError) as refused:
            Map(ARRAY, 4, 1024, 1024)
        assert refused.value.code == NO_MEMORY
        del first
        before = map_memory()[0]
        second = Map(ARRAY, 4, 1024, 1024)
        assert MIB <= map_memory()[0] - before < 2 * MIB
        del second
        assert map_memory()[0] == before


def test_addresses_cost_nothing() -> None:
    """A hash may grow to hundreds of megabytes, and has none of them yet."""
    before = map_memory()[0]
    map_ = Map(HASH, 4, 8, 8)
    map_.update(bytes(4), bytes(8))
    assert map_.reserved > 100 * MIB
    assert 0 < map_memory()[0] - before < MIB
    del map_
    assert map_memory()[0] == before
