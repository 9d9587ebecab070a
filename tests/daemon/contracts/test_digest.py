"""The digest covers what a program uses, and nothing that it does not."""

import dataclasses
import hashlib
import itertools
import struct
from collections.abc import Callable
from uuid import UUID

import pytest

from ebpfd.contracts import (
    BtfResolvedFunction,
    ContextField,
    ProgramData,
    ProgramResult,
    contract_digest,
    validate_program_data,
)
from ebpfd.host.general import general_prototypes
from ebpfd_api.prototype import ArgumentType, ReturnType
from tests.daemon.contracts.samples import (
    HELPERS,
    SAMPLE,
    helper,
    with_context,
    with_descriptor,
    with_helper,
    with_info,
)

USED = [1, 0x10001]
"""A general helper, and the sample's own number 1."""

Change = Callable[[ProgramData], ProgramData]
replace = dataclasses.replace


def with_field(data: ProgramData, /, **changes: object) -> ProgramData:
    """*data* with its field ``uint32_data`` changed."""
    fields = list(data.fields)
    fields[2] = replace(fields[2], **changes)
    return replace(data, fields=tuple(fields))


def with_override(data: ProgramData, number: int) -> ProgramData:
    """*data* with an override of a general helper."""
    override = helper(number, "override", ArgumentType.ANYTHING)
    return with_info(data, global_helpers=(override,))


WEIGHS: dict[str, Change] = {
    "name": lambda data: with_descriptor(data, name="other"),
    "context size": lambda data: with_context(data, size=40),
    "data offset": lambda data: with_context(data, data=16),
    "end offset": lambda data: with_context(data, end=16),
    "meta offset": lambda data: with_context(data, meta=16),
    "GUID": lambda data: with_descriptor(data, program_type=UUID(int=1)),
    "bpf_prog_type": lambda data: with_descriptor(data, bpf_prog_type=1),
    "is_privileged": lambda data: with_descriptor(data, is_privileged=True),
    "used helper's id": lambda data: with_helper(data, 1, helper_id=0x10009),
    "used helper's name": lambda data: with_helper(data, 1, name="seek"),
    "used helper's return type": lambda data: with_helper(
        data, 1, return_type=ReturnType.PTR_TO_MAP_VALUE_OR_NULL
    ),
    "used helper's argument": lambda data: with_helper(
        data, 1, arguments=(ArgumentType.ANYTHING, *HELPERS[1].arguments[1:])
    ),
    "used helper's flag": lambda data: with_helper(data, 1, reallocate_packet=True),
    "used helper's code": lambda data: with_helper(data, 1, code=bytes(8)),
    "used helper gone": lambda data: with_info(data, program_type_specific_helpers=HELPERS[:1]),
    "override of a used helper": lambda data: with_override(data, 1),
    "override of a used helper that is as the engine's own": lambda data: with_info(
        data, global_helpers=tuple(each for each in general_prototypes() if each.helper_id == 1)
    ),
    "field's right": lambda data: with_field(data, writable=False),
    "field's place": lambda data: with_field(data, offset=20),
    "field's size": lambda data: with_field(data, size=2),
    "field hidden": lambda data: with_field(data, writable=False, hidden=True),
    "field gone": lambda data: replace(data, fields=data.fields[:-1]),
}
WEIGHS_NOT: dict[str, Change] = {
    "nothing": lambda data: data,
    "unused helper changed": lambda data: with_helper(data, 0, name="other"),
    "unused helper gone": lambda data: with_info(data, program_type_specific_helpers=HELPERS[1:]),
    "unused helper's code": lambda data: with_helper(data, 0, code=bytes(8)),
    "helper added": lambda data: with_info(
        data, program_type_specific_helpers=(*HELPERS, helper(0x20000, "new"))
    ),
    "order of helpers": lambda data: with_info(data, program_type_specific_helpers=HELPERS[::-1]),
    "override of an unused helper": lambda data: with_override(data, 2),
    "implicit_context, as in eBPF for Windows": lambda data: with_helper(
        data, 1, implicit_context=True
    ),
    "level": lambda data: replace(data, required_irql=2),
    "addresses": lambda data: replace(data, helper_addresses=frozenset()),
    "prefixes": lambda data: replace(data, section_prefixes=("other",)),
    "field's name": lambda data: with_field(data, name="other"),
    "read-only field where nothing was": lambda data: replace(
        data,
        fields=(*data.fields, ContextField(name="pad", offset=22, size=2, writable=False)),
    ),
    "results": lambda data: replace(
        data, results=(ProgramResult(value=0, name="PASS"),), default_result=1
    ),
    "field's type as people write it": lambda data: with_field(data, type="__u32"),
}


