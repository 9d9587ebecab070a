"""Rundown protection against a model: counts, refusals, and who is told when all is quiet."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.errors import InvariantError
from ebpfd.objects import Rundown


class RundownMachine(RuleBasedStateMachine):
    """Any order of uses, closings, reopenings and waiters."""

    def __init__(self) -> None:
        super().__init__()
        self.rundown = Rundown()
        self.active = 0
        self.closed = False
        self.asked = 0
        self.told: list[int] = []
        self.waiting: set[int] = set()

    @rule()
    def acquire(self) -> None:
        """A use is let in unless it is closed."""
        assert self.rundown.acquire() is not self.closed
        self.active += not self.closed

    @precondition(lambda self: self.active)
    @rule()
    def release(self) -> None:
        """The last one tells every waiter once."""
        self.active -= 1
        before = len(self.told)
        self.rundown.release()
        if not self.active:
            assert set(self.told[before:]) == self.waiting
            self.waiting.clear()
        else:
            assert len(self.told) == before

    @rule(closed=st.booleans())
    def close_or_reopen(self, closed: bool) -> None:
        """Neither touches what is in flight."""
        self.rundown.close() if closed else self.rundown.reopen()
        self.closed = closed

    @rule()
    def wait(self) -> None:
        """Told at once if nothing is in flight."""
        number = self.asked = self.asked + 1
        self.rundown.when_idle(lambda: self.told.append(number))
        assert (number in self.told) is not bool(self.active)
        if self.active:
            self.waiting.add(number)

    @invariant()
    def agrees(self) -> None:
        """Counts and the gate are those of the model; nobody is told twice."""
        assert (self.rundown.active, self.rundown.closed) == (self.active, self.closed)
        assert len(self.told) == len(set(self.told))


RundownMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestRundown = RundownMachine.TestCase


def test_a_closed_one_lets_nothing_in_from_the_start() -> None:
    """As a program's is before its provider attached."""
    rundown = Rundown(closed=True)
    assert not rundown.acquire()
    rundown.reopen()
    assert rundown.acquire()


def test_one_release_too_many_is_a_bug_of_ours() -> None:
    """It would let a detach return while a use is in flight."""
    rundown = Rundown()
    with pytest.raises(InvariantError):
        rundown.release()
    assert rundown.active == 0


def test_a_waiter_may_begin_a_use() -> None:
    """And wait again: it is told of the end of that one."""
    rundown, told = Rundown(), list[str]()

    def again() -> None:
        told.append("idle")
        if len(told) == 1:
            assert rundown.acquire()
            rundown.when_idle(again)

    assert rundown.acquire()
    rundown.when_idle(again)
    rundown.release()
    assert told == ["idle"]
    rundown.release()
    assert told == ["idle", "idle"]
