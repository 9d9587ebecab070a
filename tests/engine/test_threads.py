"""Threads that share programs, maps and buffers."""

import threading
from collections.abc import Callable
from pathlib import Path

import ebpfd_vm
from tests.engine import sample

ROUNDS = 3_000
A_BATCH = 64
SUCCESS = 0


def _together(*work: Callable[[], None]) -> None:
    """Run every function on its own thread, and raise what any of them raised."""
    errors: list[BaseException] = []

    def run(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_programs_and_callers_share_maps() -> None:
    """Runs on several threads count exactly while others change and walk the same maps."""
    program, maps = sample.load("maps", "count")
    contexts = b"".join(sample.context(number) for number in range(A_BATCH))

    def run() -> None:
        for _ in range(ROUNDS):
            assert not any(program.run_batch(contexts, A_BATCH).codes)

    def change() -> None:
        flows = maps["flows"]
        for number in range(ROUNDS * 4):
            key = bytes([1, 0, 0, 0, number % A_BATCH, 0, 0, 0])
            flows.update(key, bytes(8))
            try:
                flows.delete(key)
            except ebpfd_vm.EngineError as error:
                assert error.code == 19  # noqa: PT017 - another thread was faster

    def walk() -> None:
        flows = maps["flows"]
        for _ in range(ROUNDS):
            after = None
            while page := flows.entries(after, 7):
                assert all(len(key) == len(value) == 8 for key, value in page)
                after = page[-1][0]

    _together(run, run, change, change, walk)
    total = int.from_bytes(maps["second"].lookup(bytes([1, 0, 0, 0])), "little")
    assert total == 2 * ROUNDS * sum(range(A_BATCH))
    assert program.counters().runs == 2 * ROUNDS * A_BATCH


def test_buffers_may_change_while_a_batch_runs() -> None:
    """A batch works on what its buffers held when it began, whoever writes to them later."""
    program, _ = sample.load("packet", "packet")
    contexts = bytearray(sample.context(0) * A_BATCH)
    data = bytearray(4 * A_BATCH)
    lengths = bytearray(b"\x04\0\0\0" * A_BATCH)
    done = threading.Event()

    def run() -> None:
        try:
            for _ in range(ROUNDS):
                batch = program.run_batch(contexts, A_BATCH, memoryview(data), lengths)
                assert set(batch.codes) == {SUCCESS}
                assert len(batch.data) == len(data)
        finally:
            done.set()

    def spoil() -> None:
        value = 0
        while not done.is_set():
            value = (value + 1) % 256
            data[:] = bytes([value]) * len(data)
            contexts[:] = bytes([value]) * len(contexts)

    _together(run, spoil)


def test_a_busy_key_takes_no_more_memory() -> None:
    """Replaced values are used again: a million updates of one key leave no trace."""
    flows = ebpfd_vm.Map(1, 8, 4096, 1)
    key, value = bytes(8), bytes(4096)
    for _ in range(2000):
        flows.update(key, value)
    before = _resident()
    for _ in range(200_000):
        flows.update(key, value)
    assert _resident() - before < 32 << 20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
