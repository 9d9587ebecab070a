"""A circuit breaker: a link that fails again and again is left alone for a while, then tried once.

    WHOLE -so many failures in a row-> BROKEN -a while later, the next batch-> TRIAL
      ^-------------------------------------------------------- it succeeds ----'
                                          ^-------------------- it fails -------'

Runs that fail count: those that end with a timeout or an error.  What has not run, or found its
extension gone, ends at once anyway, and says nothing about the next one.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ebpfd_api.failure import Failure, failure_of

_COUNTED: Final = frozenset({Failure.TIMEOUT, Failure.ERROR})


class BreakerState(Enum):
    """What happens to the next batch."""

    WHOLE = "whole"
    """It runs."""

    BROKEN = "broken"
    """It is refused; when the while is over, it is the trial."""

    TRIAL = "trial"
    """It is refused: another one is tried."""


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """After how many *failures* in a row a link is left alone, and for how many seconds."""

    failures: int
    retry_s: float


class Breaker:
    """The breaker of one link; times are seconds of any clock that only goes on.

    Ask ``admit`` before each batch, and say afterwards what came of it, or that nothing did.
    """

    def __init__(self, rule: BreakerRule) -> None:
        self.rule: Final = rule
        self.state = BreakerState.WHOLE
        self.cause = 0
        """The code that broke it last."""

        self._row = 0
        self._retry_at = 0.0
        self._stretch = 1
        """Counts changes of state: a batch of an earlier one says nothing about this."""

    def refuses(self, now: float) -> bool:
        """Whether a batch must not run."""
        if self.state is BreakerState.WHOLE:
            return False
        return self.state is BreakerState.TRIAL or now < self._retry_at

    def admit(self, now: float) -> int:
        """Let a batch run; what to call it afterwards, 0: it must not."""
        if self.refuses(now):
            return 0
        if self.state is BreakerState.BROKEN:
            self._become(BreakerState.TRIAL)
        return self._stretch

    def ended(self, batch: int, codes: bytes, now: float) -> bool:
        """A batch ended with these codes, in this order; whether that has changed the state."""
        if batch != self._stretch:
            return False
        for code in codes if codes.strip(b"\0") else b"":
            if not code:
                self._row = 0
            elif failure_of(code) in _COUNTED:
                self._row += 1
                if self._row >= self.rule.failures or self.state is BreakerState.TRIAL:
                    self.cause, self._retry_at = code, now + self.rule.retry_s
                    self._become(BreakerState.BROKEN)
                    return True
        if 0 not in codes:
            self.give_up(batch)
            return False
        if codes[-1] == 0:
            self._row = 0
        if self.state is BreakerState.TRIAL:
            self._become(BreakerState.WHOLE)
            return True
        return False

    def give_up(self, batch: int) -> None:
        """Nothing is known of a batch: if it was the trial, the next one is."""
        if batch == self._stretch and self.state is BreakerState.TRIAL:
            self._become(BreakerState.BROKEN)

    def _become(self, state: BreakerState) -> None:
        self.state = state
        self._row = 0
        self._stretch += 1
