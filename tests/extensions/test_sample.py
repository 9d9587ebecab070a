"""The sample extension offers to the letter what its original offers."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

import ebpfd_extensions.sample.extension as sample_extension
from ebpfd_api.prototype import ArgumentType
from ebpfd_extensions.sample.extension import SampleContext, events, sample

PROGRAMS = Path(sample_extension.__file__).parent / "programs"
SOURCES = sorted(PROGRAMS.rglob("*.c"))

CTX, ANY, SIZE = ArgumentType.PTR_TO_CTX, ArgumentType.ANYTHING, ArgumentType.CONST_SIZE
READ, WRITE = ArgumentType.PTR_TO_READABLE_MEM, ArgumentType.PTR_TO_WRITABLE_MEM


def test_the_program_type_is_the_original() -> None:
    """GUID, number, section and context are those of eBPF for Windows."""
    data = sample.program_data()
    descriptor = data.program_info.type_descriptor
    assert UUID("f788ef4a-207d-4dc3-85cf-0f2ea107213c").bytes == descriptor.program_type
    assert (descriptor.name, descriptor.bpf_prog_type) == ("sample", 999)
    context = descriptor.context_descriptor
    assert (context.size, context.data, context.end, context.meta) == (32, 0, 8, -1)
    assert list(data.section_prefixes) == ["sample_ext"]
    assert [(field.name, field.offset, field.writable) for field in data.fields] == [
        ("data_start", 0, False),
        ("data_end", 8, False),
        ("uint32_data", 16, True),
        ("uint16_data", 20, True),
        ("helper_data_1", 24, True),
        ("helper_data_2", 28, True),
    ]


def test_the_hook_is_the_original() -> None:
    """GUID and number are those of eBPF for Windows."""
    assert UUID("f788ef4b-207d-4dc3-85cf-0f2ea107213c") == events.guid
    assert (events.name, events.bpf_attach_type, events.link_type) == ("sample_ext", 8, 0)


@pytest.mark.parametrize(
    ("number", "name", "arguments", "implicit"),
    [
        (0x10000, "helper_function1", [CTX], False),
        (0x10001, "find", [READ, SIZE, READ, SIZE], False),
        (0x10002, "replace", [WRITE, SIZE, ANY, READ, SIZE], False),
        (0x10003, "helper_implicit_1", [], True),
        (0x10004, "helper_implicit_2", [ANY], True),
    ],
)
def test_the_helpers_are_the_originals(
    number: int, name: str, arguments: list[ArgumentType], implicit: bool
) -> None:
    """Numbers, names and prototypes are those of eBPF for Windows."""
    prototype = sample.helpers[number].prototype()
    assert f"sample_ebpf_extension_{name}" == prototype.name
    assert (arguments, implicit) == (list(prototype.arguments), prototype.implicit_context)


def test_there_are_no_other_helpers() -> None:
    """The table above is complete."""
    assert set(range(0x10000, 0x10005)) == set(sample.helpers)


@pytest.mark.parametrize(
    ("buffer", "find", "found"),
    [
        (b"sample\0\0", b"ple\0", 3),
        (b"sample\0\0", b"sample\0\0", 0),
        (b"sam\0ple\0", b"ple\0", -1),
        (b"sample", b"x", -1),
        (b"sample", b"\0rest", 0),
        (b"", b"a", -1),
    ],
)
def test_find_searches_c_strings(buffer: bytes, find: bytes, found: int) -> None:
    """Both strings end at their first NUL."""
    assert found == sample_extension.sample_ebpf_extension_find(buffer, find)


@pytest.mark.parametrize(
    ("position", "replace", "result", "left"),
    [
        (0, b"XY\0\0", 0, b"XYcdefg\0"),
        (2, b"XY\0\0", 0, b"abXYefg\0"),
        (6, b"XYZ", 0, b"abcdefX\0"),
        (7, b"XY", 0, b"abcdefg\0"),
        (8, b"XY", -1, b"abcdefg\0"),
        (-1, b"XY", -1, b"abcdefg\0"),
    ],
)
def test_replace_never_touches_the_last_byte(
    position: int, replace: bytes, result: int, left: bytes
) -> None:
    """A C string is written from a position on, as far as there is room before the last byte."""
    buffer = bytearray(b"abcdefg\0")
    assert result == sample_extension.sample_ebpf_extension_replace(buffer, position, replace)
    assert left == buffer


@pytest.mark.parametrize(
    ("helper", "result"),
    [
        (sample_extension.sample_ebpf_extension_helper_function1, 0),
        (sample_extension.sample_ebpf_extension_helper_implicit_1, 11),
    ],
)
def test_helpers_read_the_context(helper: Callable[[SampleContext], int], result: int) -> None:
    """The context's own values are the results."""
    context = SampleContext(helper_data_1=11, helper_data_2=22)
    assert result == helper(context)
    assert sample_extension.sample_ebpf_extension_helper_implicit_2(context, 5) == 27


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_every_program_is_compiled(source: Path) -> None:
    """An eBPF object lies beside each source, with debug information and relative paths only."""
    content = source.with_suffix(".o").read_bytes()
    assert content[:6] == b"\x7fELF\x02\x01"
    assert int.from_bytes(content[18:20], "little") == 247
    assert b".BTF.ext" in content
    for root in (b"/home/", b"/root/", b"/tmp/", b"/usr/"):
        assert root not in content


def test_there_are_programs() -> None:
    """The tests above have something to look at."""
    assert len(SOURCES) >= 10
    assert {"null_map_value", "out_of_bounds", "unknown_helper"} <= {each.stem for each in SOURCES}
