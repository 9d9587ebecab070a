"""Custom maps over the wire: every call, every result code, and what is not supported."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest

from ebpfd_api.map_type import MapType
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, maps_pb2
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.rpc.wire import Module, Wire, serving

PROVIDER = UUID(int=5)
ALL = contract_pb2.MapFunction.items()
TABLE = [
    each for name, each in ALL if each and name != "MAP_FUNCTION_PREPROCESS_MAP_DELETE_ELEMENT"
]
CODES = [each for each in Result if each]


def provider_data(*functions: int, updates: bool = True) -> contract_pb2.MapProviderData:
    """A provider's characteristics; every function but the deprecated one if none is named."""
    data = contract_pb2.MapProviderData(
        map_type=MapType.XSKMAP, base_map_type=MapType.HASH, name="names"
    )
    data.base_properties.updates_original_value = updates
    data.base_provider_table.extend(functions or TABLE)  # type: ignore[arg-type]
    return data


@dataclass
class Scene:
    """A daemon, a provider of a map type, and a map of it."""

    wire: Wire
    module: Module
    id: int = 0
    refusal: int = 0

    def answer(self, call: reg.MapCall) -> reg.MapReturn:
        """Store a value behind an x; refuse what is to be refused."""
        match call.function:
            case contract_pb2.MAP_FUNCTION_PREPROCESS_MAP_CREATE:
                return reg.MapReturn(actual_value_size=3, map_context=b"context")
            case _ if self.refusal:
                return reg.MapReturn(result=self.refusal, message="refused")
            case contract_pb2.MAP_FUNCTION_PREPROCESS_MAP_UPDATE_ELEMENT:
                return reg.MapReturn(out_value=b"x" + call.value)
            case contract_pb2.MAP_FUNCTION_POSTPROCESS_MAP_FIND_ELEMENT:
                return reg.MapReturn(out_value=call.value[1:])
            case _:
                return reg.MapReturn()

    async def ask(self, call: Any, request: Any) -> Any:
        """The answer to a request, while the provider answers its own."""
        return await self.module.during(call(request))

    async def set(self, key: bytes, value: bytes) -> int:
        """Write; the code."""
        request = pb.UpdateRequest(id=self.id, key=key, value=value)
        answer = await self.ask(self.wire.maps.Update, request)
        code: int = answer.status.code
        return code


@asynccontextmanager
async def scene(folder: Path, data: contract_pb2.MapProviderData) -> AsyncGenerator[Scene]:
    """The map has one entry."""
    async with serving(folder) as wire:
        module = await wire.module("names")
        s = Scene(wire, module)
        module.map_answer = s.answer
        characteristics = reg.Characteristics(map_provider_data=data)
        await module.register(MAP_INFORMATION.bytes, PROVIDER.bytes, characteristics)
        request = pb.CreateRequest(
            type_name="names", key_size=1, value_size=2, max_entries=4, name="mine"
        )
        made = await s.ask(wire.maps.Create, request)
        assert made.status.code == Result.SUCCESS, made.status
        s.id = made.map.id
        assert await s.set(b"a", b"12") == Result.SUCCESS
        yield s


async def test_what_a_provider_is_told(tmp_path: Path) -> None:
    """Every field of every function that an operation calls."""
    async with scene(tmp_path, provider_data()) as s:
        binding = s.module.bindings[0]
        await s.set(b"a", b"34")
        await s.ask(s.wire.maps.Lookup, pb.LookupRequest(id=s.id, key=b"a"))
        await s.ask(s.wire.maps.Delete, pb.DeleteRequest(id=s.id, key=b"a"))
        await s.ask(s.wire.maps.Remove, pb.RemoveRequest(id=s.id))

        def call(function: int, **more: Any) -> reg.MapCall:
            made = reg.MapCall(binding=binding, map_id=s.id, deadline_ms=10_000, **more)
            made.function = cast("contract_pb2.MapFunction", function)
            made.binding_context = binding.to_bytes(8, "little")
            return made

        def element(function: int, **more: Any) -> reg.MapCall:
            return call(function, map_context=b"context", key=b"a", **more)

        f = contract_pb2
        update = f.MAP_FUNCTION_PREPROCESS_MAP_UPDATE_ELEMENT
        delete = f.MAP_FUNCTION_POSTPROCESS_MAP_DELETE_ELEMENT
        assert s.module.map_calls == [
            call(
                f.MAP_FUNCTION_PREPROCESS_MAP_CREATE,
                map_type=16,
                key_size=1,
                value_size=2,
                max_entries=4,
            ),
            element(update, value=b"12", out_value_size=3),
            element(update, value=b"34", out_value_size=3),
            element(delete, value=b"x12", flags=2),
            element(f.MAP_FUNCTION_POSTPROCESS_MAP_FIND_ELEMENT, value=b"x34", out_value_size=2),
            element(delete, value=b"x34"),
            call(f.MAP_FUNCTION_POSTPROCESS_MAP_DELETE, map_context=b"context"),
        ]


