"""Map types that an extension provides, with real processes."""

import asyncio
import json
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import EbpfdError, Map, Result, number
from ebpfd_sdk.testing import until
from tests.e2e.proxy import proxy
from tests.e2e.test_maps import context
from tests.e2e.world import World, sample, world

HERE = Path(__file__).parent
OBJECT = HERE / "programs" / "custom.o"
PATIENCE_S = 20.0


async def started(w: World, *flags: str, address: str = "") -> Process:
    """The extension as its own process, registered."""
    script, journal_ = str(HERE / "map_extension.py"), str(w.folder / "journal")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, journal_, *flags, address or w.address, stderr=PIPE
    )
    assert process.stderr is not None
    assert b"connected" in await process.stderr.readline()
    return process


@asynccontextmanager
async def maps(w: World, *flags: str) -> AsyncGenerator[Process]:
    """The extension within the block; it leaves in good order, if its maps are gone."""
    process = await started(w, *flags)
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    process.terminate()
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0


def journal(w: World) -> list[dict[str, Any]]:
    """What it was asked so far."""
    path = w.folder / "journal"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def asked(w: World) -> list[str]:
    """Which functions it was asked for."""
    return [each["what"] for each in journal(w)]


async def create(w: World) -> Map:
    """A map whose values are masked."""
    return await w.client.create_map("masked", 4, 4, 8)


async def code_of(work: Any) -> tuple[Result, str]:
    """How *work* is refused."""
    with pytest.raises(EbpfdError) as caught:
        await work
    return caught.value.code, caught.value.message


async def test_a_map_of_an_extensions_type(tmp_path: Path) -> None:
    """Created by name, written, read, listed and removed by ``ebpfctl``."""
    async with world(tmp_path) as w, maps(w):
        sizes = ("--key", "4", "--value", "4", "--entries", "2", "--name", "mine")
        (made,) = await w.ctl_json("map", "create", "masked", *sizes)
        assert (made["type"], made["value_size"], made["stored_value_size"]) == ("masked", 4, 8)
        id_ = str(made["id"])
        await w.ctl_json("map", "set", id_, "1", "77")
        await w.ctl_json("map", "set", id_, "1", "78")
        await w.ctl_json("map", "set", id_, "2", "99")
        assert (await w.ctl_json("map", "get", id_, "1"))["value_number"] == 78
        dumped = await w.ctl_json("map", "dump", id_)
        assert {each["key_number"]: each["value_number"] for each in dumped} == {1: 78, 2: 99}
        full = await w.ctl("-o", "json", "map", "set", id_, "3", "5")
        assert full.error()["code"] == Result.OUT_OF_SPACE
        await w.ctl_json("map", "delete", id_, "1")
        await w.ctl_json("map", "remove", id_)
        deleted = [
            (each["ticket"], each["operation"]) for each in journal(w) if each["what"] == "delete"
        ]
        assert deleted == [(1, 2), (4, 2), (2, 0), (3, 4)]
        assert asked(w)[-1] == "destroy"
        assert await w.ctl_json("map", "list") == []


async def test_what_a_map_says_no_to(tmp_path: Path) -> None:
    """With its own code and words; a bug of its is FAILED, and harms nobody else."""
    async with world(tmp_path) as w, maps(w):
        refused = Result.EXTENSION_FAILED_TO_LOAD
        code, said = await code_of(w.client.create_map("masked", 8, 4, 8))
        assert (code, "keys have four bytes here" in said) == (refused, True)
        made = await create(w)
        assert await code_of(made.set(1, 13)) == (Result.BLOCKED_BY_POLICY, "no 13 here")
        bug = "map type masked: ValueError: fourteen"
        assert await code_of(made.set(1, 14)) == (Result.FAILED, bug)
        assert await made.get(1) is None
        await made.set(1, 15)
        assert number(await made.get(1) or b"") == 15
        await made.remove()


