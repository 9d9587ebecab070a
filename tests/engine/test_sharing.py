"""One program in two processes, with maps and counters that both have."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import pytest

import ebpfd_vm
from ebpfd_vm.sharing import Gate, sealed
from tests.engine import sample
from tests.engine.sharing_process import NUMBERS

INVALID_OBJECT: Final = 5
NOT_SUPPORTED: Final = 18
INVALID_STATE: Final = 34
KILLS: Final = 100
_SCRIPT: Final = Path(__file__).with_name("sharing_process.py")
_ROOT: Final = _SCRIPT.parents[2]


@dataclass
class Loaded:
    """A program as the daemon has it, with its maps."""

    program: ebpfd_vm.Program
    maps: list[ebpfd_vm.Map]
    gates: list[Gate] = field(default_factory=list[Gate])

    def named(self, name: str) -> ebpfd_vm.Map:
        """A map by its name."""
        return next(each for each in self.maps if each.name == name)

    def added(self) -> int:
        """What all runs together have added up: each adds its number."""
        return _number(self.named("second").lookup(_key(1)))


def _load(of: str = "maps", name: str = "count", *, shared: bool = True) -> Loaded:
    parsed = ebpfd_vm.parse_object(sample.object_file(of))
    maps = [sample.live(each, shared=shared) for each in parsed.maps]
    spec = next(each for each in parsed.programs if each.name == name)
    verdict = ebpfd_vm.verify(spec, parsed.maps, sample.INFORMATION, judges="ours")
    assert verdict.accepted
    program = ebpfd_vm.Program(
        spec, maps, sample.INFORMATION, verified=True, proved=verdict.worst_case, tag=7
    )
    return Loaded(program, maps)


@dataclass
class Other:
    """The other process."""

    process: "subprocess.Popen[str]"
    gate: Gate

    def ask(self, command: str) -> str:
        """What it answers to a command."""
        self.tell(command)
        return self.answer()

    def tell(self, command: str) -> None:
        """Give a command."""
        _pipe(self.process.stdin).write(f"{command}\n")
        _pipe(self.process.stdin).flush()

    def answer(self) -> str:
        """The next line that it says."""
        return _pipe(self.process.stdout).readline().strip()


@contextmanager
def _other(loaded: Loaded) -> Generator[Other]:
    """Another process that was handed the program."""
    bytes_, places = loaded.program.image()
    gate, image = Gate(), sealed(bytes_)
    files = [loaded.maps[place].fileno() for _, place in places]
    handed = [image, gate.fileno(), *files]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.sharing_process", *map(str, handed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=handed,
        cwd=_ROOT,
        text=True,
    )
    os.close(image)
    loaded.program.follow(gate)
    try:
        yield Other(process, gate)
    finally:
        process.kill()
        process.communicate()


def test_both_processes_run_one_program() -> None:
    """Results, maps and counters are as if one process had run it all."""
    loaded = _load()
    tally = ebpfd_vm.Tally()
    with _other(loaded) as other:
        tally.follow(other.gate)
        assert other.ask("run 1000") == "done"
        assert other.ask("batch 24") == "done"
        loaded.program.run_batch(sample.context(5), 1)
        assert loaded.program.counters().runs == 1025
        assert tally.counters().runs == 1024
        assert loaded.added() == sum(number % NUMBERS for number in range(1000)) + 24 + 5
        flow = struct.pack("<II", 1, 5)
        assert _number(loaded.named("flows").lookup(flow)) == len(range(5, 1000, NUMBERS)) + 1


def test_read_only_data_and_globals_go_with_the_image() -> None:
    """What a program only reads is in its image, what it writes is shared."""
    loaded = _load("globals", "globals")
    with _other(loaded) as other:
        before = loaded.program.run_batch(sample.context(0), 1)
        assert other.ask("run 1") == "done"
        after = loaded.program.run_batch(sample.context(0), 1)
        assert _number(after.results) == _number(before.results) + 2 * 3


def test_a_closed_gate_ends_it_and_what_was_counted_stays() -> None:
    """Afterwards nothing runs, and nothing is counted."""
    loaded = _load()
    with _other(loaded) as other:
        assert other.ask("run 10") == "done"
        other.gate.close()
        assert not _busy(other.gate)
        assert other.ask("run 1") == f"code {INVALID_STATE}"
        assert other.ask("batch 1") == f"code {INVALID_STATE}"
        loaded.program.unfollow(other.gate)
        loaded.program.unfollow(other.gate)
        assert loaded.program.counters().runs == 10


def test_a_process_that_was_stopped_reaches_nothing_later() -> None:
    """It goes on where it was, in memory that is nobody's any more."""
    loaded = _load()
    with _other(loaded) as other:
        other.tell("batch 3000000")
        _stop_inside(other)
        other.gate.close()
        assert _busy(other.gate)
        for each in loaded.maps:
            each.renew()
        loaded.program.unfollow(other.gate)
        added, counted = loaded.added(), loaded.program.counters().runs
        os.kill(other.process.pid, signal.SIGCONT)
        assert other.answer() == "done"
        assert not _busy(other.gate)
        assert loaded.added() == added
        assert loaded.program.counters().runs == counted
    loaded.program.run_batch(sample.context(1), 1)
    assert loaded.added() == added + 1


