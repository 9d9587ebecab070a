"""Every rule of program information, with the field that its error names."""

import dataclasses
import itertools
from typing import Any
from uuid import UUID

import pytest

from ebpfd.contracts import (
    ContextDescriptor,
    ContextField,
    ContractError,
    ProgramData,
    ProgramResult,
    engine_information,
    validate_program_data,
)
from ebpfd_api.prototype import ArgumentType, ReturnType
from ebpfd_vm import EngineError, Map, Program, parse_object
from tests.daemon.contracts.samples import (
    HELPERS,
    SAMPLE,
    helper,
    with_context,
    with_descriptor,
    with_helper,
    with_info,
)
from tests.daemon.host.world import object_file

replace = dataclasses.replace
CONTEXT = "type_descriptor.context_descriptor"
OWN = "program_type_specific_helpers"
MEMORY = [
    ArgumentType.PTR_TO_READABLE_MEM,
    ArgumentType.PTR_TO_READABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_WRITABLE_MEM,
    ArgumentType.PTR_TO_WRITABLE_MEM_OR_NULL,
    ArgumentType.PTR_TO_READONLY_MEM,
    ArgumentType.PTR_TO_READONLY_MEM_OR_NULL,
]
DONTCARE = ArgumentType.DONTCARE
SIZES = [ArgumentType.CONST_SIZE, ArgumentType.CONST_SIZE_OR_ZERO]


def with_arguments(*arguments: ArgumentType) -> ProgramData:
    """The sample with another prototype of its first helper."""
    return with_info(SAMPLE, **{OWN: (helper(0x10000, "function1", *arguments), *HELPERS[1:])})


def with_code(**changes: Any) -> ProgramData:
    """The sample with a helper that comes as code."""
    return with_helper(with_arguments(ArgumentType.PTR_TO_CTX), 0, **{"code": bytes(8), **changes})


def with_field(field: ContextField) -> ProgramData:
    """The sample with one more field."""
    return replace(SAMPLE, fields=(*SAMPLE.fields, field))


def with_results(*named: tuple[int, str]) -> ProgramData:
    """The sample with names of results."""
    results = tuple(ProgramResult(value=value, name=name) for value, name in named)
    return replace(SAMPLE, results=results)


