"""A table of a configuration file: keys that are all known, values that are what they must be."""

import re
from collections.abc import Sequence
from enum import Enum
from sys import float_info
from typing import Any, Final, TypeGuard, TypeVar

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AMOUNT: Final = re.compile(r"(\d{1,18}) ?([KMGT])(?:i?B)?")
_SHIFTS: Final = {"K": 10, "M": 20, "G": 30, "T": 40}

_Choice = TypeVar("_Choice", bound=Enum)


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what can."""


class Table:
    """One table, its values by key and type; what it does not say is None or empty."""

    def __init__(self, content: Any, place: str, known: Sequence[str]) -> None:
        self._place = place
        if not _is_table(content):
            raise SettingsError(f"{place}: this must be a table")
        self._content = content
        for key in self._content:
            if key not in known:
                raise self.wrong(key, f"there is no such key here; there are {', '.join(known)}")

    def wrong(self, key: str, why: str) -> SettingsError:
        """What to raise when the value of *key* will not do."""
        return SettingsError(f"{self._path(key)}: {why}")

    def text(self, key: str) -> str | None:
        """Some text."""
        value = self._content.get(key)
        if value is None:
            return None
        if not _is_text(value):
            raise self.wrong(key, "this must be text that is not empty")
        return str(value)

    def flag(self, key: str) -> bool:
        """True or false; false if it is not said."""
        value = self._content.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "this must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self._list(key, "texts")
        if not all(map(_is_argument, values)):
            raise self.wrong(key, "this must be a list of texts")
        return tuple(values)

    def text_table(self, key: str) -> dict[str, str]:
        """Texts by names, as an environment has them."""
        value = self._content.get(key, {})
        if not _is_table(value) or not all(map(_is_argument, value.values())):
            raise self.wrong(key, "this must be a table of texts")
        for name in value:
            if not _is_text(name) or "=" in name:
                raise self.wrong(f"{key}.{name}", "no variable has such a name")
        return dict(value)

    def seconds(
        self, key: str, least: float | None = None, most: float = float("inf")
    ) -> float | None:
        """A time that is longer than none, and within the bounds if there are any."""
        value = self._content.get(key)
        if value is None:
            return None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= float_info.max:
            raise self.wrong(key, "this must be a number of seconds greater than 0")
        if least is not None and not least <= value <= most:
            raise self.wrong(key, f"this must be a number of seconds from {least:g} to {most:g}")
        return float(value)

    def whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number."""
        value = self._content.get(key)
        if value is None:
            return None
        if not _is_whole(value, least, most):
            raise self.wrong(key, f"this must be a whole number from {least} to {most}")
        return int(value)

    def choice(self, key: str, kind: type[_Choice]) -> _Choice | None:
        """One of an enumeration, by its value."""
        said, choices = self.text(key), [each.value for each in kind]
        if said is None:
            return None
        if said not in choices:
            raise self.wrong(key, f"{said!r} is none of {', '.join(choices)}")
        return kind(said)

    def check_name(self, key: str, name: str) -> None:
        """Names are in messages, file names and lists."""
        if not _NAME.fullmatch(name):
            raise self.wrong(key, f"{name!r} is not 1 to 64 letters, digits, '.', '_' and '-'")

    def amount(self, key: str, least: int) -> int | None:
        """Bytes, said like "64 MiB"; *least* or more."""
        said = self.text(key)
        if said is None:
            return None
        match = _AMOUNT.fullmatch(said)
        size = int(match[1]) << _SHIFTS[match[2]] if match else 0
        if not least <= size < 1 << 62:
            example = f'"64 MiB" or "1 GiB", {least >> 20} MiB at least'
            raise self.wrong(key, f"{said!r} is no amount like {example}")
        return size

    def wholes(self, key: str, least: int, most: int) -> tuple[int, ...]:
        """A list of whole numbers."""
        what = f"whole numbers from {least} to {most}"
        values = self._list(key, what)
        if not all(_is_whole(each, least, most) for each in values):
            raise self.wrong(key, f"this must be a list of {what}")
        return tuple(values)

    def table(self, key: str, known: Sequence[str]) -> "Table":
        """A table in this one."""
        return Table(self._content.get(key, {}), self._path(key), known)

    def tables(self, key: str, known: Sequence[str]) -> tuple["Table", ...]:
        """A list of tables, counted from 1."""
        return tuple(
            Table(each, f"{self._path(key)} {number}", known)
            for number, each in enumerate(self._list(key, f"tables: [[{key}]]"), 1)
        )

    def named_tables(self, key: str, known: Sequence[str]) -> dict[str, "Table"] | None:
        """The tables of a table, by names that are the file's own; None: it is not there."""
        if key not in self._content:
            return None
        value = self._content[key]
        if not _is_table(value):
            raise self.wrong(key, f"this must be tables: [{key}.NAME]")
        path = self._path(key)
        return {name: Table(each, f"{path}, {name}", known) for name, each in value.items()}

    def says(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._content

    def _list(self, key: str, what: str) -> list[Any]:
        value = self._content.get(key, [])
        if not _is_list(value):
            raise self.wrong(key, f"this must be a list of {what}")
        return value

    def _path(self, key: str) -> str:
        return f"{self._place}, {key}" if self._place else key


def _is_table(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)  # TOML's keys are text


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_argument(value: object) -> bool:
    """What may be an argument or a variable of a process."""
    return isinstance(value, str) and "\0" not in value


def _is_text(value: object) -> bool:
    return _is_argument(value) and value != ""


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
