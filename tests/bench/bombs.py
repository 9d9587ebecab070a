"""What a stream of invocations feels while programs made to hurt a verifier are being verified.

    python tests/bench/bombs.py [--quick]

A ping-pong of one context after the other, first while the daemon has nothing else to do, then
while as many bombs are being verified as there are places for, by each judge in turn; in
alternating blocks, because the machine is shared.  No bomb is asked for twice, so none is
answered from memory.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd.cli import children  # noqa: E402 (found through the line above, as the next ones)
from ebpfd_sdk import Client, Judge, Verdict  # noqa: E402
from tests.bench import report, verify_hostile  # noqa: E402
from tests.bench.streams import CONTEXT, Call  # noqa: E402
from tests.conformance.elf import SECTION  # noqa: E402
from tests.raw_extension import raw_extension  # noqa: E402

PLACES: Final = 2
"""Bombs at once: as many as each judge works on."""

HOOK: Final = "bench_event"
BAR: Final = 2.0


@dataclass(slots=True)
class Felt:
    """Seconds from message to answer, quiet and meanwhile, and what was verified meanwhile."""

    quiet: list[float] = field(default_factory=list[float])
    meanwhile: list[float] = field(default_factory=list[float])
    verdicts: list[Verdict] = field(default_factory=list[Verdict])


def fresh_bombs() -> Iterator[bytes]:
    """Object files without end, no two of them alike."""
    assert len(HOOK) == len(SECTION), "one name is written over the other"
    for salt in itertools.count():
        for bomb in verify_hostile.bombs(number_at=16):
            yield bomb.salted(salt).object_file().replace(SECTION.encode(), HOOK.encode())


@asynccontextmanager
async def bombing(
    client: Client, judge: Judge, bombs: Iterator[bytes], verdicts: list[Verdict]
) -> AsyncGenerator[None]:
    """Every place is taken by a bomb while the block runs; afterwards the last ones end.

    So there are verdicts to show for it, whatever a judge takes.
    """
    over = asyncio.Event()

    async def verify() -> None:
        while not over.is_set():
            verdicts.extend(await client.verify(next(bombs), judge=judge))

    async with asyncio.TaskGroup() as group:
        for _ in range(PLACES):
            group.create_task(verify())
        yield
        over.set()


async def felt(call: Call, message: bytes, seconds: float) -> list[float]:
    """Seconds from each message to its answer, one after the other for *seconds*."""
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await call.write(message)
        await call.read()
        taken.append(time.perf_counter() - began)
    return taken


async def measure(
    call: Call, message: bytes, client: Client, judge: Judge, *, rounds: int, seconds: float
) -> Felt:
    """Alternating blocks, quiet and with bombs for *judge*."""
    all_felt, bombs = Felt(), fresh_bombs()
    for _ in range(rounds):
        all_felt.quiet += await felt(call, message, seconds)
        async with bombing(client, judge, bombs, all_felt.verdicts):
            all_felt.meanwhile += await felt(call, message, seconds)
    return all_felt


def row(judge: Judge, all_felt: Felt) -> dict[str, Any]:
    """Medians and 99th percentiles in microseconds."""
    quiet, meanwhile = sorted(all_felt.quiet), sorted(all_felt.meanwhile)
    median, median_meanwhile = statistics.median(quiet), statistics.median(meanwhile)
    return {
        "judge": judge.value,
        "quiet_us": {"median": _us(median), "p99": _us(_p99(quiet))},
        "meanwhile_us": {"median": _us(median_meanwhile), "p99": _us(_p99(meanwhile))},
        "median_ratio": median_meanwhile / median,
        "p99_ratio": _p99(meanwhile) / _p99(quiet),
        "answers": {"quiet": len(quiet), "meanwhile": len(meanwhile)},
        "verdicts": len(all_felt.verdicts),
        "accepted": sum(each.accepted for each in all_felt.verdicts),
        "gave_up": sum("gave up" in _reason(each) for each in all_felt.verdicts),
        "judging_seconds": round(sum(each.duration_ns for each in all_felt.verdicts) / 1e9, 1),
        "from_memory": sum(each.cached for each in all_felt.verdicts),
    }


async def bench(quick: bool) -> None:
    """Run all rows and print the report."""
    rounds, seconds = (1, 5.0) if quick else (4, 10.0)
    with tempfile.TemporaryDirectory(prefix="ebpfd-bench-") as name:
        folder = Path(name)
        address = f"unix:{folder}/ebpfd.sock"
        async with (
            children.daemon(address, folder),
            grpc.aio.insecure_channel(address) as channel,
            raw_extension(channel) as extension,
            Client(address) as client,
        ):
            program = (await client.load(HERE / "programs" / "verdict.o"))["verdict"]
            await program.attach(HOOK)
            call, message = extension.open_stream(channel), extension.request(CONTEXT, 1)
            await felt(call, message, 1.0)
            rows = [
                row(
                    judge,
                    await measure(call, message, client, judge, rounds=rounds, seconds=seconds),
                )
                for judge in (Judge.OURS, Judge.PREVAIL)
            ]
            call.cancel()
    bars = [
        report.bar(
            f"median while {each['judge']} verifies bombs / quiet",
            each["median_ratio"],
            BAR,
            "lower",
        )
        for each in rows
    ]
    report.emit("bombs", bars, rows)


def _reason(verdict: Verdict) -> str:
    return verdict.rejection.reason if verdict.rejection else ""


def _p99(ordered: list[float]) -> float:
    return ordered[len(ordered) * 99 // 100]


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a run under 50 s")
    uvloop.run(bench(parser.parse_args().quick))
