"""Contexts: where C puts the fields, and what a wrong declaration says."""

from typing import Annotated, Any

import pytest

from ebpfd_sdk import (
    I16,
    I64,
    U8,
    U16,
    U32,
    U64,
    Context,
    Data,
    DataEnd,
    DataMeta,
    DeclarationError,
    Length,
    hidden,
    read_only,
)
from ebpfd_sdk._layout import Layout


class Sample(Context):
    """The sample extension's context: a gap in the middle."""

    data_start: Data = 0
    data_end: DataEnd = 0
    uint32_data: U32 = 0
    uint16_data: U16 = 0
    helper_data_1: U32 = 0
    helper_data_2: U32 = 0


class Bind(Context):
    """The bind context: an array, a lone byte, and padding at the end."""

    app_id_start: Data = 0
    app_id_end: DataEnd = 0
    process_id: U64 = 0
    socket_address: Annotated[bytes, Length(16)] = b""
    socket_address_length: U8 = 0
    operation: U32 = 0
    protocol: U8 = 0


class Xdp(Context):
    """The XDP context: metadata, and padding at the end."""

    data: Data = 0
    data_end: DataEnd = 0
    data_meta: DataMeta = 0
    ingress_ifindex: U32 = 0


class Flat(Context):
    """No pointers."""

    small: I16 = 0
    large: I64 = 0


class Single(Context):
    """One value beside the pointers."""

    data: Data = 0
    data_end: DataEnd = 0
    value: U8 = 7


class Grown(Sample):
    """Fields of a base class come first."""

    more: U64 = 0


@pytest.mark.parametrize(
    ("context", "size", "offsets", "pointers"),
    [
        (Sample, 32, [0, 8, 16, 20, 24, 28], (0, 8, -1)),
        (Bind, 56, [0, 8, 16, 24, 40, 44, 48], (0, 8, -1)),
        (Xdp, 32, [0, 8, 16, 24], (0, 8, 16)),
        (Flat, 16, [0, 8], (-1, -1, -1)),
        (Single, 24, [0, 8, 16], (0, 8, -1)),
        (Grown, 40, [0, 8, 16, 20, 24, 28, 32], (0, 8, -1)),
    ],
)
def test_fields_lie_where_c_puts_them(
    context: type[Context], size: int, offsets: list[int], pointers: tuple[int, int, int]
) -> None:
    """Offsets, tail padding and descriptor are those of the struct in C."""
    layout: Layout = context.layout
    descriptor = layout.descriptor()
    assert size == layout.size == descriptor.size
    assert offsets == [field.offset for field in layout.fields]
    assert pointers == (descriptor.data, descriptor.end, descriptor.meta)
    assert size == len(context().pack())


def test_values_survive_packing() -> None:
    """What is packed reads back equal; pointers are zeros on the wire."""
    sample = Sample(uint32_data=7, uint16_data=65535, helper_data_2=1 << 31)
    assert Sample.unpack(sample.pack()) == sample
    assert bytes(16) == sample.pack()[:16]
    assert bytes.fromhex("07000000 ffff 0000 00000000 00000080") == sample.pack()[16:]


def test_its_bytes_are_those_of_pack() -> None:
    """As other classes that are bytes underneath have it."""
    sample = Sample(uint32_data=5)
    assert bytes(sample) == sample.pack()


def test_arrays_are_filled_up_with_zeros() -> None:
    """A shorter array takes its place, and reads back at full length."""
    bind = Bind(socket_address=b"abc", protocol=6)
    assert b"abc" + bytes(13) == Bind.unpack(bind.pack()).socket_address


def test_fields_can_be_set_later() -> None:
    """A context is a value that its owner may change."""
    flat = Flat(small=-2)
    flat.large = -(1 << 63)
    assert Flat(small=-2, large=-(1 << 63)) == flat
    assert repr(flat) == "Flat(small=-2, large=-9223372036854775808)"


def test_defaults_stand_in_for_what_is_left_out() -> None:
    """A default of the class body is the value of a field that nobody gives."""
    assert Single().value == 7
    assert Single.unpack(Single().pack()).value == 7


