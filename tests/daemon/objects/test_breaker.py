"""The breaker against a model that remembers everything."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.objects.breaker import Breaker, BreakerRule, BreakerState
from ebpfd_api.result import Result

FAILURES, RETRY_S = 3, 10.0
WHOLE, BROKEN, TRIAL = BreakerState.WHOLE, BreakerState.BROKEN, BreakerState.TRIAL

NEUTRAL = (Result.NO_MEMORY, Result.EXTENSION_FAILED_TO_LOAD, Result.CANCELED)
CODES = st.lists(
    st.sampled_from([Result.SUCCESS, Result.TIMEOUT, Result.FAILED, *NEUTRAL]),
    min_size=1,
    max_size=5,
)


class BreakerMachine(RuleBasedStateMachine):
    """Batches that overlap and end in any order, at any time, with any codes."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(BreakerRule(FAILURES, RETRY_S))
        self.now = 0.0
        self.broken_at: float | None = None
        self.cause = 0
        self.row = 0
        self.trial = 0
        self.running: set[int] = set()
        """Numbers of batches that began since the state last changed."""

        self.late: set[int] = set()
        self.names: dict[int, int] = {}

    @rule(seconds=st.sampled_from([0.0, 1.0, RETRY_S]))
    def wait(self, seconds: float) -> None:
        """Time goes on."""
        self.now += seconds

    @rule()
    def begin(self) -> None:
        """Of a broken one, nothing runs until its time is over, and then one batch alone."""
        due = self.broken_at is None or (not self.trial and self.now >= self.broken_at + RETRY_S)
        assert self.breaker.refuses(self.now) is not due
        name = self.breaker.admit(self.now)
        assert bool(name) is due
        if not due:
            return
        number = len(self.names) + 1
        self.names[number] = name
        if self.broken_at is not None:
            self.trial = number
        self.running.add(number)

    @precondition(lambda self: self.running | self.late)
    @rule(data=st.data(), codes=CODES)
    def end(self, data: st.DataObject, codes: list[Result]) -> None:
        """What counts is a row of failures, and of a trial any of them."""
        number = data.draw(st.sampled_from(sorted(self.running | self.late)))
        changed = self.breaker.ended(self.names[number], bytes(codes), self.now)
        if number in self.late:
            self.late.remove(number)
            assert not changed, "it began in another time"
            return
        self.running.remove(number)
        for code in codes:
            if code is Result.SUCCESS:
                self.row = 0
            elif code not in NEUTRAL:
                self.row += 1
                if self.trial or self.row == FAILURES:
                    assert changed
                    self.cause, self.broken_at = code, self.now
                    self.turn()
                    return
        if self.trial:
            succeeded = Result.SUCCESS in codes
            assert changed is succeeded
            self.broken_at = None if succeeded else self.broken_at
            self.turn()
        else:
            assert not changed

    @precondition(lambda self: self.running | self.late)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        """Nothing is learnt; another one may be the trial."""
        number = data.draw(st.sampled_from(sorted(self.running | self.late)))
        self.breaker.give_up(self.names[number])
        self.running.discard(number)
        self.late.discard(number)
        if self.trial == number:
            self.turn()

    def turn(self) -> None:
        """The state is another one."""
        self.trial = self.row = 0
        self.late |= self.running
        self.running = set()

    @invariant()
    def the_state_is_what_happened(self) -> None:
        """And the code that broke it is remembered."""
        broken = TRIAL if self.trial else BROKEN
        assert self.breaker.state is (WHOLE if self.broken_at is None else broken)
        assert self.breaker.cause == self.cause


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_so_many_failures_in_a_row_break_it(failures: int) -> None:
    """In one batch or in many; a success between them begins the row anew."""
    together, apart = (Breaker(BreakerRule(failures, RETRY_S)) for _ in range(2))
    row = bytes([Result.FAILED] * (failures - 1))
    assert not together.ended(together.admit(0), row + b"\0" + row, 0)
    assert together.ended(together.admit(0), bytes([Result.TIMEOUT]), 0)
    for _ in range(failures - 1):
        assert not apart.ended(apart.admit(0), bytes([Result.FAILED]), 0)
    assert apart.ended(apart.admit(0), bytes([Result.TIMEOUT]), 0)
    assert (together.cause, apart.cause) == (Result.TIMEOUT, Result.TIMEOUT)
