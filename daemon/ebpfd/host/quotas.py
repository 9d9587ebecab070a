"""How much of the daemon its users may have, and how often somebody was refused more.

What is beyond a quota is refused with NO_MEMORY, changes nothing, is counted, and is logged, once a
second at most for each quota.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.seldom import Seldom
from ebpfd_api.result import Result

_Value = TypeVar("_Value")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Quota:
    """What one may be set to, in bytes if ``in_bytes``, and what it is of."""

    told: str
    most: int = 1_000_000
    least: int = 1
    in_bytes: bool = False


def _quota(default: int, told: str, most: int = 1_000_000) -> Any:
    return field(default=default, metadata={"quota": Quota(told, most)})


def _bytes(default: Callable[[], int], told: str) -> Any:
    quota = Quota(told, 1 << 62, 1 << 20, in_bytes=True)
    return field(default_factory=default, metadata={"quota": quota})


def _half_of_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


@dataclass(frozen=True, slots=True)
class Quotas:
    """The numbers, by the names that they have in the configuration file."""

    sessions: int = _quota(4096, "module processes that are connected")
    streams: int = _quota(64, "data streams of one session")
    programs: int = _quota(16384, "programs")
    maps: int = _quota(65536, "maps")
    map_memory: int = _bytes(_half_of_memory, "memory of all maps")
    links: int = _quota(65536, "links")
    link_batches: int = _quota(256, "batches of one link that wait or run on a thread")
    link_batch_memory: int = _bytes(lambda: 16 << 20, "the same, in bytes; the first is let in")
    batch_memory: int = _bytes(lambda: 256 << 20, "the same of all links")
    helper_calls: int = _quota(32, "calls of one helper that are not answered")
    extension_helper_calls: int = _quota(48, "the same of all helpers of one extension")
    helper_threads: int = _quota(512, "runs that wait for helpers", 8192)
    extension_helper_threads: int = _quota(64, "the same of one extension's programs", 8192)
    map_calls: int = _quota(1024, "calls for one map that its extension has not answered")
    fires: int = _quota(4096, "fires of clients that wait for their hook")
    test_runs: int = _quota(1024, "test runs that clients wait for")
    verifications: int = _quota(64, "object files that are verified, loaded or disassembled")


QUOTAS: Final[dict[str, Quota]] = {each.name: each.metadata["quota"] for each in fields(Quotas)}
"""All of them, by name."""


class QuotaGuard:
    """Refuses what is beyond the quotas."""

    def __init__(self, quotas: Quotas | None = None) -> None:
        self.quotas = quotas or Quotas()
        self.refused: Final = Counter[str]()
        """How often, by the name of the quota."""

        self.busy: Final = Counter[str]()
        """How many are within ``place``, by the name of the quota."""

        self._logged = defaultdict[str, Seldom](lambda: Seldom(time.monotonic))

    def check(self, quota: str, there: int, more: int, what: str) -> None:
        """Refuse *more* of something, of which so many are *there*; *what* says how to have less.

        ``RequestError`` NO_MEMORY; not of who wants none of it, however many there are.
        """
        limit: int = getattr(self.quotas, quota)
        if more and there + more > limit:
            message = f"there are {there} {quota}, and may be {limit}: {what}"
            raise self.refusal(quota, message)

    @contextmanager
    def place(self, quota: str, what: str) -> Generator[None]:
        """Let one more in within the block, or refuse it as ``check`` does."""
        self.check(quota, self.busy[quota], 1, what)
        self.busy[quota] += 1
        try:
            yield
        finally:
            self.busy[quota] -= 1

    async def placed(self, quota: str, what: str, work: Callable[[], Awaitable[_Value]]) -> _Value:
        """The outcome of *work*, which has a ``place`` for as long as it takes."""
        with self.place(quota, what):
            return await work()

    def refusal(self, quota: str, message: str) -> RequestError:
        """What to raise when *quota* is used up; it is counted and logged."""
        self.count(quota, message)
        return RequestError(
            Result.NO_MEMORY, f"{message}, or give the daemon more: [quotas] {quota}"
        )

    def count(self, quota: str, message: str, times: int = 1) -> None:
        """Count refusals that somebody else answers, and log them."""
        self.refused[quota] += times
        if refused := self._logged[quota].untold(self.refused[quota]):
            _log.warning("quota used up", quota=quota, reason=message, refused=refused)
