"""Whatever a custom map's users, programs and provider do, and when: what is stored is owned."""

import asyncio
from dataclasses import dataclass, replace
from itertools import count, cycle
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ebpfd.errors import RequestError
from ebpfd.host.modules import MapCall
from ebpfd.host.program_elements import DELETE, UPDATE, ProgramElements
from ebpfd.objects import MapObject
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, HelperError
from tests.daemon.host.map_scene import DATA, DEADLINES, FakeMaps, Scene, scene
from tests.virtual_time import virtual

F = MapFunction
BEFORE, AFTER = F.PREPROCESS_MAP_DELETE_ELEMENT, F.POSTPROCESS_MAP_DELETE_ELEMENT
DELAYS_S: Final = (0.0, 0.0, 1.0, DEADLINES.map_s - 1, DEADLINES.map_s + 1, 25.0)
LATEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Act:
    """What a user does, or a program, and when."""

    what: str
    key: bytes
    option: int
    at_s: float
    by_program: bool


ACTS = st.builds(
    Act,
    st.sampled_from(["update", "update", "update", "delete", "delete", "lose"]),
    st.sampled_from([b"a", b"b", b"c"]),
    st.integers(0, 2),
    st.floats(0, LATEST_S),
    st.booleans(),
)


class Owner(FakeMaps):
    """Owns something for every value that it has made; slow, and not always willing.

    One that comes after another takes what is stored then for its own.
    """

    def __init__(self, mood: "Mood", made: list[MapObject]) -> None:
        super().__init__("owner")
        self.owned: set[bytes] = set()
        self.twice: list[bytes] = []
        self._delays, self._willing = mood.delays, mood.willing
        self._numbers = mood.numbers
        self._maps = made
        self._translates = mood.translates

    async def _answer(self, function: MapFunction, call: MapCall) -> ProviderReturn:
        if function is F.PREPROCESS_MAP_CREATE:
            self.owned = stored(self._maps)
            size = 4 if self._translates else 1
            return ProviderReturn(actual_value_size=size, map_context=b"m")
        await asyncio.sleep(next(self._delays))
        must = call.call.flags & (MapOperation.UPDATE | MapOperation.MAP_CLEANUP)
        asked = function in {F.PREPROCESS_MAP_UPDATE_ELEMENT, BEFORE} and not must
        if asked and not next(self._willing):
            return ProviderReturn(Result.ACCESS_DENIED)
        if function is F.PREPROCESS_MAP_UPDATE_ELEMENT and not self._translates:
            self.owned.add(call.call.value)
        elif function is F.PREPROCESS_MAP_UPDATE_ELEMENT:
            value = next(self._numbers).to_bytes(4, "big")
            self.owned.add(value)
            return ProviderReturn(out_value=value)
        if function in {BEFORE, AFTER}:
            value = call.call.value
            (self.owned.discard if value in self.owned else self.twice.append)(value)
        return ProviderReturn()


class Mood:
    """How long answers take, and which calls are refused; numbers for values."""

    def __init__(self, delays: list[float], willing: list[bool], translates: bool) -> None:
        self.translates = translates
        self.delays, self.willing, self.numbers = cycle(delays), cycle(willing), count(1)


def stored(maps: list[MapObject]) -> set[bytes]:
    """The values that the map has, if there is one."""
    return {value for made in maps for _, value in made.map.entries(None, 99)}


async def act(s: Scene, acts: list[Act], mood: Mood, deletion: MapFunction) -> None:
    """Do everything, wait for all that is late, and compare; then remove the map."""
    functions = frozenset(MapFunction) - {BEFORE, AFTER} | {deletion}
    data = replace(DATA, functions=functions, updates_original_value=mood.translates)
    programs = ProgramElements(s.maps, s.services, DEADLINES.map_s)
    maps: list[MapObject] = []
    owners = [Owner(mood, maps)]
    await s.provide(owners[0], data)
    maps.append(await s.create())

    async def perform(number: int, each: Act) -> None:
        await asyncio.sleep(each.at_s)
        value = bytes([number])
        written: tuple[object, ...] = (each.key, value, each.option)
        try:
            if each.what != "lose" and each.by_program and not mood.translates:
                helper = UPDATE if each.what == "update" else DELETE
                arguments = written if helper == UPDATE else written[:1]
                await programs.write(helper, maps[0].id, arguments, DEADLINES.map_s)
            elif each.what == "update":
                await s.maps.update(maps[0], each.key, value, each.option)
            elif each.what == "delete":
                await s.maps.delete(maps[0], each.key)
            else:
                s.lose(owners[-1])
                owners.append(Owner(mood, maps))
                await s.provide(owners[-1], data)
        except (RequestError, EngineError, HelperError):
            return

    await asyncio.gather(*map(perform, count(), acts))
    await asyncio.sleep(DEADLINES.drain_s)
    assert owners[-1].owned == stored(maps)
    await s.remove(maps[0])
    await asyncio.sleep(DEADLINES.drain_s)
    assert owners[-1].owned == set()
    assert [each.twice for each in owners] == [[] for _ in owners]
    assert s.nobody_is_left()


@given(
    acts=st.lists(ACTS, min_size=1, max_size=12),
    delays=st.lists(st.sampled_from(DELAYS_S), min_size=1, max_size=9),
    willing=st.lists(st.booleans(), min_size=1, max_size=5),
    deletion=st.sampled_from([BEFORE, AFTER]),
    translates=st.booleans(),
)
@settings(max_examples=200, deadline=None)
@virtual
async def test_what_is_stored_is_owned(
    acts: list[Act],
    delays: list[float],
    willing: list[bool],
    deletion: MapFunction,
    translates: bool,
) -> None:
    """Refusals, late answers and lost providers included; nothing is given back twice."""
    async with scene() as s:
        await act(s, acts, Mood(delays, willing, translates), deletion)
