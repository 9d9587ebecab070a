"""Whatever a custom map's users and provider do, and when: what is stored is owned, once."""

import asyncio
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from ebpfd.errors import RequestError
from ebpfd.host.modules import MapCall
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.result import Result
from ebpfd_vm import EngineError
from tests.daemon.host.map_scene import DATA, DEADLINES, FakeMaps, Scene, scene
from tests.virtual_time import virtually

F = MapFunction
BEFORE, AFTER = F.PREPROCESS_MAP_DELETE_ELEMENT, F.POSTPROCESS_MAP_DELETE_ELEMENT
DELAYS_S: Final = (0.0, 0.0, 1.0, DEADLINES.map_s - 1, DEADLINES.map_s + 1, 25.0)
LATEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Act:
    """What a user does, and when."""

    what: str
    key: bytes
    option: int
    at_s: float


ACTS = st.builds(
    Act,
    st.sampled_from(["update", "update", "delete"]),
    st.sampled_from([b"a", b"b", b"c"]),
    st.integers(0, 2),
    st.floats(0, LATEST_S),
)


class Owner(FakeMaps):
    """Owns something for every value that it has made; slow, and not always willing."""

    def __init__(self, delays: list[float], willing: list[bool]) -> None:
        super().__init__("owner")
        self.owned: set[bytes] = set()
        self.twice: list[bytes] = []
        self._delays, self._willing = cycle(delays), cycle(willing)
        self._made = 0

    async def _answer(self, function: MapFunction, call: MapCall) -> ProviderReturn:
        if function is F.PREPROCESS_MAP_CREATE:
            return ProviderReturn(actual_value_size=4, map_context=b"m")
        await asyncio.sleep(next(self._delays))
        must = call.call.flags & (MapOperation.UPDATE | MapOperation.MAP_CLEANUP)
        asked = function in {F.PREPROCESS_MAP_UPDATE_ELEMENT, BEFORE} and not must
        if asked and not next(self._willing):
            return ProviderReturn(Result.ACCESS_DENIED)
        if function is F.PREPROCESS_MAP_UPDATE_ELEMENT:
            self._made += 1
            value = self._made.to_bytes(4, "big")
            self.owned.add(value)
            return ProviderReturn(out_value=value)
        if function in {BEFORE, AFTER}:
            value = call.call.value
            (self.owned.discard if value in self.owned else self.twice.append)(value)
        return ProviderReturn()


async def act(s: Scene, acts: list[Act], owner: Owner, deletion: MapFunction) -> None:
    """Do everything, wait for all that is late, and compare; then remove the map."""
    functions = frozenset(MapFunction) - {BEFORE, AFTER} | {deletion}
    await s.provide(owner, replace(DATA, functions=functions))
    made = await s.create()

    async def perform(each: Act) -> None:
        await asyncio.sleep(each.at_s)
        try:
            if each.what == "update":
                await s.maps.update(made, each.key, b"v", each.option)
            else:
                await s.maps.delete(made, each.key)
        except (RequestError, EngineError):
            return

    await asyncio.gather(*map(perform, acts))
    await asyncio.sleep(DEADLINES.drain_s)
    assert owner.owned == {value for _, value in made.map.entries(None, 99)}
    await s.remove(made)
    await asyncio.sleep(DEADLINES.drain_s)
    assert owner.owned == set()
    assert owner.twice == []
    assert s.nobody_is_left()


@given(
    acts=st.lists(ACTS, min_size=1, max_size=12),
    delays=st.lists(st.sampled_from(DELAYS_S), min_size=1, max_size=9),
    willing=st.lists(st.booleans(), min_size=1, max_size=5),
    deletion=st.sampled_from([BEFORE, AFTER]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_stored_is_owned(
    acts: list[Act], delays: list[float], willing: list[bool], deletion: MapFunction
) -> None:
    """Refusals, deadlines and late answers included; nothing is given back twice."""

    async def work() -> None:
        async with scene() as s:
            await act(s, acts, Owner(delays, willing), deletion)

    virtually(work())
