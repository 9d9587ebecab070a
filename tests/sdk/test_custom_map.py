"""Map types of an extension's own: what the daemon is told, and what it is answered."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, cast
from uuid import UUID

import pytest

from ebpfd_api.v1 import contract_pb2, registrar_pb2
from ebpfd_sdk import (
    CustomMap,
    CustomMapType,
    DeclarationError,
    MapOperation,
    MapType,
    Refused,
    Result,
)
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._map_provider import MapProvider

f = contract_pb2
REQUIRED = [
    f.MAP_FUNCTION_PREPROCESS_MAP_CREATE,
    f.MAP_FUNCTION_POSTPROCESS_MAP_DELETE,
    f.MAP_FUNCTION_PREPROCESS_ASSOCIATE_PROGRAM_TYPE,
]
OPTIONAL = {
    "find": f.MAP_FUNCTION_POSTPROCESS_MAP_FIND_ELEMENT,
    "update": f.MAP_FUNCTION_PREPROCESS_MAP_UPDATE_ELEMENT,
    "before_delete": f.MAP_FUNCTION_PREPROCESS_MAP_DELETE_ELEMENT,
    "delete": f.MAP_FUNCTION_POSTPROCESS_MAP_DELETE_ELEMENT,
}


class Journal(CustomMap):
    """Writes down what it is asked; values are stored with a letter before them."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    async def create(self) -> int:
        """One byte more."""
        if self.max_entries > 99:
            raise Refused("too many", result=Result.NO_MEMORY)
        return self.value_size + 1

    async def destroy(self) -> None:
        """Note it."""
        self.calls.append("destroy")

    def associate(self, program_type: UUID) -> None:
        """Note it."""
        self.calls.append(program_type)

    def find(self, key: bytes, stored: bytes) -> bytes | None:
        """Without the letter; a key that is no letter is a bug, or is forgotten."""
        if key == b"?":
            return None
        return stored[1:] if key.isalpha() else stored[1 // 0 :]

    async def update(self, key: bytes, value: bytes) -> bytes:
        """With the letter."""
        return key + value

    def delete(self, key: bytes, stored: bytes, operation: MapOperation) -> None:
        """Note it."""
        self.calls.append((key, stored, operation))


def journals() -> tuple[CustomMapType[Journal], MapProvider[Journal]]:
    """A type of such maps, and what the registrar sees of it."""
    declared = CustomMapType(MapType.XSKMAP, Journal, updates_original_value=True)
    stream = cast("DataStreams", None)  # maps have no use for it
    provider = cast("MapProvider[Journal]", declared.provider(stream))
    provider.open()
    return declared, provider


def some(methods: Sequence[str]) -> type[CustomMap]:
    """A class of maps that has these methods."""
    return type("Some", (CustomMap,), dict.fromkeys(methods, _nothing))


def _nothing(*_: object) -> None:
    """Do nothing."""


async def created(provider: MapProvider[Journal], id_: int = 4, *, restored: bool = False) -> bytes:
    """A map; its context."""
    call = registrar_pb2.MapCall(
        function=REQUIRED[0],
        binding=9,
        map_id=id_,
        restored=restored,
        map_type=16,
        key_size=1,
        value_size=2,
        max_entries=8,
    )
    answer = await provider.call_map(call)
    assert (answer.result, answer.actual_value_size) == (0, 3)
    return answer.map_context


@pytest.mark.parametrize("methods", [each for n in range(4) for each in combinations(OPTIONAL, n)])
def test_the_table_has_what_a_class_defines(methods: tuple[str, ...]) -> None:
    """And what every provider must have; both forms of deletion are too many."""
    map_class = some(methods)
    if {"delete", "before_delete"} <= {*methods}:
        with pytest.raises(DeclarationError, match="Some has delete and before_delete"):
            CustomMapType(15, map_class)
        return
    data = CustomMapType(15, map_class, name="some").provider_data()
    assert list(data.base_provider_table) == sorted(
        [*REQUIRED, *(OPTIONAL[name] for name in methods)]
    )
    assert (data.map_type, data.base_map_type, data.name) == (15, 1, "some")
    assert not data.base_properties.updates_original_value


@pytest.mark.parametrize(
    ("methods", "missing"),
    [
        ((), "delete, find, update"),
        (("find", "delete"), "update"),
        (("update", "before_delete"), "find"),
        (("find", "update"), "delete"),
    ],
)
def test_what_updates_the_original_value_needs_more(methods: tuple[str, ...], missing: str) -> None:
    """The error names what is missing."""
    map_class = some(methods)
    with pytest.raises(DeclarationError, match=f"Some needs {missing}$"):
        CustomMapType(15, map_class, updates_original_value=True)


@pytest.mark.parametrize("number", [0, 1, 14, 17, -1])
def test_only_some_numbers_are_extensions_own(number: int) -> None:
    """15 and 16."""
    with pytest.raises(DeclarationError, match="is not one of 15 to 16"):
        CustomMapType(number, CustomMap)


def test_a_type_keeps_its_guid_over_restarts() -> None:
    """It follows from the name, unless it is given."""
    first, second = CustomMapType(15, CustomMap, name="a"), CustomMapType(16, CustomMap, name="a")
    assert first.guid == second.guid != CustomMapType(15, CustomMap, name="b").guid
    given = CustomMapType(15, CustomMap, guid="0a0c5f0e-59a7-4d53-9c5b-1f3f6c1e7b11")
    assert str(given.guid) == "0a0c5f0e-59a7-4d53-9c5b-1f3f6c1e7b11"


async def test_a_map_lives_from_create_to_destroy() -> None:
    """It knows its shape, and the type knows it."""
    declared, provider = journals()
    context = await created(provider)
    (made,) = declared.maps
    assert declared.map(4) is made
    assert (made.id, made.key_size, made.value_size, made.max_entries) == (4, 1, 2, 8)
    assert not made.restored
    assert provider.has_map(context)

    def ask(function: int, **more: Any) -> registrar_pb2.MapCall:
        call = registrar_pb2.MapCall(binding=9, map_id=4, map_context=context, **more)
        call.function = cast("contract_pb2.MapFunction", function)
        return call

    type_ = UUID(int=3)
    await provider.call_map(ask(REQUIRED[2], program_type=type_.bytes))
    found = await provider.call_map(ask(OPTIONAL["find"], key=b"k", value=b"kvv", out_value_size=2))
    stored = await provider.call_map(
        ask(OPTIONAL["update"], key=b"k", value=b"vv", out_value_size=3)
    )
    assert (found.out_value, stored.out_value) == (b"vv", b"kvv")
    await provider.call_map(ask(OPTIONAL["delete"], key=b"k", value=b"kvv", flags=2))
    await provider.call_map(ask(REQUIRED[1]))
    assert made.calls == [type_, (b"k", b"kvv", MapOperation.UPDATE), "destroy"]
    assert declared.maps == ()
    with pytest.raises(KeyError):
        declared.map(4)


async def test_a_refusal_is_a_result_and_a_bug_is_a_failure() -> None:
    """Both with words; neither leaves a map."""
    declared, provider = journals()
    call = registrar_pb2.MapCall(function=REQUIRED[0], map_id=4, value_size=1, max_entries=100)
    answer = await provider.call_map(call)
    assert (answer.result, answer.message) == (Result.NO_MEMORY, "too many")
    context = await created(provider)
    call = registrar_pb2.MapCall(function=OPTIONAL["find"], key=b"1", map_context=context)
    answer = await provider.call_map(call)
    assert (answer.result, answer.message) == (
        Result.FAILED,
        "map type Journal: ZeroDivisionError: integer division or modulo by zero",
    )
    assert len(declared.maps) == 1


async def test_what_updates_the_original_value_must_return_one() -> None:
    """A method that forgets it is told."""
    _, provider = journals()
    context = await created(provider)
    call = registrar_pb2.MapCall(function=OPTIONAL["find"], key=b"?", map_context=context)
    answer = await provider.call_map(call)
    assert answer.result == Result.FAILED
    assert "Journal, postprocess_map_find_element: a type that updates" in answer.message


async def test_what_is_not_there_or_not_known_is_said() -> None:
    """INVALID_OBJECT for a map, OPERATION_NOT_SUPPORTED for a function of tomorrow."""
    _, provider = journals()
    unknown = registrar_pb2.MapCall(function=REQUIRED[1], map_id=4, map_context=b"what")
    assert (await provider.call_map(unknown)).result == Result.INVALID_OBJECT
    later = registrar_pb2.MapCall(function=cast("contract_pb2.MapFunction", 99), map_id=4)
    assert (await provider.call_map(later)).result == Result.OPERATION_NOT_SUPPORTED


async def test_two_maps_are_two_instances() -> None:
    """And a detach puts those of its binding aside."""
    declared, provider = journals()
    await created(provider, 4)
    await created(provider, 5)
    assert [each.id for each in declared.maps] == [4, 5]
    await provider.detach(9)
    assert declared.maps == ()


async def test_the_end_tells_whom_it_waits_for(caplog: pytest.LogCaptureFixture) -> None:
    """Only if there is somebody."""
    _, provider = journals()
    provider.close("the extension is stopping")
    assert caplog.messages == []
    await created(provider, 7)
    await created(provider, 4)
    provider.close("the extension is stopping")
    said = "map type Journal: the extension is stopping, and waits until these maps go: 4, 7"
    assert caplog.messages == [said]


async def test_a_map_is_the_same_after_another_connection() -> None:
    """If the daemon has it still; another one with its number is another one."""
    declared, provider = journals()
    await created(provider, 4)
    await created(provider, 5)
    before = declared.map(4)
    await provider.detach(9)
    provider = cast("MapProvider[Journal]", declared.provider(cast("DataStreams", None)))
    provider.open()
    assert not declared.maps
    await created(provider, 4, restored=True)
    await created(provider, 5)
    assert declared.map(4) is before
    assert declared.map(4).restored
    assert not declared.map(5).restored
    assert [each.id for each in declared.maps] == [4, 5]
