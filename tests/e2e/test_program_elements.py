"""Elements of custom maps that programs write, with real processes: their provider hears of it."""

import asyncio
import random
import signal
import struct
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import EbpfdError, Program, Result, number
from ebpfd_sdk.testing import until
from tests.e2e.test_custom_maps import PATIENCE_S, asked, code_of, journal, maps, started
from tests.e2e.world import World, sample, world

OBJECT = Path(__file__).parent / "programs" / "elements.o"
HELPER = 1


def event(key: int, value: int = 0) -> bytes:
    """A context of the sample, with a key and a value in it."""
    return struct.pack("<QQIHxxII", 0, 0, key, value, 0, 0)


async def loaded(w: World, *names: str) -> dict[str, Program]:
    """Programs of the file, which share its maps."""
    found = await w.client.load(OBJECT, programs=names)
    return {name: found[name] for name in names}


async def ran(program: Program, key: int, value: int = 0) -> int:
    """What a test run returns, as a signed number."""
    run = await program.test_run(context=event(key, value))
    return int.from_bytes(run.result.to_bytes(4, "little"), "little", signed=True)


def elements(w: World) -> list[dict[str, Any]]:
    """What the provider heard of elements, whoever wrote them."""
    heard = [each for each in journal(w) if each["what"] in {"update", "delete"}]
    for each in heard:
        del each["map"], each["pid"]
        each["operation"] = each.get("operation", 0) & ~HELPER
    return heard


async def test_a_provider_hears_the_same_of_programs_as_of_users(tmp_path: Path) -> None:
    """Call by call, but for the flag; refusals are what the helper returns, and nothing is lost."""
    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        programs = await loaded(w, "put", "drop", "add")
        put, drop, add = programs["put"], programs["drop"], programs["add"]
        accounts = put.maps["accounts"]
        assert [await ran(put, 1, 7), await ran(put, 1, 8), await ran(put, 2, 9)] == [0, 0, 0]
        assert number(await accounts.get(1) or b"") == 8
        assert await ran(put, 3, 13) == -Result.BLOCKED_BY_POLICY
        assert [await ran(put, key, 1) for key in (3, 4, 5)] == [0, 0, -Result.OUT_OF_SPACE]
        assert [await ran(drop, key) for key in (1, 2, 3, 4)] == [0, 0, 0, 0]
        assert await ran(drop, 1) == -Result.KEY_NOT_FOUND
        of_programs = elements(w)
        flags = [each["operation"] for each in journal(w) if each["what"] == "delete"]
        assert flags == [3, 3, 1, 1, 1, 1]

        await accounts.set(1, 7)
        await accounts.set(1, 8)
        await accounts.set(2, 9)
        assert (await code_of(accounts.set(3, 13)))[0] is Result.BLOCKED_BY_POLICY
        await accounts.set(3, 1)
        await accounts.set(4, 1)
        assert (await code_of(accounts.set(5, 1)))[0] is Result.OUT_OF_SPACE
        for key in (1, 2, 3, 4):
            await accounts.delete(key)
        assert elements(w)[len(of_programs) :] == of_programs

        await accounts.set(1, 30)
        heard = len(journal(w))
        assert [await ran(add, 1, 5), await ran(add, 2, 5)] == [35, 0]
        assert number(await accounts.get(1) or b"") == 35
        assert number(await add.maps["seen"].get(1) or b"") == 1
        assert len(journal(w)) == heard
        for each in programs.values():
            await each.unload()
        assert await w.client.maps() == ()


async def test_who_waits_for_a_provider_is_shown(tmp_path: Path) -> None:
    """Programs that write elements may wait; those that look them up do not."""
    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        programs = await loaded(w, "put", "drop", "add", "either")
        shown = {
            name: (await w.ctl_json("program", "show", str(each.id)))["blocking"]
            for name, each in programs.items()
        }
        assert shown == {"put": True, "drop": True, "add": False, "either": True}
        listing = await w.ctl("program", "disassemble", str(programs["put"].id))
        assert "bpf_map_update_elem" in listing.out
        for each in programs.values():
            await each.unload()


async def test_a_call_of_one_map_or_the_other_asks_for_the_one(tmp_path: Path) -> None:
    """Which it is, is known when it is called."""
    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        either = (await loaded(w, "either"))["either"]
        assert [await ran(either, 1, 0), elements(w)] == [0, []]
        assert number(await either.maps["seen"].get(1) or b"") == 70
        assert await either.maps["accounts"].get(1) is None
        assert await ran(either, 2, 1) == 0
        assert [each["what"] for each in elements(w)] == ["update"]
        assert number(await either.maps["accounts"].get(2) or b"") == 70
        await either.unload()


async def test_what_programs_cannot_do_to_elements(tmp_path: Path) -> None:
    """An element cannot be looked up and deleted at once: the error says what to do instead."""
    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        code, said = await code_of(w.client.load(OBJECT, programs=["take"]))
        assert code is Result.OPERATION_NOT_SUPPORTED
        assert "program take calls bpf_map_lookup_and_delete_elem for map accounts" in said
        assert "look the element up, and delete it then" in said
        assert (await w.client.maps(), await w.client.programs()) == ((), ())


