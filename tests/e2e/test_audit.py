"""The audit log: who has changed what, of a daemon in a process of its own."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from ebpfd_extensions.sample.extension import events, sample
from ebpfd_sdk import Client, EbpfdError, Extension, MapType
from tests.e2e.world import PATIENCE_S, PROGRAMS, command, world

ME = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
COUNT = PROGRAMS / "count.o"


def lines(path: Path) -> list[dict[str, Any]]:
    """All lines, each of which must be whole."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(path: Path) -> list[tuple[str, str]]:
    """What was done, and what came of it, without what is told of modules by themselves."""
    skipped = ("session.", "register", "deregister")
    return [
        (line["what"], line["outcome"])
        for line in lines(path)
        if not line["what"].startswith(skipped)
    ]


async def scripted_life(address: str) -> None:
    """Something of everything."""
    async with Client(address) as client, Extension(sample, events, address=address):
        program = (await client.load(COUNT))["count_by_protocol"]
        link = await program.attach("sample_ext")
        with suppress(EbpfdError):
            await program.attach("no_such_hook")
        other = (await client.load(COUNT))["count_by_protocol"]
        await link.replace(other)
        await client.pin("/kept", link)
        counts = other.maps["by_protocol"]
        for number in range(20):
            await counts.set(number.to_bytes(4, "little"), bytes(8))
        await client.unpin("/kept")
        await link.detach()
        await program.unload()
        await other.unload()


async def test_a_life_is_told_line_by_line(tmp_path: Path) -> None:
    """Who, what, with which ids, and what came of it; writes of a map are counted."""
    log = tmp_path / "audit.jsonl"
    async with world(tmp_path, "--audit", str(log)) as w:
        await scripted_life(w.address)
        w.daemon.terminate()
        assert await w.daemon.wait() == 0
    assert told(log) == [
        ("daemon.start", "SUCCESS"),
        ("program.load", "SUCCESS"),
        ("link.attach", "SUCCESS"),
        ("link.attach", "OBJECT_NOT_FOUND"),
        ("program.load", "SUCCESS"),
        ("link.replace", "SUCCESS"),
        ("pin", "SUCCESS"),
        ("map.update", "SUCCESS"),
        ("unpin", "SUCCESS"),
        ("link.detach", "SUCCESS"),
        ("program.unload", "SUCCESS"),
        ("program.unload", "SUCCESS"),
        ("map.update", "SUCCESS"),
        ("daemon.stop", "SUCCESS"),
    ]
    by_what = {line["what"]: line for line in lines(log)}
    assert by_what["map.update"]["count"] == 19
    loaded, attached = by_what["program.load"], by_what["link.attach"]
    assert (loaded["who"], loaded["file_name"]) == (ME, "count.o")
    assert attached["message"].startswith('unknown attach type "no_such_hook"')
    replaced, pinned = by_what["link.replace"], by_what["pin"]
    assert replaced["program_id"] == loaded["programs"][0]
    assert (pinned["id"], pinned["pin"]) == (replaced["id"], "BPF:\\kept")
    begun, registered = by_what["session.begin"], by_what["register"]
    assert (begun["who"], begun["takes_over"]) == (ME, False)
    assert (registered["outcome"], registered["npi"]) == ("SUCCESS", "hook")
    assert by_what["session.end"]["registrations"] == []


async def test_it_goes_on_in_a_new_file_after_sighup(tmp_path: Path) -> None:
    """As a rotation of logs wants it; the first line of the new one is the next change."""
    log = tmp_path / "audit.jsonl"
    async with world(tmp_path, "--audit", str(log)) as w:
        made = await w.client.create_map(MapType.HASH, 4, 8, 1, name="a")
        log.rename(tmp_path / "audit.1")
        w.daemon.send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_S):
            while not log.exists():  # the signal is on its way
                await w.client.create_map(MapType.HASH, 4, 8, 1, name="b")
        await made.remove()
        assert lines(log)[-1]["what"] == "map.remove"
        assert told(tmp_path / "audit.1")[:2] == [
            ("daemon.start", "SUCCESS"),
            ("map.create", "SUCCESS"),
        ]


async def test_after_a_kill_every_answered_change_is_there(tmp_path: Path) -> None:
    """In whole lines, but for one at most; and the next daemon goes on below."""
    log = tmp_path / "audit.jsonl"
    made: list[int] = []
    enough = asyncio.Event()

    async def work(client: Client) -> None:
        while True:
            made.append((await client.create_map(MapType.HASH, 4, 8, 1, name="x")).id)
            if len(made) == 40:
                enough.set()

    async with world(tmp_path, "--audit", str(log)) as w:
        workers = [asyncio.create_task(work(w.client)) for _ in range(8)]
        async with asyncio.timeout(PATIENCE_S):
            await enough.wait()
        w.daemon.kill()
        await w.daemon.wait()
        await asyncio.gather(*workers, return_exceptions=True)
        (tmp_path / "ready.sock").unlink()
    whole = log.read_text().splitlines(keepends=True)
    if not whole[-1].endswith("\n"):
        whole.pop()
    ids = {json.loads(line).get("map") for line in whole}
    assert ids.issuperset(made)
    log.write_text("".join(whole) + '{"time": "20')  # as if it had been killed in a line
    async with world(tmp_path, "--audit", str(log)):
        pass
    after = log.read_text().splitlines()[len(whole) :]
    assert after[0] == '{"time": "20'
    assert json.loads(after[1])["what"] == "daemon.start"


async def test_an_extension_that_vanishes_and_returns_is_told(tmp_path: Path) -> None:
    """What it had, and that a session took its place; an owner's end, with what went."""
    log = tmp_path / "audit.jsonl"
    async with world(tmp_path, "--audit", str(log)) as w:
        async with Extension(sample, events, address=w.address):
            async with Client(w.address, hold=True, name="holder") as holder:
                held = (await holder.load(COUNT))["count_by_protocol"]
            (provider, *_) = [each for each in await w.client.providers() if each.owner != "daemon"]
            await w.client.disconnect(provider.registration)
        told_of = {line["what"]: line for line in lines(log)}
        assert told_of["extension.disconnect"]["outcome"] == "SUCCESS"
        assert provider.registration in told_of["extension.disconnect"]["registrations"]
        ended = told_of["owner.end"]
        assert (ended["name"], ended["detached_or_unloaded"]) == ("holder", [held.id])


async def test_a_file_that_cannot_be_written_is_refused_at_start(tmp_path: Path) -> None:
    """In one line."""
    where = ("--listen", f"unix:{tmp_path}/x.sock")
    ran = await command("ebpfd", "run", *where, "--audit", str(tmp_path / "no" / "audit"))
    assert ran.code == 1
    assert json.loads(ran.err)["reason"] == (
        f"audit {tmp_path}/no/audit cannot be written: No such file or directory: "
        "choose another --audit"
    )
