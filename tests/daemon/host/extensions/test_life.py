"""The life of a hosted extension: what follows what, and when."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.host.extensions.life import (
    ALIVE,
    LONGEST_DELAY_S,
    STEADY_S,
    Deadline,
    Disconnected,
    Effect,
    Ended,
    Event,
    Life,
    Policy,
    Registered,
    Restart,
    Start,
    StartAgain,
    State,
    Stop,
    step,
)

POLICY = Policy(restart_limit=3, restart_delay_s=1.0, start_s=10.0, stop_s=5.0)
CRASH = Ended("ended with exit code 1")
LEFT = Ended("ended with exit code 0", clean=True)


class Child:
    """A life with a process and a clock that are both pretended."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.life = Life()
        self.now_s = 100.0
        self.runs = False
        self.killed = False
        self.spawned_at_s: list[float] = []

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self.life.state

    def apply(self, *events: Event) -> Effect | None:
        """Let events happen; the effect of the last one."""
        effect = None
        for event in events:
            if isinstance(event, Ended):
                self.runs = self.killed = False
            self.life, effect = step(self.life, event, self.now_s, self.policy)
            match effect:
                case Effect.SPAWN:
                    assert not self.runs, "there are two processes"
                    self.runs = True
                    self.spawned_at_s.append(self.now_s)
                case Effect.TERMINATE:
                    assert self.runs, "there is nobody to ask"
                case Effect.KILL:
                    assert self.runs, "there is nobody to kill"
                    self.killed = True
                case None:
                    pass
        return effect

    def wait(self, seconds: float) -> None:
        """Let time pass, with the deadlines that are due in it."""
        until_s = self.now_s + seconds
        while self.life.deadline_s is not None and self.life.deadline_s <= until_s:
            self.now_s = max(self.now_s, self.life.deadline_s)
            before = self.life
            self.apply(Deadline())
            assert self.life != before, "a deadline that is due and changes nothing comes again"
        self.now_s = until_s


def in_state(state: State) -> Child:
    """A child in *state*."""
    child = Child(replace(POLICY, restart_limit=0) if state is State.FAILED else POLICY)
    ways: dict[State, tuple[Event, ...]] = {
        State.STOPPED: (),
        State.STARTING: (Start(),),
        State.RUNNING: (Start(), Registered()),
        State.BACKING_OFF: (Start(), CRASH),
        State.STOPPING: (Start(), Stop(5.0)),
        State.FAILED: (Start(), CRASH),
    }
    child.apply(*ways[state])
    assert child.state is state
    return child


@pytest.mark.parametrize(
    ("state", "event", "then", "effect"),
    [
        (State.STOPPED, Start(), State.STARTING, Effect.SPAWN),
        (State.STOPPED, StartAgain(5.0), State.STARTING, Effect.SPAWN),
        (State.STOPPED, Stop(5.0), State.STOPPED, None),
        (State.STARTING, Start(), State.STARTING, None),
        (State.STARTING, Registered(), State.RUNNING, None),
        (State.STARTING, Disconnected(), State.STARTING, None),
        (State.STARTING, Deadline(), State.STARTING, Effect.KILL),
        (State.STARTING, CRASH, State.BACKING_OFF, None),
        (State.STARTING, LEFT, State.STOPPED, None),
        (State.STARTING, Stop(5.0), State.STOPPING, Effect.TERMINATE),
        (State.RUNNING, Registered(), State.RUNNING, None),
        (State.RUNNING, Disconnected(), State.STARTING, None),
        (State.RUNNING, CRASH, State.BACKING_OFF, None),
        (State.RUNNING, LEFT, State.STOPPED, None),
        (State.RUNNING, Stop(5.0), State.STOPPING, Effect.TERMINATE),
        (State.RUNNING, StartAgain(5.0), State.STOPPING, Effect.TERMINATE),
        (State.BACKING_OFF, Deadline(), State.STARTING, Effect.SPAWN),
        (State.BACKING_OFF, Start(), State.STARTING, Effect.SPAWN),
        (State.BACKING_OFF, Stop(5.0), State.STOPPED, None),
        (State.STOPPING, Registered(), State.STOPPING, None),
        (State.STOPPING, Disconnected(), State.STOPPING, None),
        (State.STOPPING, Deadline(), State.STOPPING, Effect.KILL),
        (State.STOPPING, CRASH, State.STOPPED, None),
        (State.STOPPING, Stop(5.0), State.STOPPING, None),
        (State.FAILED, Start(), State.STARTING, Effect.SPAWN),
        (State.FAILED, Stop(5.0), State.FAILED, None),
        (State.FAILED, Deadline(), State.FAILED, None),
    ],
)
def test_what_follows_what(state: State, event: Event, then: State, effect: Effect | None) -> None:
    """Each state and each event that may meet it."""
    child = in_state(state)
    assert child.apply(event) is effect
    assert child.state is then