async def test_a_shadow_asks_no_provider(tmp_path: Path) -> None:
    """So it cannot be one that writes elements; the error names the map."""
    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        put, beside = (await loaded(w, "put"))["put"], (await loaded(w, "put"))["put"]
        link = await put.attach("sample_ext")
        code, said = await code_of(w.client.set_shadow(link.id, beside.id))
        assert code is Result.INVALID_ARGUMENT
        assert "(accounts), whose extension must know of what is written" in said
        await link.detach()
        for each in (put, beside):
            await each.unload()


async def test_a_provider_that_is_asked_first_may_refuse_a_program(tmp_path: Path) -> None:
    """With its own code; what makes room is not asked for."""
    async with world(tmp_path) as w, sample(w), maps(w, "--careful-accounts"):
        programs = await loaded(w, "put", "drop")
        put, drop = programs["put"], programs["drop"]
        assert [await ran(put, 9, 7), await ran(put, 9, 8)] == [0, 0]
        assert await ran(drop, 9) == -Result.ACCESS_DENIED
        assert number(await put.maps["accounts"].get(9) or b"") == 8
        for each in programs.values():
            await each.unload()


async def test_a_stopped_provider_ends_the_runs_that_wait_for_it(tmp_path: Path) -> None:
    """TIMEOUT after ``map_s``; others go on, and what is agreed to late is taken back."""
    config = tmp_path / "ebpfd.toml"
    config.write_text("[deadlines]\nmap_s = 3\n")
    async with world(tmp_path, "--config", str(config)) as w, sample(w):
        process = await started(w, "--accounts")
        programs = await loaded(w, "put", "drop", "add")
        put, add = programs["put"], programs["add"]
        assert await ran(put, 1, 7) == 0
        process.send_signal(signal.SIGSTOP)
        late = asyncio.create_task(code_of(put.test_run(context=event(1, 8))))
        link = await add.attach("sample_ext")
        for runs in range(1, 6):
            answer = await w.client.fire("sample_ext", context=event(1, 1))
            assert (answer.code, answer.result) == (Result.SUCCESS, 7 + runs)
        async with asyncio.timeout(PATIENCE_S):
            assert (await late)[0] is Result.TIMEOUT
        process.send_signal(signal.SIGCONT)

        async def taken_back() -> bool:
            return asked(w).count("delete") == 1

        await until(taken_back)
        last = elements(w)[-1]
        assert (last["value"], last["operation"]) == ((8).to_bytes(4, "little").hex(), 2)
        assert number(await put.maps["accounts"].get(1) or b"") == 12
        await link.detach()
        for each in programs.values():
            await each.unload()
        process.terminate()
        assert await process.wait() == 0


async def test_a_killed_provider_ends_runs_until_another_is_there(tmp_path: Path) -> None:
    """EXTENSION_FAILED_TO_LOAD; lookups go on, and so does everything once it is back."""
    async with world(tmp_path) as w, sample(w):
        process = await started(w, "--accounts")
        programs = await loaded(w, "put", "add")
        put, add = programs["put"], programs["add"]
        assert await ran(put, 1, 7) == 0
        process.kill()
        await process.wait()

        code, said = await code_of(put.test_run(context=event(1, 8)))
        assert code is Result.EXTENSION_FAILED_TO_LOAD, said
        assert await ran(add, 1, 1) == 8
        async with maps(w, "--accounts"):
            assert await ran(put, 1, 9) == 0
            assert elements(w)[-1]["value"] == (8).to_bytes(4, "little").hex()
            for each in programs.values():
                await each.unload()


async def test_users_and_programs_that_write_one_key_lose_no_value(tmp_path: Path) -> None:
    """Each value that was taken is given back once, or stored at the end."""
    chance = random.Random(11)

    async with world(tmp_path) as w, sample(w), maps(w, "--accounts"):
        programs = await loaded(w, "put", "drop")
        put, drop = programs["put"], programs["drop"]
        accounts = put.maps["accounts"]

        async def write(first: int, program: Program | None) -> None:
            for value in range(first, first + 40):
                if program is None:
                    await accounts.set(1, value)
                else:
                    assert await ran(program, 1, value) == 0
                if chance.random() < 0.3:
                    await ran(drop, 1)

        await asyncio.gather(write(100, put), write(200, None), write(300, put), write(400, None))
        taken = [each["value"] for each in elements(w) if each["what"] == "update"]
        given = [each["value"] for each in elements(w) if each["what"] == "delete"]
        stored = await accounts.get(1)
        left = [] if stored is None else [stored.hex()]
        assert len(taken) == 160
        assert sorted(taken) == sorted(given + left)
        for each in programs.values():
            await each.unload()


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_programs_of_an_earlier_daemon_still_ask(tmp_path: Path, how: str) -> None:
    """Restored, they ask the provider as they did."""

    async def start(w: World) -> Process:
        return await started(w, "--accounts")

    async with world(tmp_path) as w, sample(w):
        process = await start(w)
        put = (await loaded(w, "put"))["put"]
        await put.attach("sample_ext")
        assert await ran(put, 1, 7) == 0
        getattr(w.daemon, how)()
        await w.daemon.wait()
        process.kill()
        await process.wait()
    async with world(tmp_path) as w, sample(w):
        process = await start(w)
        (put,) = await w.client.programs()

        async def works() -> bool:
            try:
                return await ran(put, 1, 8) == 0
            except EbpfdError:
                return False

        await until(works)
        assert elements(w)[-1]["value"] == (7).to_bytes(4, "little").hex()
        (link,) = await w.client.links()
        await w.client.detach(link.id)
        await put.unload()
        process.terminate()
        assert await process.wait() == 0
