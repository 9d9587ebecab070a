"""Columns of a batch that do not fit together."""

import pytest

import ebpfd_vm
from tests.engine import sample

INVALID_ARGUMENT = 6
HUGE = (1 << 62) + 1
ONE = sample.context(0)


def _u32(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


@pytest.mark.parametrize(
    ("contexts", "count", "data", "lengths", "metas"),
    [
        (b"", 1, b"", b"", b""),
        (b"", HUGE, b"", b"", b""),
        (b"", (1 << 64) - 1, b"", b"", b""),
        (ONE, HUGE, b"", b"", b""),
        (ONE, 0, b"", b"", b""),
        (b"", 0, b"x", b"", b""),
        (b"", 0, b"", _u32(0), b""),
        (ONE[:-1], 1, b"", b"", b""),
        (ONE * 2 + b"x", 2, b"", b"", b""),
        (ONE * 2, 2, b"x", b"", b""),
        (ONE * 2, 2, b"x", _u32(1), b""),
        (ONE * 2, 2, b"x", _u32(1, 1), b""),
        (ONE * 2, 2, b"x", _u32(0xFFFFFFFF, 2), b""),
        (ONE * 2, 2, b"xx", _u32(1, 1), _u32(1)),
        (ONE * 2, 2, b"xx", _u32(1, 1), _u32(0, 1)),
        (ONE, 1, b"x", _u32(1), _u32(0xFFFFFFFF)),
        (ONE, 1, bytes(65_535), b"", b""),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    contexts: bytes, count: int, data: bytes, lengths: bytes, metas: bytes
) -> None:
    """Counts, sums and lengths are checked before anything is allocated or run."""
    program, _ = sample.load("packet", "packet")
    with pytest.raises(ebpfd_vm.EngineError) as refused:
        program.run_batch(contexts, count, data, lengths, metas)
    assert refused.value.code == INVALID_ARGUMENT
    assert program.counters().runs == 0


def test_empty_columns_are_an_empty_batch() -> None:
    """Nothing in, nothing out."""
    program, _ = sample.load("packet", "packet")
    batch = program.run_batch(b"", 0)
    assert (batch.codes, batch.results, batch.contexts, batch.data) == (b"", b"", b"", b"")


def test_a_view_with_steps_is_copied_in_order() -> None:
    """A buffer need not be contiguous."""
    program, _ = sample.load("packet", "packet")
    data = memoryview(bytes([1, 9, 2, 9, 3, 9, 4, 9]))[::2]
    batch = program.run_batch(ONE, 1, data)
    assert batch.results == _u32(0x0304)
    assert batch.data == bytes([2, 2, 3, 4])
