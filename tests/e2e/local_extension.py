"""The sample extension, which does what it is told on its standard input, a line each.

    now N       N invocations at once      await N    the same, one awaited after the other
    batch N     one batch of N             loop       invocations until it is killed
    programs    the ids of what is attached

Each has one line as its answer: the last result, or what went wrong.  It takes the address last.
"""

import sys

from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import EbpfdError, Extension, run
from tests.e2e.obeying import commands, say

CONTEXT = SampleContext().pack()


async def main(extension: Extension) -> None:
    """Obey until there are no more commands."""
    async for line in commands(extension):
        command, _, count = line.partition(" ")
        try:
            if command == "programs":
                say(" ".join(str(link.program_id) for link in events.links))
            else:
                say(str(await _obey(command, int(count or 0))))
        except EbpfdError as error:
            say(f"{error.code.name}: {error}")


async def _obey(command: str, count: int) -> int:
    result = 0
    match command:
        case "now":
            for _ in range(count):
                result = events.invoke_now(CONTEXT)
        case "await":
            for _ in range(count):
                result = (await events.invoke(CONTEXT)).result
        case "batch":
            columns = await events.invoke_batch(count=count)
            result = int.from_bytes(columns.results[-4:], "little")
        case _:
            say("looping")
            while True:
                await events.invoke_batch(count=100_000)
    return result


if __name__ == "__main__":
    run(sample, events, main, address=sys.argv[1])
