"""Which code is which kind of failure, and what a link's events came to."""

from collections import Counter

import pytest

from ebpfd.objects.outcomes import Outcomes, outcomes_of
from ebpfd_api.failure import Failure, failure_of
from ebpfd_api.result import Result
from ebpfd_vm import Tally


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (Result.EXTENSION_FAILED_TO_LOAD, Failure.NO_PROVIDER),
        (Result.TIMEOUT, Failure.TIMEOUT),
        (Result.FAILED, Failure.ERROR),
        (Result.NO_MORE_TAIL_CALLS, Failure.ERROR),
        (Result.INVALID_ARGUMENT, Failure.ERROR),
        (Result.NO_MEMORY, Failure.OVERLOAD),
        (Result.CANCELED, Failure.LOST),
        (255, Failure.ERROR),
    ],
)
def test_every_code_is_one_kind_of_failure(code: int, failure: Failure) -> None:
    """As DESIGN's table of events has it; what is not in it is an error."""
    assert failure_of(code) is failure


def test_what_did_not_run_is_counted_beside_what_did() -> None:
    """A link that nothing has reached has no outcomes at all."""
    assert outcomes_of(Tally(), {}) == Outcomes()
    others = Counter({Failure.OVERLOAD: 2})
    assert outcomes_of(Tally(), others) == Outcomes(0, {Failure.OVERLOAD: 2})
