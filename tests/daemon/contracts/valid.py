"""Contracts that make sense, at random; and bytes that once did."""

import random
from typing import Final

from hypothesis import strategies as st

from ebpfd.contracts import (
    ContextDescriptor,
    ContextField,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
)
from ebpfd.contracts.values import FIRST_TYPE_SPECIFIC_HELPER, NO_HELPER, POINTER_SIZE
from ebpfd_api.prototype import ArgumentType, ReturnType

_MOST: Final = 2**32 - 1
_MEMORY: Final = [
    ArgumentType.PTR_TO_READABLE_MEM,
    ArgumentType.PTR_TO_READABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_WRITABLE_MEM,
    ArgumentType.PTR_TO_WRITABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_READONLY_MEM,
    ArgumentType.PTR_TO_READONLY_MEM_OR_NULL,
]
_SIZES: Final = [ArgumentType.CONST_SIZE, ArgumentType.CONST_SIZE_OR_ZERO]
_ALONE: Final = [
    each
    for each in ArgumentType
    if each not in _MEMORY and each not in _SIZES and each is not ArgumentType.DONTCARE
]
_IN_REGISTERS: Final = {
    ArgumentType.DONTCARE,
    ArgumentType.ANYTHING,
    ArgumentType.PTR_TO_CTX,
    ArgumentType.PTR_TO_CTX_OR_NULL,
    ArgumentType.PTR_TO_LONG,
    ArgumentType.PTR_TO_INT,
}
_text: Final = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8
)
_u32: Final = st.integers(0, _MOST)


@st.composite
def _arguments(draw: st.DrawFn) -> tuple[ArgumentType, ...]:
    given: list[ArgumentType] = []
    for _ in range(draw(st.integers(0, 5))):
        if len(given) < 4 and draw(st.booleans()):
            given += [draw(st.sampled_from(_MEMORY)), draw(st.sampled_from(_SIZES))]
        elif len(given) < 5:
            given.append(draw(st.sampled_from(_ALONE)))
    return (*given, *[ArgumentType.DONTCARE] * (5 - len(given)))


@st.composite
def _helper(draw: st.DrawFn, ids: st.SearchStrategy[int]) -> HelperFunctionPrototype:
    """Now and then as code, of instructions that mean nothing."""
    arguments = draw(_arguments())
    takes_code = {*_MEMORY, *_SIZES, *_IN_REGISTERS}.issuperset(arguments)
    code = draw(st.binary(max_size=3)) * 8 if takes_code else b""
    return HelperFunctionPrototype(
        helper_id=draw(ids),
        name=draw(_text),
        return_type=ReturnType.INTEGER if code else draw(st.sampled_from(list(ReturnType))),
        arguments=arguments,
        reallocate_packet=not code and draw(st.booleans()),
        implicit_context=not code and draw(st.booleans()),
        code=code,
    )


def _helpers(ids: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[HelperFunctionPrototype, ...]]:
    return st.lists(_helper(ids), max_size=4, unique_by=lambda each: each.helper_id).map(tuple)


@st.composite
def _context(draw: st.DrawFn) -> ContextDescriptor:
    size = draw(st.integers(16, 200))
    if draw(st.booleans()):
        return ContextDescriptor(size=size)
    data = draw(st.integers(0, size - 2 * POINTER_SIZE))
    places = [
        *range(data - POINTER_SIZE + 1),
        *range(data + 2 * POINTER_SIZE, size - POINTER_SIZE + 1),
    ]
    meta = draw(st.sampled_from([-1, *places]))
    return ContextDescriptor(size=size, data=data, end=data + POINTER_SIZE, meta=meta)


@st.composite
def _fields(draw: st.DrawFn, context: ContextDescriptor) -> tuple[ContextField, ...]:
    fields: list[ContextField] = []
    pointers = [offset for _, offset in context.pointers()]
    for name in draw(st.lists(_text, max_size=5, unique=True)):
        offset = draw(st.integers(0, context.size - 1))
        size = draw(st.integers(1, context.size - offset))
        cut = (each < offset + size and offset < each + POINTER_SIZE for each in pointers)
        if any(cut):
            offset, size = draw(st.sampled_from(pointers)), POINTER_SIZE
        hidden = draw(st.booleans())
        writable = not hidden and draw(st.booleans())
        fields.append(
            ContextField(
                name=name,
                offset=offset,
                size=size,
                writable=writable,
                hidden=hidden,
                type=draw(st.one_of(st.just(""), _text)),
            )
        )
    return tuple(fields)


@st.composite
def valid_program_data(draw: st.DrawFn) -> ProgramData:
    """A contract that passes validation, in all its fields."""
    context = draw(_context())
    own = draw(_helpers(st.integers(FIRST_TYPE_SPECIFIC_HELPER, _MOST)))
    general = draw(_helpers(st.integers(0, NO_HELPER - 1)))
    ids = [helper.helper_id for helper in (*own, *general)]
    values = draw(st.lists(_u32, max_size=3, unique=True))
    names = draw(st.lists(_text, min_size=len(values), max_size=len(values), unique=True))
    return ProgramData(
        program_info=ProgramInfo(
            type_descriptor=ProgramTypeDescriptor(
                name=draw(_text),
                context_descriptor=context,
                program_type=draw(st.uuids().filter(lambda guid: guid.int != 0)),
                bpf_prog_type=draw(_u32),
                is_privileged=draw(st.booleans()),
            ),
            program_type_specific_helpers=own,
            global_helpers=general,
        ),
        required_irql=draw(st.integers(0, 15)),
        capabilities=draw(_u32),
        helper_addresses=frozenset(each for each in ids if draw(st.booleans())),
        fields=draw(_fields(context)),
        section_prefixes=tuple(draw(st.lists(_text, max_size=3))),
        results=tuple(
            ProgramResult(value=value, name=name, stops_chain=draw(st.booleans()))
            for value, name in zip(values, names, strict=True)
        ),
        other_results_stop=draw(st.booleans()),
        default_result=draw(_u32),
        context_type=draw(st.one_of(st.just(""), _text)),
        context_btf=draw(st.binary(max_size=16)),
    )


def mutated(content: bytes, seed: int) -> bytes:
    """*content* with a few bytes changed, taken out, put in, or cut off; the same for a seed."""
    chance = random.Random(seed)
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + 4] = chance.choice([0, 1, 2**31, 2**32 - 1, at]).to_bytes(
                    4, "little"
                )
            case 2:
                del changed[at : at + chance.randrange(8)]
            case 3:
                changed[at:at] = changed[: chance.randrange(16)]
            case _:
                del changed[chance.randrange(len(changed) + 1) :]
                changed += bytes(1)
    return bytes(changed)
