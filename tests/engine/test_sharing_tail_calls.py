"""A program in another process with those that it leads to."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

import ebpfd_vm
from ebpfd_vm.sharing import Gate, sealed
from tests.engine import sample

INVALID_ARGUMENT: Final = 6
STEPS: Final = 2
"""The index that ``start`` goes on with."""


class Leading:
    """``start``, which goes on with another program; what the daemon has of all of them."""

    def __init__(self) -> None:
        parsed = ebpfd_vm.parse_object(sample.object_file("values"))
        steps = next(each for each in parsed.maps if each.name == "steps")
        self.steps = ebpfd_vm.Map(steps.type, steps.key_size, steps.value_size, steps.max_entries)
        other = ebpfd_vm.Map(2, 4, 8, 2, shared=True)
        maps = [self.steps if each is steps else other for each in parsed.maps]
        self.programs = {
            spec.name: ebpfd_vm.Program(spec, maps, sample.INFORMATION, verified=True, tag=tag)
            for tag, spec in enumerate(parsed.programs, start=7)
        }
        self.ids = {spec.name: tag for tag, spec in enumerate(parsed.programs, start=7)}
        self.start = self.programs["start"]

    def lead_to(self, name: str) -> None:
        """Put a program where ``start`` goes on."""
        key = STEPS.to_bytes(4, "little")
        self.steps.set_program(key, self.programs[name], self.ids[name])

    def handed_over(self, others: Sequence[str], gates: Sequence[Gate]) -> ebpfd_vm.Program:
        """What the other process has, with these gates."""
        data, places = self.start.image([self.programs[name] for name in others])
        assert places == []
        image = sealed(data)
        try:
            gate, *led = (Gate(each.fileno()) for each in gates)
            return ebpfd_vm.Program.of_image(image, [], gate, led=led, lane=6)
        finally:
            os.close(image)


def test_a_program_goes_on_with_the_other_one_there() -> None:
    """Each is counted where the daemon's is; the link counts events, not runs."""
    leading, gates, link = Leading(), [Gate(), Gate()], ebpfd_vm.Tally()
    hidden = leading.programs["hidden"]
    leading.lead_to("hidden")
    program = leading.handed_over(["hidden"], gates)
    leading.start.follow(gates[0])
    hidden.follow(gates[1])
    link.follow(gates[0])
    assert program.invoker()(sample.context(1)) == 2
    done = program.run_batch(sample.context(1) * 3, 3)
    assert done.results == (2).to_bytes(4, "little") * 3
    counted = [each.counters().runs for each in (leading.start, hidden, link)]
    assert counted == [4, 4, 4]


def test_a_program_that_leads_to_itself_is_one_event() -> None:
    """34 runs, for there may be 33 tail calls; what is unfollowed stays counted."""
    leading, gate, link = Leading(), Gate(), ebpfd_vm.Tally()
    leading.lead_to("start")
    program = leading.handed_over([], [gate])
    leading.start.follow(gate)
    link.follow(gate)
    assert program.invoker()(sample.context(1)) == 3
    for _ in range(2):
        assert (leading.start.counters().runs, link.counters().runs) == (34, 1)
        leading.start.unfollow(gate)
        link.unfollow(gate)


def test_what_it_led_to_goes_with_it() -> None:
    """Arrays and programs that keep each other, also those in use by a caller."""
    leading = Leading()
    leading.lead_to("start")
    before = _mapped()
    for _ in range(20):
        invoke = leading.handed_over([], [Gate()]).invoker()
        assert invoke(sample.context(1)) == 3
        assert _mapped() > before
        del invoke
    assert _mapped() == before


def _mapped() -> int:
    """Files in memory that this process has mapped: each program has its gate."""
    return Path("/proc/self/maps").read_text().count("memfd:")


def test_all_that_it_leads_to_must_be_there() -> None:
    """The programs in the image, and a gate for each."""
    leading = Leading()
    leading.lead_to("hidden")
    with pytest.raises(ebpfd_vm.EngineError, match="leads to 9, which is missing") as refused:
        leading.start.image()
    assert refused.value.code == INVALID_ARGUMENT
    for count in (1, 3):
        with pytest.raises(ebpfd_vm.EngineError, match=f"gates are {count}, .* 2 programs"):
            leading.handed_over(["hidden"], [Gate() for _ in range(count)])
