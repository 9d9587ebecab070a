"""An extension whose program changes maps of each kind that processes share, as it is told.

    one N       N events, one after the other      batch N    the same, in batches
    endless     batches until it is killed

Each line has one as its answer: how many events have succeeded.  It takes the address last.
"""

import random
import sys
from typing import Final

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Extension, Hook, ProgramType, Result, run
from tests.e2e.obeying import commands, say

BATCH: Final = 5_000

churn = ProgramType(
    "f788ef4c-207d-4dc3-85cf-0f2ea107213c", SampleContext, name="churn", section="churn"
)
events = Hook("f788ef4d-207d-4dc3-85cf-0f2ea107213c", churn, name="churn")


def contexts(count: int, dice: random.Random) -> bytes:
    """So many events, packed."""
    return b"".join(SampleContext(uint32_data=dice.getrandbits(20)).pack() for _ in range(count))


async def main(extension: Extension) -> None:
    """Obey until there are no more commands."""
    dice = random.Random()
    some = contexts(BATCH, dice)
    async for line in commands(extension):
        match line.split():
            case ["one", count]:
                say(str(await _one_by_one(contexts(int(count), dice))))
            case ["batch", count]:
                batches = [await _batch(some) for _ in range(int(count) // BATCH)]
                say(str(sum(batches)))
            case _:
                say("endless")
                while True:
                    await _batch(some)


async def _batch(packed: bytes) -> int:
    return (await events.invoke_batch(packed)).codes.count(Result.SUCCESS)


async def _one_by_one(packed: bytes) -> int:
    size = SampleContext.layout.size
    succeeded = 0
    for at in range(0, len(packed), size):
        succeeded += (await events.invoke(packed[at : at + size])).code is Result.SUCCESS
    return succeeded


if __name__ == "__main__":
    run(churn, events, main, address=sys.argv[1])