async def test_an_extension_leaves_when_its_maps_are_gone(tmp_path: Path) -> None:
    """It says whom it waits for; the map works to the last."""
    async with world(tmp_path) as w:
        process = await started(w)
        made = await create(w)
        await made.set(1, 77)
        process.terminate()
        assert process.stderr is not None
        said = (await process.stderr.readline()).decode()
        assert f"waits until these maps go: {made.id}" in said
        await made.set(2, 88)
        assert number(await made.get(1) or b"") == 77
        assert process.returncode is None
        await made.remove()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
        assert asked(w)[-3:] == ["delete", "delete", "destroy"]


async def test_a_map_waits_for_its_extension_and_has_its_entries_again(tmp_path: Path) -> None:
    """Killed, and started anew; one that stores them otherwise is not taken."""
    async with world(tmp_path) as w:
        process = await started(w)
        made = await create(w)
        await made.set(1, 77)
        process.kill()
        await process.wait()
        code, said = await code_of(made.set(2, 88))
        assert code is Result.EXTENSION_FAILED_TO_LOAD, said
        (listed,) = await w.ctl_json("map", "list")
        assert (listed["count"], listed["provider"][:6]) == (1, "none: ")
        other = await started(w, "--other-size")
        code, said = await code_of(made.get(1))
        assert code is Result.EXTENSION_FAILED_TO_LOAD
        assert "it now stores 12 bytes for a value, and the map has 8" in said
        other.terminate()
        assert await other.wait() == 0
        async with maps(w):
            assert number(await made.get(1) or b"") == 77
            assert [each["restored"] for each in journal(w) if each["what"] == "create"] == [
                False,
                True,
                True,
            ]
            await made.remove()


async def test_programs_use_a_map_whose_elements_are_nobodys_business(tmp_path: Path) -> None:
    """Both sides see what the other writes; the map goes with the program."""
    async with world(tmp_path) as w, sample(w), maps(w):
        program = (await w.client.load(OBJECT, programs=["count"]))["count"]
        assert [(await program.test_run(context=context(5))).result for _ in range(3)] == [1, 2, 3]
        counts = program.maps["counts"]
        assert number(await counts.get(5) or b"") == 3
        await counts.set(5, 40)
        assert (await program.test_run(context=context(5))).result == 41
        program = await program.reload()
        assert (await program.test_run(context=context(5))).result == 42
        associated = [each["map"] for each in journal(w) if each["what"] == "associate"]
        assert associated == [counts.id, counts.id]
        await program.unload()
        assert await w.client.maps() == ()


async def test_programs_can_only_mention_other_maps(tmp_path: Path) -> None:
    """One that touches elements is not loaded, and the error says why; nothing is left."""
    async with world(tmp_path) as w, sample(w), maps(w):
        program = (await w.client.load(OBJECT, programs=["mention"]))["mention"]
        assert (await program.test_run(context=context(5))).result == 7
        assert "associate" in asked(w)
        await program.unload()
        code, said = await code_of(w.client.load(OBJECT, programs=["touch"]))
        assert code is Result.OPERATION_NOT_SUPPORTED
        assert "program touch calls bpf_map_delete_elem for map secrets" in said
        assert (await w.client.maps(), await w.client.programs()) == ((), ())
        assert asked(w)[-1] == "destroy"


async def test_a_provider_may_refuse_programs(tmp_path: Path) -> None:
    """With its own code; the load fails whole."""
    async with world(tmp_path) as w, sample(w), maps(w, "--no-programs"):
        refused = code_of(w.client.load(OBJECT, programs=["mention"]))
        assert await refused == (Result.ACCESS_DENIED, "no programs here")
        assert (await w.client.maps(), await w.client.programs()) == ((), ())


async def test_a_file_with_a_custom_map_needs_its_provider(tmp_path: Path) -> None:
    """EXTENSION_FAILED_TO_LOAD names the type."""
    async with world(tmp_path) as w, sample(w):
        code, said = await code_of(w.client.load(OBJECT, programs=["count"]))
        assert code is Result.EXTENSION_FAILED_TO_LOAD
        assert "map type sample_hash_map (15)" in said
        assert (await w.client.maps(), await w.client.programs()) == ((), ())


