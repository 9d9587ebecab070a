"""Checks, and what each came to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, NoReturn, TypeAlias, TypeVar

from ebpfd_sdk._errors import EbpfdError
from ebpfd_sdk.testing import ProcessFailedError
from ebpfd_sdk.testing._peer import PeerError

S = TypeVar("S")
T = TypeVar("T")


class Verdict(Enum):
    """What a check came to."""

    PASS = "PASS"  # noqa: S105 (no password)
    FAIL = "FAIL"
    SKIP = "SKIP"
    """It does not apply to this extension, or cannot be told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check: its name, its verdict, and why in one sentence."""

    check: str
    verdict: Verdict
    reason: str

    def __str__(self) -> str:
        return f"{self.verdict.value}  {self.check:33} {self.reason}"


@dataclass(slots=True)
class Report:
    """All checks of one extension, in their order."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def count(self, verdict: Verdict) -> int:
        """How many checks came to *verdict*."""
        return sum(each.verdict is verdict for each in self.outcomes)

    @property
    def conforms(self) -> bool:
        """Whether no check failed."""
        return self.count(Verdict.FAIL) == 0

    def __str__(self) -> str:
        return "\n".join(map(str, self.outcomes))

    def json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "conforms": self.conforms,
            **{each.value.lower(): self.count(each) for each in Verdict},
            "checks": [
                {"check": each.check, "verdict": each.verdict.value, "reason": each.reason}
                for each in self.outcomes
            ],
        }


class Failed(Exception):  # noqa: N818 (reads as what happened)
    """The extension did not do what the check asks for."""


class Skipped(Exception):  # noqa: N818 (same)
    """The check does not apply."""


def fail(reason: str) -> NoReturn:
    """End a check: the extension is wrong."""
    raise Failed(reason)


def skip(reason: str) -> NoReturn:
    """End a check: it does not apply."""
    raise Skipped(reason)


async def within(seconds: float, what: str, work: Awaitable[T]) -> T:
    """Wait for *work*, but not for ever."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        fail(f"{what} did not come in {seconds:g} s")


Body: TypeAlias = Callable[[S], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """A check returns why it passed; one whose *needs* did not pass is skipped."""

    name: str
    body: Body[S]
    needs: tuple[str, ...]


class Suite(Generic[S]):
    """Checks that are made one after the other, in one scene."""

    def __init__(self) -> None:
        self.checks: list[Check[S]] = []

    def check(self, *needs: str) -> Callable[[Body[S]], Body[S]]:
        """Add the decorated function, under its own name."""

        def add(body: Body[S]) -> Body[S]:
            name = getattr(body, "__name__", "").replace("_", "-")
            self.checks.append(Check(name, body, needs))
            return body

        return add

    def then(self, other: "Suite[S]") -> "Suite[S]":
        """Make a suite of these checks and then those of *other*."""
        both = Suite[S]()
        both.checks = self.checks + other.checks
        return both

    async def run(self, scene: S, note: Callable[[Outcome], None]) -> None:
        """Make all checks, and tell *note* of each as it ends."""
        passed: set[str] = set()
        for check in self.checks:
            missing = [need for need in check.needs if need not in passed]
            if missing:
                verdict, reason = Verdict.SKIP, f"it needs {missing[0]}, which did not pass"
            else:
                verdict, reason = await _outcome(check.body(scene))
            if verdict is Verdict.PASS:
                passed.add(check.name)
            note(Outcome(check.name, verdict, reason))


async def _outcome(body: Awaitable[str]) -> tuple[Verdict, str]:
    try:
        return Verdict.PASS, await _ungrouped(body)
    except Failed as failure:
        return Verdict.FAIL, str(failure)
    except Skipped as skipped:
        return Verdict.SKIP, str(skipped)
    except (ProcessFailedError, PeerError) as failure:
        return Verdict.FAIL, str(failure)
    except EbpfdError as error:
        return Verdict.FAIL, f"the daemon said {error.code.name}: {error.message or error}"
    except TimeoutError:
        return Verdict.FAIL, "it took too long"


async def _ungrouped(body: Awaitable[str]) -> str:
    """What *body* gives, or the first of what went wrong in a group of its tasks."""
    try:
        return await body
    except ExceptionGroup as group:
        error: Any = group
        while inner := getattr(error, "exceptions", ()):
            error = inner[0]
        raise error from group
