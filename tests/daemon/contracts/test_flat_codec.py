"""Structures of eBPF for Windows, taken from memory."""

import dataclasses
import os
import struct
from collections.abc import Callable, Sequence
from typing import Final

import pytest
from hypothesis import given, settings

from ebpfd.contracts import (
    ContractError,
    HelperFunctionPrototype,
    ProgramData,
    validate_program_data,
)
from ebpfd.contracts.flat_codec import MAGIC, SIZES, decode_flat
from tests.daemon.contracts.samples import SAMPLE, with_helper
from tests.daemon.contracts.valid import mutated, valid_program_data

CASES: Final = int(os.environ.get("EBPFD_CASES", "100"))
BASE: Final = 0xFFFF_8000_1234_0000


class Image:
    """Memory that is filled piece by piece; each piece is aligned to 8 bytes."""

    def __init__(self, sizes: dict[str, int] | None = None) -> None:
        self._memory = bytearray(8)
        self._sizes = {kind: known[-1] for kind, known in SIZES.items()} | (sizes or {})

    def put(self, piece: bytes) -> int:
        """The address of a piece."""
        self._memory += bytes(-len(self._memory) % 8)
        address = BASE + len(self._memory)
        self._memory += piece
        return address

    def header(self, kind: str, total_size: int) -> bytes:
        """A versioned header."""
        return struct.pack("<H6xQQ", 1, self._sizes[kind], total_size)

    def text(self, text: str) -> int:
        """The address of a name."""
        return self.put(text.encode() + b"\0")

    def helpers(self, helpers: Sequence[HelperFunctionPrototype]) -> int:
        """The address of an array of prototypes; NULL for none."""
        array = b""
        for helper in helpers:
            array += self.header("helper", 72) + struct.pack(
                "<IxxxxQI5IB?6x",
                helper.helper_id,
                self.text(helper.name),
                helper.return_type,
                *helper.arguments,
                helper.reallocate_packet,
                helper.implicit_context,
            )
        return self.put(array) if helpers else 0

    def addresses(self, data: ProgramData, helpers: Sequence[HelperFunctionPrototype]) -> int:
        """The address of a table of functions; NULL for none."""
        if not helpers:
            return 0
        served = [
            0x1000 + helper.helper_id if helper.helper_id in data.helper_addresses else 0
            for helper in helpers
        ]
        table = self.put(struct.pack(f"<{len(served)}Q", *served))
        return self.put(self.header("addresses", 40) + struct.pack("<IxxxxQ", len(served), table))

    def content(self, data: ProgramData) -> bytes:
        """The whole image of *data*."""
        info, context = data.program_info, data.context
        said = info.type_descriptor
        own, general = info.program_type_specific_helpers, info.global_helpers
        descriptor = self.put(
            self.header("type_descriptor", 64)
            + struct.pack(
                "<QQ16sI?3x",
                self.text(said.name),
                self.put(struct.pack("<4i", context.size, context.data, context.end, context.meta)),
                said.program_type.bytes_le,
                said.bpf_prog_type,
                said.is_privileged,
            )
        )
        told = self.put(
            self.header("program_info", 64)
            + struct.pack(
                "<QIxxxxQIxxxxQ",
                descriptor,
                len(own),
                self.helpers(own),
                len(general),
                self.helpers(general),
            )
        )
        root = self.put(
            self.header("program_data", 72)
            + struct.pack(
                "<QQQQQB3xI",
                told,
                self.addresses(data, own),
                self.addresses(data, general),
                0x5000,
                0x6000,
                data.required_irql,
                data.capabilities,
            )
        )
        return struct.pack("<8sQQ", MAGIC, BASE, root) + bytes(self._memory)


def plain(data: ProgramData) -> ProgramData:
    """*data* without what the structures have no place for."""
    own, general = (
        tuple(dataclasses.replace(each, code=b"") for each in helpers)
        for helpers in (
            data.program_info.program_type_specific_helpers,
            data.program_info.global_helpers,
        )
    )
    return ProgramData(
        program_info=dataclasses.replace(
            data.program_info, program_type_specific_helpers=own, global_helpers=general
        ),
        required_irql=data.required_irql,
        capabilities=data.capabilities,
        helper_addresses=data.helper_addresses,
    )


@settings(max_examples=CASES, deadline=None)
@given(data=valid_program_data())
def test_what_lies_in_memory_is_read(data: ProgramData) -> None:
    """Names, helpers, addresses, flags."""
    assert decode_flat(Image().content(data)) == plain(data)