def test_each_start_in_a_row_waits_twice_as_long_until_it_has_failed() -> None:
    """A crash loop: four starts, at 0, 1, 1+2 and 1+2+4 seconds, then nothing more."""
    child = Child()
    child.apply(Start())
    began_s = child.now_s
    while child.state is not State.FAILED:
        child.apply(CRASH)
        child.wait(child.policy.delay_s(child.life.failures))
    child.wait(3600.0)
    assert [at_s - began_s for at_s in child.spawned_at_s] == [0.0, 1.0, 3.0, 7.0]
    assert child.life.reason == "ended 4 times in a row; at last: ended with exit code 1"
    assert child.life.restarts == 3


def test_a_delay_is_never_longer_than_the_longest() -> None:
    """Whatever the number of failures."""
    assert POLICY.delay_s(1) == 1.0
    assert POLICY.delay_s(10_000) == LONGEST_DELAY_S


@pytest.mark.parametrize(("steady_s", "failures"), [(STEADY_S - 1, 3), (STEADY_S, 1)])
def test_who_ran_steadily_begins_a_new_row(steady_s: float, failures: int) -> None:
    """Two crashes of today have nothing to do with those of last week."""
    child = Child()
    child.apply(Start(), CRASH)
    child.wait(1.0)
    child.apply(CRASH)
    child.wait(2.0)
    child.apply(Registered())
    child.wait(steady_s)
    child.apply(CRASH)
    assert child.life.failures == failures


def test_a_start_by_hand_begins_a_new_row() -> None:
    """Nothing of the past counts."""
    child = in_state(State.FAILED)
    child.apply(Start())
    assert (child.life.failures, child.life.restarts, child.life.reason) == (0, 0, "")


def test_who_does_not_register_in_time_is_killed_and_started_again() -> None:
    """And that it was late is the reason, not the signal that ended it."""
    child = in_state(State.STARTING)
    child.wait(10.0)
    assert child.killed
    child.apply(Registered())
    assert child.state is State.STARTING, "too late"
    child.apply(Ended("ended by SIGKILL"))
    assert {child.state} == {State.BACKING_OFF}
    assert child.life.reason == "did not register within 10 s"


def test_who_loses_its_session_has_as_long_as_at_its_start_to_come_back() -> None:
    """Then it is killed; if it comes back, all is well."""
    child = in_state(State.RUNNING)
    child.apply(Disconnected())
    child.wait(9.0)
    child.apply(Registered())
    child.wait(3600.0)
    assert child.state is State.RUNNING
    child.apply(Disconnected())
    child.wait(10.0)
    assert child.killed


@pytest.mark.parametrize(
    ("restart", "ended", "then"),
    [
        (Restart.ON_FAILURE, CRASH, State.BACKING_OFF),
        (Restart.ON_FAILURE, LEFT, State.STOPPED),
        (Restart.ALWAYS, CRASH, State.BACKING_OFF),
        (Restart.ALWAYS, LEFT, State.BACKING_OFF),
        (Restart.NEVER, CRASH, State.FAILED),
        (Restart.NEVER, LEFT, State.STOPPED),
    ],
)
def test_whether_it_is_started_again(restart: Restart, ended: Ended, then: State) -> None:
    """By how it ended, and by what was configured."""
    child = Child(replace(POLICY, restart=restart))
    child.apply(Start(), Registered(), ended)
    assert child.state is then
    assert child.life.reason == ended.reason


