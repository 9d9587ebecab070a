"""Helpers: from a Python signature to a prototype, from a call to parameters."""

from collections.abc import Callable
from typing import Any

import pytest

from ebpfd_api.prototype import ArgumentType
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk import (
    I8,
    I64,
    U8,
    U16,
    U32,
    Context,
    DeclarationError,
    Integer,
    ProgramType,
    ReadableMemory,
    WritableMemory,
)
from ebpfd_sdk._helper import Helper
from tests.sdk.parcels import PROGRAM_TYPE, Parcel

CTX, ANY, SIZE = ArgumentType.PTR_TO_CTX, ArgumentType.ANYTHING, ArgumentType.CONST_SIZE
READ, WRITE = ArgumentType.PTR_TO_READABLE_MEM, ArgumentType.PTR_TO_WRITABLE_MEM


class Other(Context):
    """A context of another program type."""

    a: I64 = 0
    b: I64 = 0


def nothing() -> Integer:
    """Take nothing."""
    return 0


def context(ctx: Parcel) -> int:
    """Take the context."""
    return ctx.weight


def numbers(a: U8, b: I8, c: U32, d: int) -> I64:
    """Take numbers of several widths."""
    return a + b + c + d


def memory(buffer: WritableMemory, at: U32, text: ReadableMemory) -> Integer:
    """Take five arguments in three parameters."""
    buffer[at : at + len(text)] = text
    return len(buffer)


def derive(function: Callable[..., Any], *, implicit_context: bool = False) -> Helper:
    """Derive a helper from a function."""
    return Helper(
        0x10000, "f", function, implicit_context=implicit_context, reallocate_packet=False
    )


@pytest.mark.parametrize(
    ("function", "implicit", "arguments"),
    [
        (nothing, False, []),
        (context, False, [CTX]),
        (context, True, []),
        (numbers, False, [ANY, ANY, ANY, ANY]),
        (memory, False, [WRITE, SIZE, ANY, READ, SIZE]),
    ],
)
def test_a_signature_gives_the_prototype(
    function: Callable[..., int], implicit: bool, arguments: list[ArgumentType]
) -> None:
    """Each parameter has its arguments: memory two, an implicit context none."""
    prototype = derive(function, implicit_context=implicit).prototype()
    assert arguments == list(prototype.arguments)
    assert implicit == prototype.implicit_context
    assert (prototype.helper_id, prototype.name, prototype.return_type) == (0x10000, "f", 0)


def untyped(value: U32) -> object:
    """Return anything."""
    return value


def text(value: str) -> Integer:
    """Take what no register holds."""
    return len(value)


def silent(value: U32) -> None:
    """Return nothing."""


def many(a: U8, b: U8, c: U8, d: U8, e: U8, f: U8) -> Integer:
    """Take too much."""
    return a + b + c + d + e + f


def named(*, value: U32) -> Integer:
    """Take what programs cannot pass."""
    return value


def open_ended(*values: U32) -> Integer:
    """The same."""
    return len(values)


@pytest.mark.parametrize(
    ("function", "implicit", "message"),
    [
        (untyped, False, "helper f: it must say that it returns Integer"),
        (silent, False, "helper f: it must say that it returns Integer"),
        (text, False, "helper f, parameter value: not a type of an argument; use the context's"),
        (many, False, "helper f: 6 arguments, 5 are possible"),
        (named, False, "helper f, parameter value: programs pass arguments by position"),
        (open_ended, False, "helper f, parameter values: programs pass arguments by position"),
        (nothing, True, "helper f: no parameter takes the implicit context"),
    ],
)
def test_wrong_signatures_are_refused(
    function: Callable[..., Any], implicit: bool, message: str
) -> None:
    """What has no prototype fails where it is declared."""
    with pytest.raises(DeclarationError, match=message):
        derive(function, implicit_context=implicit)


def test_a_number_has_one_function() -> None:
    """Two helpers of one number are refused, and both named."""
    kind = ProgramType(PROGRAM_TYPE, Parcel, name="parcel")
    kind.helper(0x10000)(nothing)
    with pytest.raises(DeclarationError, match="helper context: nothing has the id 0x10000"):
        kind.helper(0x10000)(context)


