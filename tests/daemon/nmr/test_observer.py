"""What an observer is told: each change once, in order, within the call that caused it."""

from collections.abc import Sequence

from ebpfd.nmr import BindingSnapshot, Change, Phase, RegistrationSnapshot, Stage
from ebpfd.nmr.binding import PHASES
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, PROVIDER, Desk


class Notes:
    """What was told, in words; and that each picture was true at its moment."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._words: list[str] = []
        desk.registrar.observe(self._note)

    def _note(self, change: Change, subject: RegistrationSnapshot | BindingSnapshot) -> None:
        registrar, gone = self._desk.registrar, change is Change.GONE
        known: Sequence[object]
        if isinstance(subject, RegistrationSnapshot):
            known = (*registrar.clients(), *registrar.providers())
            leaving = " deregistering" if subject.deregistering else ""
            word = f"registration {subject.handle} {change.name}{leaving}"
        else:
            known = registrar.bindings()
            word = f"binding {subject.handle} {change.name} {subject.phase.name}"
        assert (subject in known) != gone
        self._words.append(word)

    def take(self) -> list[str]:
        """What was told since the last time."""
        words, self._words = self._words, []
        return words


def test_every_stage_has_a_phase() -> None:
    """And only the four that people know."""
    assert set(PHASES) == set(Stage)
    assert set(PHASES.values()) == set(Phase)


def test_a_whole_life_is_told() -> None:
    """Two modules come, bind, part and go."""
    desk = Desk()
    notes = Notes(desk)
    desk.register(PROVIDER, "p")
    desk.register(CLIENT, "c")
    assert notes.take() == [
        "registration 1 ADDED",
        "registration 2 ADDED",
        "binding 1 ADDED ATTACHING",
    ]
    desk.bind(1)
    assert notes.take() == ["binding 1 CHANGED READY"]
    desk.deregister(1)
    assert notes.take() == [
        "registration 1 CHANGED deregistering",
        "binding 1 CHANGED DETACHING",
    ]
    desk.detached(1, CLIENT)
    desk.detached(1, PROVIDER)
    assert notes.take() == ["binding 1 CHANGED CLEANUP"]
    desk.cleaned(1, CLIENT)
    desk.cleaned(1, PROVIDER)
    assert notes.take() == ["binding 1 GONE CLEANUP", "registration 1 GONE deregistering"]


def test_a_refusal_is_told() -> None:
    """The binding was never ready."""
    desk = Desk()
    notes = Notes(desk)
    desk.register(PROVIDER, "p")
    desk.register(CLIENT, "c")
    desk.attached(1, NtStatus.NOINTERFACE)
    assert notes.take()[2:] == [
        "binding 1 ADDED ATTACHING",
        "binding 1 CHANGED CLEANUP",
        "binding 1 GONE CLEANUP",
    ]


def test_a_loss_is_told() -> None:
    """With both registrations of the process."""
    desk = Desk()
    desk.register(PROVIDER, "p")
    desk.register(CLIENT, "p")
    notes = Notes(desk)
    desk.lost("p")
    assert notes.take() == [
        "registration 1 CHANGED deregistering",
        "registration 2 CHANGED deregistering",
        "binding 1 CHANGED CLEANUP",
        "binding 1 GONE CLEANUP",
        "registration 2 GONE deregistering",
        "registration 1 GONE deregistering",
    ]


def test_a_withdrawn_pair_is_gone_without_more() -> None:
    """Its attach had not begun."""
    desk = Desk()
    for owner in "pq":
        desk.register(PROVIDER, owner)
    desk.register(CLIENT, "c")
    notes = Notes(desk)
    desk.deregister(2)
    assert notes.take() == [
        "registration 2 CHANGED deregistering",
        "binding 2 GONE CLEANUP",
        "registration 2 GONE deregistering",
    ]


def test_nothing_is_told_any_more() -> None:
    """To an observer that was taken away."""
    desk = Desk()
    notes = Notes(desk)
    desk.registrar.observe(None)
    desk.register(PROVIDER, "p")
    assert notes.take() == []
