"""Helper callbacks that come back to the engine, lose their maps, or answer nonsense."""

import gc

import pytest

import ebpfd_vm
from tests.engine import sample

FAILED = 17
DATA = b"abcdefgh"
Arguments = list[int | bytes | ebpfd_vm.Map | None]
Answer = tuple[int, list[tuple[int, bytes]]]


def _run(program: ebpfd_vm.Program) -> tuple[int, int]:
    code, result, *_ = program.test_run(sample.context(1), DATA, 0, 1)
    return code, result


def test_a_callback_may_use_the_maps_of_its_program() -> None:
    """A map that a program hands over can be changed, and read, during the call."""

    def answer(helper: int, arguments: Arguments, _context: bytes) -> Answer:
        numbers = arguments[0] if arguments else None
        if isinstance(numbers, ebpfd_vm.Map):
            for number in range(200):
                numbers.update(number.to_bytes(4, "little"), bytes(4))
                numbers.delete(number.to_bytes(4, "little"))
            assert numbers.entries(None, 10) == []
            return 0, [(2, b"\x05\0\0\0")]
        return int(helper == 0x10001), []

    program, _ = sample.load("helpers", "extension", helper=answer)
    assert _run(program)[0] == 0


def test_a_callback_may_run_the_same_program() -> None:
    """Invocations nest: each has its own stack, context and data."""
    depth = 0

    def answer(_helper: int, _arguments: Arguments, _context: bytes) -> Answer:
        nonlocal depth
        if depth < 3:
            depth += 1
            assert _run(program)[0] == 0
            depth -= 1
        return 0, []

    program, _ = sample.load("helpers", "extension", helper=answer)
    assert _run(program)[0] == 0


def test_a_callback_without_end_fails() -> None:
    """A callback that always runs its own program fails at Python's limit: no crash."""

    def answer(_helper: int, _arguments: Arguments, _context: bytes) -> Answer:
        if code := _run(program)[0]:
            raise ebpfd_vm.HelperError(code)
        return 0, []

    program, _ = sample.load("helpers", "extension", helper=answer)
    assert _run(program)[0] == FAILED
    assert set(program.counters().failures) == {FAILED}


def test_a_callback_may_drop_the_last_map() -> None:
    """A program keeps its maps, whoever else forgets them during a call."""
    kept: dict[str, ebpfd_vm.Map] = {}

    def answer(_helper: int, _arguments: Arguments, _context: bytes) -> Answer:
        kept.clear()
        gc.collect()
        return 0, []

    program, maps = sample.load("helpers", "extension", helper=answer)
    kept.update(maps)
    del maps
    assert [_run(program)[0] for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (0,),
        (0, [(0, b"")], 1),
        ("1", []),
        (1 << 64, []),
        (0, [(-1, b"")]),
        (0, [(0, "text")]),
        (0, [(0, bytes(9))]),
        (0, [(1 << 40, b"")]),
    ],
)
def test_nonsense_is_a_failure(answer: object) -> None:
    """What is no answer, or writes where it may not, ends the invocation with FAILED."""
    program, _ = sample.load("helpers", "extension", helper=lambda *_: answer)  # type: ignore[arg-type]
    assert _run(program) == (FAILED, 0)
