"""The load on the hook: calls in flight without pause, counted where a SIGKILL loses nothing.

    python -m tests.e2e.faults.extension COUNTS ADDRESS

COUNTS is a file of ``Counts``.  Calls that no link takes are not made: the extension waits for one.
"""

import asyncio
import mmap
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Extension, run
from tests.packets import UDP

WINDOW: Final = 32
PARAMETER: Final = b"main"
_CODES: Final = 64
_FIRST_CODE: Final = -8


class Counts:
    """Invocations that were begun, and answered by code; shared by whoever opens the file."""

    def __init__(self, path: Path) -> None:
        size = (1 + _CODES) * 8
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), size)).cast("Q")

    def begun(self) -> None:
        """An invocation goes out."""
        self._numbers[0] += 1

    def answered(self, code: int) -> None:
        """It came back."""
        self._numbers[1 + code - _FIRST_CODE] += 1

    def tally(self) -> "Tally":
        """What they come to now."""
        answers = enumerate(self._numbers[1:], _FIRST_CODE)
        codes = {code: times for code, times in answers if times}
        return Tally(codes, self._numbers[0] - sum(codes.values()))


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each code was the answer, and how many were begun and have none."""

    codes: dict[int, int]
    silent: int


async def _invoke(counts: Counts) -> None:
    while True:
        await events.attached()
        counts.begun()
        answer = await events.invoke(SampleContext(), data=UDP, parameter=PARAMETER)
        counts.answered(answer.code)
        if answer.code:
            await asyncio.sleep(0)  # a hook without a daemon answers at once


async def _main(extension: Extension) -> None:
    del extension
    counts = Counts(Path(sys.argv[1]))
    async with asyncio.TaskGroup() as group:
        for _ in range(WINDOW):
            group.create_task(_invoke(counts))


if __name__ == "__main__":
    run(sample, events, _main, address=sys.argv[2])