@pytest.mark.parametrize("what", WEIGHS)
def test_what_a_program_relies_on_weighs(what: str) -> None:
    """Another digest, so the verdict does not hold."""
    assert contract_digest(SAMPLE, USED) != contract_digest(WEIGHS[what](SAMPLE), USED)


@pytest.mark.parametrize("what", WEIGHS_NOT)
def test_what_a_program_does_not_rely_on_may_change(what: str) -> None:
    """The same digest, so an extension can grow without breaking loaded programs."""
    assert contract_digest(SAMPLE, USED) == contract_digest(WEIGHS_NOT[what](SAMPLE), USED)


def test_the_order_and_number_of_calls_do_not_matter() -> None:
    """Helpers count once, in id order."""
    once = contract_digest(SAMPLE, [0x10000, 0x10001])
    assert once == contract_digest(SAMPLE, [0x10001, 0x10000, 0x10001])
    assert len(once) == 32


def function(
    name: str, module: int = 7, argument: ArgumentType = ArgumentType.ANYTHING
) -> BtfResolvedFunction:
    """A function of a module, with one argument."""
    return BtfResolvedFunction(
        module=UUID(int=module),
        name=name,
        return_type=ReturnType.INTEGER,
        arguments=(argument, *[ArgumentType.DONTCARE] * 4),
    )


ADD, SUB, FAR = function("add"), function("sub"), function("add", 8)
"""Two of one module, and one of another."""

FUNCTIONS: dict[str, tuple[BtfResolvedFunction, ...]] = {
    "none": (),
    "one": (ADD,),
    "another of its module": (SUB,),
    "one of that name elsewhere": (FAR,),
    "another argument": (function("add", argument=ArgumentType.PTR_TO_CTX),),
    "another return type": (replace(ADD, return_type=ReturnType.PTR_TO_MAP_VALUE_OR_NULL),),
    "one that moves the packet": (replace(ADD, reallocate_packet=True),),
    "two": (ADD, SUB),
    "three": (ADD, SUB, FAR),
}


def test_functions_weigh_by_their_number_and_all_that_they_promise() -> None:
    """Module, name, return type, arguments, and the flag: each gives another digest."""
    digests = {each: contract_digest(SAMPLE, USED, FUNCTIONS[each]) for each in FUNCTIONS}
    assert len(set(digests.values())) == len(FUNCTIONS)
    assert digests["none"] == contract_digest(SAMPLE, USED)


@pytest.mark.parametrize("order", list(itertools.permutations((ADD, SUB, FAR))))
def test_the_order_of_imports_does_not_matter(order: tuple[BtfResolvedFunction, ...]) -> None:
    """They are sorted by module and name."""
    assert contract_digest(SAMPLE, USED, order) == contract_digest(SAMPLE, USED, FUNCTIONS["three"])


def test_functions_are_hashed_as_in_windows() -> None:
    """Behind the helpers: their count, then module, name, types, and the flag if it is set."""
    flagged = replace(SUB, reallocate_packet=True)
    parts = [struct.pack("<Q", 2)]
    for each, flags in ((ADD, b""), (flagged, b"\1")):
        name = struct.pack("<I", len(each.name)) + each.name.encode()
        types = struct.pack("<6I", each.return_type, *each.arguments)
        parts.append(each.module.bytes + name + types + flags)
    data = with_context(SAMPLE, size=16)
    bare = replace(data, fields=())
    descriptor = bare.program_info.type_descriptor
    head = struct.pack("<I", len(descriptor.name)) + descriptor.name.encode()
    head += struct.pack("<4i", 16, 0, 8, -1) + descriptor.program_type.bytes
    head += struct.pack("<IBQ", descriptor.bpf_prog_type, descriptor.is_privileged, 0)
    tail = bytes(16)  # no byte is written, none is hidden
    wanted = hashlib.sha256(head + b"".join(parts) + tail).digest()
    assert contract_digest(bare, (), (flagged, ADD)) == wanted


def test_the_engines_own_helpers_are_prototypes_too() -> None:
    """With five arguments each, so that a type may take one over as it is."""
    for each in general_prototypes():
        assert len(each.arguments) == 5, each.name
        data = with_info(SAMPLE, global_helpers=(each,))
        validate_program_data(data)
        assert len(contract_digest(data, [each.helper_id])) == 32
