"""Which executor a program gets, and what it says about it."""

from typing import Any

import pytest

import ebpfd_vm
from ebpfd_api.result import Result
from tests.conformance.execution import INFORMATION
from tests.engine import sample


def _program(**options: Any) -> ebpfd_vm.Program:
    return ebpfd_vm.Program(sample.assembled("mov %r0, 1\nexit\n"), [], INFORMATION, **options)


@pytest.mark.parametrize(
    ("options", "executor", "reason"),
    [
        ({}, "interpreter", "not known to be verified"),
        ({"verified": True}, "interpreter", "only prevail accepts the program"),
        ({"proved": 2}, "interpreter", "not known to be verified"),
        ({"verified": True, "proved": 2}, "jit", ""),
        ({"verified": True, "proved": 2, "execution": "jit"}, "jit", ""),
        (
            {"verified": True, "proved": 2, "execution": "interpreter"},
            "interpreter",
            "was asked for",
        ),
    ],
)
def test_a_program_says_who_executes_it(
    options: dict[str, object], executor: str, reason: str
) -> None:
    """What our own judge has proved is compiled, unless the caller wants the interpreter."""
    program = _program(**options)
    assert program.executor == executor
    assert reason in program.executor_reason
    assert bool(reason) == bool(program.executor_reason)


@pytest.mark.parametrize(
    ("execution", "code"),
    [("jit", Result.JIT_COMPILATION_FAILED), ("fast", Result.INVALID_ARGUMENT)],
)
def test_what_cannot_be_honoured_is_refused(execution: str, code: Result) -> None:
    """Insisting on the JIT for an unverified program, and unknown names, are errors."""
    with pytest.raises(ebpfd_vm.EngineError) as caught:
        _program(execution=execution)
    assert caught.value.code == code