BROKEN: dict[str, tuple[str, ProgramData]] = {
    "no name": ("type_descriptor.name", with_descriptor(SAMPLE, name="")),
    "null GUID": (
        "type_descriptor.program_type",
        with_descriptor(SAMPLE, program_type=UUID(int=0)),
    ),
    "level above HIGH": ("required_irql", replace(SAMPLE, required_irql=16)),
    "context too small": (f"{CONTEXT}.size", with_context(SAMPLE, size=15)),
    "context too large": (f"{CONTEXT}.size", with_context(SAMPLE, size=64 * 1024)),
    "data without end": (CONTEXT, with_context(SAMPLE, end=-1)),
    "end without data": (CONTEXT, with_context(SAMPLE, data=-1)),
    "data outside": (f"{CONTEXT}.data", with_context(SAMPLE, data=25)),
    "data before": (f"{CONTEXT}.data", with_context(SAMPLE, data=-2)),
    "end outside": (f"{CONTEXT}.end", with_context(SAMPLE, end=2**31 - 1)),
    "meta outside": (f"{CONTEXT}.meta", with_context(SAMPLE, meta=-8)),
    "end on data": (f"{CONTEXT}.end", with_context(SAMPLE, end=0)),
    "end overlaps data": (f"{CONTEXT}.end", with_context(SAMPLE, end=7)),
    "meta overlaps end": (f"{CONTEXT}.meta", with_context(SAMPLE, meta=12)),
    "end before data": (f"{CONTEXT}.end", with_context(SAMPLE, data=16, end=0)),
    "end not right behind data": (f"{CONTEXT}.end", with_context(SAMPLE, data=0, end=16)),
    "meta without data": (f"{CONTEXT}.meta", with_context(SAMPLE, data=-1, end=-1, meta=0)),
    "helper without name": (f"{OWN}[0].name", with_helper(SAMPLE, 0, name="")),
    "own helper with a general id": (
        f"{OWN}[1].helper_id",
        with_helper(SAMPLE, 1, helper_id=0xFFFF),
    ),
    "override with an own id": (
        "global_helpers[0].helper_id",
        with_info(SAMPLE, global_helpers=(helper(0x10000, "lookup"),)),
    ),
    "override with an id between": (
        "global_helpers[0].helper_id",
        with_info(SAMPLE, global_helpers=(helper(0xFFFF, "lookup"),)),
    ),
    "id twice": (OWN, with_helper(SAMPLE, 1, helper_id=0x10000)),
    "override twice": (
        "global_helpers",
        with_info(SAMPLE, global_helpers=(helper(1, "lookup"), helper(1, "lookup"))),
    ),
    "size first": (f"{OWN}[0].arguments[0]", with_arguments(ArgumentType.CONST_SIZE)),
    "size after no memory": (
        f"{OWN}[0].arguments[1]",
        with_arguments(ArgumentType.ANYTHING, ArgumentType.CONST_SIZE_OR_ZERO),
    ),
    "memory last": (
        f"{OWN}[0].arguments[4]",
        with_arguments(*[ArgumentType.ANYTHING] * 4, ArgumentType.PTR_TO_READABLE_MEM),
    ),
    "argument after DONTCARE": (
        f"{OWN}[0].arguments[0]",
        with_arguments(ArgumentType.DONTCARE, ArgumentType.ANYTHING),
    ),
    "code that ends within an instruction": (f"{OWN}[0].code", with_code(code=bytes(12))),
    "too much code": (f"{OWN}[0].code", with_code(code=bytes(4097 * 8))),
    "too much code of many helpers": (
        OWN,
        with_info(
            SAMPLE,
            **{
                OWN: tuple(
                    replace(helper(0x10000 + at, "f"), code=bytes(4000 * 8)) for at in range(9)
                )
            },
        ),
    ),
    "code that moves the packet": (
        f"{OWN}[0].reallocate_packet",
        with_code(reallocate_packet=True),
    ),
    "code with a hidden context": (f"{OWN}[0].implicit_context", with_code(implicit_context=True)),
    "code that returns a pointer": (
        f"{OWN}[0].return_type",
        with_code(return_type=ReturnType.PTR_TO_MAP_VALUE_OR_NULL),
    ),
    "code that is passed a map": (
        f"{OWN}[0].arguments[1]",
        with_code(arguments=(ArgumentType.ANYTHING, ArgumentType.PTR_TO_MAP, *[DONTCARE] * 3)),
    ),
    "address without prototype": (
        "helper_addresses",
        replace(SAMPLE, helper_addresses=SAMPLE.helper_addresses | {7}),
    ),
    "field without name": ("fields[6].name", with_field(ContextField(name="", offset=16, size=4))),
    "field twice": (
        "fields[6].name",
        with_field(ContextField(name="uint32_data", offset=16, size=4)),
    ),
    "empty field": ("fields[6]", with_field(ContextField(name="x", offset=16, size=0))),
    "field outside": ("fields[6]", with_field(ContextField(name="x", offset=29, size=4))),
    "field far outside": (
        "fields[6]",
        with_field(ContextField(name="x", offset=2**32 - 1, size=2**32 - 1)),
    ),
    "field over half a pointer": (
        "fields[6]",
        with_field(ContextField(name="x", offset=12, size=8)),
    ),
    "field within a pointer": ("fields[6]", with_field(ContextField(name="x", offset=8, size=4))),
    "field over both pointers": (
        "fields[6]",
        with_field(ContextField(name="x", offset=0, size=16)),
    ),
    "empty prefix": ("section_prefixes[1]", replace(SAMPLE, section_prefixes=("sample", ""))),
    "writable and hidden": (
        "fields[0].writable",
        replace(SAMPLE, fields=(ContextField(name="a", offset=16, size=4, hidden=True),)),
    ),
    "result without a name": ("results[0].name", with_results((0, ""))),
    "two results of one name": ("results[1].name", with_results((0, "PASS"), (1, "PASS"))),
    "two names of one result": ("results[1].value", with_results((0, "PASS"), (0, "OK"))),
    "result of 33 bits": ("results[0].value", with_results((2**32, "PASS"))),
    "negative level": ("required_irql", replace(SAMPLE, required_irql=-1)),
    "large capabilities": ("capabilities", replace(SAMPLE, capabilities=2**32)),
    "negative type number": (
        "type_descriptor.bpf_prog_type",
        with_descriptor(SAMPLE, bpf_prog_type=-1),
    ),
    "large helper id": (f"{OWN}[0].helper_id", with_helper(SAMPLE, 0, helper_id=2**32)),
    "negative field offset": (
        "fields[6].offset",
        with_field(ContextField(name="before", offset=-4, size=8)),
    ),
    "negative field size": (
        "fields[6].size",
        with_field(ContextField(name="backwards", offset=24, size=-4)),
    ),
    "negative default": ("default_result", replace(SAMPLE, default_result=-1)),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_names_its_field(case: str) -> None:
    """The error carries the path of the field, and its text begins with it."""
    field, data = BROKEN[case]
    with pytest.raises(ContractError) as caught:
        validate_program_data(data)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


TAKEN: dict[str, ProgramData] = {
    "the sample": SAMPLE,
    "no fields": replace(SAMPLE, fields=()),
    "prototypes only": replace(SAMPLE, helper_addresses=frozenset()),
    "level HIGH": replace(SAMPLE, required_irql=15),
    "reserved capabilities, which only an attach refuses": replace(SAMPLE, capabilities=1),
    "smallest context": with_context(SAMPLE, size=16),
    "largest context": with_context(SAMPLE, size=64 * 1024 - 1),
    "metadata": with_context(SAMPLE, meta=24),
    "no data": with_context(SAMPLE, data=-1, end=-1),
    "an override": with_info(SAMPLE, global_helpers=(helper(1, "lookup"),)),
    "the last general id": with_info(SAMPLE, global_helpers=(helper(0xFFFE, "lookup"),)),
    "a field after a pointer": with_field(ContextField(name="x", offset=16, size=16)),
    "no size by type": with_arguments(ArgumentType.PTR_TO_MAP, ArgumentType.PTR_TO_MAP_KEY),
    "code": with_code(),
    "as much code as may be": with_code(code=bytes(4096 * 8)),
    "five arguments": with_arguments(*[ArgumentType.ANYTHING] * 5),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_breaks_no_rule_is_taken(case: str) -> None:
    """Limits are inclusive, and all that is optional may be left out."""
    validate_program_data(TAKEN[case])


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("following", ArgumentType)
def test_memory_is_followed_by_its_size(memory: ArgumentType, following: ArgumentType) -> None:
    """Every kind of memory needs one of the two sizes right behind it."""
    data = with_arguments(ArgumentType.PTR_TO_CTX, memory, following)
    if following in SIZES:
        validate_program_data(data)
        return
    with pytest.raises(ContractError) as caught:
        validate_program_data(data)
    assert caught.value.field == f"{OWN}[0].arguments[1]"


def registers(data: ProgramData) -> bool:
    """Whether it breaks no rule."""
    try:
        validate_program_data(data)
    except ContractError:
        return False
    return True


def engine_takes(data: ProgramData) -> bool:
    """Whether the engine makes a program of such a type."""
    (spec,) = parse_object(object_file("trace.o")).programs
    maps = [Map(1, 4, 8, 16) for _ in spec.map_indices]
    try:
        Program(spec, maps, engine_information(data))
    except EngineError:
        return False
    return True


@pytest.mark.parametrize("size", [16, 17, 24, 2**16 - 1, 2**16])
def test_a_context_that_registers_is_one_that_the_engine_takes(size: int) -> None:
    """Or each load would be refused as if the program were at fault."""
    ends = size - 15, size - 8, size - 7
    for data, end, meta in itertools.product(
        (-2, -1, 0, 8, *ends), (-1, 0, 7, 8, 9, 16, *ends), (-1, 0, 16, *ends)
    ):
        context = ContextDescriptor(size=size, data=data, end=end, meta=meta)
        told = replace(with_descriptor(SAMPLE, context_descriptor=context), fields=())
        assert registers(told) == engine_takes(told), context
