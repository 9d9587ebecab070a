"""The builtin that runs a program on one context, and what becomes of callers who cannot pass."""

import gc
import inspect
import weakref
from dataclasses import dataclass, field
from typing import Final

import pytest

import ebpfd_vm
from ebpfd_vm.sharing import Door, Gate
from tests.engine import sample

INVALID_ARGUMENT: Final = 6
TIMEOUT: Final = 32
ELSEWHERE: Final = 99
ADDS_ONE: Final = """
    ldxw %r0, [%r1+16]
    mov %r2, %r0
    add %r2, 1
    stxw [%r1+16], %r2
    exit
"""
"""Gives the context's number, and adds one to it."""


class RefusedError(Exception):
    """What callers are told."""


@dataclass
class Caller:
    """A door, and what went elsewhere."""

    program: ebpfd_vm.Program
    gate: Gate = field(default_factory=Gate)
    elsewhere: list[object] = field(default_factory=list[object])

    def __post_init__(self) -> None:
        self.handed = sample.handed_over(self.program, Gate(self.gate.fileno()))
        self.door = Door(self.handed, self.otherwise, self.said)

    def otherwise(self, *arguments: object, **named: object) -> int:
        """Where calls go that make no run."""
        self.elsewhere.append((arguments, named))
        return ELSEWHERE

    def said(self, error: Exception) -> RefusedError:
        """What a failed run is for callers."""
        return RefusedError(getattr(error, "code", type(error)))


def _caller(*, budget: int | None = None) -> Caller:
    spec = sample.assembled(ADDS_ONE)
    program = ebpfd_vm.Program(spec, [], sample.INFORMATION, verified=True, budget=budget)
    return Caller(program)


def test_a_context_alone_is_run() -> None:
    """Bytes stay as they are, buffers get back what the contract allows."""
    caller = _caller()
    invoke, buffer = caller.door.call, bytearray(sample.context(7))
    assert [invoke(sample.context(3)), invoke(buffer), invoke(memoryview(buffer))] == [3, 7, 8]
    assert buffer == sample.context(9)
    assert inspect.isbuiltin(invoke)
    assert not caller.elsewhere
    assert caller.gate.counters().runs == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}),
        ((None,), {}),
        (("text",), {}),
        ((sample.context(1), b"data"), {}),
        ((sample.context(1),), {"data": b"data", "parameter": None}),
        ((), {"context": sample.context(1)}),
    ],
)
def test_everything_else_goes_elsewhere_as_it_is(
    arguments: tuple[object, ...], named: dict[str, object]
) -> None:
    """With all its arguments, and the answer comes back."""
    caller = _caller()
    assert caller.door.call(*arguments, **named) == ELSEWHERE
    assert caller.elsewhere == [(arguments, named)]
    assert caller.gate.counters().runs == 0


def test_other_buffers_go_elsewhere() -> None:
    """A subclass may be something else to whoever made it."""

    class Mine(bytes):
        pass

    caller = _caller()
    assert caller.door.call(Mine(sample.context(1))) == ELSEWHERE


def test_a_closed_door_makes_no_run_until_it_is_open_again() -> None:
    """Whoever has kept the builtin is sent elsewhere meanwhile."""
    caller, context = _caller(), sample.context(5)
    invoke = caller.door.call
    caller.door.close()
    assert invoke(context) == ELSEWHERE
    caller.door.open()
    assert invoke(context) == 5
    assert caller.elsewhere == [((context,), {})]


def test_when_the_gate_is_closed_calls_go_elsewhere() -> None:
    """The daemon closes it, and need not tell the door."""
    caller, context = _caller(), sample.context(5)
    assert caller.door.call(context) == 5
    caller.gate.close()
    assert caller.door.call(context) == ELSEWHERE
    assert caller.gate.counters().runs == 1
    assert not caller.gate.busy


def test_a_run_that_fails_is_told_in_the_callers_words() -> None:
    """So is a context that is too short, or has gaps; nothing goes elsewhere."""
    caller = _caller(budget=3)
    context = bytearray(sample.context(1))
    with pytest.raises(RefusedError, match=str(TIMEOUT)) as refused:
        caller.door.call(context)
    assert refused.value.__context__ is None
    with pytest.raises(RefusedError, match=str(INVALID_ARGUMENT)):
        caller.door.call(b"short")
    with pytest.raises(RefusedError, match="BufferError"):
        caller.door.call(memoryview(bytes(64))[::2])
    assert not caller.elsewhere
    assert caller.gate.counters().failures == {TIMEOUT: 1}


def test_what_happens_elsewhere_is_the_callers() -> None:
    """Errors pass; and so do those of whoever should find words for an error."""

    def fail(*_: object) -> int:
        raise RefusedError

    caller = _caller(budget=3)
    with pytest.raises(RefusedError):
        Door(caller.handed, fail, caller.said).call()
    with pytest.raises(TypeError):
        Door(caller.handed, caller.otherwise, len).call(sample.context(1))  # type: ignore[arg-type]


def test_calls_nest() -> None:
    """Who is called elsewhere may call again."""
    caller = _caller()

    def again(*_: object) -> int:
        return door.call(sample.context(4)) + 1

    door = Door(caller.handed, again, caller.said)
    assert door.call(None) == 5


def test_a_door_in_a_circle_is_collected() -> None:
    """Who is called elsewhere mostly has the builtin."""

    class Owner:
        def __init__(self, program: ebpfd_vm.Program) -> None:
            self.invoke = Door(program, self.otherwise, str).call  # type: ignore[arg-type]

        def otherwise(self) -> int:
            return 1

    owner = Owner(_caller().handed)
    assert owner.invoke() == 1
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None