def test_mutated_images_give_an_error_or_a_contract_that_makes_sense() -> None:
    """Never another exception, and never for ever."""
    content = Image().content(SAMPLE)
    for seed in range(CASES):
        assert sound(mutated(content, seed))


def sound(content: bytes) -> bool:
    """Whether an image is refused, or gives what passes validation."""
    try:
        data = decode_flat(content)
    except ContractError:
        return True
    validate_program_data(data)
    return True


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("helper", 64, lambda: with_helper(SAMPLE, 3, implicit_context=False)),
        ("helper", 65, lambda: with_helper(SAMPLE, 3, implicit_context=False)),
        ("helper", 66, lambda: SAMPLE),
        ("program_data", 65, lambda: SAMPLE),
        ("program_data", 72, lambda: SAMPLE),
    ],
)
def test_older_structures_lack_what_came_later(
    kind: str, size: int, expected: Callable[[], ProgramData]
) -> None:
    """And are taken as if it were 0."""
    without = with_helper(expected(), 4, implicit_context=size > 65 or kind != "helper")
    assert decode_flat(Image({kind: size}).content(SAMPLE)) == plain(without)


def test_an_old_program_data_has_no_capabilities() -> None:
    """It ends before them."""
    content = Image({"program_data": 65}).content(dataclasses.replace(SAMPLE, capabilities=5))
    assert decode_flat(content).capabilities == 0


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("size", [24, 67, 80, 2**63])
def test_a_size_that_no_release_had_is_refused(kind: str, size: int) -> None:
    """Larger ones too: a newer structure may mean what we cannot know."""
    with pytest.raises(ContractError) as caught:
        decode_flat(Image({kind: size}).content(SAMPLE))
    assert caught.value.field.endswith(".header.size")


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    """An image with the first *old* replaced."""
    assert old in content
    return content.replace(old, new, 1)


SOUND: Final = Image().content(SAMPLE)


def header(version: int, size: int, total_size: int) -> bytes:
    """What a structure begins with."""
    return struct.pack("<H6xQQ", version, size, total_size)


WRONG: Final = {
    "no magic": (b"ebpfdata" + SOUND[8:], "flat"),
    "version": (
        patched(SOUND, header(1, 72, 72), header(2, 72, 72)),
        "program_data.header.version",
    ),
    "root elsewhere": (SOUND[:16] + bytes(7) + b"\x01" + SOUND[24:], "program_data"),
    "root is NULL": (SOUND[:16] + bytes(8) + SOUND[24:], "program_data"),
    "total size": (
        patched(SOUND, header(1, 64, 64), header(1, 64, 8)),
        "program_info.header.total_size",
    ),
    "argument": (
        patched(SOUND, struct.pack("<II", 9, 2), struct.pack("<II", 16, 2)),
        "program_type_specific_helpers[1].arguments[0]",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    """By structure and field."""
    content, field = WRONG[case]
    with pytest.raises(ContractError) as caught:
        decode_flat(content)
    assert caught.value.field == field


def test_as_many_addresses_as_prototypes() -> None:
    """Or none at all."""
    table = struct.pack("<H6xQQ", 1, 40, 40)
    content = patched(SOUND, table + struct.pack("<I", 5), table + struct.pack("<I", 4))
    with pytest.raises(ContractError, match="4 addresses for 5 prototypes") as caught:
        decode_flat(content)
    assert caught.value.field == "type_specific_helper_addresses.count"


def test_an_element_that_reaches_into_the_next_one_is_refused() -> None:
    """The first tells how far apart they are: one that is newer than it would be read amiss."""
    small = Image({"helper": 64}).content(SAMPLE).replace(header(1, 64, 72), header(1, 64, 64))
    first = small.index(header(1, 64, 64) + struct.pack("<I", 0x10000))
    packed = b"".join(small[first + 72 * index :][:64] for index in range(5)) + bytes(40)
    packed = packed[:64] + header(1, 66, 72) + packed[64 + 24 :]
    with pytest.raises(ContractError) as caught:
        decode_flat(small[:first] + packed + small[first + 360 :])
    assert caught.value.field == "program_type_specific_helpers[1].header.size"


def test_a_name_that_never_ends_is_refused() -> None:
    """It is looked at for a kilobyte."""
    image = Image()
    content = image.content(SAMPLE)
    at = content.index(b"sample\0")
    endless = content[:at] + b"x" * (len(content) - at)
    with pytest.raises(ContractError):
        decode_flat(endless)