def test_rights_reach_the_contract() -> None:
    """Read-only fields are offered without the right to write, hidden ones as hidden."""

    class Guarded(Context):
        data: Data = 0
        end: DataEnd = 0
        plain: U32 = 0
        fixed: U32 = read_only(5)
        secret: Annotated[bytes, Length(4)] = hidden(b"")

    offered = [
        (field.name, field.offset, field.type, field.writable, field.hidden)
        for field in Guarded.layout.offered()
    ]
    assert offered == [
        ("data", 0, "data", False, False),
        ("end", 8, "data_end", False, False),
        ("plain", 16, "u32", True, False),
        ("fixed", 20, "u32", False, False),
        ("secret", 24, "u8[4]", False, True),
    ]
    assert (Guarded().fixed, Guarded().secret) == (5, b"")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weight": 1}, "Sample has no field 'weight'; it has uint32_data, uint16_data"),
        ({"data_start": 1}, "Sample.data_start is a pointer: pass data="),
    ],
)
def test_unknown_values_are_refused(values: dict[str, int], message: str) -> None:
    """A misspelt field, or a pointer, is an error that lists what there is."""
    with pytest.raises(TypeError, match=message):
        Sample(**values)


class Counted(Sample):
    """With what a subclass may add."""

    _seen = 0

    @property
    def doubled(self) -> int:
        """Not stored."""
        return 2 * self.uint32_data

    @doubled.setter
    def doubled(self, value: int) -> None:
        self._seen += 1
        self.uint32_data = value // 2


def test_what_is_no_field_cannot_be_set() -> None:
    """A misspelt field would be lost without a word; a subclass may have properties."""
    sample: Any = Sample()
    with pytest.raises(AttributeError, match="Sample has no field 'uint32_dat'; it has uint32_d"):
        sample.uint32_dat = 5
    with pytest.raises(AttributeError, match=r"Sample\.data_start is a pointer"):
        sample.data_start = 5
    counted = Counted()
    counted.doubled = 8
    assert (counted.uint32_data, counted.doubled) == (4, 8)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (Sample(uint16_data=65536), "Sample.uint16_data is a u16, 65536 does not fit"),
        (Flat(small=-32769), "Flat.small is a i16, -32769 does not fit"),
        (Bind(socket_address=bytes(17)), r"Bind.socket_address is a u8\[16\], b.* does not fit"),
    ],
)
def test_values_that_do_not_fit_are_named(context: Context, message: str) -> None:
    """Packing names class, field, type and value."""
    with pytest.raises(ValueError, match=message):
        context.pack()


def test_short_bytes_are_no_context() -> None:
    """Too few bytes cannot be read back."""
    with pytest.raises(ValueError, match="Sample takes 32 bytes, not 31"):
        Sample.unpack(bytes(31))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"start": Data}, "Wrong.start: Data needs a field of type DataEnd"),
        ({"end": DataEnd, "size": U64}, "Wrong.end: it needs a field of type Data"),
        ({"meta": DataMeta, "size": U64}, "Wrong.meta: it needs a field of type Data"),
        ({"a": Data, "b": Data, "c": DataEnd}, "Wrong.b: a is data already"),
        ({"size": int}, "Wrong.size: not a type of a field; use U8 to U64"),
        ({"text": str}, "Wrong.text: not a type of a field"),
        ({"text": Annotated[bytes, Length(0)]}, "Wrong.text: not a type of a field"),
        ({"size": U64}, "Wrong has 8 bytes; a context needs 16 at least"),
        ({"size": "Nowhere"}, "Wrong: name 'Nowhere' is not defined; import it"),
        ({"pack": U64, "size": U64}, "Wrong.pack: every context has a method of this name"),
    ],
)
def test_wrong_declarations_name_class_and_field(fields: dict[str, object], message: str) -> None:
    """A declaration that cannot be laid out fails where it stands, with one clear error."""
    with pytest.raises(DeclarationError, match=message):
        type("Wrong", (Context,), {"__annotations__": fields})


def test_a_default_must_be_a_value() -> None:
    """A default of another kind is refused."""
    body = {"__annotations__": {"a": U64, "b": U64}, "a": "one"}
    with pytest.raises(DeclarationError, match=r"Wrong\.a: its default must be a number or bytes"):
        type("Wrong", (Context,), body)


def test_a_layout_says_what_numpy_takes() -> None:
    """Names, formats and offsets of all fields, pointers too, and the whole's size."""

    class Mixed(Context):
        data: Data = 0
        end: DataEnd = 0
        small: U16 = 0
        signed: I64 = 0
        name: Annotated[bytes, Length(3)] = b""

    assert Mixed.dtype() == {
        "names": ["data", "end", "small", "signed", "name"],
        "formats": ["<u8", "<u8", "<u2", "<i8", ("u1", (3,))],
        "offsets": [0, 8, 16, 24, 32],
        "itemsize": 40,
    }
