"""An extension that writes what it likes into the memory that it shares harms only its own maps.

``EBPFD_SCRIBBLES=200`` is for as many seeds, from ``EBPFD_SEED`` on; else there are a few.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from ebpfd.cli import children
from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import DaemonUnavailable, EbpfdError, Map, Program, Result
from tests.e2e import churn, told
from tests.e2e.told import Told
from tests.e2e.world import PATIENCE_S, PROGRAMS, STATES, World, world

SEEDS: Final = int(os.environ.get("EBPFD_SCRIBBLES", "2"))
FIRST: Final = int(os.environ.get("EBPFD_SEED", "1"))
OPERATIONS: Final = 60
"""Calls for each seed, while there is scribbled."""

MALFORMED: Final = b"\xff" * 4
"""What an event without a packet is counted as."""

MOST_MEMORY: Final = 512 << 20
"""Bytes of its own that the daemon may take, whatever its maps are filled with."""

CODES: Final = frozenset(
    {
        Result.OBJECT_NOT_FOUND,
        Result.KEY_NOT_FOUND,
        Result.NO_MORE_KEYS,
        Result.NO_MEMORY,
        Result.OUT_OF_SPACE,
        Result.TIMEOUT,
        Result.INVALID_OBJECT,
        Result.OBJECT_ALREADY_EXISTS,
        Result.INVALID_ARGUMENT,
        Result.OPERATION_NOT_SUPPORTED,
        Result.INVALID_STATE,
    }
)
"""What calls on a map that somebody scribbles in may come to."""

CONFIG: Final = "local = true\n[deadlines]\nlocal_s = 0.1\n"


class Scene:
    """A daemon, an extension that scribbles, and another one that goes on."""

    def __init__(self, w: World, other: Told, counting: Program) -> None:
        self.w = w
        self.other = other
        self.counting = counting
        self.counted = 0

    async def check_others(self) -> None:
        """The other program runs, and its map and counters are exact."""
        assert await self.other.ask("now 3") == "1"
        assert await self.other.ask("await 2") == "1"
        self.counted += 5
        raw = await self.counting.maps["by_protocol"].get(MALFORMED)
        assert int.from_bytes(raw or b"", "little") == self.counted
        assert (await self.w.client.program(self.counting.id)).counters.runs == self.counted

    def check_daemon(self) -> None:
        """It has not grown, and nothing has gone wrong that it did not expect."""
        status = Path(f"/proc/{self.w.daemon.pid}/status").read_text()
        (own,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
        assert int(own.split()[1]) << 10 < MOST_MEMORY
        wrong = [each for each in self.w.log() if each["level"] not in {"debug", "info", "warning"}]
        assert not wrong

    async def seen(self) -> None:
        """Whoever looks at everything sees everything."""
        client = self.w.client
        await asyncio.gather(client.links(), client.programs(), client.maps(), client.stats())


async def _any_call(w: World, program: Program, dice: random.Random) -> None:
    """One of all that can be done to maps that somebody scribbles in."""
    names = (*churn.KEYED, *churn.QUEUED, churn.RUNS, churn.LANES, churn.RING)
    map_ = program.maps[dice.choice(names)]
    number = dice.randrange(70)
    calls: tuple[Callable[[], Awaitable[object]], ...]
    if map_.name == churn.RING:
        calls = (lambda: _a_record(map_),)
    elif map_.name == churn.LANES:
        value = bytes(map_.user_value_size)
        calls = (
            lambda: map_.set(number, value),
            lambda: map_.get(number),
            lambda: map_.delete(number),
            lambda: map_.page(20, take=True),
            map_.items,
        )
    elif map_.name in churn.QUEUED:
        calls = (
            lambda: map_.push(churn.value_of(number), drop_oldest=True),
            map_.pop,
            map_.peek,
        )
    elif map_.name == churn.RUNS:
        event = SampleContext(uint32_data=dice.getrandbits(20))
        calls = (
            lambda: map_.set(0, number),
            lambda: map_.get(0),
            map_.items,
            lambda: program.test_run(context=event, repeat=3),
            lambda: program.test_run(context=event, repeat=3),
        )
    else:
        key = churn.key_of(map_, number)
        pairs = [(churn.key_of(map_, each), churn.value_of(each)) for each in range(8)]
        calls = (
            lambda: map_.set(key, churn.value_of(number)),
            lambda: map_.set(key, churn.value_of(number)),
            lambda: map_.get(key),
            lambda: map_.delete(key),
            lambda: map_.next_key(key),
            lambda: map_.page(20, after=key),
            lambda: map_.page(20, take=True),
            lambda: map_.set_many(pairs),
            lambda: map_.delete_many([key for key, _ in pairs]),
            map_.items,
        )
        if map_.name == "by_key":
            calls = (*calls, lambda: map_.take(key))
    path = f"/scribbled/{map_.name}"
    calls = (*calls, lambda: w.client.pin(path, map_), lambda: w.client.unpin(path))
    await definite(dice.choice(calls))


async def _a_record(ring: Map) -> None:
    """Read from a ring, if there is something to read."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            async for _ in ring.events(count=1):
                return


