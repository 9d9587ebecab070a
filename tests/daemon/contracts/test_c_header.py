"""A contract as a C header: what clang makes of it, and what it says."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest

from ebpfd.contracts import ContextField, ContractError, ProgramData, ProgramResult
from ebpfd.contracts.c_header import c_header, identifier
from ebpfd.host.general import general_prototypes
from ebpfd_api.prototype import ArgumentType
from tests.daemon.contracts.samples import SAMPLE, helper, with_context, with_info

FLAGS = ("-target", "bpf", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable")
ODD = dataclasses.replace(
    with_context(SAMPLE, size=43),
    fields=(
        ContextField(name="data", offset=0, size=8, type="data", writable=False),
        ContextField(name="data_end", offset=8, size=8, type="data_end", writable=False),
        ContextField(name="number", offset=17, size=4, type="u32"),
        ContextField(name="key", offset=21, size=4, type="u32", writable=False, hidden=True),
        ContextField(name="all", offset=26, size=8, type="u64"),
        ContextField(name="upper", offset=30, size=4, type="u8[4]"),
        ContextField(name="blob", offset=36, size=3, type="something_t"),
    ),
)
"""Nothing lies where C would put it."""


def text(data: ProgramData) -> str:
    """The header."""
    return c_header(data, general_prototypes()).decode()


def compiled(folder: Path, *headers: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """What clang says of a program that includes *headers*."""
    for number, header in enumerate(headers):
        (folder / f"{number}.h").write_text(header)
    includes = "".join(f'#include "{number}.h"\n' for number in range(len(headers)))
    (folder / "program.c").write_text(includes + code)
    clang = shutil.which("clang")
    if clang is None:
        pytest.skip("no clang to compile with")
    command = [clang, *FLAGS, "-c", str(folder / "program.c"), "-o", str(folder / "program.o")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("data", [SAMPLE, ODD, with_context(SAMPLE, size=100)])
def test_clang_finds_every_field_where_the_contract_says(tmp_path: Path, data: ProgramData) -> None:
    """The header asserts it of itself, and needs no other."""
    ran = compiled(tmp_path, text(data))
    assert (ran.returncode, ran.stderr) == (0, "")
    for field in data.fields:
        asserted = f", {field.name}) == {field.offset}" in text(data)
        assert asserted != field.hidden


def test_headers_of_two_types_stand_beside_each_other(tmp_path: Path) -> None:
    """What they have in common is declared once."""
    other = dataclasses.replace(ODD, context_type="odd_t")
    other = with_info(other, program_type_specific_helpers=())
    ran = compiled(tmp_path, text(SAMPLE), text(other))
    assert (ran.returncode, ran.stderr) == (0, "")


def test_clang_tells_an_author_that_a_field_is_read_only(tmp_path: Path) -> None:
    """Before any verifier does."""
    write = 'SEC("odd") int write(sample_context_t *context) {{ context->{} = 1; return 0; }}'
    assert compiled(tmp_path, text(ODD), code=write.format("number")).returncode == 0
    ran = compiled(tmp_path, text(ODD), code=write.format("data_end"))
    assert "read-only" in ran.stderr or "const" in ran.stderr
    assert "no member named 'key'" in compiled(tmp_path, text(ODD), code=write.format("key")).stderr


def test_what_overlaps_is_a_union_and_what_is_unknown_is_bytes() -> None:
    """Offsets within a union are padded."""
    lines = [line.strip() for line in text(ODD).splitlines()]
    at = lines.index("union")
    assert lines[at + 2 : at + 5] == [
        "uint64_t all;",
        "struct { uint8_t _before_upper[4]; uint8_t upper[4]; };",
        "};",
    ]
    assert "uint8_t blob[3];" in lines
    assert "uint8_t _reserved_39[4];" in lines


def test_helpers_are_declared_with_what_they_take() -> None:
    """Two of a kind get numbers; an override that takes the same is declared once."""
    own = helper(0x10001, "find", *SAMPLE.program_info.program_type_specific_helpers[1].arguments)
    data = with_info(
        SAMPLE,
        program_type_specific_helpers=(own,),
        global_helpers=(
            helper(8, "bpf_get_smp_processor_id"),
            helper(6, "bpf_get_prandom_u32", ArgumentType.PTR_TO_CTX),
            helper(99, "new", ArgumentType.PTR_TO_CTX),
        ),
    )
    said = text(data)
    assert (
        "static int64_t (*const find)(const void *from_1, uint32_t size_1, const void *from_2, "
        "uint32_t size_2) = (void *)0x10001;" in said
    )
    assert said.count("(*const bpf_get_smp_processor_id)") == 1
    assert "(*const sample_bpf_get_prandom_u32)(sample_context_t *context)" in said
    assert "(*const new)(sample_context_t *context) = (void *)0x63;" in said
    assert "static void *(*const bpf_map_lookup_elem)(void *map, const void *key)" in said


def test_sections_and_results_have_names() -> None:
    """As macros, and as an enumeration."""
    results = (ProgramResult(value=0, name="DROP"), ProgramResult(value=2**32 - 1, name="LAST"))
    said = text(dataclasses.replace(SAMPLE, section_prefixes=("a/b4",), results=results))
    assert '#define SECTION_A_B4 "a/b4"\n' in said
    assert "enum sample_result\n{\n    DROP = 0,\n    LAST = 4294967295,\n};\n" in said


@pytest.mark.parametrize(
    ("field", "at"),
    [
        (ContextField(name="two words", offset=16, size=4), "fields[0].name"),
        (ContextField(name="a", offset=16, size=4, type="u64"), "fields[0].type"),
        (ContextField(name="a", offset=16, size=4, type="u16[3]"), "fields[0].type"),
    ],
)
def test_what_c_cannot_say_is_an_error(field: ContextField, at: str) -> None:
    """It names the field."""
    with pytest.raises(ContractError) as caught:
        text(dataclasses.replace(SAMPLE, fields=(field,)))
    assert caught.value.field == at


def test_any_text_has_an_identifier() -> None:
    """For names of types and sections."""
    assert [identifier(each) for each in ("a/b4", "4th", "é-x")] == ["a_b4", "_4th", "__x"]
