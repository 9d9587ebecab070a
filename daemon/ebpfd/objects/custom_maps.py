"""Maps whose type an extension provides: which of its functions is called when, and their undo.

    create     preprocess_map_create; if anything fails after it, postprocess_map_delete
    associate  preprocess_associate_program_type
    find       the base map's value, postprocess_map_find_element
    update     preprocess_map_update_element, the base map; then the function of deletion with
               UPDATE: for the new value if the base map refused it, else for the replaced one
    delete     preprocess_map_delete_element, the base map, postprocess_map_delete_element
    destroy    the function of deletion with MAP_CLEANUP for every element, postprocess_map_delete

Each of these is a generator: it yields what to call, is sent what came of it, and returns or
raises ``RequestError`` or ``EngineError`` at its end.  Nobody may write one key in two of them at
once; anything else may be interleaved.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, TypeVar

from ebpfd.contracts import MapProviderData
from ebpfd.errors import RequestError
from ebpfd_api.custom_map import MapFunction, MapOperation
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map

_Value = TypeVar("_Value")

ANY: Final = 0
NOEXIST: Final = 1


@dataclass(frozen=True, slots=True)
class MapShape:
    """What a map's declaration says; sizes in bytes."""

    type: int
    key_size: int
    value_size: int
    max_entries: int


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One function to be called.  ``out_value_size``: bytes that its out value must have."""

    function: MapFunction
    key: bytes = b""
    value: bytes = b""
    out_value_size: int = 0
    flags: MapOperation = MapOperation.NONE
    program_type: bytes = b""
    restored: bool = False

    @property
    def asks_to_delete(self) -> bool:
        """Whether the provider may still refuse that an element goes."""
        wanted = not self.flags & (MapOperation.UPDATE | MapOperation.MAP_CLEANUP)
        return wanted and self.function is MapFunction.PREPROCESS_MAP_DELETE_ELEMENT


@dataclass(frozen=True, slots=True)
class ProviderReturn:
    """What came of a call: if it is *unanswered*, nobody was there, or answered in time."""

    result: int = Result.SUCCESS
    message: str = ""
    out_value: bytes = b""
    actual_value_size: int = 0
    map_context: bytes = b""
    unanswered: bool = False


class RefusalError(RequestError):
    """The provider itself said no, with a code of its choice."""


Steps: TypeAlias = Generator[ProviderCall, ProviderReturn, _Value]


class BaseMap(Protocol):
    """The map that keeps the entries: errors are ``EngineError``."""

    @property
    def count(self) -> int | None:
        """Entries that it has."""
        ...

    def lookup(self, key: bytes, /) -> bytes:
        """The value; OBJECT_NOT_FOUND."""
        ...

    def update(self, key: bytes, value: bytes, flags: int = 0, /) -> None:
        """Write."""
        ...

    def delete(self, key: bytes, /) -> None:
        """Delete; KEY_NOT_FOUND."""
        ...

    def entries(self, after: bytes | None, limit: int, /) -> list[tuple[bytes, bytes]]:
        """Entries that follow *after*."""
        ...


_Base = TypeVar("_Base", bound=BaseMap)


def create(
    data: MapProviderData, shape: MapShape, make_base: Callable[[int], _Base]
) -> Steps[_Base]:
    """Announce a new map; *make_base* makes what keeps its entries, for values of so many bytes."""
    returned = yield ProviderCall(MapFunction.PREPROCESS_MAP_CREATE)
    if returned.result != Result.SUCCESS:
        raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, _said(returned))
    try:
        _check_stored_size(data, shape, returned.actual_value_size)
        return make_base(returned.actual_value_size)
    except (RequestError, EngineError):
        yield ProviderCall(MapFunction.POSTPROCESS_MAP_DELETE)
        raise


def restore(stored_value_size: int, program_types: tuple[bytes, ...]) -> Steps[None]:
    """Announce a map that has lost its provider, with the types of programs that use it."""
    returned = yield ProviderCall(MapFunction.PREPROCESS_MAP_CREATE, restored=True)
    if returned.result != Result.SUCCESS:
        raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, _said(returned))
    try:
        _check_same_size(stored_value_size, returned.actual_value_size)
        for program_type in program_types:
            yield from associate(program_type)
    except RequestError:
        yield ProviderCall(MapFunction.POSTPROCESS_MAP_DELETE)
        raise


def associate(program_type: bytes) -> Steps[None]:
    """Ask whether programs of this type may use the map."""
    call = ProviderCall(MapFunction.PREPROCESS_ASSOCIATE_PROGRAM_TYPE, program_type=program_type)
    _check((yield call))


class Elements:
    """The elements of one custom map."""

    def __init__(
        self, data: MapProviderData, shape: MapShape, base: BaseMap, stored_value_size: int
    ) -> None:
        self._data = data
        self._shape = shape
        self._base = base
        self._deletion = deletion_of(data)
        translates = data.updates_original_value
        self._seen_size = shape.value_size if translates else 0
        self._stored_size = stored_value_size if translates else 0

    def find(self, key: bytes) -> Steps[bytes]:
        """The value that users see."""
        self._check_key(key)
        stored = self._base.lookup(key)
        function = MapFunction.POSTPROCESS_MAP_FIND_ELEMENT
        if function not in self._data.functions:
            return stored
        call = ProviderCall(function, key, stored, self._seen_size)
        seen = _out_value(call, _check((yield call)))
        return seen if self._data.updates_original_value else stored

    def update(
        self, key: bytes, value: bytes, option: int, *, by: MapOperation = MapOperation.NONE
    ) -> Steps[None]:
        """Write a value that a user gives, or a program: then *by* is HELPER."""
        self._check_key(key)
        if len(value) != self._shape.value_size:
            message = f"value has {len(value)} bytes: the map's have {self._shape.value_size}"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        undo: ProviderCall | None = None
        function = MapFunction.PREPROCESS_MAP_UPDATE_ELEMENT
        if function in self._data.functions:
            call = ProviderCall(function, key, value, self._stored_size, flags=by)
            returned = _check((yield call))
            out_value = _out_value(call, returned)
            value = out_value if self._data.updates_original_value else value
            undo = undo_of(self._data, call, returned)
        old = self._present(key)
        try:
            self._write(key, value, option, old)
        except (RequestError, EngineError):
            if undo is not None:
                yield undo
            raise
        if old is not None and self._deletion is not None:
            yield ProviderCall(self._deletion, key, old, flags=MapOperation.UPDATE | by)

    def delete(self, key: bytes, *, by: MapOperation = MapOperation.NONE) -> Steps[None]:
        """Delete what is not wanted any more; a provider that is asked first may refuse."""
        self._check_key(key)
        old = self._present(key)
        if old is not None and self._deletion is MapFunction.PREPROCESS_MAP_DELETE_ELEMENT:
            _check((yield ProviderCall(self._deletion, key, old, flags=by)))
        self._base.delete(key)
        if old is not None and self._deletion is MapFunction.POSTPROCESS_MAP_DELETE_ELEMENT:
            yield ProviderCall(self._deletion, key, old, flags=by)

    def clean_up(self) -> Iterator[ProviderCall]:
        """What to call before the map goes, for every element; results do not matter."""
        after: bytes | None = None
        while self._deletion is not None and (found := self._base.entries(after, 1)):
            ((after, value),) = found
            yield ProviderCall(self._deletion, after, value, flags=MapOperation.MAP_CLEANUP)

    def late(self, call: ProviderCall, returned: ProviderReturn) -> ProviderCall | None:
        """A call that was given up has returned: do what it was for, or say what takes it back."""
        if returned.result == Result.SUCCESS and call.asks_to_delete:
            if self._present(call.key) == call.value:
                self._base.delete(call.key)
            return None
        return undo_of(self._data, call, returned)

    def _check_key(self, key: bytes) -> None:
        if len(key) != self._shape.key_size:
            message = f"key has {len(key)} bytes: the map's have {self._shape.key_size}"
            raise RequestError(Result.INVALID_ARGUMENT, message)

    def _write(self, key: bytes, value: bytes, option: int, old: bytes | None) -> None:
        """Unlike a plain HASH, the base of a custom map is full at some time."""
        grows = old is None and option in {ANY, NOEXIST}
        if grows and (self._base.count or 0) >= self._shape.max_entries:
            message = f"the map is full: it has {self._shape.max_entries} entries"
            raise RequestError(Result.OUT_OF_SPACE, message)
        self._base.update(key, value, option)

    def _present(self, key: bytes) -> bytes | None:
        try:
            return self._base.lookup(key)
        except EngineError:
            return None


@dataclass(slots=True, eq=False)
class CustomMap:
    """What a map of a custom type has beside its base map.

    ``program_map`` is what programs get: the base map, or where the provider stores values
    otherwise than users see them, an empty one that they cannot write.  ``reason`` says why there
    is no provider.
    """

    data: MapProviderData
    shape: MapShape
    stored_value_size: int
    elements: Elements
    program_map: Map
    provider: str
    reason: str = ""
    program_types: set[bytes] = field(default_factory=set[bytes])


def deletion_of(data: MapProviderData) -> MapFunction | None:
    """The provider's function of deletion, the one or the other."""
    for function in (
        MapFunction.PREPROCESS_MAP_DELETE_ELEMENT,
        MapFunction.POSTPROCESS_MAP_DELETE_ELEMENT,
    ):
        if function in data.functions:
            return function
    return None


