"""What an event costs that runs in its hook's own process, beside the bare call of a builtin.

    python tests/bench/local.py [--quick]

A daemon with ``--local`` hands its links' programs over to this process, which is the extension.
One program parses contexts that are the first 64 bytes of frames, as in ``invoke.py``; the other
one counts in a hash map that it shares with the daemon.  Cells take turns, in CPU time of this
thread, and a figure is the median over the turns.

* One event: ``hook.invoke_now`` beside ``len(b)``; both times hold the loop around the call.
* A batch of 1,000: ``await hook.invoke_batch()`` beside the engine alone, which has the same
  program without a daemon or a gate.
* ``await hook.invoke()``, and the engine's own call for one context, stand beside them.
"""

import argparse
import statistics
import sys
import tempfile
import time
import timeit
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import ebpfd_vm  # noqa: E402 (found through the line above, as the next ones)
from ebpfd.cli import children  # noqa: E402
from ebpfd_extensions.sample.extension import SampleContext, events, sample  # noqa: E402
from ebpfd_sdk import Client, Extension, Hook, ProgramType  # noqa: E402
from tests.bench import report, vm_python  # noqa: E402
from tests.bench.invoke import DROP, FRAME, HOOK, Cell, Frame, Row, in_turns, ratio  # noqa: E402
from tests.raw_extension import PROGRAM_TYPE  # noqa: E402

CALLS: Final = 5_000
"""Of one event, in one turn."""

AWAITS: Final = 500
BATCHES: Final = 100
CONTEXTS: Final = 1_000

TYPE: Final = "bench_event"
PACKET: Final = HERE / "programs" / "packet.o"
COUNT: Final = Path(str(files("ebpfd_extensions.sample"))) / "programs" / "count.o"


@dataclass(frozen=True, slots=True)
class Bench:
    """Two hooks, each with a link that runs here, and the first one's program for itself."""

    frames: "Hook[Frame]"
    counted: "Hook[SampleContext]"
    alone: ebpfd_vm.Program


@asynccontextmanager
async def benched() -> AsyncGenerator[Bench]:
    """All of it, for the time of the block."""
    type_ = ProgramType(PROGRAM_TYPE, Frame, name=TYPE, section=TYPE)
    frames = Hook(HOOK, type_, name="frames")
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        address = f"unix:{folder}/ebpfd.sock"
        async with (
            children.daemon(address, folder, "--local"),
            Extension(type_, frames, sample, events, address=address),
            Client(address) as client,
        ):
            await (await client.load(PACKET))["packet"].attach(frames.guid)
            await (await client.load(COUNT))["count_by_protocol"].attach(events.guid)
            assert frames.invoke_now(FRAME) == DROP
            yield Bench(frames, events, vm_python.program(PACKET, len(FRAME)))


def stated(statement: str, names: Mapping[str, object]) -> Cell:
    """A turn of a statement: CPU seconds of one, with the loop around it."""
    timer = timeit.Timer(statement, globals=dict(names), timer=time.thread_time)

    async def turn() -> float:
        return timer.timeit(CALLS) / CALLS

    return turn


def awaited(invoke: Callable[[], Awaitable[object]], times: int) -> Cell:
    """A turn of something that is awaited: CPU seconds of one."""

    async def turn() -> float:
        began = time.thread_time()
        for _ in range(times):
            await invoke()
        return (time.thread_time() - began) / times

    return turn


def rows_of(taken: Mapping[str, list[float]], beside: str, as_: str) -> list[Row]:
    """What each cell took, and how often that is what the cell *beside* took."""
    return [
        {
            "cell": name,
            "nanoseconds": round(1e9 * statistics.median(each), 1),
            as_: round(ratio(each, taken[beside]), 2),
        }
        for name, each in taken.items()
    ]


async def single_events(bench: Bench, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """One event at a time."""
    frames, counted = bench.frames, bench.counted
    names = {
        "frames": frames,
        "counted": counted,
        "engine": bench.alone.invoker(),
        "frame": FRAME,
        "buffer": bytearray(FRAME),
        "sample": SampleContext().pack(),
    }
    cells: dict[str, Cell] = {
        "len(b)": stated("len(frame)", names),
        "the engine alone": stated("engine(frame)", names),
        "invoke_now": stated("frames.invoke_now(frame)", names),
        "invoke_now, bytearray": stated("frames.invoke_now(buffer)", names),
        "invoke_now, shared map": stated("counted.invoke_now(sample)", names),
        "await invoke": awaited(lambda: frames.invoke(FRAME), AWAITS),
    }
    await in_turns(cells, 2)
    taken = await in_turns(cells, rounds)
    bars = [
        report.bar(f"{name} / len(b)", ratio(taken[name], taken["len(b)"]), 10, "lower")
        for name in ("invoke_now", "invoke_now, shared map")
    ]
    return bars, rows_of(taken, "len(b)", "times_len")


async def batches(bench: Bench, rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """Batches in columns, one after the other."""
    frames, contexts, run = bench.frames, FRAME * CONTEXTS, bench.alone.run_batch

    async def alone() -> None:
        run(contexts, CONTEXTS)

    cells: dict[str, Cell] = {
        "the engine alone, 1000": awaited(alone, BATCHES),
        "invoke_batch of 1000": awaited(lambda: frames.invoke_batch(contexts), BATCHES),
    }
    await in_turns(cells, 2)
    taken = await in_turns(cells, rounds)
    engine, ours = taken.values()
    bars = [report.bar("invoke_batch of 1000 / the engine alone", ratio(ours, engine), 2, "lower")]
    return bars, rows_of(taken, "the engine alone, 1000", "times_engine")


async def measured(rounds: int) -> tuple[list[report.Bar], list[Row]]:
    """All bars and rows."""
    async with benched() as bench:
        bars, rows = await single_events(bench, rounds)
        more_bars, more_rows = await batches(bench, rounds)
    return [*bars, *more_bars], [*rows, *more_rows]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run of a few seconds")
    quick = parser.parse_args().quick
    report.emit("local", *uvloop.run(measured(40 if quick else 400)))
