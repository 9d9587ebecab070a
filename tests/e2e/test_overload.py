"""Too much of everything: memory is bounded, codes are definite, and all goes on afterwards."""

import asyncio
import gc
import os
import signal
import struct
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from ebpfd.host.quotas import Quotas
from ebpfd_api.v1 import hook_pb2
from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_extensions.sample.extension import events as hook
from ebpfd_extensions.sample.extension import sample as kind
from ebpfd_sdk import Extension, LinkState, Result
from tests.bench.processes import memory_bytes
from tests.e2e.test_extension_life import attach_count, until
from tests.e2e.world import World, sample, world
from tests.packets import UDP
from tests.raw_extension import RawExtension, raw_extension

VERDICT: Final = Path(__file__).parents[1] / "bench" / "programs" / "verdict.o"
EVENT: Final = struct.pack("<QIIIIQQIIQQ", 1, 10, 20, 5, 6, 9000, 3, 0, 7, 100, 200)
MIB: Final = 1 << 20

CONTEXTS: Final = 1024
MESSAGES: Final = 256
"""For each stream: 16 MiB of contexts."""


PACKET: Final = VERDICT.with_name("packet.o")
BLOCKED: Final = 7
LINK_BATCHES: Final = Quotas().link_batches
FLOOD: Final = 1000
FLOOD_CONTEXTS: Final = 8192


@asynccontextmanager
async def verdicts(w: World) -> AsyncGenerator[tuple[RawExtension, grpc.aio.Channel]]:
    """An extension on bare stubs, with a light program attached."""
    # What the SDK's own channel bounds is bounded here by nobody but the daemon.
    async with grpc.aio.insecure_channel(w.address) as channel, raw_extension(channel) as raw:
        program = (await w.client.load(VERDICT))["verdict"]
        await program.attach("bench_event")
        yield raw, channel


async def send(stream: Any, message: bytes) -> None:
    """Without waiting for any answer."""
    for _ in range(MESSAGES):
        await stream.write(message)


async def stalled(w: World) -> int:
    """Wait until the daemon runs nothing any more; how many it ran."""
    runs, still = -1, 0
    while still < 20:
        (link,) = await w.client.links()
        still = still + 1 if link.counters.runs == runs else 0
        runs = link.counters.runs
        await w.client.programs()
    return runs


@pytest.mark.parametrize("count", [1, 16])
async def test_streams_that_nobody_reads_are_bounded(tmp_path: Path, count: int) -> None:
    """Nothing more is read of them, another stream is served, and read again they end well."""
    async with world(tmp_path) as w, verdicts(w) as (raw, channel):
        message = raw.request(EVENT * CONTEXTS, CONTEXTS)
        served = raw.open_stream(channel)
        await served.write(message)
        await served.read()
        before = memory_bytes(w.daemon.pid)

        streams = [raw.open_stream(channel) for _ in range(count)]
        sending = [asyncio.create_task(send(each, message)) for each in streams]
        await stalled(w)
        grown = memory_bytes(w.daemon.pid) - before
        assert grown < 4 * MIB + count * MIB, f"{grown / MIB:.1f} MiB for {count} streams"
        await served.write(raw.request(EVENT, 1))
        assert hook_pb2.InvokeResponse.FromString(await served.read()).code == Result.SUCCESS

        for stream in streams:
            for _ in range(MESSAGES):
                reply = hook_pb2.InvokeResponse.FromString(await stream.read())
                assert (reply.code, reply.codes) == (Result.SUCCESS, bytes(CONTEXTS))
        await asyncio.gather(*sending)
        (link,) = await w.client.links()
        assert link.counters.runs == CONTEXTS * (count * MESSAGES + 1) + 1


async def test_a_session_has_a_bounded_number_of_streams(tmp_path: Path) -> None:
    """One more is refused with RESOURCE_EXHAUSTED, and those that are there go on."""
    async with world(tmp_path) as w, verdicts(w) as (raw, channel):
        streams = [raw.open_stream(channel) for _ in range(65)]
        ended = [asyncio.ensure_future(each.code()) for each in streams]
        (done,), _ = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        assert done.result() is grpc.StatusCode.RESOURCE_EXHAUSTED
        alive = streams[0] if ended[0] is not done else streams[1]
        await alive.write(raw.request(EVENT, 1))
        assert hook_pb2.InvokeResponse.FromString(await alive.read()).codes == bytes(1)


