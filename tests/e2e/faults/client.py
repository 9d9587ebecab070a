"""The load on durable state: a client that pins, changes and unpins, and writes down what it did.

    python -m tests.e2e.faults.client JOURNAL SEED FIRST ADDRESS [CHANGES]

What it adds it numbers from FIRST on.  It ends with 0 after so many changes, or on SIGTERM, between
two of them; with 3 when the daemon went away.
"""

import asyncio
import random
import signal
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from ebpfd_sdk import Client, DaemonUnavailable, EbpfdError, Result
from tests.e2e.faults.journal import Journal

COUNT: Final = Path(str(files("ebpfd_extensions.sample"))) / "programs" / "count.o"
MOST: Final = 6
"""Programs that are pinned at a time."""

FIRST_KEY: Final = 1000
"""Keys that no packet has: the program counts protocols."""


def pin_path(piece: str, number: int) -> str:
    """Where a piece of a program is pinned, as the daemon writes it."""
    return f"BPF:\\{piece}\\{number}"


async def change(
    client: Client, journal: Journal, seed: int, first: int, changes: int | None
) -> None:
    """Change something, so often or without end."""
    dice = random.Random(seed)
    alive: list[int] = []
    last = first - 1
    done = 0
    while done != changes:
        if len(alive) < 2 or (len(alive) < MOST and dice.random() < 0.2):
            last += 1
            try:
                await add(client, journal, last)
            except EbpfdError as error:
                if error.code is not Result.EXTENSION_FAILED_TO_LOAD:
                    raise
                # It was killed: a client comes too early, and tries again.
                continue
            alive.append(last)
        elif dice.random() < 0.1:
            await drop(client, journal, alive.pop(dice.randrange(len(alive))))
        else:
            await put(
                client, journal, dice.choice(alive), dice.randrange(100), dice.getrandbits(60)
            )
        done += 1


async def add(client: Client, journal: Journal, number: int) -> None:
    """Load, attach and pin; each pin is a change of its own."""
    program = (await client.load(COUNT))["count_by_protocol"]
    link = await program.attach("sample_ext", parameter=str(number).encode())
    for piece, thing in (("m", program.maps["by_protocol"]), ("p", program), ("l", link)):
        path = pin_path(piece, number)
        journal.begun("pin", path)
        await client.pin(path, thing)
        journal.done(id=thing.id)


async def put(client: Client, journal: Journal, number: int, key: int, value: int) -> None:
    """Change an entry of a pinned map."""
    path = pin_path("m", number)
    map_ = await client.open_map(path)
    journal.begun("set", path, key, value)
    await map_.set(FIRST_KEY + key, value)
    journal.done()


async def drop(client: Client, journal: Journal, number: int) -> None:
    """Unpin all of a program."""
    for piece in ("l", "p", "m"):
        path = pin_path(piece, number)
        journal.begun("unpin", path)
        await client.unpin(path)
        journal.done()


async def _main(
    journal: str, seed: str, first: str, address: str, changes: str | None = None
) -> int:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Client(address, hold=True) as client:
        working = asyncio.ensure_future(
            change(
                *(client, Journal(Path(journal)), int(seed), int(first)),
                int(changes) if changes else None,
            )
        )
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        try:
            working.result()
        except (DaemonUnavailable, asyncio.InvalidStateError):
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(*sys.argv[1:])))
