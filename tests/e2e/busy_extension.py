"""An extension that invokes without pause, and says at its end what became of each call.

Run as ``python tests/e2e/busy_extension.py ADDRESS``.  When it ends it prints one line of JSON:
how many invocations were sent, and how many answers there were of each code.
"""

import asyncio
import json
import sys
from collections import Counter

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Extension, Result, run

WINDOW = 64
codes: Counter[str] = Counter()


async def invoke_for_ever() -> None:
    """Start the next call when the last is answered, until the hook answers CANCELED."""
    code = Result.SUCCESS
    while code is Result.SUCCESS:
        code = (await events.invoke(SampleContext(uint32_data=7), data=b"\x00" * 64)).code
        codes[code.name] += 1


async def main(extension: Extension) -> None:
    """Wait for a link, then keep calls in flight until the extension is told to stop."""
    del extension
    await events.attached()
    async with asyncio.TaskGroup() as group:
        for _ in range(WINDOW):
            group.create_task(invoke_for_ever())


if __name__ == "__main__":
    run(sample, events, main, address=sys.argv[1])
    sys.stdout.write(json.dumps({"sent": events.counters.invocations, "codes": codes}) + "\n")
