"""What a hook does with an event that finds something in its way."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from ebpfd_api.failure import Failure, failure_of
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, links_pb2

Choice: TypeAlias = int | str
"""A result, its name in the contract, or "open" or "closed"."""

Choices: TypeAlias = Choice | Mapping[str, Choice]
"""One for every failure, or one each by the names of ``Failure``."""


_NO_LINK: Final = (Result.OBJECT_NOT_FOUND, Result.KEY_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """The result of an event, by what was in its way.

    None is open: the default result of the program type, as if nothing were attached.
    """

    no_provider: int | None = None
    """The extension that describes the program's type, or serves a helper, is gone."""

    timeout: int | None = None
    """The budget is used up, or a helper is late."""

    error: int | None = None
    """A helper raised or answered garbage, or anything else went wrong."""

    overload: int | None = None
    """Too much waits already."""

    lost: int | None = None
    """The daemon is gone, and the answer with it."""

    def result(self, code: Result, default: int) -> int:
        """Say what becomes of an event that ended with *code*, where *default* is open."""
        fixed: int | None = getattr(self, failure_of(code))
        return default if fixed is None else fixed


class BreakerState(Enum):
    """What happens to the next events of a link with a breaker."""

    UNSPECIFIED = 0
    WHOLE = 1
    """They run."""

    BROKEN = 2
    """They end at once; when the while is over, the next ones are the trial."""

    TRIAL = 3
    """They end at once: others are tried."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """A link that fails again and again is left alone for a while, and then tried once.

    Its events end at once, with BLOCKED_BY_POLICY and the result for the failure that came last.
    Runs that end with a timeout or an error count.
    """

    failures: int
    """In a row; 0: it is never left alone."""

    retry_s: float = 10.0
    """Seconds that it is left alone."""

    state: BreakerState = BreakerState.UNSPECIFIED
    """As the daemon says it."""


class Fallback:
    """What becomes of events that the daemon did not answer; the policy may change meanwhile."""

    __slots__ = ("default", "policy")

    def __init__(self, policy: LinkPolicy, default: int) -> None:
        self.policy = policy
        self.default = default

    def result(self, code: Result) -> int:
        """Say what becomes of an event that ended with *code*; without a link nothing is chosen."""
        if code in _NO_LINK:
            return self.default
        return self.policy.result(code, self.default)


def policy_of(message: contract_pb2.LinkPolicy) -> LinkPolicy:
    """Read a policy."""
    return LinkPolicy(**{each.name: result for each, result in message.ListFields()})


def breaker_of(message: links_pb2.Link) -> Breaker | None:
    """Read a link's breaker."""
    if not message.HasField("breaker"):
        return None
    said = message.breaker
    known = said.state in BreakerState._value2member_map_
    state = BreakerState(said.state) if known else BreakerState.UNSPECIFIED
    return Breaker(said.failures, said.retry_ms / 1000, state)


def policy_change(choices: Choices | None, breaker: Breaker | None) -> links_pb2.PolicyChange:
    """Write what is chosen; None: nothing.  ``ValueError`` for a failure that there is not."""
    if choices is None:
        choices = {}
    if isinstance(choices, int | str):
        choices = dict.fromkeys(Failure, choices)
    for name in choices:
        if name not in Failure._value2member_map_:
            known = ", ".join(Failure)
            raise ValueError(f'on_failure: there is no failure "{name}" (there are {known})')
    change = links_pb2.PolicyChange()
    for name, choice in choices.items():
        getattr(change, name).CopyFrom(_choice(choice))
    if breaker is not None:
        retry_ms = max(round(breaker.retry_s * 1000), 1)
        change.breaker.CopyFrom(links_pb2.Breaker(failures=breaker.failures, retry_ms=retry_ms))
    return change


def _choice(choice: Choice) -> links_pb2.ResultChoice:
    if isinstance(choice, int):
        return links_pb2.ResultChoice(result=choice)
    return links_pb2.ResultChoice(name=choice)
