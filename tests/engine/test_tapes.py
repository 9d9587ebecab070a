"""Runs that are recorded and run again, by way of Python."""

import pytest

import ebpfd_vm
from tests.engine.sample import CONTEXT_SIZE, load

INVALID_ARGUMENT = 6


def test_a_recorded_batch_is_an_ordinary_one_and_runs_again() -> None:
    """Columns, tally and counters as always; the answers of a helper are on the tape."""
    asked: list[int] = []

    def helper(
        helper_id: int, arguments: list[int | bytes | ebpfd_vm.Map | None], context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        asked.append(helper_id)
        return len(asked), []

    program, _ = load("helpers", "extension", helper=helper)
    tally = ebpfd_vm.Tally()
    columns = bytes(CONTEXT_SIZE * 2), 2, b"abcdefgh" * 2, b"\x08\0\0\0" * 2, b""
    recorded, tapes = program.record_batch(*columns, (1, 2, 3), tally)
    assert tally.counters().runs == 2
    count = len(asked)
    assert count > 0
    replayed, unknown = program.replay_batch(*columns, (1, 2, 3), tapes)
    assert (replayed.codes, replayed.results) == (recorded.codes, recorded.results)
    assert (replayed.contexts, replayed.data) == (recorded.contexts, recorded.data)
    assert (unknown, len(asked)) == (bytes(2), count)


def test_tapes_that_do_not_fit_are_refused() -> None:
    """Of another batch, of a machine with more lanes, or damaged."""
    program, _ = load("packet", "packet")
    columns = bytes(CONTEXT_SIZE), 1, b"", b"", b"", None
    _, (lane, tape, lengths) = program.record_batch(*columns)
    for tapes in (
        (lane, tape, lengths * 2),
        (lane, tape[:-1], lengths),
        (ebpfd_vm.lane_count(), tape, lengths),
    ):
        with pytest.raises(ebpfd_vm.EngineError) as caught:
            program.replay_batch(*columns, tapes)
        assert caught.value.code == INVALID_ARGUMENT