def test_who_does_not_leave_in_time_is_killed_once() -> None:
    """Then it has ended, however it did."""
    early = in_state(State.STOPPING)
    early.wait(4.9)
    assert not early.killed
    child = in_state(State.STOPPING)
    child.wait(5.0)
    assert child.killed
    child.apply(Ended("ended by SIGKILL"))
    assert (child.state, child.life.reason) == (State.STOPPED, "stopped on request")


def test_a_second_stop_makes_it_shorter_but_never_longer() -> None:
    """An operator who has no more patience."""
    child = in_state(State.STOPPING)
    child.apply(Stop(1.0), Stop(60.0))
    child.wait(1.0)
    assert child.killed


def test_the_last_word_of_the_operator_holds() -> None:
    """Start while it stops: it comes again. Stop after that: it does not."""
    child = in_state(State.STOPPING)
    child.apply(Start(), CRASH)
    assert (child.state, child.runs) == (State.STARTING, True)
    other = in_state(State.STOPPING)
    other.apply(Start(), Stop(5.0), CRASH)
    assert other.state is State.STOPPED


class AnyLife(RuleBasedStateMachine):
    """Anything in any order; time passes in between."""

    def __init__(self) -> None:
        super().__init__()
        self.child = Child()
        self.stop_is_last_word = True

    @rule()
    def start(self) -> None:
        """The operator."""
        self.child.apply(Start())
        self.stop_is_last_word = False

    @rule(within_s=st.floats(0.0, 20.0))
    def start_again(self, within_s: float) -> None:
        """The operator."""
        self.child.apply(StartAgain(within_s))
        self.stop_is_last_word = False

    @rule(within_s=st.floats(0.0, 20.0))
    def stop(self, within_s: float) -> None:
        """The operator."""
        self.child.apply(Stop(within_s))
        self.stop_is_last_word = True

    @precondition(lambda self: self.child.runs)
    @rule()
    def registers(self) -> None:
        """The extension."""
        self.child.apply(Registered())

    @precondition(lambda self: self.child.runs)
    @rule()
    def disconnects(self) -> None:
        """The extension."""
        self.child.apply(Disconnected())

    @precondition(lambda self: self.child.runs)
    @rule(ended=st.sampled_from([CRASH, LEFT]))
    def ends(self, ended: Ended) -> None:
        """The process."""
        self.child.apply(ended)

    @rule(seconds=st.floats(0.0, 100.0))
    def time_passes(self, seconds: float) -> None:
        """And whoever was killed ends."""
        self.child.wait(seconds)
        if self.child.killed:
            self.child.apply(Ended("ended by SIGKILL"))

    @invariant()
    def a_process_runs_in_those_states_that_have_one(self) -> None:
        """And never two: ``Child`` sees to that."""
        assert self.child.runs == (self.child.state in ALIVE)

    @invariant()
    def it_waits_for_something_or_rests(self) -> None:
        """A deadline, the end of a process that was killed, or nothing at all."""
        child = self.child
        resting = child.state in {State.RUNNING, State.STOPPED, State.FAILED}
        assert (child.life.deadline_s is not None) == (not resting and not child.killed)

    @invariant()
    def nobody_is_started_too_often(self) -> None:
        """The cap."""
        assert self.child.life.failures <= POLICY.restart_limit + 1

    @invariant()
    def stopped_stays_stopped(self) -> None:
        """Until the operator says otherwise."""
        if self.stop_is_last_word:
            assert self.child.state in {State.STOPPING, State.STOPPED, State.FAILED}


TestAnyLife = AnyLife.TestCase
