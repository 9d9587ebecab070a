"""What an invocation costs on its way, beside a bare grpc.aio echo of the same bytes.

    python tests/bench/invoke.py [--quick]

Contexts are the first 64 bytes of frames, and the program parses them.  Cells that are compared
take turns every few dozen messages, and a figure is the median over these turns: on a machine that
others use, nothing else means anything.

* Ping-pong: one context, one answer; on the bare stream, and through ``await hook.invoke()``.
* Awaits: 64 and 1,024 tasks that each await one ``invoke`` after the other.
* Batches: eight messages in flight; the peer burns the time that the engine was measured to take.
* Two targets: pings to a light one while batches of 1,024 keep a heavy one busy; the heavy echo
  beside the light one burns the time that the engine was measured to take for these batches.
"""

import argparse
import asyncio
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import grpc
import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_sdk import U64, Client, Context, Extension, Hook, Program, ProgramType  # noqa: E402
from tests.bench import echo, report  # noqa: E402
from tests.bench.streams import WINDOW, Call, echo_server, engine_ns, ping_pong, windowed  # noqa: E402
from tests.packets import ipv4  # noqa: E402
from tests.raw_extension import PROGRAM_TYPE, raw_extension  # noqa: E402

Cell: TypeAlias = Callable[[], Awaitable[float]]
"""A turn of one of those that are compared: seconds of one message, or of one invocation."""

Row: TypeAlias = dict[str, Any]

SIZES: Final = (64, 1024)
HEAVY_SIZE: Final = 1024
MESSAGES: Final = 50
"""In one turn."""

HOOK: Final = "0a0c5f10-59a7-4d53-9c5b-1f3f6c1e7b11"
FRAME: Final = ipv4(17, struct.pack(">HHHH", 4000, 4789, 30, 0) + bytes(22))
DROP: Final = 1
LIGHT, BULK, HEAVY = b"light", b"bulk", b"heavy"


class Frame(Context):
    """64 bytes; only programs know what they mean."""

    a: U64 = 0
    b: U64 = 0
    c: U64 = 0
    d: U64 = 0
    e: U64 = 0
    f: U64 = 0
    g: U64 = 0
    h: U64 = 0


@dataclass(frozen=True, slots=True)
class Bench:
    """A daemon, a peer, and an extension on the bare stubs beside one on the SDK."""

    ours: Callable[[], Call]
    """Opens a stream to the daemon."""

    light: Callable[[int], bytes]
    """A message of so many contexts for the light target."""

    others: Mapping[bytes, bytes]
    """A long message for each target beside it, by its parameter."""

    echoes: Callable[[int], Call]
    """Opens a stream to the peer, which burns so many nanoseconds on each message."""

    client: Client
    hook: "Hook[Frame]"
    packet: Program
    heavy: Program


@asynccontextmanager
async def benched() -> AsyncGenerator[Bench]:
    """All of it, for the time of the block."""
    hook = Hook(HOOK, ProgramType(PROGRAM_TYPE, Frame, name="bench_event"), name="frames")
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        address, peer_address = f"unix:{folder}/ebpfd.sock", f"unix:{folder}/echo.sock"
        async with (
            children.daemon(address, folder),
            echo_server(peer_address),
            grpc.aio.insecure_channel(address) as channel,
            grpc.aio.insecure_channel(peer_address) as peer,
            raw_extension(channel) as extension,
            Extension(hook, address=address),
            Client(address) as client,
        ):
            programs = await client.load(HERE / "programs" / "packet.o")
            packet, heavy = programs["packet"], programs["heavy"]
            others: dict[bytes, bytes] = {}
            for parameter, program in ((HEAVY, heavy), (BULK, packet), (LIGHT, packet)):
                await program.attach("bench_event", parameter=parameter)
                await program.attach("frames", parameter=parameter)
                others[parameter] = extension.request(FRAME * HEAVY_SIZE, HEAVY_SIZE)
            method = cast("Any", peer.stream_stream(echo.METHOD))
            yield Bench(
                ours=lambda: extension.open_stream(channel),
                light=lambda size: extension.request(FRAME * size, size),
                others=others,
                echoes=lambda burn_ns: method(metadata=((echo.BURN, str(burn_ns)),)),
                client=client,
                hook=hook,
                packet=packet,
                heavy=heavy,
            )


async def in_turns(cells: Mapping[str, Cell], rounds: int) -> dict[str, list[float]]:
    """What each cell took, turn by turn."""
    taken: dict[str, list[float]] = {name: [] for name in cells}
    for _ in range(rounds):
        for name in random.sample(sorted(cells), len(cells)):
            taken[name].append(await cells[name]())
    return taken


