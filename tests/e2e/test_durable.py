"""Real daemons that are killed, and what the next ones have; disks that are full."""

import asyncio
import os
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import Client, EbpfdError, LinkState, MapType, ProgramState, Result
from tests.e2e.world import PROGRAMS, World, command, sample, world

PACKET = bytes(64)
HERE = Path(__file__).parent


async def kill(w: World) -> None:
    """End the daemon as a crash does."""
    w.daemon.kill()
    await w.daemon.wait()


async def everything(w: World) -> dict[str, Any]:
    """What an operator sees of objects, but for what is of one daemon's life only."""
    seen = {kind: await w.ctl_json(kind, "list") for kind in ("program", "map", "link", "contract")}
    for row in [each for rows in seen.values() for each in rows]:
        for field in (
            "runs",
            "nanoseconds",
            "failures",
            "outcomes",
            "binding",
            "reason",
            "loaded_at",
            "p50_ns",
            "p99_ns",
        ):
            row.pop(field, None)
    return seen


async def test_a_killed_daemon_comes_back_with_what_is_durable(tmp_path: Path) -> None:
    """Three times: links wait and are bound again, counts go on, ids stay, nothing else is left."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach("sample_ext", parameter=b"eth0")
        (await w.client.load(PROGRAMS / "trace.o")).popitem()  # is nobody's for long
        await w.client.fire("sample_ext", data=PACKET, parameter=b"eth0")
        map_id = program.maps["by_protocol"].id
        seen = await everything(w)
        await kill(w)
    for times in range(2, 5):
        async with world(tmp_path) as w:
            (waiting,) = await w.client.links()
            assert (waiting.id, waiting.state) == (link.id, LinkState.WAITING)
            assert (await w.client.program(program.id)).state is ProgramState.WAITING
            async with sample(w):
                now = await everything(w)
                assert now["link"] == seen["link"]
                assert now["contract"] == seen["contract"]
                assert [each["id"] for each in now["program"]] == [program.id]
                assert [each["id"] for each in now["map"]] == [map_id]
                answer = await w.client.fire("sample_ext", data=PACKET, parameter=b"eth0")
                assert answer.result == 42
                (entry,) = await w.ctl_json("map", "dump", str(map_id))
                assert entry["value_number"] == times
                await kill(w)


async def test_a_clean_stop_keeps_the_same(tmp_path: Path) -> None:
    """And leaves no file behind once all is given up."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await program.attach("sample_ext")
        await w.client.fire("sample_ext", data=PACKET)
        w.daemon.terminate()
        assert await w.daemon.wait() == 0
    async with world(tmp_path) as w, sample(w):
        (link,) = await w.client.links()
        assert link.state is LinkState.ATTACHED
        await w.client.detach(link.id)
        await (await w.client.program(link.program_id)).unload()
        await kill(w)
    async with world(tmp_path) as w:
        assert await w.ctl_json("program", "list") == await w.ctl_json("map", "list") == []
        assert await asyncio.to_thread(os.listdir, tmp_path / "state" / "maps") == []