async def test_a_map_says_who_provides_it(tmp_path: Path) -> None:
    """The type's name, both sizes, and the provider; then why there is none."""
    async with scene(tmp_path, provider_data()) as s:
        got = (await s.wire.maps.Get(pb.MapsGetRequest(id=s.id))).map
        assert (got.type, got.type_name, got.value_size) == (16, "names", 2)
        assert (got.user_value_size, got.count, got.max_entries) == (2, 1, 4)
        expected = maps_pb2.CustomMap(
            provider="names", base_map_type=1, stored_value_size=3, updates_original_value=True
        )
        assert got.custom == expected
        (client,) = (
            await s.wire.registrar.ListClients(reg.ListClientsRequest(npi_id=MAP_INFORMATION.bytes))
        ).registrations
        shown = client.instance.characteristics.map_client_data
        assert shown == contract_pb2.MapClientData(map_type=16, map_id=s.id, map_name="mine")
        assert client.module_name == f"map {s.id} (mine)"
        s.module.call.cancel()
        await s.module.ended()
        # Begun before or after the daemon hears of it: there is no other answer.
        lost = await s.wire.maps.Lookup(pb.LookupRequest(id=s.id, key=b"a"))
        assert lost.status.code == Result.EXTENSION_FAILED_TO_LOAD
        got = (await s.wire.maps.Get(pb.MapsGetRequest(id=s.id))).map
        assert (got.custom.provider, got.count) == ("", 1)
        assert got.custom.reason == "the extension names has gone"


@pytest.mark.parametrize("code", CODES)
async def test_every_code_of_a_provider_reaches_the_user(tmp_path: Path, code: Result) -> None:
    """Of find, update and delete, with its words; nothing has changed."""
    deleting = contract_pb2.MAP_FUNCTION_PREPROCESS_MAP_DELETE_ELEMENT
    asks = [
        each for each in TABLE if each != contract_pb2.MAP_FUNCTION_POSTPROCESS_MAP_DELETE_ELEMENT
    ]
    async with scene(tmp_path, provider_data(*asks, deleting)) as s:
        s.refusal = code
        maps = s.wire.maps
        for call, request in (
            (maps.Lookup, pb.LookupRequest(id=s.id, key=b"a")),
            (maps.Update, pb.UpdateRequest(id=s.id, key=b"a", value=b"34")),
            (maps.Update, pb.UpdateRequest(id=s.id, key=b"b", value=b"34")),
            (maps.Delete, pb.DeleteRequest(id=s.id, key=b"a")),
        ):
            status = (await s.ask(call, request)).status
            assert (status.code, status.message) == (code, "refused")
        s.refusal = 0
        found = await s.ask(maps.Lookup, pb.LookupRequest(id=s.id, key=b"a"))
        assert found.value == b"12"


async def test_what_custom_maps_do_not_support(tmp_path: Path) -> None:
    """OPERATION_NOT_SUPPORTED: handles, batches of next keys, taking, records."""
    async with scene(tmp_path, provider_data()) as s:
        maps = s.wire.maps
        for call, request in (
            (maps.LookupBatch, pb.LookupBatchRequest(id=s.id, count=1)),
            (maps.TakeBatch, pb.TakeBatchRequest(id=s.id, count=1)),
            (maps.Take, pb.TakeRequest(id=s.id, key=b"a")),
            (maps.Update, pb.UpdateRequest(id=s.id, key=b"a", program_id=1)),
            (maps.Update, pb.UpdateRequest(id=s.id, key=b"a", map_id=s.id)),
        ):
            answer = await s.ask(call, request)
            assert answer.status.code == Result.OPERATION_NOT_SUPPORTED, request
        (record,) = [each async for each in maps.Events(pb.EventsRequest(id=s.id))]
        assert record.status.code == Result.OPERATION_NOT_SUPPORTED
        outer = pb.CreateRequest(
            type=MapType.HASH_OF_MAPS, key_size=1, value_size=4, max_entries=1, inner_map_id=s.id
        )
        answer = await s.ask(maps.Create, outer)
        assert answer.status.code == Result.OPERATION_NOT_SUPPORTED


