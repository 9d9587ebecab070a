"""A newer version of an extension takes over from an older one, and no event is lost."""

import asyncio
from collections import Counter
from pathlib import Path

from ebpfd_sdk import Client, Result
from tests.e2e.test_extension_life import attach_count
from tests.e2e.world import World, sample, world
from tests.packets import UDP

CLIENTS = 4
TAKEOVERS = 4
DEADLINE_S = 30.0


async def fire_until(w: World, stop: asyncio.Event, codes: Counter[str]) -> None:
    """Fire one event after the other, each with a deadline."""
    async with Client(w.address) as client:
        while not stop.is_set():
            answer = await client.fire("sample_ext", data=UDP, deadline_s=DEADLINE_S)
            codes[f"{answer.code.name} {answer.result}"] += 1


async def test_every_event_with_a_deadline_is_answered_by_one_of_them(tmp_path: Path) -> None:
    """The older leaves while events come without pause: all succeed, each ran exactly once."""
    async with world(tmp_path) as w:
        codes: Counter[str] = Counter()
        stop = asyncio.Event()
        old = sample(w)
        process = await old.__aenter__()
        program_id, link_id = await attach_count(w)
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(fire_until(w, stop, codes))
            for _ in range(TAKEOVERS):
                new = sample(w)
                newer = await new.__aenter__()
                before = codes.total()
                process.terminate()
                assert await process.wait() == 0
                await old.__aexit__(None, None, None)
                async with asyncio.timeout(60):
                    while codes.total() < before + 10 * CLIENTS:
                        await w.client.links()
                old, process = new, newer
            stop.set()
        assert set(codes) == {f"{Result.SUCCESS.name} 0"}, codes
        assert (await w.client.program(program_id)).counters.runs == codes.total()
        (link,) = await w.client.links()
        assert link.id == link_id
        await old.__aexit__(None, None, None)


async def test_an_event_waits_for_an_extension_that_comes_in_time(tmp_path: Path) -> None:
    """Nobody is there when it is fired; its deadline is what it waits for, and no longer."""
    async with world(tmp_path) as w:
        async with sample(w):
            await attach_count(w)
        late = await w.client.fire("sample_ext", data=UDP, deadline_s=0.05)
        assert (late.code, late.message) == (
            Result.OBJECT_NOT_FOUND,
            "the hook's extension is not connected, and did not come in 0.05 s",
        )
        firing = asyncio.ensure_future(w.client.fire("sample_ext", data=UDP, deadline_s=DEADLINE_S))
        fire = "-o", "json", "hook", "fire", "sample_ext", "--data", UDP.hex()
        commanded = asyncio.ensure_future(w.ctl(*fire, "--deadline", "30"))
        gone = (await w.ctl(*fire)).error()
        assert gone["name"] == "OBJECT_NOT_FOUND", "without a deadline nobody waits"
        async with sample(w):
            answer = await firing
            assert (await commanded).json()["results"] == {"0": 1}
        assert (answer.code, answer.result) == (Result.SUCCESS, 0)


async def test_a_hook_that_is_away_keeps_no_other_fire_of_its_client_waiting(
    tmp_path: Path,
) -> None:
    """Neither another hook's, nor the same hook's that wait less long, or not at all."""
    async with world(tmp_path) as w:
        async with sample(w):
            await attach_count(w)
        hosted = await w.client.create_hook("gate", "sample")
        long = asyncio.ensure_future(w.client.fire("sample_ext", deadline_s=DEADLINE_S))
        others = await asyncio.gather(
            w.client.fire("sample_ext", deadline_s=0.01),
            w.client.fire("sample_ext"),
            w.client.fire(hosted.name, deadline_s=DEADLINE_S),
        )
        assert {each.code for each in others} == {Result.OBJECT_NOT_FOUND}
        assert not long.done()
        long.cancel()
