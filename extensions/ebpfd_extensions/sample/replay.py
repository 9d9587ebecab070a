"""Feed the packets of a capture through the hook, many at a time, and say what came of it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Hook, Result


@dataclass(slots=True)
class Report:
    """The figures of one replay."""

    packets: int
    codes: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[int] = field(default_factory=Counter[int])
    invocations: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    seconds: float = 0.0

    def as_json(self) -> str:
        """Put it on one line."""
        return json.dumps(
            {
                "packets": self.packets,
                "invocations": self.invocations,
                "codes": dict(sorted(self.codes.items())),
                "verdicts": {
                    str(verdict): count for verdict, count in sorted(self.verdicts.items())
                },
                "messages_sent": self.messages_sent,
                "messages_received": self.messages_received,
                "seconds": round(self.seconds, 6),
            }
        )


async def replay(hook: Hook[SampleContext], packets: Sequence[bytes], window: int) -> Report:
    """Run every packet through *hook*, *window* of them waiting for their answers at any time."""
    report, before = Report(len(packets)), hook.counters
    began = time.perf_counter()
    rest = iter(packets)
    async with asyncio.TaskGroup() as group:
        for number in range(min(window, len(packets))):
            group.create_task(_feed(hook, rest, report), name=f"feeder {number}")
    report.seconds = time.perf_counter() - began
    after = hook.counters
    report.invocations = after.invocations - before.invocations
    report.messages_sent = after.messages_sent - before.messages_sent
    report.messages_received = after.messages_received - before.messages_received
    return report


async def _feed(hook: Hook[SampleContext], packets: Iterator[bytes], report: Report) -> None:
    for packet in packets:
        answer = await hook.invoke(data=packet)
        report.codes[answer.code.name] += 1
        if answer.code is Result.SUCCESS:
            report.verdicts[answer.result] += 1
