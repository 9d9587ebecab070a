"""What the events of a link came to, each kind counted on its own.

The engine counts what ran, by code; a link counts what did not come as far, and answers that
nobody was there to take.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ebpfd_api.result import Result
from ebpfd_vm import Tally


class Failure(Enum):
    """What may be in the way of an event."""

    NO_PROVIDER = "no_provider"
    """Its program waits for the provider of its type, or a helper's extension has gone."""

    TIMEOUT = "timeout"
    """Its budget is used up, or a helper is late."""

    ERROR = "error"
    """A helper raised or answered garbage, the program did what it must not, or the like."""

    OVERLOAD = "overload"
    """Too much waits already."""

    LOST = "lost"
    """It ran, and the stream for its answer is gone: the hook takes it as CANCELED."""


_BY_CODE: Final[Mapping[int, Failure]] = {
    Result.EXTENSION_FAILED_TO_LOAD: Failure.NO_PROVIDER,
    Result.TIMEOUT: Failure.TIMEOUT,
    Result.NO_MEMORY: Failure.OVERLOAD,
    Result.CANCELED: Failure.LOST,
}


def failure_of(code: int) -> Failure:
    """What a code other than SUCCESS says was in the way."""
    return _BY_CODE.get(code, Failure.ERROR)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Events by what they came to.

    One is counted once, but for an answer that was lost: that is counted beside what it was.
    """

    success: int = 0
    failures: Mapping[Failure, int] = field(default_factory=dict[Failure, int])


def outcomes_of(tally: Tally, others: Mapping[Failure, int]) -> Outcomes:
    """What the engine has counted, and *others*."""
    ran = tally.counters()
    failures = Counter(others)
    for code, count in ran.failures.items():
        failures[failure_of(code)] += count
    return Outcomes(ran.runs - sum(ran.failures.values()), failures)
