"""See the package; prints progress to standard error and JSON to standard output."""

import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from tests.e2e.faults.world import World

PARTIES: Final[tuple[str, ...]] = ("daemon", "extension", "client")


async def rounds(folder: Path, count: int, seed: int) -> dict[str, int]:
    """Kill each party *count* times; how often each was killed without a broken rule."""
    dice = random.Random(seed)
    world = World(folder)
    await world.start()
    killed: dict[str, int] = dict.fromkeys(PARTIES, 0)
    try:
        for turn in range(count * len(PARTIES)):
            party = PARTIES[turn % len(PARTIES)]
            await world.start_client(dice.getrandbits(32))
            await world.lines(dice.randrange(1, 40))
            await asyncio.sleep(dice.random() * 0.005)
            await world.kill(party)
            await world.end_client()
            if wrong := await world.check():
                lines = "\n  ".join(wrong)
                raise AssertionError(f"round {turn}, {party} killed:\n  {lines}")
            killed[party] += 1
            sys.stderr.write(f"\r{sum(killed.values())} kills ")
    finally:
        await world.stop()
    return killed


@click.command()
@click.option("--rounds", "count", default=200, help="Kills of each party.")
@click.option("--seed", default=1, help="Of the moments and the changes.")
def main(count: int, seed: int) -> None:
    """Kill daemon, extension and client at random moments."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ebpfd-faults-") as folder:
        killed = asyncio.run(rounds(Path(folder), count, seed))
    click.echo(json.dumps({"killed": killed, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
