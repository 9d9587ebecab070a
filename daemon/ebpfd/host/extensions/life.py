"""The life of one supervised child, with no process and no clock in it.

                       registered
    STOPPED --start--> STARTING ---> RUNNING       session gone: back to STARTING
    FAILED --'          ^   |  |        |
                  delay |   |  '--ended-+--> STOPPED (by itself, as it may)
                is over |   v           |
                      BACKING_OFF <-----+------> FAILED (too often in a row)

    STARTING, RUNNING --stop--> STOPPING --ended--> STOPPED

``step`` is the only place that says what may follow what.  A child runs in STARTING, RUNNING and
STOPPING and in no other state, so there is never a second one.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

LONGEST_DELAY_S: Final = 30.0
"""However often it has ended."""

STEADY_S: Final = 60.0
"""A child that ran for so long ended for another reason than those before it."""


class State(Enum):
    """Where a child is in its life."""

    STARTING = "starting"
    """The process runs; what it provides is not registered yet, or not any more."""

    RUNNING = "running"
    BACKING_OFF = "backing-off"
    """It ended, and is started again at the deadline."""

    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


ALIVE: Final = frozenset({State.STARTING, State.RUNNING, State.STOPPING})
"""The states with a process."""


class Restart(Enum):
    """Whether a child that ended by itself is started again."""

    ON_FAILURE = "on-failure"
    """If it ended with another exit code than 0."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient one is with a child; times in seconds."""

    restart: Restart = Restart.ON_FAILURE
    restart_limit: int = 5
    """Starts in a row that may come to nothing after the first one."""

    restart_delay_s: float = 0.5
    """Before the first of them; each further one waits twice as long."""

    start_s: float = 30.0
    """From its start until all is registered."""

    stop_s: float = 5.0
    """From SIGTERM to SIGKILL."""

    def delay_s(self, failures: int) -> float:
        """How long to wait after so many failures in a row, 1 at least."""
        # Bounded, since 2.0 to the power of many failures is no number.
        doublings = min(failures - 1, 32)
        return min(self.restart_delay_s * 2.0**doublings, LONGEST_DELAY_S)


@dataclass(frozen=True, slots=True)
class Start:
    """The operator, or the daemon at its start, wants it to run."""


@dataclass(frozen=True, slots=True)
class Registered:
    """All that it provides is registered."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Its session is gone; the process may be alive."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The process has ended, or could not be started; ``clean``: with exit code 0."""

    reason: str
    clean: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The operator wants it to end, and waits so long before it is killed."""

    within_s: float


@dataclass(frozen=True, slots=True)
class StartAgain:
    """The operator wants it to end, if it runs, and to start."""

    within_s: float


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment that the last step named has come."""


Event: TypeAlias = Start | Registered | Disconnected | Ended | Stop | StartAgain | Deadline


class Effect(Enum):
    """What whoever owns the process does next."""

    SPAWN = "spawn"
    TERMINATE = "terminate"
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Life:
    """One moment in a child's life."""

    state: State = State.STOPPED
    since_s: float = 0.0
    deadline_s: float | None = None
    """When ``Deadline`` is due."""

    failures: int = 0
    """In a row."""

    restarts: int = 0
    """Since the operator started it."""

    reason: str = ""
    """Why it last ended."""

    late: bool = False
    """It is being killed because it did not register in time."""

    again: bool = False
    """STOPPING, to start again."""


Next: TypeAlias = tuple[Life, Effect | None]


def step(life: Life, event: Event, now_s: float, policy: Policy) -> Next:
    """The life after *event* at *now_s*, and what to do; an event that means nothing is none."""
    match event:
        case Start():
            return _start(life, now_s, policy)
        case StartAgain(within_s) if life.state in {State.STARTING, State.RUNNING}:
            return _stopping(life, now_s, within_s, again=True)
        case StartAgain():
            return _start(life, now_s, policy)
        case Stop(within_s):
            return _stop(life, now_s, within_s)
        case Deadline():
            return _late(life, now_s, policy)
        case Registered() if life.state is State.STARTING and not life.late:
            return replace(life, state=State.RUNNING, since_s=now_s, deadline_s=None), None
        case Disconnected() if life.state is State.RUNNING:
            return _starting(_forgiven(life, now_s), now_s, policy), None
        case Ended():
            return _ended(life, event, now_s, policy)
        case _:
            return life, None