def ratio(these: Sequence[float], those: Sequence[float]) -> float:
    """The median of the ratios of turns that came one after the other."""
    return statistics.median(this / that for this, that in zip(these, those, strict=True))


def microseconds(taken: Sequence[float]) -> float:
    """Their median."""
    return round(1e6 * statistics.median(taken), 3)


async def one_at_a_time(bench: Bench) -> float:
    """Median seconds of ``await hook.invoke()``."""
    taken: list[float] = []
    for _ in range(MESSAGES):
        began = time.perf_counter()
        answer = await bench.hook.invoke(FRAME, parameter=LIGHT)
        taken.append(time.perf_counter() - began)
        assert answer.result == DROP, answer
    return statistics.median(taken)


async def many_at_a_time(bench: Bench, waiting: int, times: int) -> float:
    """Seconds an invocation, with so many awaiting one each."""

    async def invoke() -> None:
        for _ in range(times):
            answer = await bench.hook.invoke(FRAME, parameter=LIGHT)
            assert answer.result == DROP, answer

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(waiting):
            group.create_task(invoke())
    return (time.perf_counter() - began) / (waiting * times)


async def pings(bench: Bench, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """One context at a time."""
    message = bench.light(1)
    ours, theirs = bench.ours(), bench.echoes(0)
    cells: dict[str, Cell] = {
        "echo": lambda: ping_pong(theirs, message, MESSAGES),
        "stream": lambda: ping_pong(ours, message, MESSAGES),
        "await": lambda: one_at_a_time(bench),
    }
    await in_turns(cells, 2)
    taken = await in_turns(cells, 2 * rounds)
    ours.cancel()
    theirs.cancel()
    echoes = taken["echo"]
    rows: list[Row] = [
        {
            "cell": f"ping-pong, {name}",
            "microseconds": microseconds(each),
            "time_of_an_echo": ratio(each, echoes),
        }
        for name, each in taken.items()
    ]
    return [
        report.bar("ping-pong / echo, stream", ratio(taken["stream"], echoes), 1.2, "lower"),
        report.bar("ping-pong / echo, await", ratio(taken["await"], echoes), 1.35, "lower"),
    ], rows


async def awaits(bench: Bench, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """How many more there are when many wait."""
    cells: dict[str, Cell] = {
        "1 await": lambda: one_at_a_time(bench),
        "64 awaits": lambda: many_at_a_time(bench, 64, 10),
        "1024 awaits": lambda: many_at_a_time(bench, 1024, 4),
    }
    await in_turns(cells, 2)
    taken = await in_turns(cells, rounds)
    ones = taken["1 await"]
    rows: list[Row] = [
        {
            "cell": name,
            "microseconds": microseconds(each),
            "rate_of_pings": ratio(ones, each),
        }
        for name, each in taken.items()
    ]
    return [
        report.bar("64 awaits, rate / ping-pong", ratio(ones, taken["64 awaits"]), 25, "higher"),
        report.bar(
            "1024 awaits, rate / ping-pong", ratio(ones, taken["1024 awaits"]), 60, "higher"
        ),
    ], rows


async def engine_time_ns(bench: Bench, program: Program, run: Cell) -> float:
    """Nanoseconds of the engine for one context, during *run*."""
    await run()
    runs, spent = await engine_ns(program, bench.client)
    await run()
    more_runs, more_spent = await engine_ns(program, bench.client)
    return (more_spent - spent) / (more_runs - runs)


async def bulk(bench: Bench, size: int, messages: int) -> float:
    """Seconds a message of *size* contexts, in window by ``invoke_batch``."""
    contexts = FRAME * size

    async def send() -> None:
        for _ in range(messages // WINDOW):
            columns = await bench.hook.invoke_batch(contexts, count=size, parameter=LIGHT)
            assert columns.code == 0, columns.message

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(WINDOW):
            group.create_task(send())
    return (time.perf_counter() - began) / (messages // WINDOW * WINDOW)


async def batches(bench: Bench, size: int, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """Batches in columns, a window of them in flight."""
    message = bench.light(size)
    ours = bench.ours()
    a_context = await engine_time_ns(bench, bench.packet, lambda: windowed(ours, message, 20))
    theirs = bench.echoes(int(a_context * size))
    cells: dict[str, Cell] = {
        "echo": lambda: windowed(theirs, message, MESSAGES),
        "stream": lambda: windowed(ours, message, MESSAGES),
        "invoke_batch": lambda: bulk(bench, size, MESSAGES),
    }
    await in_turns(cells, 2)
    taken = await in_turns(cells, rounds)
    ours.cancel()
    theirs.cancel()
    rows: list[Row] = [
        {
            "cell": f"{size} a message, {name}",
            "microseconds": microseconds(each),
            "contexts_per_second": round(size / statistics.median(each)),
            "rate_of_an_echo": ratio(taken["echo"], each),
            "engine_ns_a_context": round(a_context, 1),
        }
        for name, each in taken.items()
    ]
    return [
        report.bar(
            f"{size} a message, {name}: rate / burning echo",
            ratio(taken["echo"], taken[name]),
            0.8,
            "higher",
        )
        for name in ("stream", "invoke_batch")
    ], rows


@asynccontextmanager
async def busy(send: Cell) -> AsyncGenerator[None]:
    """*send* again and again, until the block ends."""
    ended = False

    async def keep() -> None:
        while not ended:
            await send()

    task = asyncio.create_task(keep())
    try:
        await asyncio.sleep(0.01)
        yield
    finally:
        ended = True
        await task


async def pinged(send: Callable[[], Awaitable[object]], times: int) -> list[float]:
    """Seconds of each."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await send()
        taken.append(time.perf_counter() - began)
    return taken


async def asked(call: Call, message: bytes) -> None:
    """A message and its answer."""
    await call.write(message)
    await call.read()


def percentile(taken: Sequence[float], part: float) -> float:
    """The value that so large a part of them does not exceed."""
    return sorted(taken)[int(len(taken) * part)]


async def two_targets(
    bench: Bench, name: str, heavy: Program, parameter: bytes, rounds: int
) -> tuple[list[report.Bar], list[Row]]:
    """How long a light target takes at worst while another is kept busy."""
    message = bench.light(1)
    ours, ours_heavy = bench.ours(), bench.ours()
    heavy_message, contexts = bench.others[parameter], FRAME * HEAVY_SIZE
    burning = await engine_time_ns(
        bench, heavy, lambda: windowed(ours_heavy, heavy_message, WINDOW)
    )
    theirs, theirs_heavy = bench.echoes(0), bench.echoes(int(burning * HEAVY_SIZE))

    async def bulk_heavy() -> float:
        batch = [
            bench.hook.invoke_batch(contexts, count=HEAVY_SIZE, parameter=parameter)
            for _ in range(WINDOW)
        ]
        await asyncio.gather(*batch)
        return 0.0

    cells: dict[str, tuple[Cell, Callable[[], Awaitable[object]]]] = {
        "echo": (
            lambda: windowed(theirs_heavy, heavy_message, WINDOW),
            lambda: asked(theirs, message),
        ),
        "stream": (
            lambda: windowed(ours_heavy, heavy_message, WINDOW),
            lambda: asked(ours, message),
        ),
        "await": (bulk_heavy, lambda: bench.hook.invoke(FRAME, parameter=LIGHT)),
    }
    taken: dict[str, list[float]] = {each: [] for each in cells}
    for _ in range(rounds):
        for each, (heavy_cell, light_cell) in cells.items():
            async with busy(heavy_cell):
                taken[each] += await pinged(light_cell, MESSAGES)
    for call in (ours, ours_heavy, theirs, theirs_heavy):
        call.cancel()
    theirs_p99 = percentile(taken["echo"], 0.99)
    rows: list[Row] = [
        {
            "cell": f"{name} beside it, {each}",
            "p50_microseconds": round(1e6 * percentile(one, 0.5)),
            "p99_microseconds": round(1e6 * percentile(one, 0.99)),
            "p99_of_an_echo": percentile(one, 0.99) / theirs_p99,
            "heavy_engine_microseconds": round(burning * HEAVY_SIZE / 1e3),
        }
        for each, one in taken.items()
    ]
    return [
        report.bar(
            f"{name} beside it, {each}: p99 / echo",
            percentile(taken[each], 0.99) / theirs_p99,
            1.5,
            "lower",
        )
        for each in ("stream", "await")
    ], rows


async def measured(rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """All bars and rows."""
    async with benched() as bench:
        parts = [await pings(bench, rounds), await awaits(bench, rounds)]
        parts += [await batches(bench, size, rounds) for size in SIZES]
        more = 3 * rounds  # a percentile takes more of them than a median
        parts.append(await two_targets(bench, "long batches", bench.packet, BULK, more))
        parts.append(await two_targets(bench, "a long program", bench.heavy, HEAVY, more))
    return [bar for bars, _ in parts for bar in bars], [row for _, rows in parts for row in rows]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run under 50 s")
    quick = parser.parse_args().quick
    report.emit("invoke", *uvloop.run(measured(40 if quick else 150)))
