"""One extension's data stream: invocations a second, beside a bare grpc.aio echo of the same bytes.

    python tests/bench/stream.py [--quick]

Ping-pong sends one context of 64 bytes and waits for the answer.  The batched rows keep eight
messages in flight; their peer burns the time that the engine was measured to take for as many
contexts, so that the ratio is the price of our path and not of the program.
"""

import argparse
import asyncio
import statistics
import struct
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import grpc
import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_sdk import Client, Program  # noqa: E402
from tests.bench import echo, report  # noqa: E402
from tests.raw_extension import RawExtension, raw_extension  # noqa: E402

WINDOW: Final = 8
SIZES: Final = (1, 64, 1024)
CONTEXT: Final = struct.pack("<QIIIIQQIIQQ", 1, 10, 20, 5, 6, 9000, 3, 0, 7, 100, 200)

Call = Any
"""A stream as grpc.aio gives it; the stubs have no name for it."""


@asynccontextmanager
async def echo_server(address: str) -> AsyncGenerator[None]:
    """The peer, in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "echo.py"), address, stdout=PIPE
    )
    assert child.stdout is not None
    try:
        await child.stdout.readline()
        yield
    finally:
        child.kill()
        await child.wait()


async def ping_pong(call: Call, message: bytes, times: int) -> float:
    """Median seconds from one message to its answer."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await call.write(message)
        await call.read()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


async def windowed(call: Call, message: bytes, times: int) -> float:
    """Seconds a message with ``WINDOW`` in flight."""
    began = time.perf_counter()

    async def read() -> None:
        for _ in range(times):
            await call.read()
            permits.release()

    permits = asyncio.Semaphore(WINDOW)
    reader = asyncio.create_task(read())
    for _ in range(times):
        await permits.acquire()
        await call.write(message)
    await reader
    return (time.perf_counter() - began) / times


async def measure(
    ours: Call, peer: Call, message: bytes, *, rounds: int, messages: int, pipelined: bool
) -> tuple[float, float]:
    """Median seconds a message, ours and the peer's, in alternating blocks."""
    one = windowed if pipelined else ping_pong
    taken: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(rounds):
        taken["ours"].append(await one(ours, message, messages))
        taken["peer"].append(await one(peer, message, messages))
    return statistics.median(taken["ours"]), statistics.median(taken["peer"])


async def engine_ns(program: Program, client: Client) -> tuple[int, int]:
    """Runs and nanoseconds of the program so far."""
    counters = (await client.program(program.id)).counters
    return counters.runs, counters.nanoseconds


async def bench(quick: bool) -> None:
    """Run all rows and print the report."""
    rounds = 6 if quick else 25
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        address, peer_address = f"unix:{folder}/ebpfd.sock", f"unix:{folder}/echo.sock"
        async with (
            children.daemon(address, folder),
            echo_server(peer_address),
            grpc.aio.insecure_channel(address) as channel,
            grpc.aio.insecure_channel(peer_address) as peer,
            raw_extension(channel) as extension,
            Client(address) as client,
        ):
            program = (await client.load(HERE / "programs" / "verdict.o"))["verdict"]
            await program.attach("bench_event")
            rows = [
                await row(extension, channel, peer, client, program, size, rounds) for size in SIZES
            ]
    bars = [report.bar("ping-pong time / bare echo", rows[0]["time_ratio"], 1.5, "lower")]
    bars += [
        report.bar(
            f"{each['contexts']} a message: rate / burning echo", each["rate_ratio"], 0.5, "higher"
        )
        for each in rows[1:]
    ]
    report.emit("stream", bars, rows)


async def row(
    extension: RawExtension,
    channel: grpc.aio.Channel,
    peer: grpc.aio.Channel,
    client: Client,
    program: Program,
    size: int,
    rounds: int,
) -> dict[str, Any]:
    """Messages of *size* contexts, ours beside the peer."""
    message = extension.request(CONTEXT * size, size)
    ours, pipelined, messages = extension.open_stream(channel), size > 1, 50
    await windowed(ours, message, 20)
    runs, spent = await engine_ns(program, client)
    await windowed(ours, message, 20)
    more_runs, more_spent = await engine_ns(program, client)
    a_run = (more_spent - spent) / (more_runs - runs)
    burn = int(a_run * size) if pipelined else 0
    method = cast("Any", peer.stream_stream(echo.METHOD))
    echoing: Call = method(metadata=((echo.BURN, str(burn)),))
    await windowed(echoing, message, 20)
    mine, theirs = await measure(
        ours, echoing, message, rounds=rounds, messages=messages, pipelined=pipelined
    )
    ours.cancel()
    echoing.cancel()
    return {
        "contexts": size,
        "window": WINDOW if pipelined else 1,
        "invocations_per_second": round(size / mine),
        "echo_per_second": round(size / theirs),
        "time_ratio": mine / theirs,
        "rate_ratio": theirs / mine,
        "engine_ns_a_context": round(a_run),
        "message_bytes": len(message),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run under 50 s")
    uvloop.run(bench(parser.parse_args().quick))
