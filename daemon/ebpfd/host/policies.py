"""What users choose for events that find something in their way, as results."""

from collections.abc import Mapping
from typing import TypeAlias

from ebpfd.contracts import AttachProviderData, ProgramData
from ebpfd.errors import RequestError
from ebpfd.objects.breaker import Breaker, BreakerRule
from ebpfd_api.failure import CLOSED, OPEN, Failure, Policy
from ebpfd_api.result import Result

Choice: TypeAlias = int | str
"""A result, its name in the contract, or "open" or "closed"."""


def changed(
    before: Policy,
    choices: Mapping[Failure, Choice],
    contract: ProgramData,
    hook: AttachProviderData | None,
) -> Policy:
    """*before* with other choices; ``RequestError`` INVALID_ARGUMENT names the one that is none."""
    after = dict(before)
    for failure, choice in choices.items():
        result = choice if isinstance(choice, int) else _named(failure, choice, contract, hook)
        if result is None:
            after.pop(failure, None)
        else:
            after[failure] = result
    return after


def new_breaker(rule: BreakerRule | None) -> Breaker | None:
    """A breaker that nothing has broken yet; after no failures there is none."""
    return Breaker(rule) if rule is not None and rule.failures else None


def _named(
    failure: Failure, name: str, contract: ProgramData, hook: AttachProviderData | None
) -> int | None:
    """The result of that name; None: open.  The contract's own names come first."""
    named = {each.name: each.value for each in contract.results}
    if name in named:
        return named[name]
    if name == OPEN:
        return None
    if name != CLOSED:
        known = ", ".join((*named, OPEN, CLOSED))
        message = (
            f'policy.{failure}: "{contract.name}" has no result "{name}" (there are {known}): '
            "give one of them, or a number"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)
    if hook is None or hook.closed_result is None:
        known = "a number" if not named else f"one of {', '.join(named)}, or a number"
        message = f"policy.{failure}: the hook does not say which result is closed: give {known}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    return hook.closed_result
