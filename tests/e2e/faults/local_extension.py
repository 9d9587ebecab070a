"""The load on a hook whose program runs in this process, so that it is met in it and beside it.

    python -m tests.e2e.faults.local_extension COUNTS ADDRESS

Single events and long batches take turns, so that a signal finds the process inside of a program
about as often as outside.  COUNTS and what it does where the daemon runs the program are those of
``extension``.
"""

import sys
from pathlib import Path
from typing import Final

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import EbpfdError, Extension, run
from tests.e2e.faults.extension import PARAMETER, Counts
from tests.packets import UDP

BATCH: Final = 20_000
"""Events that take some milliseconds."""

SINGLE: Final = 200
"""Those that take about as long with what is around them."""

_CONTEXT: Final = SampleContext().pack()
_DATA: Final = UDP * BATCH
_LENGTHS: Final = [len(UDP)] * BATCH


def _now() -> bool:
    """Run one event at once, if its program is here."""
    try:
        events.invoke_now(_CONTEXT, data=UDP, parameter=PARAMETER)
    except EbpfdError:
        return False
    return True


async def _main(extension: Extension) -> None:
    del extension
    counts = Counts(Path(sys.argv[1]))
    while True:
        await events.attached()
        counts.begun()
        if all(_now() for _ in range(SINGLE)):
            answer = await events.invoke_batch(
                count=BATCH, data=_DATA, data_lengths=_LENGTHS, parameter=PARAMETER
            )
            counts.answered(answer.code)
        else:
            one = await events.invoke(SampleContext(), data=UDP, parameter=PARAMETER)
            counts.answered(one.code)


if __name__ == "__main__":
    run(sample, events, _main, address=sys.argv[2])
