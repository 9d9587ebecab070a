"""The builtin that runs a program on one context."""

import gc
import threading
import weakref
from typing import Final

import pytest

import ebpfd_vm
from tests.engine import sample

INVALID_ARGUMENT: Final = 6
NOT_SUPPORTED: Final = 18
TIMEOUT: Final = 32
ADDS_ONE: Final = """
    ldxw %r0, [%r1+16]
    mov %r2, %r0
    add %r2, 1
    stxw [%r1+16], %r2
    stxdw [%r1+0], %r2
    exit
"""
"""Gives the context's number, and changes it, and a pointer which no program may change."""


def _program(assembly: str = ADDS_ONE, *, budget: int | None = None) -> ebpfd_vm.Program:
    return ebpfd_vm.Program(sample.assembled(assembly), [], sample.INFORMATION, budget=budget)


def test_the_result_is_that_of_a_batch() -> None:
    """One context in, 32 bits out; bytes stay as they are."""
    program = _program()
    context = sample.context(7)
    invoke = program.invoker()
    assert [invoke(context), invoke(context)] == [7, 7]
    assert program.run_batch(context, 1).results == (7).to_bytes(4, "little")
    assert context == sample.context(7)


def test_writable_buffers_get_back_what_the_contract_allows() -> None:
    """The number comes back, the pointers do not; longer buffers keep their rest."""
    context = bytearray(sample.context(0xFFFF_FFFE) + b"rest")
    invoke = _program().invoker()
    assert [invoke(context), invoke(memoryview(context)), invoke(context)] == [
        0xFFFF_FFFE,
        0xFFFF_FFFF,
        0,
    ]
    assert context == sample.context(1) + b"rest"


def test_read_only_views_are_not_written() -> None:
    """A view that forbids writing is read."""
    context = bytearray(sample.context(3))
    assert _program().invoker()(memoryview(context).toreadonly()) == 3
    assert context == sample.context(3)


def test_a_short_context_is_refused() -> None:
    """A context that is too short is not run, whatever kind of buffer it is."""
    program = _program()
    invoke = program.invoker()
    for short in (b"", bytes(sample.CONTEXT_SIZE - 1), bytearray(3)):
        with pytest.raises(ebpfd_vm.EngineError, match="context has") as refused:
            invoke(short)
        assert refused.value.code == INVALID_ARGUMENT
    assert program.counters().runs == 0


@pytest.mark.parametrize("context", ["text", None, 5, memoryview(bytes(64))[::2]])
def test_what_is_no_plain_buffer_is_refused(context: object) -> None:
    """Python says what is wrong with it."""
    with pytest.raises((TypeError, BufferError)):
        _program().invoker()(context)  # type: ignore[arg-type]


def test_a_failed_invocation_raises_its_code() -> None:
    """The error has the code and the reason, the context what was written before."""
    program = _program(budget=5)
    context = bytearray(sample.context(1))
    with pytest.raises(ebpfd_vm.EngineError, match="budget of 5") as failed:
        program.invoker()(context)
    assert failed.value.code == TIMEOUT
    assert context == sample.context(2)
    counters = program.counters()
    assert (counters.runs, counters.failures) == (1, {TIMEOUT: 1})


def test_runs_are_counted_by_all_doors() -> None:
    """Each invoker counts for itself; the program's counters are the sum, also afterwards."""
    program = _program()
    first, second = program.invoker(), program.invoker()
    for _ in range(100):
        first(sample.context(0))
    second(sample.context(0))
    program.run_batch(sample.context(0) * 3, 3)
    assert program.counters().runs == 104
    before = program.counters().nanoseconds
    assert before > 0
    del first, second
    assert (program.counters().runs, program.counters().nanoseconds) == (104, before)


def test_an_invoker_keeps_its_program() -> None:
    """The program may be forgotten; the function goes with its last user."""
    invoke = _program().invoker()
    gc.collect()
    assert invoke(sample.context(9)) == 9
    gone = weakref.ref(invoke)
    del invoke
    assert gone() is None


def test_a_program_that_may_block_has_no_invoker() -> None:
    """A call that holds the GIL must not wait for an extension."""

    def answer(
        _helper: int, _arguments: list[int | bytes | ebpfd_vm.Map | None], _context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        return 0, []

    program, _ = sample.load("helpers", "extension", helper=answer)
    with pytest.raises(ebpfd_vm.EngineError, match="may block") as refused:
        program.invoker()
    assert refused.value.code == NOT_SUPPORTED


def test_maps_are_those_of_the_program() -> None:
    """Helpers work as in a batch, and maps change."""
    program, maps = sample.load("maps", "count")
    invoke = program.invoker()
    assert [invoke(sample.context(2)) for _ in range(200)] == [0] * 200
    assert maps["second"].lookup(bytes([1, 0, 0, 0])) == (400).to_bytes(8, "little")
    assert maps["flows"].lookup(bytes([1, 0, 0, 0, 2, 0, 0, 0])) == (200).to_bytes(8, "little")


def test_threads_share_an_invoker() -> None:
    """Each thread sees its own context, and every run counts."""
    program = _program()
    invoke = program.invoker()
    wrong: list[int] = []

    def run(number: int) -> None:
        context = sample.context(number)
        wrong.extend(number for _ in range(20_000) if invoke(context) != number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert program.counters().runs == 80_000
