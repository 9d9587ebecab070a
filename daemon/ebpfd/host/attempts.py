"""Batches of links with a breaker: it is told what each came to, and its changes are logged."""

import asyncio

import structlog

from ebpfd.objects import Link
from ebpfd.objects.breaker import Breaker, BreakerState
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
        # To ask for the time takes longer than all else here.
        codes = outcome.codes
        if breaker.ended(self._batch, codes, now() if codes.strip(b"\0") else 0.0):
            cause = result_name(breaker.cause)
            _log.warning("breaker", link=self._link.id, is_now=breaker.state.value, cause=cause)

    def give_up(self) -> None:
        """Nothing more will be known of the batch."""
        self._breaker.give_up(self._batch)


def admitted(breaker: Breaker) -> int:
    """What the breaker calls a batch that may run now; 0: it must not."""
    return breaker.admit(0.0 if breaker.state is BreakerState.WHOLE else now())


def now() -> float:
    """The time of breakers, in seconds."""
    return asyncio.get_running_loop().time()
