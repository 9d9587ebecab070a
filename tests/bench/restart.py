"""What a daemon takes to be back after ``kill -9``, and what one takes that has nothing to keep.

    python tests/bench/restart.py [--quick]

A daemon gets 1,000 distinct programs (200 with ``--quick``), each with a map of its own and a link
of its own parameter, all pinned; then it is killed, and another one is started on what it left.
Times are from the start of the process: until it says that it serves, until a client has the
complete lists, and, from the start of the extension, until every link is bound again.  Rows have
the daemon's processor time too, since others may be busy on the machine.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_sdk import Client, LinkState  # noqa: E402
from tests.bench import report  # noqa: E402
from tests.bench.processes import cpu_s, memory_bytes  # noqa: E402

EXTENSION: Final = "ebpfd_extensions.sample"
PROGRAM: Final = (
    HERE.parent.parent / "extensions" / "ebpfd_extensions" / "sample" / "programs" / "count.o"
)
VERDICT: Final = b"\x2a\x00\x00\x00"
"""The one place in the object file that says 42: another number makes another program."""

AT_ONCE: Final = 16
IDLE_S: Final = 2.0


def salted(number: int) -> bytes:
    """A program that differs from all others."""
    file = PROGRAM.read_bytes()
    assert file.count(VERDICT) == 1, "there is one place only"
    return file.replace(VERDICT, (1000 + number).to_bytes(4, "little"))


async def populate(client: Client, count: int) -> None:
    """Load, attach, fill and pin *count* of each kind."""
    numbers = iter(range(count))

    async def one(number: int) -> None:
        loaded = await client.load(salted(number), file_name="count.o")
        program = loaded["count_by_protocol"]
        link = await program.attach("sample_ext", parameter=number.to_bytes(4, "little"))
        counts = program.maps["by_protocol"]
        await counts.set(number, number)
        for path, each in (("program", program), ("map", counts), ("link", link)):
            await client.pin(f"/{path}/{number}", each)

    async def some() -> None:
        for number in numbers:
            await one(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(some())


async def contents(client: Client) -> dict[int, list[tuple[bytes, bytes]]]:
    """All entries of all maps."""
    return {each.id: await each.items() for each in await client.maps()}


async def ids(client: Client) -> tuple[object, ...]:
    """Which programs, links and pins there are."""
    return (
        [(each.id, each.name) for each in await client.programs()],
        [(each.id, each.program_id, each.parameter) for each in await client.links()],
        await client.pins(),
    )


async def bound(client: Client, count: int) -> None:
    """Returns when that many links are attached, and have their provider."""
    while True:
        links = await client.links()
        if sum(each.state is LinkState.ATTACHED for each in links) == count:
            return
        await asyncio.sleep(0.05)


async def restarts(folder: Path, count: int, times: int) -> list[dict[str, Any]]:
    """Kill and start again, some times."""
    address = f"unix:{folder / 'ebpfd.sock'}"
    async with (
        children.daemon(address, folder) as daemon,
        Client(address) as client,
        children.extension(EXTENSION, address),
    ):
        await populate(client, count)
        before, held = await ids(client), await contents(client)
        daemon.kill()
        await daemon.wait()
    rows: list[dict[str, Any]] = []
    for _ in range(times):
        began = time.perf_counter()
        async with children.daemon(address, folder) as daemon, Client(address) as client:
            serving, cpu = time.perf_counter() - began, cpu_s(daemon.pid)
            same = await ids(client) == before
            listed = time.perf_counter() - began
            began = time.perf_counter()
            async with children.extension(EXTENSION, address):
                await bound(client, count)
                bound_again = time.perf_counter() - began
            rows.append(
                {
                    "objects": 3 * count,
                    "serving_s": serving,
                    "serving_cpu_s": cpu,
                    "listed_s": listed,
                    "bound_again_s": bound_again,
                    "ids_equal": same,
                    "contents_equal": await contents(client) == held,
                    "memory_bytes": sum(map(memory_bytes, tree(daemon.pid))),
                }
            )
            daemon.kill()
            await daemon.wait()
    return rows


@asynccontextmanager
async def stateless(folder: Path) -> AsyncGenerator[tuple[int, float]]:
    """A daemon without state: its process, and how long it took until it served."""
    path = folder / "ready"
    with children.ready_socket(path) as ready:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ebpfd", "run", "--listen", f"unix:{folder / 'plain.sock'}",
            stdout=DEVNULL, stderr=DEVNULL, env={**os.environ, "NOTIFY_SOCKET": str(path)},
        )  # fmt: skip
        try:
            await asyncio.get_running_loop().sock_recv(ready, 64)
            yield process.pid, time.perf_counter() - began
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()


def tree(process: int) -> list[int]:
    """A process and all below it."""
    found = [process]
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += tree(int(child))
    return found


async def starts(folder: Path, times: int) -> dict[str, Any]:
    """How quickly a daemon without state starts, and what it takes when it idles."""
    seconds: list[float] = []
    cpu: list[float] = []
    memory = processes = 0
    for _ in range(times):
        async with stateless(folder) as (process, taken):
            seconds.append(taken)
            cpu.append(cpu_s(process))
            if len(seconds) == times:
                await asyncio.sleep(IDLE_S)
                everybody = tree(process)
                processes, memory = len(everybody), sum(map(memory_bytes, everybody))
    return {
        "starts_s": seconds,
        "starts_cpu_s": cpu,
        "median_s": statistics.median(seconds),
        "least_s": min(seconds),
        "idle_bytes": memory,
        "processes": processes,
    }


async def run(count: int, times: int) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = await starts(folder, 5)
        rows = await restarts(folder, count, times)
    median = statistics.median(each["serving_s"] for each in rows)
    listed = statistics.median(each["listed_s"] for each in rows)
    equal = all(each["ids_equal"] and each["contents_equal"] for each in rows)
    report.emit(
        "restart",
        [
            report.bar(f"serving again with {count} of each, s", median, 2.0, "lower"),
            report.bar("and everything listed to a client, s", listed, 2.0, "lower"),
            report.bar("ids, pins and contents of maps are equal", float(equal), 1.0, "higher"),
            report.bar("start to serving without state, s", plain["median_s"], 0.5, "lower"),
            report.bar("idle, all processes, MB", plain["idle_bytes"] / 1e6, 80.0, "lower"),
        ],
        [*rows, plain, {"load_average": os.getloadavg()}],
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Restarts: how long, and how much memory")
    parser.add_argument("--quick", action="store_true", help="200 of each, in less than 50 s")
    quick = parser.parse_args().quick
    uvloop.run(run(200 if quick else 1000, 2 if quick else 5))


if __name__ == "__main__":
    main()
