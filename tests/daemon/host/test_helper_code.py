"""Helpers that come as code are judged against their prototypes, and linked into programs.

``EBPFD_CASES=100000`` judges as many damaged ones; else it is a few.
"""

import dataclasses
import os
import random
from contextlib import suppress
from typing import Final

import pytest

from ebpfd.contracts import (
    ContextDescriptor,
    ContextField,
    ContractError,
    HelperFunctionPrototype,
    ProgramData,
    engine_information,
)
from ebpfd.host.helper_code import check_code
from ebpfd.host.judging import judge
from ebpfd_api.prototype import ArgumentType
from ebpfd_sdk._bpf_object import BpfObject
from ebpfd_sdk.testing import object_file
from ebpfd_vm import EngineError, Program, parse_object, verify_helper
from tests.daemon.contracts.samples import SAMPLE, helper, with_context, with_info
from tests.e2e.gate_extension import OBJECT

CASES: Final = int(os.environ.get("EBPFD_CASES", "400"))
CALLS: Final = bytes.fromhex("85000000000001009500000000000000")
"""Calls the helper with its own context."""

ZERO: Final = bytes.fromhex("b7000000000000009500000000000000")
COMPILED: Final = BpfObject(OBJECT.read_bytes())
ID: Final = 0x10000
GATE: Final = dataclasses.replace(
    with_context(SAMPLE, size=24),
    fields=(ContextField(name="visitors", offset=16, size=4),),
    helper_addresses=frozenset(),
)
PLAIN: Final = with_info(
    GATE,
    type_descriptor=dataclasses.replace(
        GATE.program_info.type_descriptor, context_descriptor=ContextDescriptor(size=24)
    ),
)
"""The same without a packet."""

A: Final = ArgumentType
READ: Final = (A.PTR_TO_READABLE_MEM, A.CONST_SIZE)
READ_IF_ANY: Final = (A.PTR_TO_READABLE_MEM_OR_NULL, A.CONST_SIZE_OR_ZERO)
WRITE: Final = (A.PTR_TO_WRITABLE_MEM, A.CONST_SIZE)

SAFE: Final[dict[str, tuple[ArgumentType, ...]]] = {
    "gate_hash": (*READ, A.ANYTHING),
    "gate_room": (A.PTR_TO_CTX,),
    "gate_capitals": (*WRITE, *READ),
    "gate_age": (A.ANYTHING,),
    "gate_first": (A.PTR_TO_CTX_OR_NULL, *READ_IF_ANY),
    "gate_halves": (A.ANYTHING, A.PTR_TO_LONG, A.PTR_TO_INT),
    "gate_scribbles": WRITE,
    "gate_trusting": READ,
}
UNSAFE: Final[dict[str, tuple[tuple[ArgumentType, ...], str]]] = {
    "gate_careless": (READ, "no more bytes than argument 2 says"),
    "gate_scribbles": (READ, "the prototype lets it only read what argument 1 leads to"),
    "gate_far": ((A.PTR_TO_CTX,), "this access of 4 bytes reaches past the end of the context"),
    "gate_trusting": (READ_IF_ANY, "may lie outside of the memory that argument 1 leads to"),
    "gate_room": ((A.ANYTHING,), "r1 is a number here, not a pointer that may be used"),
    "gate_halves": ((A.ANYTHING, A.PTR_TO_INT, A.PTR_TO_INT), "argument 2 leads to"),
    "gate_endless": ((A.ANYTHING,), "this loop is not shown to end"),
    "gate_leaks": ((A.PTR_TO_CTX,), "returns a pointer, which nobody else may see"),
    "gate_calls_own": ((), "general helpers only, and 65539 is none"),
}


def shipped(
    name: str, arguments: tuple[ArgumentType, ...], code: bytes | None = None
) -> HelperFunctionPrototype:
    """A helper of the file, or of other code, with a prototype."""
    own = COMPILED.code(name) if code is None else code
    return dataclasses.replace(helper(ID, name, *arguments), code=own)


def contract(data: ProgramData, *helpers: HelperFunctionPrototype) -> ProgramData:
    """*data* with these helpers."""
    return with_info(data, program_type_specific_helpers=helpers)


