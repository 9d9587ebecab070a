"""Which fields two contracts differ in, each by its path and with both values.

It walks whatever dataclasses it is given, so a field that contracts gain is compared at once.
What stands in a tuple under a name is found by its name, helpers by their ids: what was put
between them moves nothing.  Paths are those of ``ebpfd.contracts.validation``, with names instead
of numbers in the brackets.
"""

import hashlib
import itertools
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeAlias, cast
from uuid import UUID

from ebpfd.contracts.digest import context_rights
from ebpfd.contracts.values import ContextField, HelperFunctionPrototype, ProgramData


class Absent(Enum):
    """Stands for a value where one side has none."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

LONGEST_HEX: Final = 32
"""Bytes that are shown as they are; of more their hash is."""

SHOWN: Final = 3
"""Differences that ``summary`` names; it counts the rest."""

_KEYS: Final[dict[type, str]] = {HelperFunctionPrototype: "helper_id"}
"""What tells the members of a tuple apart, where it is not their name."""

_TRANSPARENT: Final = {"program_info"}
"""Fields that paths do not name, for there is nothing beside them."""

_NOT_RELIED_ON: Final[dict[object, tuple[str, ...]]] = {
    ProgramData: (
        "required_irql",
        "capabilities",
        "helper_addresses",
        "section_prefixes",
        "results",
        "other_results_stop",
        "default_result",
        "context_type",
        "context_btf",
    ),
    HelperFunctionPrototype: ("implicit_context",),
    ContextField: ("type",),
}
"""What may change while a program is loaded: the fields that its contract's digest leaves out."""

_Parts: TypeAlias = Iterator[tuple[str, object, object]]
_Tuple: TypeAlias = tuple[object, ...]
_Set: TypeAlias = frozenset[int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field with its two values; ``ABSENT`` where a side has none."""

    field: str
    old: object
    new: object

    def __str__(self) -> str:
        """As a clause: what it is, and what it was."""
        return f"{self.field} is {shown(self.new)}, was {shown(self.old)}"


def differences(old: object, new: object) -> Iterator[Difference]:
    """All that differs between two contracts of one kind, in the order of their fields."""
    return _differences("", old, new, None)


def differences_in_use(
    old: ProgramData,
    new: ProgramData,
    used_helpers: Collection[int],
    *,
    relocatable: bool = False,
) -> Iterator[Difference]:
    """What differs for a program that calls *used_helpers*: all that its digest covers."""
    yield from _differences("", old, new, frozenset(used_helpers))
    if relocatable and old.context_btf != new.context_btf:
        yield Difference("context_btf", old.context_btf, new.context_btf)


def summary(found: Iterator[Difference]) -> str:
    """The first of them in words, and how many more there are; empty if there is none."""
    named = [str(each) for each in itertools.islice(found, SHOWN)]
    more = sum(1 for _ in found)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _differences(
    path: str, old: object, new: object, used: frozenset[int] | None
) -> Iterator[Difference]:
    """Those at and below *path*; *used* None is the whole contract."""
    parts = _parts(path, old, new, used) if type(old) is type(new) else None
    if parts is not None:
        for at, before, after in parts:
            yield from _differences(at, before, after, used)
    elif old != new:
        yield Difference(path, old, new)


def _parts(path: str, old: object, new: object, used: frozenset[int] | None) -> _Parts | None:
    """What two values of one type are compared by; None if it is as a whole."""
    if is_dataclass(old):
        return _fields(path, old, new, used)
    if isinstance(old, tuple):
        before, after = cast("_Tuple", old), cast("_Tuple", new)
        return _members(path, _in_use(before, used), _in_use(after, used))
    if isinstance(old, frozenset):
        return _elements(path, cast("_Set", old), cast("_Set", new))
    return None


def _fields(path: str, old: Any, new: object, used: frozenset[int] | None) -> _Parts:
    left_out = () if used is None else _NOT_RELIED_ON.get(cast("object", type(old)), ())
    if used is not None and isinstance(old, ProgramData) and isinstance(new, ProgramData):
        # Names and borders of fields mean nothing to a program that is loaded: rights do.
        same_rights = context_rights(old) == context_rights(new)
        left_out = (*left_out, "fields") if same_rights else left_out
    for field in fields(old):
        if field.name not in left_out:
            at = path if field.name in _TRANSPARENT else f"{path}.{field.name}".removeprefix(".")
            yield at, getattr(old, field.name), getattr(new, field.name)


def _members(path: str, old: Sequence[object], new: Sequence[object]) -> _Parts:
    """By their keys, if both sides have such; else by their places."""
    before, after = _keyed(old), _keyed(new)
    if before is None or after is None:
        for index, (one, other) in enumerate(itertools.zip_longest(old, new, fillvalue=ABSENT)):
            yield f"{path}[{index}]", one, other
        return
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key, ABSENT), after.get(key, ABSENT)
        name = getattr(other if one is ABSENT else one, "name", key)
        yield f"{path}[{name}]", one, other
    yield f"{path} in order", _names_kept(before, after), _names_kept(after, before)


def _names_kept(these: dict[Hashable, object], those: dict[Hashable, object]) -> str:
    """Names that both sides have, as these are ordered; the order of helpers means nothing."""
    return " ".join(key for key in these if key in those and isinstance(key, str))


def _elements(path: str, old: _Set, new: _Set) -> _Parts:
    for each in sorted(old ^ new):
        one, other = (each, ABSENT) if each in old else (ABSENT, each)
        yield f"{path}[{each}]", one, other


def _in_use(members: _Tuple, used: frozenset[int] | None) -> list[object]:
    return [
        each
        for each in members
        if used is None or not isinstance(each, HelperFunctionPrototype) or each.helper_id in used
    ]


def _keyed(members: Sequence[object]) -> dict[Hashable, object] | None:
    """By what tells them apart; None if nothing does."""
    keyed: dict[Hashable, object] = {}
    for each in members:
        key: Hashable = getattr(each, _KEYS.get(type(each), "name"), None)
        if key is None or key in keyed or not is_dataclass(each):
            return None
        keyed[key] = each
    return keyed


def shown(value: object) -> str:
    """A value as people read it: numbers of the wire, not names of Python's."""
    match value:
        case Absent():
            return "absent"
        case bool():
            return str(value).lower()
        case int():
            return str(int(value))
        case str():
            return f'"{value}"'
        case bytes() if len(value) > LONGEST_HEX:
            return f"{len(value)} bytes (SHA-256 {hashlib.sha256(value).hexdigest()[:16]})"
        case bytes():
            return value.hex() or "empty"
        case UUID():
            return str(value)
        case tuple():
            return f"({', '.join(map(shown, cast('_Tuple', value)))})"
        case None:
            return "none"
        case _:
            return "present" if is_dataclass(value) else str(value)
