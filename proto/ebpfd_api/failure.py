"""What may be in the way of an event that a link should run, and what its hook does then."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from ebpfd_api.result import Result


class Failure(StrEnum):
    """Each has a policy of its own, and is counted on its own."""

    NO_PROVIDER = "no_provider"
    """The extension that describes the program's type, or serves a helper, is gone."""

    TIMEOUT = "timeout"
    """The budget is used up, or a helper is late."""

    ERROR = "error"
    """A helper raised or answered garbage, or anything else went wrong."""

    OVERLOAD = "overload"
    """Too much waits already."""

    LOST = "lost"
    """The stream is gone, and the answer with it: the hook takes it as CANCELED."""


Policy: TypeAlias = Mapping[Failure, int]
"""The result of an event, by what was in its way; what is left out is open."""

OPEN: Final = "open"
"""The event has its type's default result, as if nothing were attached."""

CLOSED: Final = "closed"
"""The event has the result by which its hook stops one."""

_BY_CODE: Final[Mapping[int, Failure]] = {
    Result.EXTENSION_FAILED_TO_LOAD: Failure.NO_PROVIDER,
    Result.TIMEOUT: Failure.TIMEOUT,
    Result.NO_MEMORY: Failure.OVERLOAD,
    Result.CANCELED: Failure.LOST,
}


def failure_of(code: int) -> Failure:
    """What a code other than SUCCESS says was in the way."""
    return _BY_CODE.get(code, Failure.ERROR)
