"""The sample extension's contract as a value, and strategies for others."""

import dataclasses
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from ebpfd.contracts import (
    AttachProviderData,
    ContextDescriptor,
    ContextField,
    HelperFunctionPrototype,
    ProgramData,
    ProgramInfo,
    ProgramResult,
    ProgramTypeDescriptor,
)
from ebpfd_api.prototype import ArgumentType, ReturnType

PROGRAM_TYPE: Final = UUID("f788ef4a-207d-4dc3-85cf-0f2ea107213c")
ATTACH_TYPE: Final = UUID("f788ef4b-207d-4dc3-85cf-0f2ea107213c")
HOOK_DATA: Final = AttachProviderData(
    supported_program_type=PROGRAM_TYPE, bpf_attach_type=8, link_type=1, name="sample_ext"
)

_FILL: Final = ArgumentType.DONTCARE


def helper(
    helper_id: int, name: str, *arguments: ArgumentType, implicit_context: bool = False
) -> HelperFunctionPrototype:
    """A prototype that returns an integer."""
    filled = (*arguments, *[_FILL] * (5 - len(arguments)))
    return HelperFunctionPrototype(
        helper_id=helper_id,
        name=name,
        return_type=ReturnType.INTEGER,
        arguments=filled,
        implicit_context=implicit_context,
    )


_READ: Final = (ArgumentType.PTR_TO_READABLE_MEM, ArgumentType.CONST_SIZE)
_WRITE: Final = (ArgumentType.PTR_TO_WRITABLE_MEM, ArgumentType.CONST_SIZE)

HELPERS: Final = (
    helper(0x10000, "function1", ArgumentType.PTR_TO_CTX),
    helper(0x10001, "find", *_READ, *_READ),
    helper(0x10002, "replace", *_WRITE, ArgumentType.ANYTHING, *_READ),
    helper(0x10003, "implicit_1", implicit_context=True),
    helper(0x10004, "implicit_2", ArgumentType.ANYTHING, implicit_context=True),
)

SAMPLE: Final = ProgramData(
    program_info=ProgramInfo(
        type_descriptor=ProgramTypeDescriptor(
            name="sample",
            context_descriptor=ContextDescriptor(size=32, data=0, end=8),
            program_type=PROGRAM_TYPE,
            bpf_prog_type=999,
        ),
        program_type_specific_helpers=HELPERS,
    ),
    helper_addresses=frozenset(each.helper_id for each in HELPERS),
    fields=(
        ContextField(name="data_start", offset=0, size=8, writable=False),
        ContextField(name="data_end", offset=8, size=8, writable=False),
        ContextField(name="uint32_data", offset=16, size=4, type="u32"),
        ContextField(name="uint16_data", offset=20, size=2, type="u16"),
        ContextField(name="helper_data_1", offset=24, size=4, type="u32"),
        ContextField(name="helper_data_2", offset=28, size=4, type="u32"),
    ),
    section_prefixes=("sample_ext",),
)


def with_descriptor(data: ProgramData, /, **changes: Any) -> ProgramData:
    """*data* with another type descriptor."""
    descriptor = dataclasses.replace(data.program_info.type_descriptor, **changes)
    return with_info(data, type_descriptor=descriptor)


def with_context(data: ProgramData, /, **changes: Any) -> ProgramData:
    """*data* with another context descriptor, and no fields."""
    context = dataclasses.replace(data.context, **changes)
    return dataclasses.replace(with_descriptor(data, context_descriptor=context), fields=())


def with_info(data: ProgramData, /, **changes: Any) -> ProgramData:
    """*data* with other program information."""
    return dataclasses.replace(data, program_info=dataclasses.replace(data.program_info, **changes))


def with_helper(data: ProgramData, index: int, /, **changes: Any) -> ProgramData:
    """*data* with the own helper *index* changed."""
    helpers = list(data.program_info.program_type_specific_helpers)
    helpers[index] = dataclasses.replace(helpers[index], **changes)
    return with_info(data, program_type_specific_helpers=tuple(helpers))


_u32 = st.integers(0, 2**32 - 1)
_guids = st.uuids().filter(lambda guid: guid.int != 0)


@st.composite
def _helpers(draw: st.DrawFn) -> HelperFunctionPrototype:
    given = draw(st.lists(st.sampled_from(list(ArgumentType)), max_size=5))
    arguments = [each for each in given if each is not _FILL]
    return HelperFunctionPrototype(
        helper_id=draw(_u32),
        name=draw(st.text(max_size=8)),
        return_type=draw(st.sampled_from(list(ReturnType))),
        arguments=(*arguments, *[_FILL] * (5 - len(arguments))),
        reallocate_packet=draw(st.booleans()),
        implicit_context=draw(st.booleans()),
        code=draw(st.binary(max_size=16)),
    )


_offsets = st.integers(-(2**31), 2**31 - 1)
_contexts = st.builds(ContextDescriptor, size=_u32, data=_offsets, end=_offsets, meta=_offsets)
_descriptors = st.builds(
    ProgramTypeDescriptor,
    name=st.text(max_size=8),
    context_descriptor=_contexts,
    program_type=_guids,
    bpf_prog_type=_u32,
    is_privileged=st.booleans(),
)
_fields = st.builds(
    ContextField,
    name=st.text(max_size=8),
    offset=_u32,
    size=_u32,
    writable=st.booleans(),
    hidden=st.booleans(),
    type=st.text(max_size=8),
)
_results = st.builds(ProgramResult, value=_u32, name=st.text(max_size=8), stops_chain=st.booleans())
_some_helpers = st.lists(_helpers(), max_size=3).map(tuple)

program_data: Final = st.builds(
    ProgramData,
    program_info=st.builds(
        ProgramInfo,
        type_descriptor=_descriptors,
        program_type_specific_helpers=_some_helpers,
        global_helpers=_some_helpers,
    ),
    required_irql=_u32,
    capabilities=_u32,
    helper_addresses=st.frozensets(_u32, max_size=4),
    fields=st.lists(_fields, max_size=3).map(tuple),
    results=st.lists(_results, max_size=3).map(tuple),
    other_results_stop=st.booleans(),
    default_result=_u32,
    context_type=st.text(max_size=8),
    context_btf=st.binary(max_size=8),
    section_prefixes=st.lists(st.text(max_size=8), max_size=3).map(tuple),
)
"""Any value that the wire can carry, sensible or not."""