async def test_a_flood_is_refused_and_nothing_else_suffers(tmp_path: Path) -> None:
    """Each message has its code, and a refused one its link's result; then all is as before."""
    async with (
        world(tmp_path) as w,
        grpc.aio.insecure_channel(w.address) as channel,
        raw_extension(channel) as raw,
    ):
        programs = await w.client.load(PACKET)
        await programs["packet"].attach("bench_event", parameter=b"light")
        light, pings = raw.request(EVENT, 1), raw.open_stream(channel)
        link = await programs["heavy"].attach(
            "bench_event", parameter=b"heavy", on_failure={"overload": BLOCKED}
        )
        # No bytes, and some milliseconds of work.
        heavy, stream = raw.request(b"", FLOOD_CONTEXTS), raw.open_stream(channel)
        flooding = asyncio.create_task(flood(stream, heavy))
        while not flooding.done():
            assert (await answer(pings, light)).codes == bytes(1)
        replies = flooding.result()
        codes = Counter(Result(reply.code) for reply in replies)
        assert codes.keys() == {Result.SUCCESS, Result.NO_MEMORY}
        assert codes[Result.SUCCESS] >= LINK_BATCHES
        for reply in replies:
            if reply.code:
                assert reply.failure_result == BLOCKED
                assert f"link {link.id} has {LINK_BATCHES} batches waiting" in reply.message
            else:
                assert reply.codes == bytes(FLOOD_CONTEXTS)

        assert (await answer(stream, heavy)).codes == bytes(FLOOD_CONTEXTS)
        outcomes = {each.id: each.outcomes for each in await w.client.links()}
        refused = FLOOD_CONTEXTS * codes[Result.NO_MEMORY]
        ran = FLOOD_CONTEXTS * (codes[Result.SUCCESS] + 1)
        assert (outcomes[link.id].success, outcomes[link.id].overload) == (ran, refused)
        assert {each.overload for id_, each in outcomes.items() if id_ != link.id} == {0}


async def answer(stream: Any, message: bytes) -> hook_pb2.InvokeResponse:
    """What one message comes to."""
    await stream.write(message)
    return hook_pb2.InvokeResponse.FromString(await stream.read())


async def flood(stream: Any, message: bytes) -> list[hook_pb2.InvokeResponse]:
    """Send a message ``FLOOD`` times without waiting; what is answered, which is read meanwhile."""

    async def read() -> list[hook_pb2.InvokeResponse]:
        return [hook_pb2.InvokeResponse.FromString(await stream.read()) for _ in range(FLOOD)]

    reading = asyncio.create_task(read())
    for _ in range(FLOOD):
        await stream.write(message)
    return await reading


def futures() -> int:
    """How many there are in this process."""
    gc.collect()
    return sum(isinstance(each, asyncio.Future) for each in gc.get_objects())


async def test_ten_thousand_cancelled_invocations_leave_nothing(tmp_path: Path) -> None:
    """Before they leave, on their way or by a timeout: lanes, futures and memory are as before."""
    async with world(tmp_path) as w, Extension(kind, hook, address=w.address):
        await attach_count(w)

        async def cancel(times: int) -> None:
            for _ in range(times // 100):
                waiting = [hook.invoke(data=UDP) for _ in range(50)]
                for each in waiting[::2]:  # in this turn: they do not leave
                    each.cancel()
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0):
                        await hook.invoke_batch(bytes(SampleContext.layout.size))
                waiting += [hook.invoke(data=UDP) for _ in range(49)]
                await asyncio.sleep(0)  # they leave
                for each in waiting:
                    each.cancel()
            assert (await hook.invoke(data=UDP)).code is Result.SUCCESS

        already = hook.counters.invocations
        await cancel(1000)
        pids = os.getpid(), w.daemon.pid
        before = [memory_bytes(each) for each in pids]
        there, counted = futures(), hook.counters
        await cancel(10_000)
        assert futures() < there + 100
        now = hook.counters
        assert now.messages_sent - counted.messages_sent == (
            now.messages_received - counted.messages_received
        )
        grown = [memory_bytes(pid) - was for pid, was in zip(pids, before, strict=True)]
        assert max(grown) < 8 * MIB, [f"{each / MIB:.1f} MiB" for each in grown]
        (link,) = await w.client.links()
        runs = link.counters.runs
        assert runs == now.invocations - already, "what left ran once, whoever waited"


async def test_a_stopped_extension_costs_its_callers_a_deadline(tmp_path: Path) -> None:
    """Each of many long fires is TIMEOUT, and memory is bounded; continued, it is asked again."""
    async with world(tmp_path, "--lease", "3600") as w, sample(w) as extension:
        await attach_count(w)
        assert (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS
        before = memory_bytes(w.daemon.pid)
        extension.send_signal(signal.SIGSTOP)
        codes = Counter[Result]()
        for _ in range(4):
            fires = [
                w.client.fire("sample_ext", data=bytes(65536), deadline_s=0.01) for _ in range(50)
            ]
            codes.update(each.code for each in await asyncio.gather(*fires))
        grown = memory_bytes(w.daemon.pid) - before
        assert codes == {Result.TIMEOUT: 200}
        assert grown < 32 * MIB, f"{grown / MIB:.1f} MiB"
        extension.send_signal(signal.SIGCONT)

        async def answers() -> bool:
            return (await w.client.fire("sample_ext", data=UDP)).code is Result.SUCCESS

        await until(answers)
        (link,) = await w.client.links()
        assert link.state is LinkState.ATTACHED
        assert extension.returncode is None
        assert w.daemon.returncode is None
