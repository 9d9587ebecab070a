"""Owners end with their processes: what dies with them, and what stays."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ebpfd_sdk import Client, EbpfdError, LinkState, MapType, ObjectType, Result
from tests.e2e.world import PATIENCE_S, PROGRAMS, World, sample, world

HOLDER = Path(__file__).with_name("holder.py")
COUNT = PROGRAMS / "count.o"


@asynccontextmanager
async def holder(w: World) -> AsyncGenerator[tuple[Process, dict[str, int]]]:
    """A process that holds, and the ids of what it has made."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HOLDER), w.address, str(COUNT), stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask the daemon until it is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            pass


async def ids(client: Client) -> set[int]:
    """All objects that there are."""
    found = {each.id for each in await client.programs()}
    found.update(each.id for each in await client.maps())
    found.update(each.id for each in await client.links())
    return found


async def nothing_held(client: Client) -> bool:
    """No owner has anything, and no link is on its way out."""
    leaving = any(each.state is LinkState.DETACHING for each in await client.links())
    mine = any("holder" in each.owners for each in await client.programs())
    return not (await client.owners() or leaving or mine)


@pytest.mark.parametrize("way", ["kill -9", "leaves"])
async def test_what_a_process_holds_goes_with_it(tmp_path: Path, way: str) -> None:
    """Pins and legacy links persist, with all that they reach; everything else is gone."""
    async with world(tmp_path) as w, sample(w), holder(w) as (process, made):
        (owner,) = await w.client.owners()
        legacy_only = made["legacy_link"]
        assert (owner.name, set(owner.ids)) == ("holder", set(made.values()) - {legacy_only})
        if way == "kill -9":
            process.kill()
        else:
            assert process.stdin is not None
            process.stdin.write(b"leave\n")
        await process.wait()
        await until(lambda: nothing_held(w.client))
        stays = {made[each] for each in ("pinned", "legacy", "pinned_link", "legacy_link", "kept")}
        goes = set(made.values()) - stays
        left = await ids(w.client)
        assert (left & set(made.values()), left & goes) == (stays, set())
        links = {each.id: each for each in await w.client.links()}
        assert (links[made["legacy_link"]].owners, links[made["pinned_link"]].owners) == (
            ("the daemon",), (),
        )  # fmt: skip
        for parameter, code in ((b"\1", Result.KEY_NOT_FOUND), (b"\2", 0), (b"\3", 0)):
            answer = await w.client.fire("sample_ext", parameter=parameter)
            assert answer.code == code
        with pytest.raises(EbpfdError) as caught:
            await w.client.program(made["inside"])
        assert caught.value.code is Result.STALE_ID
        await w.client.unpin("/holder/link")
        await w.client.unpin("/holder/map")
        await w.client.detach(made["legacy_link"])
        assert await ids(w.client) == set()


async def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    """Each type's are enumerated upwards, and at the end there is none."""
    async with world(tmp_path) as w:
        first = [await w.client.create_map(MapType.HASH, 4, 4, 1) for _ in range(3)]
        await first[2].remove()
        again = await w.client.create_map(MapType.HASH, 4, 4, 1)
        found, after = list[int](), 0
        while (next_ := await w.client.next_id(ObjectType.MAP, after)) is not None:
            found.append(after := next_)
        assert found == [first[0].id, first[1].id, again.id]
        assert found == sorted(found)
        assert again.id > first[2].id
        assert await w.client.next_id(ObjectType.PROGRAM) is None
        with pytest.raises(EbpfdError) as caught:
            await w.client.map(first[2].id)
        assert caught.value.code is Result.STALE_ID


async def test_clients_that_hold_open_the_same_object(tmp_path: Path) -> None:
    """It goes with the last one that has it, though its pin is gone."""
    async with world(tmp_path) as w:
        async with Client(w.address, hold=True, name="second") as second:
            async with Client(w.address, hold=True, name="first") as first:
                made = await first.create_map(MapType.HASH, 4, 4, 8)
                await made.set(1, 7)
                await first.pin("/shared", made)
                opened = await second.open_map("/shared")
                await w.client.unpin("shared")
                assert (await w.client.map(made.id)).owners == ("first", "second")
            assert await opened.get(1) == b"\7\0\0\0"
            refused = await w.ctl("map", "remove", str(made.id))
            assert "second has it: it goes when that ends" in refused.err
        assert await ids(w.client) == set()


async def test_a_client_that_holds_opens_by_id(tmp_path: Path) -> None:
    """Facts 5.4: one more user reference, of each kind; others but look."""
    async with world(tmp_path) as w, sample(w):
        async with Client(w.address, hold=True, name="second") as second:
            async with Client(w.address, hold=True, name="first") as first:
                program = (await first.load(PROGRAMS / "count.o"))["count_by_protocol"]
                link = await program.attach("sample_ext")
                made = await first.create_map(MapType.HASH, 4, 4, 8)
                assert (await w.client.open_map(made.id)).owners == ("first",)
                assert (await second.open_map(made.id)).owners == ("first", "second")
                assert (await second.open_program(program.id)).maps == program.maps
                assert (await second.open_link(link.id)).owners == ("first", "second")
                with pytest.raises(EbpfdError, match="it is no link"):
                    await second.open_link(made.id)
            assert (await w.client.map(made.id)).owners == ("second",)
            assert (await w.client.fire("sample_ext", data=bytes(64))).result == 42
            (held,) = await second.links()
            assert (held.id, held.owners) == (link.id, ("second",))
            await held.detach()
            with pytest.raises(EbpfdError) as caught:
                await second.open(link.id)
            assert caught.value.code is Result.STALE_ID
            with pytest.raises(EbpfdError) as caught:
                await second.open(1000)
            assert caught.value.code is Result.KEY_NOT_FOUND
        assert await ids(w.client) == set()
