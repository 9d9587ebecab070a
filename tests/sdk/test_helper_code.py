"""Helpers that come as code: what is taken out of object files, and what nobody may declare."""

import random
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import U64, DeclarationError, Integer, ProgramType, ReadableMemory
from ebpfd_sdk._bpf_object import BpfObject, ObjectFileError
from ebpfd_sdk.testing import object_file
from ebpfd_vm import parse_object
from tests.e2e.gate_extension import OBJECT
from tests.sdk.parcels import PROGRAM_TYPE, Parcel

CONTENT = OBJECT.read_bytes()
SEVEN = bytes.fromhex("b7000000070000009500000000000000")
"""r0 = 7; exit"""


def declared(name: str, code: Any, **options: Any) -> ProgramType[Parcel]:
    """A type with one helper that comes as *code*."""

    def function(text: ReadableMemory, seed: U64) -> Integer:
        raise NotImplementedError

    parcel = ProgramType(PROGRAM_TYPE, Parcel, name="parcel")
    parcel.helper(0x10000, name=name, code=code, **options)(function)
    return parcel


@pytest.mark.parametrize("code", [CONTENT, OBJECT, str(OBJECT)], ids=["bytes", "path", "text"])
def test_a_function_of_an_object_file_is_the_helper(code: bytes | Path | str) -> None:
    """It is found by its name; nobody serves it, and the signature is its prototype."""
    data = declared("gate_hash", code).program_data()
    (prototype,) = data.program_info.program_type_specific_helpers
    assert (prototype.name, len(prototype.arguments)) == ("gate_hash", 3)
    assert prototype.code == BpfObject(CONTENT).code("gate_hash")
    assert not data.helper_addresses


def test_bare_instructions_are_taken_as_they_are() -> None:
    """For whoever has another compiler."""
    data = declared("seven", SEVEN).program_data()
    assert data.program_info.program_type_specific_helpers[0].code == SEVEN


def test_functions_that_it_calls_lie_behind_it() -> None:
    """As the daemon's loader would link them."""
    linked = {each.name: each for each in parse_object(CONTENT).programs}
    assert "mixed" not in linked
    for name in BpfObject(CONTENT).functions():
        if name != "mixed":
            assert BpfObject(CONTENT).code(name) == linked[name].instructions
    assert linked["gate_hash"].subprograms[0][0] == "mixed"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (OBJECT, r"gate_helpers\.o has no function other \(it has: gate_age, gate_calls_own, "),
        ("nowhere.o", "nowhere.o: No such file or directory"),
        (b"not a file", "its code is no object file: clang -O2 -target bpf -c makes one"),
        (CONTENT[:300], "its code is damaged"),
        (b"", "is no object file"),
        (b"\x7fELF\x02\x01".ljust(64, b"\0"), "another machine: clang needs -target bpf"),
    ],
)
def test_what_is_not_there_is_told(code: Any, says: str) -> None:
    """By the helper's name and the file's."""
    with pytest.raises(DeclarationError, match=says) as caught:
        declared("other", code)
    assert str(caught.value).startswith("helper other: ")


@pytest.mark.parametrize(
    "options", [{"deadline_s": 1.0}, {"implicit_context": True}, {"reallocate_packet": True}]
)
def test_what_means_nothing_for_code_is_refused(options: dict[str, Any]) -> None:
    """By the name of the option."""
    with pytest.raises(DeclarationError, match=f"comes as code, so {next(iter(options))}"):
        declared("seven", SEVEN, **options)


async def test_nobody_awaits_code() -> None:
    """An ``async def`` would never be called."""

    async def waits() -> Integer:
        return 0

    parcel = ProgramType(PROGRAM_TYPE, Parcel, name="parcel")
    with pytest.raises(DeclarationError, match="comes as code, so async def"):
        parcel.helper(0x10000, code=SEVEN)(waits)


def test_a_program_of_one_function_is_an_object_file_too() -> None:
    """The smallest that there is."""
    assert BpfObject(object_file("any", "seven", SEVEN)).code("seven") == SEVEN


def test_damaged_files_are_told_and_nothing_else_happens() -> None:
    """Whatever is changed, the answer is code or a reason."""
    chance = random.Random(5)
    for _ in range(3000):
        changed = bytearray(CONTENT)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(changed))
            changed[at : at + 4] = struct.pack("<I", chance.choice([0, 1, at, 2**31, 2**32 - 1]))
        with suppress(ObjectFileError):
            found = BpfObject(bytes(changed))
            for name in found.functions():
                assert len(found.code(name)) % 8 == 0


@pytest.mark.skipif(shutil.which("clang") is None, reason="there is no clang")
def test_maps_and_globals_are_named(tmp_path: Path) -> None:
    """They belong to programs."""
    source = tmp_path / "counts.c"
    source.write_text(
        "int count; int counts(void) { return count++; }\nint far(void);\n"
        "int calls(void) { return far() + 1; }\n"
    )
    target = tmp_path / "counts.o"
    subprocess.run(["clang", "-O2", "-target", "bpf", "-c", source, "-o", target], check=True)
    with pytest.raises(DeclarationError, match="counts refers to count: code that is"):
        declared("counts", target)
    with pytest.raises(DeclarationError, match="calls calls far: define it"):
        declared("calls", target)