async def test_maps_of_a_custom_type_are_in_no_map_of_maps(tmp_path: Path) -> None:
    """The error names the map."""
    async with world(tmp_path) as w, sample(w), maps(w):
        code, said = await code_of(w.client.load(OBJECT.with_name("inner_custom.o")))
        assert code is Result.INVALID_ARGUMENT
        assert said == "map outer: maps of a custom type cannot be in a map of maps"
        assert (await w.client.maps(), await w.client.programs()) == ((), ())


async def test_a_daemon_that_stops_ends_its_maps(tmp_path: Path) -> None:
    """Their provider is told, and waits for none of them when it leaves."""
    async with world(tmp_path) as w, maps(w):
        made = await create(w)
        await made.set(1, 77)
        w.daemon.terminate()
        assert await w.daemon.wait() == 0
        assert asked(w)[-2:] == ["delete", "destroy"]


async def test_a_stopped_provider_is_waited_for_until_its_deadline(tmp_path: Path) -> None:
    """TIMEOUT after ``map_s``; nobody else waits, and what it does late is taken back."""
    config = tmp_path / "ebpfd.toml"
    config.write_text("[deadlines]\nmap_s = 3\n")
    async with world(tmp_path, "--config", str(config)) as w, sample(w):
        process = await started(w)
        program = (await w.client.load(OBJECT, programs=["count"]))["count"]
        link, made = await program.attach("sample_ext"), await create(w)
        await made.set(1, 77)
        process.send_signal(signal.SIGSTOP)
        writing = asyncio.create_task(code_of(made.set(1, 88)))
        reading = asyncio.create_task(code_of(made.get(1)))
        for runs in range(1, 6):
            answer = await w.client.fire("sample_ext", context=context(5))
            assert (answer.code, answer.result) == (Result.SUCCESS, runs)
        assert number(await program.maps["counts"].get(5) or b"") == 5
        assert not writing.done()
        async with asyncio.timeout(PATIENCE_S):
            late = "the extension masked took longer than 3 s for "
            assert await writing == (Result.TIMEOUT, f"{late}preprocess_map_update_element")
            assert await reading == (Result.TIMEOUT, f"{late}postprocess_map_find_element")
        process.send_signal(signal.SIGCONT)

        async def as_it_was() -> bool:
            return number(await made.get(1) or b"") == 77 and asked(w).count("delete") == 1

        await until(as_it_was)
        await link.detach()
        await program.unload()
        await made.remove()
        process.terminate()
        assert await process.wait() == 0


