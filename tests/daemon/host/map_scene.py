"""A provider of a custom map type whose every answer the test decides, and maps of its type."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from ebpfd import nmr
from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.maps import MapDeclaration
from ebpfd.host.modules import MapCall
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.quotas import QuotaGuard, Quotas
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.objects import MapObject, Objects
from ebpfd.objects.custom_maps import ProviderReturn
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.result import Result
from ebpfd_vm import EngineError
from tests.daemon.host.fakes import FakeExtension

F = MapFunction
DEADLINES = Deadlines(callback_s=30.0, drain_s=300.0, map_s=10.0)
TABLE = frozenset(MapFunction) - {F.PREPROCESS_MAP_DELETE_ELEMENT}
DATA = MapProviderData(map_type=16, functions=TABLE, updates_original_value=True, name="names")
WANTED = MapDeclaration(MapType.XSKMAP, 1, 1, 8, name="mine")
PROGRAM_TYPE = UUID(int=7)


class FakeMaps(FakeExtension):
    """A provider that stores a value behind a letter of its own."""

    def __init__(self, name: str = "fake") -> None:
        super().__init__(name)
        self.letter = name[:1].encode()
        self.asked: list[MapCall] = []
        self.returns: dict[MapFunction, ProviderReturn] = {}

    async def call_map(self, call: MapCall, patience_s: float) -> ProviderReturn:
        """Answer as ``returns`` says, or as such a provider does."""
        self.asked.append(call)
        function = call.call.function
        async with asyncio.timeout(patience_s):
            return await self._or_gone(self._answer(function, call))

    async def _answer(self, function: MapFunction, call: MapCall) -> ProviderReturn:
        if gate := self.gates.get(function.name):
            self.reached.put_nowait(function.name)
            await gate.wait()
        if function in self.returns:
            return self.returns[function]
        match function:
            case F.PREPROCESS_MAP_CREATE:
                return ProviderReturn(actual_value_size=2, map_context=self.letter)
            case F.PREPROCESS_MAP_UPDATE_ELEMENT:
                return ProviderReturn(out_value=self.letter + call.call.value)
            case F.POSTPROCESS_MAP_FIND_ELEMENT:
                return ProviderReturn(out_value=call.call.value[1:])
            case _:
                return ProviderReturn()

    def functions(self) -> list[tuple[MapFunction, int]]:
        """What it was asked since last asked here, with flags."""
        called = [(each.call.function, int(each.call.flags)) for each in self.asked]
        self.asked.clear()
        return called


@dataclass
class Scene:
    """A registrar, and custom maps on it."""

    services: Services
    quotas: Quotas | None = None
    registrar: RegistrarHost = field(init=False)
    objects: Objects = field(default_factory=Objects)
    maps: CustomMaps = field(init=False)

    def __post_init__(self) -> None:
        self.registrar = RegistrarHost(self.services, DEADLINES)
        self.maps = CustomMaps(
            registrar=self.registrar,
            objects=self.objects,
            services=self.services,
            deadlines=DEADLINES,
            new_maps=NewMaps(),
            survives=lambda _: False,
            guard=QuotaGuard(self.quotas),
        )

    async def provide(
        self, extension: FakeMaps, data: MapProviderData = DATA
    ) -> nmr.RegistrationHandle:
        """Register a provider; whatever is wrong with it, that succeeds."""
        instance = nmr.RegistrationInstance(
            MAP_INFORMATION, nmr.ModuleId.guid(UUID(int=1)), characteristics=data
        )
        return await self.registrar.register(nmr.Role.PROVIDER, instance, extension)

    async def provided(self) -> tuple[FakeMaps, MapObject]:
        """A provider, and a map of its type."""
        provider = FakeMaps()
        await self.provide(provider)
        return provider, await self.create()

    async def create(self) -> MapObject:
        """A map that a user has."""
        made = await self.maps.create(WANTED)
        self.objects.add_map(made)
        return made

    async def remove(self, made: MapObject) -> None:
        """The user gives it up."""
        self.objects.remove_map(made)
        await self.maps.end(made)

    def lose(self, extension: FakeMaps) -> None:
        """Its process vanishes."""
        self.registrar.lost(extension)
        extension.lose()

    def nobody_is_left(self) -> bool:
        """Whether no client is registered, nor bound."""
        return not self.registrar.clients() and not self.registrar.bindings()


@asynccontextmanager
async def scene(quotas: Quotas | None = None) -> AsyncGenerator[Scene]:
    """Nobody is registered yet."""
    async with Services() as services:
        yield Scene(services, quotas)


async def refused(work: Awaitable[object], code: Result) -> str:
    """The message of the error with *code* that *work* must raise."""
    with pytest.raises((RequestError, EngineError)) as caught:
        await work
    error = caught.value
    assert isinstance(error, RequestError | EngineError)
    assert error.code == code, error.message
    return error.message


async def turns() -> None:
    """Let everybody do what can be done now."""
    for _ in range(50):
        await asyncio.sleep(0)
