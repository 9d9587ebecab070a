"""The registrar in a crowd: what a call costs at 100, 10,000 and 100,000 bindings.

    python tests/bench/registrar.py [--quick]

Each crowd lives in a process of its own, with ten clients for each contract, and the processes take
turns.  ``core`` is the state machine alone, ``host`` the same with a task for each callback.

    register     a registration that meets nobody
    attach       one that meets a client: all callbacks, until the binding is ready
    detach       its end: both detach and both cleanup callbacks
    deregister   the end of one without bindings

Then 1,000 sessions of a few processes meet a daemon, and do nothing but keep their leases.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_sdk import Client  # noqa: E402
from tests.bench import report  # noqa: E402
from tests.bench.processes import cpu_s, memory_bytes  # noqa: E402

CROWDS: Final = (100, 10_000, 100_000)
LAYERS: Final = ("core", "host")
CALLS: Final = ("register", "attach", "detach", "deregister")
FLAT: Final = 1.3
SESSIONS: Final = 1_000
PROCESSES: Final = 4

Row = dict[str, Any]


@asynccontextmanager
async def child(script: str, *arguments: str) -> AsyncGenerator[tuple[Process, Row]]:
    """A process of this benchmark's that has said, in a line of JSON, that it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / script), *arguments, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process, await said(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process) -> Row:
    """Its next line."""
    assert process.stdout is not None
    row: Row = json.loads(await process.stdout.readline())
    return row


async def crowds(layer: str, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """Let the crowds of one layer take turns."""
    async with AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(child("registrar_crowd.py", layer, str(size)))
            for size in CROWDS
        ]
        taken: list[dict[str, list[float]]] = [{call: [] for call in CALLS} for _ in CROWDS]
        for _ in range(rounds):
            for (process, _ready), of in zip(members, taken, strict=True):
                assert process.stdin is not None
                process.stdin.write(b"\n")
                for call, seconds in (await said(process)).items():
                    of[call].append(seconds)
    costs = [{call: statistics.median(of[call]) for call in CALLS} for of in taken]
    rows = [
        {
            "layer": layer,
            **ready,
            **{f"{call}_per_s": round(1 / cost[call]) for call in CALLS},
        }
        for (_, ready), cost in zip(members, costs, strict=True)
    ]
    bars = [
        report.bar(f"{layer}: {call} at {size}", _times(of[call], taken[0][call]), FLAT, "lower")
        for size, of in zip(CROWDS[1:], taken[1:], strict=True)
        for call in CALLS
    ]
    return bars, rows


def _times(ours: list[float], least: list[float]) -> float:
    """How much more than in the smallest crowd: of each round, since rounds differ more."""
    return statistics.median(one / other for one, other in zip(ours, least, strict=True))


async def sessions(window_s: float) -> Row:
    """What a session costs a daemon while nothing happens."""
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        address = f"unix:{folder}/ebpfd.sock"
        async with children.daemon(address, folder) as daemon, Client(address) as client:
            own = len(await client.providers())
            alone, alone_cpu = memory_bytes(daemon.pid), await _idle_cpu(daemon.pid, window_s)
            began = time.perf_counter()
            async with AsyncExitStack() as stack:
                each = str(SESSIONS // PROCESSES)
                for _ in range(PROCESSES):
                    await stack.enter_async_context(child("registrar_sessions.py", address, each))
                connected = time.perf_counter() - began
                there = len(await client.providers()) - own
                assert there == SESSIONS, there
                together, cpu = memory_bytes(daemon.pid), await _idle_cpu(daemon.pid, window_s)
                began = time.perf_counter()
            while len(await client.providers()) > own:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.01)
            return {
                "sessions": SESSIONS,
                "processes": PROCESSES,
                "connected_s": round(connected, 2),
                "killed_and_gone_s": round(time.perf_counter() - began, 2),
                "daemon_bytes_alone": alone,
                "bytes_per_session": round((together - alone) / SESSIONS),
                "daemon_cpu_alone": round(alone_cpu, 4),
                "cpu_per_session": round((cpu - alone_cpu) / SESSIONS, 7),
            }


async def _idle_cpu(process: int, window_s: float) -> float:
    """The share of a processor that *process* takes."""
    before, began = cpu_s(process), time.perf_counter()
    await asyncio.sleep(window_s)
    return (cpu_s(process) - before) / (time.perf_counter() - began)


async def bench(quick: bool) -> None:
    """Run all rows and print the report."""
    bars: list[report.Bar] = []
    rows: list[Row] = []
    for layer in LAYERS:
        its_bars, its_rows = await crowds(layer, 15 if quick else 60)
        bars += its_bars
        rows += its_rows
    rows.append(await sessions(3.0 if quick else 15.0))
    report.emit("registrar", bars, rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="what the registrar costs in a crowd")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    asyncio.run(bench(parser.parse_args().quick))