def test_a_renewed_map_keeps_what_is_in_it(tmp_path: Path) -> None:
    """Entries stay; a file that is given is where it lives from now on, and others may have it."""
    made = ebpfd_vm.Map(1, 4, 8, 1000, shared=True)
    for number in range(2000):
        made.update(_key(number), bytes([number % 256]) * 8)
    before, number = made.entries(None, 5000), made.fileno()
    descriptor = os.open(tmp_path / "map", os.O_RDWR | os.O_CREAT)
    made.renew(descriptor)
    assert (made.fileno(), made.entries(None, 5000)) == (number, before)
    made.update(_key(7), bytes(8))
    again = ebpfd_vm.Map(1, 4, 8, 1000, file=descriptor)
    os.close(descriptor)
    assert again.lookup(_key(7)) == bytes(8)
    assert again.count == 2000
    for number in range(2000, 4000):
        again.update(_key(number), bytes(8))
    assert made.count == 4000


@pytest.mark.parametrize("given", [None, 1])
def test_maps_of_one_process_are_not_renewed(given: int | None) -> None:
    """There is nobody to leave behind."""
    made = ebpfd_vm.Map(1, 4, 8, 16)
    with pytest.raises(ebpfd_vm.EngineError):
        made.renew(given)


def test_kills_amid_updates_leave_sound_maps_and_counts() -> None:
    """A hundred times a process is killed while both write: what it leaves is a map."""
    loaded = _load()
    flows = loaded.named("flows")
    with _other(loaded) as other:
        for round_ in range(KILLS):
            before = loaded.program.counters().runs
            other.tell("fork")
            child = int(other.answer())
            own = 0
            while loaded.program.counters().runs - before - own < round_ % 10 * 50:
                loaded.program.run_batch(sample.context(0), 1)
                own += 1
                if own % 3 == 0:
                    flows.delete(struct.pack("<II", 1, 0))
            os.kill(child, signal.SIGKILL)
            assert other.ask("reap") == "reaped"
            _check(flows)
    for number in range(NUMBERS):
        loaded.program.run_batch(sample.context(number), 1)
    assert flows.count == NUMBERS


def _check(flows: ebpfd_vm.Map) -> None:
    """Every entry can be read, and written, and is counted."""
    entries = flows.entries(None, 10 * NUMBERS)
    for key, _ in entries:
        assert struct.unpack("<II", key)[0] == 1
        flows.update(key, flows.lookup(key))
    assert len({key for key, _ in entries}) == len(entries) == flows.count


def test_images_are_read_from_sealed_memory_alone(tmp_path: Path) -> None:
    """Whatever somebody could change is refused."""
    loaded = _load()
    bytes_, places = loaded.program.image()
    files = [loaded.maps[place].fileno() for _, place in places]
    plain = tmp_path / "image"
    plain.write_bytes(bytes_)
    with plain.open("rb") as file, pytest.raises(ebpfd_vm.EngineError) as refused:
        ebpfd_vm.Program.of_image(file.fileno(), files, Gate())
    assert refused.value.code == INVALID_OBJECT
    descriptor = os.memfd_create("image", os.MFD_ALLOW_SEALING)
    os.write(descriptor, bytes_)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    with pytest.raises(ebpfd_vm.EngineError, match="not sealed"):
        ebpfd_vm.Program.of_image(descriptor, files, Gate())
    os.close(descriptor)


def test_what_keeps_a_program_in_the_daemon_is_said() -> None:
    """So that people are told why it runs where it runs."""
    parsed = ebpfd_vm.parse_object(sample.object_file("maps"))
    maps = [sample.live(each, shared=False) for each in parsed.maps]
    spec = next(each for each in parsed.programs if each.name == "count")
    program = ebpfd_vm.Program(spec, maps, sample.INFORMATION, helper=_never, verified=True)
    with pytest.raises(ebpfd_vm.EngineError, match="memory that only the daemon has") as refused:
        program.image()
    assert refused.value.code == NOT_SUPPORTED


def _stop_inside(other: Other) -> None:
    """Stop the process while it runs the program."""
    while True:
        while not _busy(other.gate):
            assert other.process.poll() is None
        os.kill(other.process.pid, signal.SIGSTOP)
        os.waitpid(other.process.pid, os.WUNTRACED)
        if _busy(other.gate):
            return
        os.kill(other.process.pid, signal.SIGCONT)


def _busy(gate: Gate) -> bool:
    return gate.busy


def _never(
    helper: int, arguments: list[int | bytes | ebpfd_vm.Map | None], context: bytes
) -> tuple[int, list[tuple[int, bytes]]]:
    raise AssertionError("nothing runs here")


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def _key(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _number(value: bytes) -> int:
    return int.from_bytes(value, "little")
