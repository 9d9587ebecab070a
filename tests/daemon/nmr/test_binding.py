"""The two tables: whatever they do not list is refused."""

import itertools

import pytest

from ebpfd.nmr.binding import DETACHES, STAGES, Binding, Detach, DetachEvent, Event, Stage
from ebpfd.nmr.errors import OutOfTurnError
from ebpfd.nmr.identity import BindingHandle, RegistrationHandle, Role
from ebpfd.nmr.registration import Registration
from tests.daemon.nmr.harness import instance


def _binding() -> Binding:
    client, provider = (
        Registration(RegistrationHandle(number), role, instance(), "owner", has_cleanup=True)
        for number, role in enumerate(Role, 1)
    )
    return Binding(BindingHandle(7), client, provider)


@pytest.mark.parametrize(("stage", "event"), list(itertools.product(Stage, Event)))
def test_every_stage_and_event_moves_or_refuses(stage: Stage, event: Event) -> None:
    """A pair in the table moves; any other raises, names itself and changes nothing."""
    binding, wanted = _binding(), STAGES.get((stage, event))
    binding.stage = stage
    if wanted is None:
        with pytest.raises(OutOfTurnError) as caught:
            binding.apply(event)
        assert (caught.value.handle, caught.value.state) == (7, stage.name)
        assert caught.value.event == event.name
        assert binding.stage is stage
    else:
        assert binding.apply(event) is wanted


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("detach", "event"), list(itertools.product(Detach, DetachEvent)))
def test_every_detach_and_event_moves_or_refuses(
    detach: Detach, event: DetachEvent, role: Role
) -> None:
    """The same for one side's detach, and the other side is never touched."""
    binding, wanted = _binding(), DETACHES.get((detach, event))
    binding.side(role).detach = detach
    if wanted is None:
        with pytest.raises(OutOfTurnError, match=rf"7: {event.name} .* {role.name} {detach.name}"):
            binding.apply_detach(role, event)
        wanted = detach
    else:
        binding.apply_detach(role, event)
    assert binding.side(role).detach is wanted
    assert binding.side(role.opposite).detach is Detach.IDLE


def test_every_stage_is_reached_and_left() -> None:
    """No stage is unreachable, and only the last has no way out."""
    reached, left = set(STAGES.values()), {stage for stage, _ in STAGES}
    assert set(Stage) - reached == {Stage.QUEUED}
    assert set(Stage) - left == {Stage.GONE}