def test_a_name_has_one_function() -> None:
    """A program's author could not tell two apart."""
    kind = ProgramType(PROGRAM_TYPE, Parcel, name="parcel")
    kind.helper(0x10000)(nothing)
    with pytest.raises(DeclarationError, match="helper nothing: parcel has one of this name"):
        kind.helper(0x10001)(nothing)


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("0x10000", "helper id '0x10000' is no u32"),
        (-1, "helper id -1 is no u32"),
        (1 << 32, "helper id 4294967296 is no u32"),
        (nothing, r"helper nothing: write @helper\(ID\)"),
    ],
)
def test_an_id_is_a_number_of_32_bits(id_: Any, message: str) -> None:
    """One that was forgotten is missed at once."""
    with pytest.raises(DeclarationError, match=message):
        ProgramType(PROGRAM_TYPE, Parcel).helper(id_)


def test_a_helper_takes_the_context_of_its_programs() -> None:
    """A context of another type is refused."""
    kind = ProgramType(PROGRAM_TYPE, Other, name="other")
    with pytest.raises(DeclarationError, match=r"helper context, parameter ctx: .* have a Other"):
        kind.helper(0x10000)(context)


def test_small_numbers_override_general_helpers() -> None:
    """Helpers below 0x10000 go to the global set of the contract, and all have addresses."""
    kind = ProgramType(PROGRAM_TYPE, Parcel)
    kind.helper(19, name="bpf_get_current_pid_tgid")(nothing)
    kind.helper(0x10000)(context)
    data = kind.program_data()
    assert [each.helper_id for each in data.program_info.global_helpers] == [19]
    own = data.program_info.program_type_specific_helpers
    assert [(each.helper_id, each.name) for each in own] == [(0x10000, "context")]
    assert list(data.helper_addresses) == [19, 0x10000]


def call(*arguments: int | bytes, context: bytes = b"") -> registrar_pb2.HelperCall:
    """Make a call as the daemon does: sizes are arguments of their own."""
    said = registrar_pb2.HelperCall(context=context)
    for argument in arguments:
        if isinstance(argument, int):
            said.arguments.add(integer=argument)
        else:
            said.arguments.add(memory=argument)
            said.arguments.add(integer=len(argument))
    return said


def run(helper: Helper, said: registrar_pb2.HelperCall) -> registrar_pb2.HelperReturn:
    """Run a helper on a call."""
    parameters = helper.unmarshal(said)
    result: Any = helper.function(*parameters)
    return helper.marshal(1, parameters, result)


def test_numbers_are_cut_to_their_width() -> None:
    """A register's upper bits do not reach a narrower parameter; signs do."""
    said = call(0x1FF, 0xFF, 0x1_0000_0002, (1 << 64) - 3)
    assert derive(numbers).unmarshal(said) == [0xFF, -1, 2, -3]


def test_memory_goes_back() -> None:
    """What a helper writes is an output of its argument, by the prototype's number."""
    answer = run(derive(memory), call(b"........", 2, b"ab"))
    assert answer.result == 8
    assert [(each.argument, each.memory) for each in answer.outputs] == [(0, b"..ab....")]


def test_the_context_is_decoded() -> None:
    """A context parameter is read from the call's context."""
    said = registrar_pb2.HelperCall(context=Parcel(weight=9).pack())
    said.arguments.add(absent=registrar_pb2.Absent())
    assert run(derive(context), said).result == 9


def test_what_a_helper_would_write_to_its_context_is_refused() -> None:
    """It has a copy: nobody would ever see it."""
    said = registrar_pb2.HelperCall(context=Parcel(weight=9).pack())
    said.arguments.add(absent=registrar_pb2.Absent())
    (copy,) = derive(context).unmarshal(said)
    assert isinstance(copy, Parcel)
    assert copy == Parcel(weight=9)
    with pytest.raises(AttributeError, match="weight cannot be set: a helper has a copy"):
        copy.weight = 1
    assert copy.weight == 9


@pytest.mark.parametrize(
    ("result", "wire"),
    [(0, 0), (-1, -1), ((1 << 63) - 1, (1 << 63) - 1), ((1 << 64) - 1, -1), (True, 1)],
)
def test_results_fill_a_register(result: int, wire: int) -> None:
    """Any 64 bits, read with or without a sign, are a result."""
    assert wire == derive(nothing).marshal(1, [], result).result


@pytest.mark.parametrize("result", [None, "x", 1 << 64, -(1 << 63) - 1])
def test_garbage_is_an_error(result: object) -> None:
    """What no register holds ends the invocation with a reason."""
    answer = derive(nothing).marshal(1, [], result)
    assert answer.error.startswith("it returned ")


async def asynchronous(value: U16) -> Integer:
    """Wait, as it were."""
    return value


def test_coroutine_functions_are_known() -> None:
    """An async helper has the prototype of its signature."""
    helper = derive(asynchronous)
    assert helper.asynchronous
    assert helper.arguments == [ANY]
