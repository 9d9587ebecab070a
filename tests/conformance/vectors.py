"""Test vectors: a program and what it must compute, in one text file.

    # comment                       what comes before the first section is free text
    -- asm                          the program
    -- mem                          hex bytes; r1 points to them, r2 is their number
    -- result                       r0, all 64 bits of it
    -- error                        instead of a result: words of why it must fail
    -- raw                          the slots that the program must assemble to
    -- c, -- no register offset     for other readers; skipped

Reading a file runs nothing and assembles nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECTIONS: Final = frozenset({"asm", "mem", "result", "error", "raw", "c", "no register offset"})
_WORD: Final = (1 << 64) - 1


class VectorError(ValueError):
    """A file is no vector."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(frozen=True, slots=True)
class Vector:
    """One file: it has a result or an error, never both."""

    name: str
    assembly: str
    assembly_line: int
    """Where *assembly* begins in the file."""
    memory: bytes
    result: int | None
    error: str | None
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class _Section:
    """The lines of a section, and the number of the first one."""

    line: int
    text: str

    @property
    def words(self) -> list[str]:
        lines = (line.partition("#")[0] for line in self.text.splitlines())
        return " ".join(lines).split()


def read_vector(path: Path) -> Vector:
    """Read one file; ``VectorError`` says which line of it is wrong."""
    sections = _sections(path)
    program = sections.get("asm")
    if program is None:
        raise VectorError(path, 1, "there is no section asm")
    if ("result" in sections) == ("error" in sections):
        raise VectorError(path, 1, "one section of result and error is needed")
    error = sections.get("error")
    return Vector(
        name=path.stem,
        assembly=program.text,
        assembly_line=program.line,
        memory=_memory(path, sections),
        result=_result(path, sections),
        error=None if error is None else error.text.strip(),
        raw=_raw(path, sections),
    )


def _sections(path: Path) -> Mapping[str, _Section]:
    """Cut the file at its headings; a section that comes twice is an error."""
    lines = path.read_text("utf-8").splitlines()
    headings = [at for at, line in enumerate(lines) if line.startswith("-- ")]
    sections: dict[str, _Section] = {}
    for at, end in zip(headings, [*headings[1:], len(lines)], strict=True):
        name = lines[at].removeprefix("-- ").strip()
        if name not in _SECTIONS or name in sections:
            raise VectorError(path, at + 1, f"section {name!r} is unknown, or comes twice")
        sections[name] = _Section(at + 2, "\n".join(lines[at + 1 : end]))
    return sections


def _memory(path: Path, sections: Mapping[str, _Section]) -> bytes:
    section = sections.get("mem")
    if section is None:
        return b""
    try:
        return bytes.fromhex("".join(section.words))
    except ValueError as error:
        raise VectorError(path, section.line, f"mem: {error}") from None


def _result(path: Path, sections: Mapping[str, _Section]) -> int | None:
    section = sections.get("result")
    if section is None:
        return None
    numbers = _numbers(path, section)
    if len(numbers) != 1:
        raise VectorError(path, section.line, "the result is one number")
    return numbers[0]


def _raw(path: Path, sections: Mapping[str, _Section]) -> bytes | None:
    section = sections.get("raw")
    if section is None:
        return None
    return b"".join(slot.to_bytes(8, "little") for slot in _numbers(path, section))


def _numbers(path: Path, section: _Section) -> list[int]:
    try:
        return [int(word, 0) & _WORD for word in section.words]
    except ValueError as error:
        raise VectorError(path, section.line, str(error)) from None
