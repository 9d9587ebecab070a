"""Replacing a link's program over and over while events come: who met each event, and how often.

Each event has a number; both programs count it under that number in one map, and each answers
with a number of its own.
"""

import asyncio
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Client, Columns, Extension, Hook

OBJECT: Final = Path(__file__).parent / "programs" / "once.o"
CONTEXT: Final = struct.Struct("<QQIHxxII")
RESULTS: Final = {"first": 1, "second": 2}
MOST_EVENTS: Final = 1 << 18
FENCE_EVERY: Final = 50
"""Replacements after which the new program must be the one that answers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    events: int
    replacements: int
    lost: int
    """Events that no program counted."""

    doubled: int
    """Events that were counted more than once."""

    unanswered: int
    """Events whose answer was an error, or no program's."""

    stale: int
    """Events that met the old program after its replacement had returned."""

    by_program: dict[str, int]
    elapsed_s: float

    @property
    def events_per_s(self) -> float:
        """Events that were sent in a second."""
        return self.events / self.elapsed_s


async def replaced_under_load(
    address: str, *, replacements: int, replacements_per_s: int, events_per_s: int, batch: int
) -> Outcome:
    """Fire events at a steady rate until a link's program has been replaced that often."""
    loop = asyncio.get_running_loop()
    hook = Hook(events.guid, sample, name=events.name)
    async with Extension(sample, hook, address=address), Client(address) as client:
        programs = list((await client.load(OBJECT)).values())
        link = await programs[0].attach(hook)
        load = Load(hook, batch)
        firing = asyncio.create_task(load.fire(events_per_s))
        stale, begin = 0, loop.time()
        for number in range(1, replacements + 1):
            await asyncio.sleep(max(0.0, begin + number / replacements_per_s - loop.time()))
            program = programs[number % 2]
            await link.replace(program)
            if number % FENCE_EVERY == 0:
                answers = results(await load.send())
                stale += sum(each != RESULTS[program.name] for each in answers)
        load.done.set()
        await firing
        answers = [each for sent in load.sent for each in results(await sent)]
        entries = await programs[0].maps["seen"].items()
    counts = [int.from_bytes(value, "little") for _, value in entries[: len(answers)]]
    by_program = {name: answers.count(number) for name, number in RESULTS.items()}
    return Outcome(
        events=len(answers),
        replacements=replacements,
        lost=sum(each == 0 for each in counts),
        doubled=sum(each > 1 for each in counts),
        unanswered=len(answers) - sum(by_program.values()),
        stale=stale,
        by_program=by_program,
        elapsed_s=load.elapsed_s,
    )


class Load:
    """Batches of numbered events, at a steady rate."""

    def __init__(self, hook: Hook[SampleContext], batch: int) -> None:
        self._hook = hook
        self._batch = batch
        self.sent: list[asyncio.Future[Columns]] = []
        self.done = asyncio.Event()
        self.elapsed_s = 0.0

    async def fire(self, events_per_s: int) -> None:
        """Send until ``done``; a batch that is late is made up for."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while not self.done.is_set():
            due = begin + len(self.sent) * self._batch / events_per_s
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.send()
        self.elapsed_s = loop.time() - begin

    def send(self) -> asyncio.Future[Columns]:
        """Send the next batch."""
        first = len(self.sent) * self._batch
        assert first + self._batch <= MOST_EVENTS, "the map has no room for more events"
        numbers = range(first, first + self._batch)
        contexts = b"".join(CONTEXT.pack(0, 0, number, 0, 0, 0) for number in numbers)
        self.sent.append(self._hook.invoke_batch(contexts, count=self._batch))
        return self.sent[-1]


def results(columns: Columns) -> list[int]:
    """The result of each event of a batch; -1 where its code is an error."""
    assert columns.codes, (columns.code, columns.message)
    numbers = struct.unpack(f"<{len(columns.codes)}I", columns.results)
    return [-1 if code else each for code, each in zip(columns.codes, numbers, strict=True)]
