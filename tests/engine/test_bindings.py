"""Helpers and functions that are answered here, and who caused a batch."""

import os
import threading
from typing import Final
from uuid import UUID

import pytest

import ebpfd_vm
from ebpfd_api.latency import BUCKETS, bucket_start
from tests.engine import sample

FIRST: Final = UUID("12345678-1234-1234-1234-123456789abc")
SECOND: Final = UUID(int=2)
FUNCTIONS: Final = (
    sample.Function(FIRST, "first_lookup", (1, 11, 2)),
    sample.Function(FIRST, "first_add", (1, 1)),
    sample.Function(SECOND, "second_add", (1, 1)),
)
Arguments = list[int | bytes | ebpfd_vm.Map | None]
Answer = tuple[int, list[tuple[int, bytes]]]


def _answer(helper: int, arguments: Arguments, _context: bytes) -> Answer:
    """Look up ten times the key; add."""
    first, second, *_ = arguments
    assert isinstance(first, int)
    if helper == ebpfd_vm.FIRST_FUNCTION:
        return 0, [(1, (first * 10).to_bytes(8, "little"))]
    assert isinstance(second, int)
    return first + second, []


LOCAL: Final = {ebpfd_vm.FIRST_FUNCTION + place: _answer for place in range(3)}


def _imports() -> ebpfd_vm.ProgramSpec:
    parsed = ebpfd_vm.parse_object(sample.object_file("imports"))
    return next(each for each in parsed.programs if each.name == "imports")


def test_imports_name_their_modules() -> None:
    """A program tells which functions of which modules it wants, in the order of their use."""
    wanted = [(str(function.module), function.name) for function in FUNCTIONS]
    assert wanted == _imports().imports


def test_the_digest_covers_imports() -> None:
    """Equal instructions that call other functions are another program."""
    data = sample.object_file("imports")
    renamed = ebpfd_vm.parse_object(data.replace(b"second_add", b"second_sub")).programs
    other = next(each for each in renamed if each.name == "imports")
    assert other.instructions == _imports().instructions
    assert other.sha256 != _imports().sha256


@pytest.mark.parametrize(
    ("helper", "local", "blocking"),
    [(_answer, None, True), (None, LOCAL, False), (_answer, LOCAL, False)],
)
def test_imports_are_called_by_their_place(
    helper: sample.Callback | None, local: dict[int, sample.Callback] | None, *, blocking: bool
) -> None:
    """Function k answers as helper FIRST_FUNCTION + k; who answers here is not waited for."""
    program, _ = sample.load("imports", "imports", helper=helper, local=local, functions=FUNCTIONS)
    assert program.blocking is blocking
    code, result, *_ = program.test_run(sample.context(7), b"", 0, 1)
    assert (code, result) == (0, 71 + 72 + 140)


def test_one_helper_may_be_left_to_the_extension() -> None:
    """What is not answered here is asked of the extension, and makes the program blocking."""
    local = {key: LOCAL[key] for key in list(LOCAL)[:2]}
    with pytest.raises(ebpfd_vm.EngineError, match="calls second_add"):
        sample.load("imports", "imports", local=local, functions=FUNCTIONS)
    program, _ = sample.load("imports", "imports", helper=_answer, local=local, functions=FUNCTIONS)
    assert program.blocking


def test_what_nobody_offers_is_named() -> None:
    """The refusal names function and module, and what the module offers instead."""
    with pytest.raises(ebpfd_vm.EngineError) as caught:
        sample.load("imports", "imports", helper=_answer, functions=FUNCTIONS[1:])
    assert caught.value.message == (
        f"function first_lookup of module {FIRST} is not offered: the module offers first_add"
    )


def test_a_callback_that_fails_here_ends_the_invocation() -> None:
    """As in an extension: its own code if it chose one."""

    def refuse(_helper: int, _arguments: Arguments, _context: bytes) -> Answer:
        raise ebpfd_vm.HelperError(20, "no")

    program, _ = sample.load(
        "imports", "imports", local=dict.fromkeys(LOCAL, refuse), functions=FUNCTIONS
    )
    assert program.test_run(sample.context(7), b"", 0, 1)[0] == 20


def test_a_binding_must_be_for_something() -> None:
    """An id that the contract does not have is a mistake."""
    with pytest.raises(ebpfd_vm.EngineError, match=r"local\[6\]"):
        sample.load("plain", "constant", local={6: _answer})


def _origin(origin: tuple[int, int, int | None] | None) -> int:
    """What ``origins`` of general.c says of a batch: 0, or the number of what it doubts."""
    program, _ = sample.load("general", "origins")
    batch = program.run_batch(sample.context(0), 1, b"", b"", b"", origin)
    assert batch.codes == b"\0"
    return int.from_bytes(batch.results, "little")


def test_a_batch_may_name_its_origin() -> None:
    """The calling thread is the default; only who names a user can be an administrator."""
    here = (os.getpid(), threading.get_native_id())
    assert _origin(None) == _origin((*here, None)) == 0
    assert _origin((*here, 0)) == _origin((*here, 1000)) == 2
    assert _origin((0, 5, None)) == 1


def test_a_tally_counts_the_batches_that_it_is_given() -> None:
    """Beside the program's own counters, which count all; failures by their codes."""
    program, _ = sample.load("general", "origins")
    tally = ebpfd_vm.Tally()
    program.run_batch(sample.context(0), 1)
    program.run_batch(sample.context(0) * 3, 3, b"", b"", b"", None, tally)
    counted = tally.counters()
    assert (counted.runs, counted.failures) == (3, {})
    assert 0 < counted.nanoseconds <= program.counters().nanoseconds
    assert program.counters().runs == 4


def test_latencies_are_those_of_the_batches() -> None:
    """Each run counts with its batch's mean; a tally has its own, a program's has all."""
    program, _ = sample.load("general", "origins")
    tally = ebpfd_vm.Tally()
    assert (program.latency(), tally.latency()) == ([], [])
    done = program.run_batch(sample.context(0) * 3, 3, b"", b"", b"", None, tally)
    bucket = next(b for b in range(BUCKETS) if bucket_start(b + 1) > done.elapsed_ns // 3)
    assert tally.latency() == [0] * bucket + [3]
    program.test_run(sample.context(0), b"", 0, 5)
    assert sum(program.latency()) == program.counters().runs == 8
    assert sum(tally.latency()) == 3
