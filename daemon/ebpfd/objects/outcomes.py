"""What the events of a link came to, each kind counted on its own.

The engine counts what ran, by code; a link counts what did not come as far, and answers that
nobody was there to take.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ebpfd_api.failure import Failure, failure_of
from ebpfd_vm import Tally

SUCCESS: Final = "success"
BROKEN: Final = "broken"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Events by what they came to.

    One is counted once, but for an answer that was lost: that is counted beside what it was.
    """

    success: int = 0
    failures: Mapping[Failure, int] = field(default_factory=dict[Failure, int])
    broken: int = 0
    """Refused since the link's breaker was broken."""

    def by_name(self) -> Iterator[tuple[str, int]]:
        """Each event once, by the name that users know of what it came to."""
        yield SUCCESS, self.success
        for failure in Failure:
            if failure is not Failure.LOST:
                yield failure.value, self.failures.get(failure, 0)
        yield BROKEN, self.broken


def outcomes_of(tally: Tally, others: Mapping[Failure, int], broken: int = 0) -> Outcomes:
    """What the engine has counted, and what it has not."""
    ran = tally.counters()
    failures = Counter(others)
    for code, count in ran.failures.items():
        failures[failure_of(code)] += count
    return Outcomes(ran.runs - sum(ran.failures.values()), failures, broken)