async def test_no_acknowledged_write_is_lost_when_extensions_are_killed(tmp_path: Path) -> None:
    """At any moment, while four users write: a value is the last one written, or one under way."""
    chance, users = random.Random(7), range(4)
    written, tried, codes = [0] * len(users), [0] * len(users), set[Result]()
    acknowledged, there = asyncio.Queue[int](), asyncio.Event()

    async def write(made: Map, key: int) -> None:
        while True:
            await there.wait()
            tried[key] += 100  # neither 13 nor 14
            try:
                await made.set(key, tried[key])
            except EbpfdError as error:
                codes.add(error.code)
            else:
                written[key] = tried[key]
                acknowledged.put_nowait(key)

    async with world(tmp_path) as w:
        process = await started(w)
        made = await create(w)
        writing = [asyncio.create_task(write(made, key)) for key in users]
        for _ in range(8):
            there.set()
            for _ in range(chance.randrange(1, 60)):
                await acknowledged.get()
            process.kill()
            there.clear()
            await process.wait()
            process = await started(w)
        for each in writing:
            each.cancel()
        await asyncio.wait(writing)
        assert codes <= {Result.EXTENSION_FAILED_TO_LOAD}
        for key in users:
            assert number(await made.get(key) or b"") in {written[key], tried[key]}
        await made.remove()
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_maps_survive_their_daemon(tmp_path: Path, how: str) -> None:
    """With their ids, entries and programs; their provider is not told to forget them."""
    async with world(tmp_path) as w, sample(w):
        process = await started(w)
        program = (await w.client.load(OBJECT, programs=["count"]))["count"]
        await program.attach("sample_ext")
        await program.test_run(context=context(5))
        made = {each.name: each for each in await w.client.maps()}
        counts, secrets = made["counts"].id, made["secrets"].id
        await made["secrets"].set(1, 77)
        getattr(w.daemon, how)()
        await w.daemon.wait()
        process.kill()
        await process.wait()
        assert not {"delete", "destroy"} & set(asked(w))
    async with world(tmp_path) as w:
        kept = {each.name: each for each in await w.client.maps()}
        assert {name: each.id for name, each in kept.items()} == {
            "counts": counts,
            "secrets": secrets,
        }
        code, said = await code_of(kept["secrets"].get(1))
        assert code is Result.EXTENSION_FAILED_TO_LOAD, said
        async with sample(w):
            process = await started(w)
            assert number(await kept["secrets"].get(1) or b"") == 77
            assert number(await kept["counts"].get(5) or b"") == 1
            (program,) = await w.client.programs()
            assert (await program.test_run(context=context(5))).result == 2
            again = [each for each in journal(w) if each["what"] in {"create", "associate"}]
            assert {(each["what"], each["map"]) for each in again[-2:]} == {
                ("create", secrets),
                ("associate", counts),
            }
            (link,) = await w.client.links()
            await w.client.detach(link.id)
            await program.unload()
            assert await w.client.maps() == ()
            process.terminate()
            assert await process.wait() == 0
            assert asked(w)[-2:] == ["delete", "destroy"]


@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_an_extension_that_outlives_the_daemon_has_its_maps_again(
    tmp_path: Path, how: str
) -> None:
    """As the same instances, which go on counting: they are not created again."""
    async with world(tmp_path) as w:
        process = await started(w)
        made = await create(w)
        await w.ctl_json("pin", "add", "/mine", str(made.id))
        await made.set(1, 77)
        getattr(w.daemon, how)()
        await w.daemon.wait()
    async with world(tmp_path) as w:
        made = await w.client.map(made.id)

        async def bound() -> bool:
            provider = (await w.client.map(made.id)).provider
            return provider is not None and bool(provider.name)

        await until(bound)
        assert number(await made.get(1) or b"") == 77
        await made.set(1, 88)
        assert [each for each in asked(w) if each != "find"] == [
            "create",
            "update",
            "update",
            "delete",
        ]
        assert journal(w)[-1]["ticket"] == 1
        await w.ctl_json("pin", "remove", "/mine")
        if any(each.id == made.id for each in await w.client.maps()):
            await made.remove()
        process.terminate()
        assert await process.wait() == 0
        assert asked(w)[-2:] == ["delete", "destroy"]


async def test_a_cut_connection_costs_a_map_nothing_but_time(tmp_path: Path) -> None:
    """The same instance has it again, in the same daemon."""
    way = tmp_path / "way.sock"
    async with world(tmp_path) as w, proxy(way, tmp_path / "ebpfd.sock") as between:
        process = await started(w, address=f"unix:{way}")
        made = await create(w)
        await made.set(1, 77)

        async def there_again() -> bool:
            try:
                return number(await made.get(1) or b"") == 77
            except EbpfdError as error:
                codes.add(error.code)
                return False

        codes = set[Result]()
        for _ in range(3):
            between.cut()
            await until(there_again)
        assert codes <= {Result.EXTENSION_FAILED_TO_LOAD}
        await made.set(1, 88)
        assert [each for each in asked(w) if each != "find"] == [
            "create",
            "update",
            "update",
            "delete",
        ]
        await made.remove()
        process.terminate()
        assert await process.wait() == 0
