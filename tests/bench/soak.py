"""What an hour of mixed load leaves in the daemon: memory, descriptors, threads.

    python tests/bench/soak.py [--quick] [--seconds N]

All at once: an extension with 32 invocations in flight that ends and starts again, by SIGTERM and
by SIGKILL in turn; a client that pins, changes and unpins, as the fault tests have it, whose state
is checked each time it ends; clients that fire; clients that come, load, test, are refused, watch,
read records and leave.  The daemon with its children is measured once a second.  Growth is of the
last quarter over the second one, by medians.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd_sdk import (  # noqa: E402 (found through the line above, as the next ones)
    Client,
    EbpfdError,
    Records,
    VerificationFailed,
)
from tests.bench import report  # noqa: E402
from tests.bench.processes import memory_bytes  # noqa: E402
from tests.e2e.faults.client import COUNT  # noqa: E402
from tests.e2e.faults.extension import PARAMETER  # noqa: E402
from tests.e2e.faults.world import NUMBERS, REMEMBERED, World  # noqa: E402
from tests.packets import TCP  # noqa: E402

REFUSED: Final = COUNT.parent / "unsafe" / "null_map_value.o"

CHANGES: Final = 500
"""What a client changes of durable state in its life: not more on a quicker machine, where more
would be left of each.  An extension lives for three of them."""

LIVES: Final = REMEMBERED // NUMBERS
"""Different ones, in turn: what is left of so many, which is kept, is always the same."""

FIRING: Final = 4
COMING: Final = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """What daemon and children take at a moment."""

    second: float
    memory_mb: float
    descriptors: int
    threads: int


def measured(process: int, began: float) -> Sample:
    """A sample of a process and its children."""
    family = [process]
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        family += map(int, children.read_text().split())
    memory = descriptors = threads = 0
    for each in family:
        with suppress(OSError, ValueError):  # it has ended meanwhile
            memory += memory_bytes(each)
            descriptors += sum(1 for _ in Path(f"/proc/{each}/fd").iterdir())
            threads += sum(1 for _ in Path(f"/proc/{each}/task").iterdir())
    return Sample(time.monotonic() - began, memory / (1 << 20), descriptors, threads)


async def fire(client: Client, done: Counter[str]) -> None:
    """One event of a client."""
    answer = await client.fire("sample_ext", data=TCP, parameter=PARAMETER, deadline_s=2)
    done[f"fire {answer.code.name}"] += 1


async def visit(address: str, may: asyncio.Semaphore, done: Counter[str]) -> None:
    """A client's whole life: it holds what it makes, and leaves."""
    async with may, Client(address, hold=True) as client:
        ring = await client.create_map("ringbuf", 0, 0, 4096)
        program = (await client.load(COUNT))["count_by_protocol"]
        await program.test_run(data=TCP, repeat=10)
        with suppress(VerificationFailed):
            await client.load(REFUSED)
        async with aclosing(client.watch_registrar()) as changes:
            await anext(changes)
        async with aclosing(ring.events()) as records, asyncio.TaskGroup() as group:
            reading = group.create_task(read_one(records))
            await client.programs()
            reading.cancel()
        done["visits"] += 1


async def read_one(records: AsyncGenerator[Records]) -> None:
    """Wait for a record that never comes."""
    await anext(records)


async def again(work: Callable[[], Awaitable[None]], done: Counter[str]) -> None:
    """Do *work* for ever; an extension that is away is no reason to end."""
    while True:
        try:
            await work()
        except EbpfdError as error:
            done[f"refused {error.code.name}"] += 1
            await asyncio.sleep(0.05)


async def turns(world: World, may: asyncio.Semaphore, done: Counter[str]) -> None:
    """Change durable state; check it while nobody visits.  Each third time the extension ends."""
    turn = 0
    while True:
        turn += 1
        await world.start_client(turn % LIVES, CHANGES)
        if turn % 3 == 0:
            await world.lines(CHANGES)  # two for each change: about the middle of its life
            await world.end("extension", (signal.SIGTERM, signal.SIGKILL)[turn % 2])
        if status := await world.client.wait():
            raise AssertionError(f"the client ended with {status}")
        await world.end_client()
        async with AsyncExitStack() as stack:
            for _ in range(COMING):
                await stack.enter_async_context(may)
            if wrong := await world.check():
                raise AssertionError("\n".join(wrong))
        done["checks"] += 1


async def soak(folder: Path, seconds: float) -> tuple[list[Sample], Counter[str]]:
    """Load for so long, and until all has been checked once; the samples, and what was done."""
    world, done = World(folder), Counter[str]()
    samples: list[Sample] = []
    may = asyncio.Semaphore(COMING)
    try:
        await world.start()
        began = time.monotonic()
        async with Client(world.address) as client:
            loads: list[Callable[[], Awaitable[None]]] = [
                *(FIRING * [lambda: fire(client, done)]),
                *(COMING * [lambda: visit(world.address, may, done)]),
            ]
            working = [asyncio.ensure_future(again(each, done)) for each in loads]
            working.append(asyncio.ensure_future(turns(world, may, done)))
            while time.monotonic() < began + seconds or not done["checks"]:
                ended, _ = await asyncio.wait(
                    working, timeout=1.0, return_when=asyncio.FIRST_COMPLETED
                )
                for each in ended:
                    each.result()
                samples.append(measured(world.daemon.pid, began))
                sys.stderr.write(f"\r{samples[-1].second:.0f} of {seconds:.0f} s ")
            for each in working:
                each.cancel()
            await asyncio.wait(working)
        done["invocations"] = sum(world.counts.tally().codes.values())
    finally:
        await world.stop()
    return samples, done


def grown(figures: Sequence[float]) -> tuple[float, float]:
    """The medians of the second and of the last quarter."""
    quarter = len(figures) // 4
    return statistics.median(figures[quarter : 2 * quarter]), statistics.median(figures[-quarter:])


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="under 50 s, and not of much use")
    parser.add_argument("--seconds", type=float, default=3600.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ebpfd-soak-") as folder:
        seconds = 40.0 if options.quick else options.seconds
        samples, done = asyncio.run(soak(Path(folder), seconds))
    memory, descriptors, threads = (
        grown([each.memory_mb for each in samples]),
        grown([each.descriptors for each in samples]),
        grown([each.threads for each in samples]),
    )
    bars = [
        report.bar("memory, late / early", memory[1] / memory[0], 1.03, "lower"),
        report.bar("descriptors, late - early", descriptors[1] - descriptors[0], 5, "lower"),
        report.bar("threads, late - early", threads[1] - threads[0], 1, "lower"),
    ]
    step = max(1, len(samples) // 60)
    report.emit("soak", bars, [dict(done), *map(asdict, samples[::step])])


if __name__ == "__main__":
    main()
