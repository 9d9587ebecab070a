"""A contract as a C header: what clang makes of it, and what it says."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ebpfd.contracts import ContextField, ContractError, ProgramData, ProgramResult
from ebpfd.contracts.c_header import c_header
from ebpfd.contracts.c_names import identifier
from ebpfd.host.general import general_prototypes
from ebpfd_api.prototype import ArgumentType
from tests.daemon.contracts.samples import (
    SAMPLE,
    helper,
    with_context,
    with_descriptor,
    with_helper,
    with_info,
)
from tests.daemon.contracts.valid import valid_program_data

replace = dataclasses.replace

FLAGS = ("-target", "bpf", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable")
ODD = replace(
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


UNEVEN = replace(
    with_context(SAMPLE, size=24),
    fields=(
        ContextField(name="number", offset=16, size=2, type="u16"),
        ContextField(name="three", offset=16, size=3),
    ),
)
"""C would give the two that overlap a fourth byte."""


@pytest.mark.parametrize("data", [SAMPLE, ODD, UNEVEN, with_context(SAMPLE, size=100)])
def test_clang_finds_every_field_where_the_contract_says(tmp_path: Path, data: ProgramData) -> None:
    """The header asserts it of itself, and needs no other."""
    ran = compiled(tmp_path, text(data))
    assert (ran.returncode, ran.stderr) == (0, "")
    for field in data.fields:
        asserted = f", {field.name}) == {field.offset}" in text(data)
        assert asserted != field.hidden


def test_headers_of_two_types_stand_beside_each_other(tmp_path: Path) -> None:
    """What they have in common is declared once."""
    other = replace(ODD, context_type="odd_t")
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
    at = lines.index("union __attribute__((packed))")
    assert lines[at + 2 : at + 5] == [
        "uint64_t all;",
        "struct __attribute__((packed)) { uint8_t _before_upper[4]; uint8_t upper[4]; };",
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
    said = text(replace(SAMPLE, section_prefixes=("a/b4",), results=results))
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
        text(replace(SAMPLE, fields=(field,)))
    assert caught.value.field == at


HOSTILE: dict[str, tuple[str, ProgramData]] = {
    "a helper": (
        "program_type_specific_helpers[0].name",
        with_helper(SAMPLE, 0, name="x)(void) = 0; int evil; //"),
    ),
    "a helper of two": (
        "program_type_specific_helpers[1].name",
        with_helper(SAMPLE, 1, name="function1"),
    ),
    "a general helper": (
        "program_type_specific_helpers[0].name",
        with_helper(SAMPLE, 0, name="bpf_map_lookup_elem"),
    ),
    "an override": (
        "global_helpers[0].name",
        with_info(SAMPLE, global_helpers=(helper(99, "new line\n"),)),
    ),
    "a result": (
        "results[0].name",
        replace(SAMPLE, results=(ProgramResult(value=1, name="A = 1}; int evil; enum {B"),)),
    ),
    "a macro": ("results[0].name", replace(SAMPLE, results=(ProgramResult(value=1, name="SEC"),))),
    "the context": ("context_type", replace(SAMPLE, context_type="evil; //")),
    "a type": ("context_type", replace(SAMPLE, context_type="uint32_t")),
    "a keyword": (
        "fields[0].name",
        replace(SAMPLE, fields=(ContextField(name="int", offset=16, size=4),)),
    ),
    "padding": (
        "fields[0].name",
        replace(SAMPLE, fields=(ContextField(name="_reserved_16", offset=20, size=4),)),
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_contract_cannot_put_code_into_a_header(what: str) -> None:
    """Its names are names of C that stand once, or an error says which is none."""
    field, data = HOSTILE[what]
    with pytest.raises(ContractError) as caught:
        text(data)
    assert caught.value.field == field


def test_other_texts_are_quoted(tmp_path: Path) -> None:
    """The type's name is a comment, and a section's prefix a string, whatever stands in them."""
    evil = '"\nint evil; // */ ??/ \\'
    prefixes = (f"a{evil}", "a b", "a/b")
    data = replace(
        with_descriptor(SAMPLE, name=evil), section_prefixes=prefixes, context_type="c_t"
    )
    ran = compiled(tmp_path, text(data), code="int f(c_t *c) SEC(SECTION_A_B_2); int evil;")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert '#define SECTION_A_B "a b"\n#define SECTION_A_B_2 "a/b"\n' in text(data)


def test_pointers_without_a_field_have_names() -> None:
    """And what is left of a context without any field is bytes."""
    lines = [line.strip() for line in text(with_context(SAMPLE, size=100, meta=40)).splitlines()]
    at = lines.index("void *const data;")
    assert lines[at : at + 5] == [
        "void *const data;",
        "void *const data_end;",
        "uint8_t bytes_16[24];",
        "void *const data_meta;",
        "uint8_t bytes_48[52];",
    ]
    field = ContextField(name="data", offset=16, size=4, type="u32")
    assert "void *const data_at_0;" in text(replace(SAMPLE, fields=(field,)))


def test_clang_loads_pointers_whole_in_a_context_of_odd_size(tmp_path: Path) -> None:
    """Byte by byte, they would be numbers to the verifier."""
    code = "void *f(sample_context_t *context) { return context->data_end; }"
    assert compiled(tmp_path, text(ODD), code=code).returncode == 0
    # ldxdw r0, 8(r1)
    assert bytes([0x79, 0x10, 8, 0, 0, 0, 0, 0]) in (tmp_path / "program.o").read_bytes()


def in_c(data: ProgramData) -> ProgramData:
    """*data* with names that C allows."""
    info = data.program_info
    return replace(
        data,
        program_info=replace(
            info,
            program_type_specific_helpers=tuple(
                replace(each, name=f"own_{each.helper_id}")
                for each in info.program_type_specific_helpers
            ),
            global_helpers=tuple(
                replace(each, name=f"general_{each.helper_id}") for each in info.global_helpers
            ),
        ),
        fields=tuple(
            replace(each, name=f"field_{index}", type=TYPES.get(each.size, ""))
            for index, each in enumerate(data.fields)
        ),
        results=tuple(
            replace(each, name=f"RESULT_{index}") for index, each in enumerate(data.results)
        ),
        context_type="context_t",
    )


TYPES = {1: "u8", 2: "i16", 4: "u32", 8: "u64", 12: "u32[3]"}
COMPILED = max(20, int(os.environ.get("EBPFD_CASES", "0")) // 20)


@settings(
    max_examples=COMPILED,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=valid_program_data())
def test_clang_compiles_the_header_of_any_contract_with_names(
    tmp_path: Path, data: ProgramData
) -> None:
    """However its fields lie."""
    ran = compiled(tmp_path, text(in_c(data)))
    assert (ran.returncode, ran.stderr) == (0, "")


def test_any_text_has_an_identifier() -> None:
    """For names of types and sections."""
    assert [identifier(each) for each in ("a/b4", "4th", "é-x")] == ["a_b4", "_4th", "__x"]


def test_a_type_of_any_name_has_a_context() -> None:
    """Whose name is not one of the compiler's own."""
    assert "} _context_t;" in text(with_descriptor(SAMPLE, name="é"))
    assert "} _4th_context_t;" in text(with_descriptor(SAMPLE, name="4th"))