async def definite(call: Callable[[], Awaitable[object]]) -> None:
    """Whatever it comes to, it does so in time, and an error says what it is."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            await call()
        except DaemonUnavailable:
            raise
        except EbpfdError as error:
            if error.code not in CODES:
                raise


async def _one_seed(s: Scene, its: Told, seed: int) -> None:
    dice = random.Random(seed)
    program = await churn.loaded(s.w)
    link = await program.attach(churn.HOOK)
    assert link.where.startswith("local"), link.where
    await churn.change(program, range(8))
    for number in range(40):
        await program.maps["by_key"].set(number, churn.value_of(number))
    assert await its.ask("image") == "3"
    if dice.random() < 0.2:
        await its.ask("shorten")
    if dice.random() < 0.2:
        await its.ask(f"locks {seed}")
    assert await its.ask(f"storm {seed}") == "storm"
    calls = [_any_call(s.w, program, dice) for _ in range(OPERATIONS)]
    await asyncio.gather(*calls[: OPERATIONS // 2])
    for call in calls[OPERATIONS // 2 :]:
        await call
    await asyncio.gather(s.seen(), s.check_others())
    if dice.random() < 0.5:
        assert await its.ask("inside") == "inside"
    match dice.randrange(4):
        case 0:
            await link.detach()
        case 1:
            other = await churn.loaded(s.w)
            await link.replace(other)
            await link.detach()
            await other.unload()
        case 2:
            file = s.w.folder / f"{seed}.rec"
            await definite(lambda: s.w.client.record(link.id, file, within_s=0.05))
        case _:
            pass
    await asyncio.gather(*(_any_call(s.w, program, dice) for _ in range(OPERATIONS // 4)))
    assert await its.ask("calm") == "calm"
    for name in (*churn.KEYED, *churn.QUEUED, churn.RUNS):
        with suppress(EbpfdError):
            await s.w.client.unpin(f"/scribbled/{name}")
    with suppress(EbpfdError):
        await link.detach()
    await program.unload()
    await s.seen()
    await s.check_others()
    s.check_daemon()


@pytest.mark.parametrize("state", STATES)
async def test_scribbles_harm_only_their_own_maps(tmp_path: Path, state: str) -> None:
    """Calls on them end with definite codes; the daemon and all others go on as before."""
    config = tmp_path / "ebpfd.toml"
    config.write_text(CONFIG)
    options = ("--config", str(config), *STATES[state])
    async with world(tmp_path, *options) as w, told.extension(w, "local_extension") as other:
        counting = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await counting.attach("sample_ext")
        s = Scene(w, other, counting)
        for seed in range(FIRST, FIRST + SEEDS):
            async with told.extension(w, "scribbling_extension") as its:
                await _one_seed(s, its, seed)


async def test_a_daemon_starts_on_maps_that_were_scribbled_in(tmp_path: Path) -> None:
    """What is beyond use it sets aside, and says so; all else is as it was."""
    config = tmp_path / "ebpfd.toml"
    config.write_text(CONFIG)
    options = ("--config", str(config))
    for seed in range(FIRST, FIRST + SEEDS):
        dice, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir(mode=0o700)
        async with world(folder, *options) as w, told.extension(w, "local_extension") as other:
            counting = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            await counting.attach("sample_ext")
            assert await other.ask("now 7") == "1"
            await w.client.pin("/counted", counting.maps["by_protocol"])
            async with told.extension(w, "scribbling_extension") as its:
                program = await churn.loaded(w)
                await program.attach(churn.HOOK)
                await churn.change(program, range(8))
                for name in (*churn.KEYED, *churn.QUEUED, churn.RUNS):
                    await w.client.pin(f"/kept/{name}", program.maps[name])
                assert await its.ask(f"storm {seed}") == "storm"
                await asyncio.gather(*(_any_call(w, program, dice) for _ in range(OPERATIONS)))
                if seed % 2:
                    await its.ask("shorten")
                if seed % 3:
                    await children.stop("daemon", w.daemon)
        async with world(folder, *options) as w:
            counted = await w.client.open_map("/counted")
            assert await counted.get(MALFORMED) == (7).to_bytes(8, "little")
            for name in (*churn.KEYED, *churn.QUEUED, churn.RUNS):
                map_ = await w.client.open_map(f"/kept/{name}")
                await definite(partial(map_.get, bytes(map_.key_size)))
            for pin in await w.client.pins():
                await w.client.unpin(pin.path)