def undo_of(
    data: MapProviderData, call: ProviderCall, returned: ProviderReturn
) -> ProviderCall | None:
    """What takes back a call that has succeeded, if anything does."""
    if returned.result != Result.SUCCESS:
        return None
    if call.function is MapFunction.PREPROCESS_MAP_CREATE:
        return ProviderCall(MapFunction.POSTPROCESS_MAP_DELETE)
    function = deletion_of(data)
    if call.function is not MapFunction.PREPROCESS_MAP_UPDATE_ELEMENT or function is None:
        return None
    value = returned.out_value if data.updates_original_value else call.value
    by = call.flags & MapOperation.HELPER
    return ProviderCall(function, call.key, value, flags=MapOperation.UPDATE | by)


def _check_stored_size(data: MapProviderData, shape: MapShape, actual: int) -> None:
    if actual == 0:
        message = "its provider stores 0 bytes for a value: actual_value_size must not be 0"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    if actual != shape.value_size and not data.updates_original_value:
        message = (
            f"its provider stores {actual} bytes for a value of {shape.value_size}, "
            "but does not update the original value"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)


def _check_same_size(before: int, now: int) -> None:
    if now != before:
        problem = f"it now stores {now} bytes for a value, and the map has {before}"
        raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, problem)


def _check(returned: ProviderReturn) -> ProviderReturn:
    if returned.result != Result.SUCCESS:
        known = returned.result in Result._value2member_map_
        code = Result(returned.result) if known else Result.FAILED
        raise (RequestError if returned.unanswered else RefusalError)(code, _said(returned))
    return returned


def _said(returned: ProviderReturn) -> str:
    return returned.message or f"its provider refused with result {returned.result}"


def _out_value(call: ProviderCall, returned: ProviderReturn) -> bytes:
    if len(returned.out_value) != call.out_value_size:
        message = (
            f"its provider answered {call.function.name.lower()} with {len(returned.out_value)} "
            f"bytes instead of {call.out_value_size}"
        )
        raise RequestError(Result.FAILED, message)
    return returned.out_value