@pytest.mark.parametrize("name", SAFE)
@pytest.mark.parametrize("data", [GATE, PLAIN], ids=["packet", "plain"])
async def test_what_is_safe_for_all_that_its_prototype_allows_is_taken(
    name: str, data: ProgramData
) -> None:
    """Memory of any size, pointers that may be null, any number."""
    await check_code(contract(data, shipped(name, SAFE[name])))


@pytest.mark.parametrize("name", UNSAFE)
async def test_what_is_not_is_refused_by_name_and_reason(name: str) -> None:
    """The same code with another prototype may be."""
    arguments, says = UNSAFE[name]
    served = helper(ID + 1, "served")
    with pytest.raises(ContractError) as caught:
        await check_code(contract(GATE, served, shipped(name, arguments)))
    assert caught.value.field == "program_type_specific_helpers[1].code"
    said = str(caught.value)
    assert f"helper {name}" in said
    assert says in said
    assert "caller" not in said, "nobody wrote it"


async def test_a_general_helper_that_the_type_overrides_is_not_called() -> None:
    """It would have to be linked, too."""
    data = contract(GATE, shipped("gate_age", (A.ANYTHING,)))
    await check_code(data)
    with pytest.raises(ContractError, match=r"in place of now \(9\)"):
        await check_code(with_info(data, global_helpers=(helper(9, "now"),)))


async def test_an_override_may_come_as_code() -> None:
    """Programs call it by the number of the general one."""
    override = dataclasses.replace(shipped("gate_age", (A.ANYTHING,)), helper_id=2)
    await check_code(with_info(contract(GATE), global_helpers=(override,)))


def judged(one: HelperFunctionPrototype, execution: str) -> tuple[int, int] | None:
    """Code and result of a program that passes its context; None if it is refused."""
    parsed = parse_object(object_file("sample_ext", "calls", CALLS))
    information = engine_information(contract(GATE, one))
    spec = parsed.programs[0].linked([one])
    assert spec.linked_helpers == [(ID, 2)]
    assert spec.subprograms[0] == (one.name, 2)
    verdict = judge(spec, [], information, "ours")
    if verdict.rejection is not None:
        return None
    ready = Program(
        spec,
        [],
        information,
        verified=True,
        proved=verdict.worst_case,
        execution="jit" if execution == "jit" else "interpreter",
    )
    assert not ready.blocking
    code, result, *_ = ready.test_run(bytes(16) + bytes(range(8)), b"", 0, 1)
    return code, result


def test_damaged_code_is_refused_or_judged_and_both_executors_agree() -> None:
    """Whatever is changed: nothing crashes, and what is accepted is safe."""
    chance = random.Random(int(os.environ.get("EBPFD_SEED", "7")))
    accepted = 0
    for _ in range(CASES):
        name = chance.choice(list(SAFE))
        code = bytearray(COMPILED.code(name))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(code))
            match chance.randrange(4):
                case 0:
                    code[at] ^= 1 << chance.randrange(8)
                case 1:
                    code[at] = chance.randrange(256)
                case 2:
                    slot, other = at // 8 * 8, chance.randrange(len(code)) // 8 * 8
                    code[slot : slot + 8] = code[other : other + 8]
                case _:
                    del code[at // 8 * 8 : at // 8 * 8 + 8]
            if not code:
                break
        one = shipped(name, SAFE[name], bytes(code) or bytes(8))
        taken = False
        with suppress(EngineError):  # that is no code at all
            taken = verify_helper(one, engine_information(contract(GATE, one))) is None
        if taken and SAFE[name] == (A.PTR_TO_CTX,):
            accepted += 1
            results = [judged(one, execution) for execution in ("interpreter", "jit")]
            assert results[0] == results[1]
            assert results[0] is None or results[0][0] == 0
    assert accepted or CASES < 100


def test_a_broken_helper_spoils_no_other_program() -> None:
    """Only what a program calls is linked."""
    broken = shipped("broken", (), bytes(8))
    (alone,) = parse_object(object_file("sample_ext", "alone", ZERO)).programs
    assert alone.linked([broken]) is alone
    (calls,) = parse_object(object_file("sample_ext", "calls", CALLS)).programs
    with pytest.raises(EngineError, match=r"helper broken \(65536\): instruction 0"):
        calls.linked([broken])
