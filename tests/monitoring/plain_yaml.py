"""A reader of the plain part of YAML that our files for others keep to; all else is refused.

Mappings and lists in block style, text on one line, in double quotes, or as a block with ``|`` or
``>-``.  No text is a number: who reads it knows what it is.
"""

import json
import re
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

_KEY: Final = re.compile(r"([a-z_]+):(?: (.+))?")
_NOT_PLAIN: Final = re.compile(r"^[\s\[\]{}&*!|>'\"%@`,#?:-]|: | #|[:\s]$")
"""What text must not have that stands there without quotes."""


@dataclass(slots=True)
class _Line:
    indent: int
    text: str


def read_yaml(text: str) -> Value:
    """What *text* says; ``ValueError`` where it is not plain."""
    lines = deque[_Line]()
    for line in text.splitlines():
        if "\t" in line:
            raise ValueError(f"a tab: {line!r}")
        bare = line.lstrip(" ")
        if not bare.startswith("#"):
            lines.append(_Line(len(line) - len(bare), bare))
    value = _block(lines, 0)
    if _next(lines) is not None:
        raise ValueError(f"this belongs nowhere: {lines[0].text!r}")
    return value


def _next(lines: deque[_Line]) -> _Line | None:
    """The next line that has anything."""
    while lines and not lines[0].text:
        lines.popleft()
    return lines[0] if lines else None


def _block(lines: deque[_Line], indent: int) -> Value:
    line = _next(lines)
    if line is None or line.indent != indent:
        raise ValueError(f"nothing is {indent} spaces deep before {line}")
    return _list(lines, indent) if line.text.startswith("- ") else _mapping(lines, indent)


def _list(lines: deque[_Line], indent: int) -> list[Value]:
    values: list[Value] = []
    while (line := _next(lines)) and line.indent == indent and line.text.startswith("- "):
        line.indent, line.text = indent + 2, line.text[2:]
        values.append(_block(lines, indent + 2))
    return values


def _mapping(lines: deque[_Line], indent: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    while (line := _next(lines)) and line.indent == indent:
        found = _KEY.fullmatch(line.text)
        if found is None or found[1] in values:
            raise ValueError(f"no key, or the same once more: {line.text!r}")
        lines.popleft()
        match found[2]:
            case None:
                values[found[1]] = _block(lines, indent + 2)
            case "|" | ">-":
                values[found[1]] = _text(lines, indent + 2, folded=found[2] == ">-")
            case quoted if quoted.startswith('"'):
                values[found[1]] = json.loads(quoted)
            case plain if _NOT_PLAIN.search(plain):
                raise ValueError(f"this needs quotes: {plain!r}")
            case plain:
                values[found[1]] = plain
    return values


def _text(lines: deque[_Line], indent: int, *, folded: bool) -> str:
    """The text of a block."""
    said: list[str] = []
    while lines and lines[0].text and lines[0].indent >= indent:
        line = lines.popleft()
        if folded and line.indent > indent:
            raise ValueError(f"this line would not be folded: {line.text!r}")
        said.append(" " * (line.indent - indent) + line.text)
    if not said:
        raise ValueError("a block without text")
    return " ".join(said) if folded else "\n".join([*said, ""])
