"""The programs that judge verifiers, and what each source file says of itself.

A file begins with its description, which this module is the only one to read::

    // One sentence: what the program shows, or what is wrong with it.
    // facts: 6.11                    the entry of the catalogue of bugs that it goes back to
    // because: a sentence            what makes the unsafe program unsafe
    // input: packet=8*07,ff number=64
    // fault: INVALID_POINTER         how the checked interpreter ends the unsafe program there
    // contract: adjust               what it needs beside the sample type

``loops`` has one safe program a file, ``pairs`` an unsafe one and its safe twin.  Beside each
``NAME.c`` lie ``NAME.o`` of the sample type and ``NAME.xdp.o``, the same source for the kernel.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import ebpfd_vm
from tests.engine.sample import INFORMATION, Context, Helper, Information, live

HERE: Final = Path(__file__).parent
LOOPS: Final = HERE / "loops"
PAIRS: Final = HERE / "pairs"

FAULTS: Final = {"FAILED": 17, "INVALID_POINTER": 31, "TIMEOUT": 32}
"""Codes of ``ebpf_result`` that end an unsafe program."""

ADJUST: Final = 0x10007
"""A helper that moves the packet, which the sample type lacks."""

_CONTEXT: Final = struct.Struct("<QQIHxxII")
_MARK: Final = "// "


@dataclass(frozen=True, slots=True)
class Input:
    """A context and a packet to run on."""

    context: bytes
    packet: bytes
    meta: int
    """How much of the packet is metadata, at its start."""

    @classmethod
    def parse(cls, text: str) -> "Input":
        """Read ``packet=8*07,ff number=64 half=1 meta=4``: repeated bytes, bytes, numbers."""
        fields = dict(field.split("=") for field in text.split())
        packet = b"".join(_bytes(part) for part in fields.get("packet", "").split(",") if part)
        number, half, meta = (int(fields.get(name, "0"), 0) for name in ("number", "half", "meta"))
        return cls(_CONTEXT.pack(0, 0, number, half, 0, 0), packet, meta)


def _bytes(part: str) -> bytes:
    count, star, digits = part.partition("*")
    return bytes.fromhex(digits) * int(count) if star else bytes.fromhex(part)


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a corpus."""

    path: Path
    shows: str
    facts: str
    because: str
    input: Input | None
    fault: str
    contract: str

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read the description at the head of *path*."""
        shows, fields = "", dict[str, str]()
        for line in path.read_text().splitlines():
            if not line.startswith(_MARK):
                break
            if not shows:
                shows = line.removeprefix(_MARK)
                continue
            name, _, value = line.removeprefix(_MARK).partition(":")
            fields[name] = value.strip()
        given = fields.pop("input", None)
        return cls(
            path=path,
            shows=shows,
            input=None if given is None else Input.parse(given),
            **{name: fields.pop(name, "") for name in ("facts", "because", "fault", "contract")},
            **fields,  # a field that there is not: an error that names it
        )

    @property
    def name(self) -> str:
        """The file's name, which is the program's."""
        return self.path.stem

    @property
    def information(self) -> Information:
        """The contract that the program is for."""
        return CONTRACTS[self.contract]

    def object_file(self, *, xdp: bool = False) -> bytes:
        """The committed object, of the sample type or for the kernel."""
        return self.path.with_suffix(".xdp.o" if xdp else ".o").read_bytes()

    def parsed(self, *, xdp: bool = False) -> ebpfd_vm.Object:
        """The committed object, parsed."""
        return ebpfd_vm.parse_object(self.object_file(xdp=xdp))


CONTRACTS: Final = {
    "": INFORMATION,
    "adjust": replace(
        INFORMATION,
        helpers=(*INFORMATION.helpers, Helper(ADJUST, "adjust", (4, 1), reallocate_packet=True)),
    ),
    "read_only": replace(INFORMATION, writable=((20, 12),)),
    "meta": replace(INFORMATION, context=Context(meta=24), writable=((16, 8),)),
}
"""What programs may do: the sample type, and what is changed in it for some of them."""


def sources(folder: Path) -> Iterator[Source]:
    """All files of a corpus, in the order of their names."""
    return map(Source.read, sorted(folder.glob("*.c")))


def program(parsed: ebpfd_vm.Object, name: str) -> ebpfd_vm.ProgramSpec:
    """The program *name* of an object."""
    return next(spec for spec in parsed.programs if spec.name == name)


def run(source: Source, name: str, given: Input, *, budget: int | None = None) -> int:
    """The code with which the checked interpreter ends program *name*, unverified."""
    parsed = source.parsed()
    ready = ebpfd_vm.Program(
        program(parsed, name),
        [live(spec) for spec in parsed.maps],
        source.information,
        helper=lambda _id, _values, _context: (0, []),
        budget=budget,
    )
    code, *_ = ready.test_run(given.context, given.packet, given.meta, 1)
    return code