def _start(life: Life, now_s: float, policy: Policy) -> Next:
    match life.state:
        case State.STOPPED | State.FAILED | State.BACKING_OFF:
            return _starting(Life(), now_s, policy), Effect.SPAWN
        case State.STOPPING:
            return replace(life, again=True), None
        case State.STARTING | State.RUNNING:
            return life, None


def _stop(life: Life, now_s: float, within_s: float) -> Next:
    match life.state:
        case State.STARTING | State.RUNNING:
            return _stopping(life, now_s, within_s, again=False)
        case State.STOPPING:
            deadline_s = life.deadline_s
            if deadline_s is not None:
                deadline_s = min(deadline_s, now_s + within_s)
            return replace(life, again=False, deadline_s=deadline_s), None
        case State.BACKING_OFF:
            return _resting(life, State.STOPPED, now_s, life.reason), None
        case State.STOPPED | State.FAILED:
            return life, None


def _late(life: Life, now_s: float, policy: Policy) -> Next:
    if life.deadline_s is None:
        return life, None
    match life.state:
        case State.STARTING:
            return replace(life, late=True, deadline_s=None), Effect.KILL
        case State.STOPPING:
            return replace(life, deadline_s=None), Effect.KILL
        case State.BACKING_OFF:
            again = replace(life, restarts=life.restarts + 1)
            return _starting(again, now_s, policy), Effect.SPAWN
        case State.RUNNING | State.STOPPED | State.FAILED:
            return life, None


def _ended(life: Life, event: Ended, now_s: float, policy: Policy) -> Next:
    match life.state:
        case State.STOPPING if life.again:
            return _starting(Life(), now_s, policy), Effect.SPAWN
        case State.STOPPING:
            return _resting(life, State.STOPPED, now_s, "stopped on request"), None
        case State.STARTING | State.RUNNING:
            return _ended_by_itself(_forgiven(life, now_s), event, now_s, policy), None
        case State.BACKING_OFF | State.STOPPED | State.FAILED:
            return life, None


def _starting(life: Life, now_s: float, policy: Policy) -> Life:
    deadline_s = now_s + policy.start_s
    return replace(life, state=State.STARTING, since_s=now_s, deadline_s=deadline_s, late=False)


def _stopping(life: Life, now_s: float, within_s: float, *, again: bool) -> Next:
    deadline_s = now_s + within_s
    return (
        replace(life, state=State.STOPPING, since_s=now_s, deadline_s=deadline_s, again=again),
        Effect.TERMINATE,
    )


def _resting(life: Life, state: State, now_s: float, reason: str) -> Life:
    return Life(state, now_s, failures=life.failures, restarts=life.restarts, reason=reason)


def _forgiven(life: Life, now_s: float) -> Life:
    """What it did before it ran steadily does not count any more."""
    if life.state is State.RUNNING and now_s - life.since_s >= STEADY_S:
        return replace(life, failures=0)
    return life


def _ended_by_itself(life: Life, event: Ended, now_s: float, policy: Policy) -> Life:
    reason = f"did not register within {policy.start_s:g} s" if life.late else event.reason
    clean = event.clean and not life.late
    if clean and policy.restart is not Restart.ALWAYS:
        return _resting(life, State.STOPPED, now_s, reason)
    failures = life.failures + 1
    life = replace(life, failures=failures, late=False)
    if policy.restart is Restart.NEVER:
        return _resting(life, State.FAILED, now_s, reason)
    if failures > policy.restart_limit:
        often = "once" if failures == 1 else f"{failures} times in a row"
        return _resting(life, State.FAILED, now_s, f"ended {often}; at last: {reason}")
    return replace(
        life,
        state=State.BACKING_OFF,
        since_s=now_s,
        deadline_s=now_s + policy.delay_s(failures),
        reason=reason,
    )