async def test_pins_of_each_kind_come_back(tmp_path: Path) -> None:
    """With what they keep; a client that held it is gone, and so is what it had beside them."""
    async with world(tmp_path) as w, sample(w), Client(w.address, hold=True) as holding:
        program = (await holding.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach("sample_ext", parameter=b"a")
        await program.attach("sample_ext", parameter=b"b")
        made = await holding.create_map(MapType.LPM_TRIE, 8, 4, 16, name="routes")
        await made.set((8).to_bytes(4, "little") + b"\x0a\0\0\0", 7)
        unpinned = await holding.create_map(MapType.HASH, 4, 4, 8)
        for path, each in (("/p", program), ("/l", link), ("/m", made), ("/gone", made)):
            await holding.pin(path, each)
        await holding.unpin("/gone")
        pins = await holding.pins()
        await kill(w)
    async with world(tmp_path) as w, sample(w):
        assert await w.client.pins() == pins
        assert {each.id for each in await w.client.links()} == {link.id}
        assert (await w.client.open_program("/p")).id == program.id
        routes = await w.client.open_map("/m")
        assert [value for _, value in await routes.items()] == [(7).to_bytes(4, "little")]
        with pytest.raises(EbpfdError) as caught:
            await w.client.map(unpinned.id)
        assert caught.value.code is Result.STALE_ID
        await w.client.unpin("/l")
        assert await w.client.links() == ()


async def test_a_detached_link_stays_detached(tmp_path: Path) -> None:
    """What was acknowledged is on disk, whenever the daemon is killed."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        first = await program.attach("sample_ext", parameter=b"a")
        second = await program.attach("sample_ext", parameter=b"b")
        await w.client.detach(first.id)
        await kill(w)
    async with world(tmp_path) as w:
        assert [each.id for each in await w.client.links()] == [second.id]


async def test_a_backup_has_the_contents_of_maps(tmp_path: Path) -> None:
    """Taken while programs count; the daemon that runs on it goes on from there."""
    new = tmp_path / "new"
    new.mkdir()
    state, backup = tmp_path / "state", tmp_path / "backup"
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach("sample_ext")
        await w.client.fire("sample_ext", data=PACKET)
        done = await w.ctl_json("state", "backup", str(state), str(backup))
        assert (done["objects"], done["left_empty"]) == (3, [])
        assert (await w.ctl_json("state", "check", str(state)))["problems"] == []
        await w.client.fire("sample_ext", data=PACKET)
    assert (await w.ctl("state", "restore", str(backup), str(new / "state"))).code == 0
    async with world(new) as w, sample(w):
        assert [each.id for each in await w.client.links()] == [link.id]
        (entry,) = await w.ctl_json("map", "dump", str((await w.ctl_json("map", "list"))[0]["id"]))
        assert entry["value_number"] == 1


@asynccontextmanager
async def small_disk(folder: Path, size: str) -> AsyncGenerator[None]:
    """A file system of *size* at *folder*; skips where mounting is not permitted."""
    await asyncio.to_thread(folder.mkdir)
    words = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    ran = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True)
    if ran.returncode != 0:
        pytest.skip(f"mounting is not permitted: {ran.stderr.strip()}")
    try:
        yield
    finally:
        await asyncio.to_thread(subprocess.run, ("umount", "--lazy", str(folder)), check=True)


async def test_a_full_disk_refuses_what_cannot_be_kept(tmp_path: Path) -> None:
    """With one clear error; events go on, nothing has changed, and space brings it back."""
    state = tmp_path / "state"
    async with small_disk(state, "4m"), world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach("sample_ext", parameter=b"a")
        seen = await everything(w)
        await asyncio.to_thread(fill, state / "filler")
        for words in (
            ("link", "attach", str(program.id), "--attach-type", "sample_ext"),
            ("link", "detach", str(link.id)),
            ("program", "unload", str(program.id)),
            ("program", "reload", str(program.id)),
            ("contract", "import", "xdp"),
        ):
            ran = await w.ctl(*words)
            assert (ran.code, "OUT_OF_SPACE" in ran.err) == (1, True), ran.err
            assert "full" in ran.err
            assert await everything(w) == seen
        assert (await w.client.fire("sample_ext", data=PACKET, parameter=b"a")).result == 42
        await asyncio.to_thread((state / "filler").unlink)
        await w.client.detach(link.id)
        assert await w.client.links() == ()
        await kill(w)


def fill(path: Path) -> None:
    """Take all space that there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


async def test_a_daemon_does_not_start_on_a_read_only_disk(tmp_path: Path) -> None:
    """It says why, and nothing is lost."""
    state = tmp_path / "state"
    async with small_disk(state, "8m"):
        async with world(tmp_path) as w, sample(w):
            program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            await program.attach("sample_ext")
            w.daemon.terminate()
            await w.daemon.wait()
        words = ("mount", "-o", "remount,ro", str(state))
        await asyncio.to_thread(subprocess.run, words, check=True)
        ran = await command("ebpfd", "run", "--listen", f"unix:{tmp_path}/a", "--state", str(state))
        assert (ran.code, "Read-only file system" in ran.err) == (1, True), ran.err
        await asyncio.to_thread(subprocess.run, (*words[:2], "remount,rw", str(state)), check=True)
        async with world(tmp_path) as w:
            assert len(await w.client.links()) == 1
