"""Options of ``ebpfctl link`` for events that find something in their way."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from ebpfd.cli.output import Json
from ebpfd_api.failure import OPEN, Failure

if TYPE_CHECKING:
    from ebpfd_sdk import Breaker, LinkPolicy

_F = TypeVar("_F", bound=Callable[..., Any])

_WHEN: Final[Mapping[Failure, str]] = {
    Failure.NO_PROVIDER: "the extension of its program is gone",
    Failure.TIMEOUT: "its budget is used up, or a helper is late",
    Failure.ERROR: "its run fails in any other way",
    Failure.OVERLOAD: "too much waits already",
    Failure.LOST: "the daemon is gone before it answers",
}


class ResultChoice(click.ParamType["int | str"]):
    """A result by number, by its name in the contract, or "open" or "closed"."""

    name = "RESULT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        """The number or the name, or a usage error."""
        text = str(value)
        if not text.isdecimal():
            return text
        if int(text) >= 1 << 32:
            self.fail(f"{text} is no number of 32 bits", param, ctx)
        return int(text)


def policy_options(command: _F) -> _F:
    """Give *command* an option for every failure, and one for each."""
    for failure, when in reversed(list(_WHEN.items())):
        option = f"--on-{failure.replace('_', '-')}"
        command = click.option(option, f"on_{failure}", type=ResultChoice(), help=f"If {when}.")(
            command
        )
    command = click.option(
        "--retry-after",
        type=click.FloatRange(0.001, 4e6),
        metavar="SECONDS",
        help="How long it is left alone; else 10.",
    )(command)
    command = click.option(
        "--break-after",
        type=click.IntRange(0, (1 << 32) - 1),
        metavar="FAILURES",
        help="Leave the link alone for a while after so many in a row; 0: never.",
    )(command)
    every = "Result of an event that cannot be run: number, name, open or closed."
    return click.option("--on-failure", type=ResultChoice(), help=every)(command)


def choices(options: Mapping[str, int | str | None]) -> dict[str, int | str]:
    """What was chosen by failure; ``on_failure`` is for those that are not named."""
    every = options["on_failure"]
    given = {failure.value: options[f"on_{failure}"] for failure in Failure}
    found = {name: every if choice is None else choice for name, choice in given.items()}
    return {name: choice for name, choice in found.items() if choice is not None}


def breaker(break_after: int | None, retry_after: float | None) -> "Breaker | None":
    """The breaker that was chosen, if any."""
    from ebpfd_sdk import Breaker  # noqa: PLC0415 (as the client)

    if break_after is None:
        if retry_after is not None:
            raise click.UsageError("--retry-after needs --break-after")
        return None
    return Breaker(break_after) if retry_after is None else Breaker(break_after, retry_after)


def describe_breaker(breaker: "Breaker | None") -> dict[str, Json] | None:
    """Its rule and its state."""
    if breaker is None:
        return None
    return {
        "break_after": breaker.failures,
        "retry_after": breaker.retry_s,
        "state": breaker.state.name.lower(),
    }


def describe_policy(policy: "LinkPolicy") -> dict[str, Json]:
    """A result for each failure, or "open"."""
    return {name: OPEN if each is None else each for name, each in asdict(policy).items()}
