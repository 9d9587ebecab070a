"""Batches of links with a breaker: it is told what each came to, and its changes are logged."""

import asyncio

import structlog

from ebpfd.objects import Link
from ebpfd.objects.breaker import Breaker
from ebpfd.objects.chains import Outcome
from ebpfd_api.result import result_name

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Attempt:
    """A batch on its way that the breaker has admitted, and calls *batch*."""

    def __init__(self, link: Link, breaker: Breaker, batch: int) -> None:
        self._link = link
        self._breaker = breaker
        self._batch = batch

    def ended(self, outcome: Outcome) -> None:
        """Let the breaker know what the batch came to."""
        breaker = self._breaker
        if breaker.ended(self._batch, outcome.codes, now()):
            cause = result_name(breaker.cause)
            _log.warning("breaker", link=self._link.id, is_now=breaker.state.value, cause=cause)

    def give_up(self) -> None:
        """Nothing more will be known of the batch."""
        self._breaker.give_up(self._batch)


def now() -> float:
    """The time of breakers, in seconds."""
    return asyncio.get_running_loop().time()