async def test_no_program_gets_at_a_custom_map_by_another_map(tmp_path: Path) -> None:
    """Though its base map is a HASH like the template."""
    async with scene(tmp_path, provider_data()) as s:
        like = pb.CreateRequest(type=MapType.HASH, key_size=1, value_size=3, max_entries=4)
        template = (await s.wire.maps.Create(like)).map.id
        outer = pb.CreateRequest(
            type=MapType.HASH_OF_MAPS,
            key_size=1,
            value_size=4,
            max_entries=1,
            inner_map_id=template,
        )
        outer_id = (await s.wire.maps.Create(outer)).map.id
        put = pb.UpdateRequest(id=outer_id, key=b"a", map_id=s.id)
        assert (await s.wire.maps.Update(put)).status.code == Result.OPERATION_NOT_SUPPORTED


async def test_next_batches_and_dumps(tmp_path: Path) -> None:
    """Single operations behind them."""
    async with scene(tmp_path, provider_data()) as s:
        maps = s.wire.maps
        update = pb.UpdateBatchRequest(id=s.id, keys=b"bc", values=b"3456")
        assert (await s.ask(maps.UpdateBatch, update)).status.code == Result.SUCCESS
        first = (await s.ask(maps.Next, pb.NextRequest(id=s.id))).key
        assert first in {b"a", b"b", b"c"}
        dumped: dict[bytes, bytes] = {}

        async def dump() -> None:
            async for each in maps.Dump(pb.DumpRequest(id=s.id)):
                dumped.update((entry.key, entry.value) for entry in each.entries)

        await s.module.during(dump())
        assert dumped == {b"a": b"12", b"b": b"34", b"c": b"56"}
        delete = pb.DeleteBatchRequest(id=s.id, keys=b"bxc")
        status = (await s.ask(maps.DeleteBatch, delete)).status
        assert status.code == Result.KEY_NOT_FOUND
        assert status.message.startswith("entry 1: ")


@pytest.mark.parametrize(
    ("characteristics", "module_id", "said"),
    [
        (reg.Characteristics(), reg.ModuleId(guid=PROVIDER.bytes), "map_provider_data is missing"),
        (
            reg.Characteristics(map_provider_data=provider_data(99)),
            reg.ModuleId(guid=PROVIDER.bytes),
            "99 is no function of the table",
        ),
        (
            reg.Characteristics(map_provider_data=provider_data()),
            reg.ModuleId(if_luid=1),
            "is not a GUID",
        ),
    ],
)
async def test_what_no_provider_may_say(
    tmp_path: Path, characteristics: reg.Characteristics, module_id: reg.ModuleId, said: str
) -> None:
    """INVALID_PARAMETER at once: it cannot be understood."""
    async with serving(tmp_path) as wire:
        module = await wire.module()
        instance = reg.RegistrationInstance(
            npi_id=MAP_INFORMATION.bytes, module_id=module_id, characteristics=characteristics
        )
        answer = await module.ask(register=reg.Register(role=reg.ROLE_PROVIDER, instance=instance))
        assert answer.status == NtStatus.INVALID_PARAMETER
        assert said in answer.message


async def test_a_provider_is_listed_under_its_types_name(tmp_path: Path) -> None:
    """With what it said of itself."""
    async with scene(tmp_path, provider_data()) as s:
        request = reg.ListProvidersRequest(npi_id=MAP_INFORMATION.bytes)
        (listed,) = (await s.wire.registrar.ListProviders(request)).registrations
        assert (listed.npi_name, listed.module_name) == ("map information", "names")
        assert listed.instance.characteristics.map_provider_data == provider_data()
