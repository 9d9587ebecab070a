"""The program that changes maps of each kind that processes share, and what must hold in them."""

from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import Final

from ebpfd_sdk import Map, Program
from tests.e2e.world import World

EXTENSION: Final = "churning_extension"
HOOK: Final = "churn"
KEYED: Final = ("by_key", "latest", "routes")
QUEUED: Final = ("waiting", "heap")
RUNS: Final = "runs"
LANES: Final = "by_lane"
RING: Final = "told"

_FILE: Final = Path(__file__).with_name("programs") / "churn.o"
_WORDS: Final = 6
_PREFIX_BITS: Final = 32


async def loaded(w: World) -> Program:
    """The program."""
    return (await w.client.load(_FILE))["churn_all"]


def key_of(map_: Map, number: int) -> bytes:
    """The key under which a map has a number."""
    key = number.to_bytes(4, "little")
    return _PREFIX_BITS.to_bytes(4, "little") + key if map_.key_size > len(key) else key


def value_of(number: int) -> bytes:
    """A value as the program would write it."""
    return (number << 32 | number).to_bytes(8, "little") * _WORDS


async def runs(program: Program) -> int:
    """Runs as the program has counted them in a map."""
    return int.from_bytes(await program.maps[RUNS].get(0) or b"", "little")


async def check(w: World, program: Program) -> None:
    """All that is in the maps is whole, can be found, and is as much as the maps say."""
    for name in KEYED:
        map_ = await w.client.map(program.maps[name].id)
        entries = dict(await map_.items())
        assert map_.count == len(entries), name
        for key, value in entries.items():
            assert value == value[:8] * _WORDS, name
            assert value[:4] == key[-4:], name
            assert await map_.get(key) == value, name
    by_lane = await w.client.map(program.maps[LANES].id)
    entries = dict(await by_lane.items())
    assert by_lane.count == len(entries)
    for key, value in entries.items():
        # A lane is written in place: what was killed amid of it has left half of a value there.
        assert await by_lane.get(key) == value
    for name in QUEUED:
        map_ = await w.client.map(program.maps[name].id)
        values = [value async for value in _popped(map_)]
        assert map_.count == len(values), name
        assert all(value == value[:8] * _WORDS for value in values), name


async def change(program: Program, numbers: Iterable[int]) -> None:
    """Write, read and delete, as whoever uses the maps does."""
    for number in numbers:
        for name in KEYED:
            map_ = program.maps[name]
            key, value = key_of(map_, number), value_of(number)
            await map_.set(key, value)
            assert await map_.get(key) == value, name
            await map_.delete(key)
            assert await map_.get(key) != value, name  # a shorter prefix may be there
        for name in QUEUED:
            await program.maps[name].push(value_of(number), drop_oldest=True)
            assert await program.maps[name].pop() is not None, name


async def _popped(map_: Map) -> AsyncGenerator[bytes]:
    while (value := await map_.pop()) is not None:
        yield value
