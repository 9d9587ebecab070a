"""See the package; prints progress to standard error and JSON to standard output."""

import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from tests.e2e.faults.world import World

PARTIES: Final = ("daemon", "extension", "client")
ENDS: Final = (
    *((party, signal.SIGKILL) for party in PARTIES),
    ("daemon", signal.SIGTERM),
    ("extension", signal.SIGTERM),
)
"""Who is ended, and how, one after the other."""

PAUSED: Final = 0.3
"""Share of the ends before which somebody stands still for a moment."""


async def rounds(folder: Path, count: int, seed: int) -> dict[str, int]:
    """End each party *count* times in each way; how often that broke no rule."""
    dice = random.Random(seed)
    world = World(folder)
    ended = {f"{party} {how.name}": 0 for party, how in ENDS}
    try:
        await world.start()
        for turn in range(count * len(ENDS)):
            party, how = ENDS[turn % len(ENDS)]
            await world.start_client(dice.getrandbits(32))
            await world.lines(dice.randrange(1, 40))
            if dice.random() < PAUSED:
                await world.pause(dice.choice(PARTIES), dice.random() * 0.1)
            await asyncio.sleep(dice.random() * 0.005)
            await world.end(party, how)
            await world.end_client()
            if wrong := await world.check():
                lines = "\n  ".join(wrong)
                raise AssertionError(f"round {turn}, {party}, {how.name}:\n  {lines}")
            ended[f"{party} {how.name}"] += 1
            sys.stderr.write(f"\r{turn + 1} of {count * len(ENDS)} ")
    finally:
        await world.stop()
    return ended


@click.command()
@click.option("--rounds", "count", default=200, help="Ends of each party, in each way.")
@click.option("--seed", default=1, help="Of the moments and the changes.")
def main(count: int, seed: int) -> None:
    """End daemon, extension and client at random moments."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ebpfd-faults-") as folder:
        ended = asyncio.run(rounds(Path(folder), count, seed))
    click.echo(json.dumps({"ended": ended, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
