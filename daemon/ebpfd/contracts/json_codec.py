"""Program information as JSON: for people to read, to write and to keep under version control.

It has the shape of the values.  GUIDs are text, types of helpers are the names of eBPF for Windows,
bytes are base64.  What has its default may be left out; what is unknown is an error.

    {"version": 1,
     "program_info": {"type_descriptor": {"name": "bind", "context_descriptor": {"size": 56, …}, …},
                      "program_type_specific_helpers": [{"helper_id": 65536, "name": …}], …},
     "fields": [{"name": "process_id", "offset": 16, "size": 8, "type": "u64"}], …}
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import IntEnum
from functools import partial
from types import MappingProxyType, UnionType
from typing import Any, Final, TypeAlias, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from ebpfd.contracts.validation import MAX_ARGUMENTS, ContractError, validate_program_data
from ebpfd.contracts.values import ProgramData
from ebpfd_api.prototype import ArgumentType

VERSION: Final = 1

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


def encode_json(data: ProgramData) -> bytes:
    """*data* as indented text, in the order of its fields, with a newline at its end."""
    return write_document({}, data)


def decode_json(content: bytes) -> ProgramData:
    """The contract that *content* describes; ``ContractError`` names what is wrong with it."""
    found = parse_document(content)
    data = cast("ProgramData", read_value(ProgramData, found, ""))
    validate_program_data(data)
    return data


def write_document(first: Mapping[str, object], value: object) -> bytes:
    """The fields in *first*, and then those of *value*, as a document."""
    fields_of = cast("dict[str, Json]", _written(value))
    beside = {name: _written(each) for name, each in first.items()}
    document = {"version": VERSION, **beside, **fields_of}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def parse_document(content: bytes) -> dict[str, object]:
    """A document's fields, without its version; ``ContractError``."""
    try:
        document: object = json.loads(
            content.decode(), parse_constant=_no_number, object_pairs_hook=_without_doubles
        )
    except ContractError:
        raise
    except (ValueError, RecursionError) as error:
        raise ContractError("json", str(error)) from None
    found = dict(_object(document, "json"))
    version = found.pop("version", VERSION)
    if version != VERSION or isinstance(version, bool):
        raise ContractError("version", f"{version!r} is not {VERSION}")
    return found


def _no_number(text: str) -> int:
    raise ValueError(f"{text} is no number of JSON")


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; which of two values would count is nothing to guess."""
    found = dict(pairs)
    for name, count in Counter(name for name, _ in pairs).items():
        if count > 1:
            raise ContractError(name, f"stands {count} times in one object")
    return found


def _written(value: object) -> Json:
    match value:
        case None | bool() | str():
            return value
        case IntEnum():
            return value.name
        case int():
            return value
        case bytes():
            return base64.b64encode(value).decode()
        case UUID():
            return str(value)
        case frozenset():
            return [_written(each) for each in sorted(cast("frozenset[int]", value))]
        case tuple():
            return [_written(each) for each in cast("tuple[object, ...]", value)]
        case _:
            assert is_dataclass(value), "contracts are made of nothing else"
            return {
                field.name: _written(_trimmed(field, getattr(value, field.name)))
                for field in fields(value)
                # Few helpers come as code.
                if (field.name, getattr(value, field.name)) != ("code", b"")
            }


def _trimmed(field: Field[Any], value: object) -> object:
    """Arguments that a helper does not take are left out."""
    if field.name != "arguments":
        return value
    arguments = cast("tuple[ArgumentType, ...]", value)
    return tuple(each for each in arguments if each is not ArgumentType.DONTCARE)


def _object(value: object, at: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ContractError(at, "must be an object")
    return cast("dict[str, object]", value)


def _read_dataclass(kind: type, value: object, at: str) -> object:
    found = _object(value, at or "json")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    for name in found:
        if name not in known:
            raise ContractError(f"{at}.{name}".removeprefix("."), "is no field of a contract")
    read: dict[str, object] = {}
    for name, field in known.items():
        path = f"{at}.{name}".removeprefix(".")
        if name in found:
            read[name] = _filled(name, read_value(hints[name], found[name], path), path)
        elif field.default is MISSING:
            raise ContractError(path, "is missing")
    return kind(**read)


def _filled(name: str, value: object, at: str) -> object:
    """Arguments always have five entries."""
    if name != "arguments":
        return value
    given = cast("tuple[ArgumentType, ...]", value)
    if len(given) > MAX_ARGUMENTS:
        raise ContractError(at, f"{len(given)} are more than {MAX_ARGUMENTS}")
    return (*given, *[ArgumentType.DONTCARE] * (MAX_ARGUMENTS - len(given)))


def read_value(kind: Any, value: object, at: str) -> object:
    """A *value* of JSON as what *kind* says, which is found *at* a path; ``ContractError``."""
    if isinstance(kind, UnionType):  # what may be left out
        return None if value is None else read_value(get_args(kind)[0], value, at)
    if get_origin(kind) in (tuple, frozenset):
        if not isinstance(value, list):
            raise ContractError(at, "must be an array")
        member = get_args(kind)[0]
        items = enumerate(cast("list[object]", value))
        return get_origin(kind)(read_value(member, each, f"{at}[{index}]") for index, each in items)
    if is_dataclass(kind):
        return _read_dataclass(cast("type", kind), value, at)
    if issubclass(kind, IntEnum):
        return _read_enum(kind, value, at)
    return _SIMPLE[kind](value, at)


def _read_enum(kind: type[IntEnum], value: object, at: str) -> IntEnum:
    if isinstance(value, str) and value in kind.__members__:
        return kind[value]
    raise ContractError(at, f"{value!r} is no {kind.__name__}, like {next(iter(kind)).name}")


def _read_exactly(kind: type, what: str, value: object, at: str) -> object:
    if type(value) is not kind:
        raise ContractError(at, f"must be {what}")
    return value


def _read_guid(value: object, at: str) -> UUID:
    text = cast("str", _read_exactly(str, "a GUID as text", value, at))
    try:
        return UUID(text)
    except ValueError:
        raise ContractError(at, f"{text!r} is no GUID") from None


def _read_bytes(value: object, at: str) -> bytes:
    text = cast("str", _read_exactly(str, "base64 as text", value, at))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ContractError(at, "is no base64") from None


_SIMPLE: Final[Mapping[type, Callable[[object, str], object]]] = MappingProxyType(
    {
        bool: partial(_read_exactly, bool, "true or false"),
        int: partial(_read_exactly, int, "a whole number"),
        str: partial(_read_exactly, str, "text"),
        UUID: _read_guid,
        bytes: _read_bytes,
    }
)
