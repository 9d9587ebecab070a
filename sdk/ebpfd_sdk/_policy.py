"""What a hook does with an event that finds something in its way."""

from collections.abc import Mapping
from dataclasses import dataclass
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


def policy_change(choices: Choices | None) -> links_pb2.PolicyChange:
    """Write what is chosen; None: nothing.  ``ValueError`` for a failure that there is not."""
    if choices is None:
        return links_pb2.PolicyChange()
    if isinstance(choices, int | str):
        choices = dict.fromkeys(Failure, choices)
    for name in choices:
        if name not in Failure._value2member_map_:
            known = ", ".join(Failure)
            raise ValueError(f'on_failure: there is no failure "{name}" (there are {known})')
    return links_pb2.PolicyChange(**{name: _choice(each) for name, each in choices.items()})


def _choice(choice: Choice) -> links_pb2.ResultChoice:
    if isinstance(choice, int):
        return links_pb2.ResultChoice(result=choice)
    return links_pb2.ResultChoice(name=choice)
