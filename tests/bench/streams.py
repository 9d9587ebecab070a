"""Streams to a daemon and to its peer, and what is sent on them."""

import asyncio
import statistics
import struct
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from ebpfd_sdk import Client, Program

HERE: Final = Path(__file__).resolve().parent
WINDOW: Final = 8
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


async def engine_ns(program: Program, client: Client) -> tuple[int, int]:
    """Runs and nanoseconds of the program so far."""
    counters = (await client.program(program.id)).counters
    return counters.runs, counters.nanoseconds
