"""Maps of every kind by ``ebpfctl`` and SDK, with real processes and compiled programs."""

import json
import signal
import struct
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncGenerator
from pathlib import Path

from ebpfd_sdk import EbpfdError, Execution, MapType, Program, Records, Result, number
from tests.e2e.world import World, interruptible, sample, world

PROGRAMS = Path(__file__).parent / "programs"


def context(value: int) -> bytes:
    """A context of the sample with a number in it."""
    return struct.pack("<QQIHxxII", 0, 0, value, 0, 0, 0)


async def loaded(w: World, name: str) -> tuple[str, dict[str, str]]:
    """Load a file by ``ebpfctl``: the id of its only program, and those of its maps by name."""
    (program,) = await w.ctl_json("program", "load", str(PROGRAMS / name))
    maps = {each["name"]: str(each["id"]) for each in await w.ctl_json("map", "list")}
    return str(program["id"]), maps


async def run(w: World, program: str, value: int = 0) -> int:
    """Run a program once; its result."""
    ran = await w.ctl_json("program", "test-run", program, "--context", context(value).hex())
    result: int = ran["result"]
    return result


async def test_records_of_a_ring_buffer_are_printed(tmp_path: Path) -> None:
    """As hex and text, or a line of JSON each; fired by a hook, ended by --count."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "records.o"))["report"]
        await program.attach("sample_ext")
        reports = str(program.maps["reports"].id)
        for value in (5, 6, 7):
            answer = await w.client.fire("sample_ext", context=context(value))
            assert answer.result == 0
        text = await w.ctl("map", "events", reports, "--count", "1")
        assert text.out == "05 00 00 00 72 65 70 6f 72 74 65 64  |....reported|\n", text.err
        lines = (await w.ctl("-o", "json", "map", "events", reports, "--count", "2")).out
        assert [json.loads(line) for line in lines.splitlines()] == [
            {"lane": 0, "data": value.to_bytes(4, "little").hex() + b"reported".hex()}
            for value in (6, 7)
        ]


async def test_records_of_a_perf_event_array_are_printed_by_lane(tmp_path: Path) -> None:
    """With the data that the program appended; Ctrl-C is the ordinary end."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "perf.o"))["sample"]
        await program.attach("sample_ext")
        await w.client.fire("sample_ext", context=context(9), data=b"packet")
        with interruptible():
            following = await create_subprocess_exec(
                Path(sys.executable).with_name("ebpfctl"),
                *("--address", w.address, "map", "events", str(program.maps["samples"].id)),
                stdout=PIPE,
                stderr=PIPE,
            )
        assert following.stdout is not None
        line = (await following.stdout.readline()).decode()
        assert line.endswith("  09 00 00 00 70 61 63 6b  |....pack|\n"), line
        await w.client.fire("sample_ext", context=context(10), data=b"packet")
        assert "0a 00 00 00" in (await following.stdout.readline()).decode()
        following.send_signal(signal.SIGINT)
        out, err = await following.communicate()
        assert (following.returncode, out, err) == (0, b"", b"")


async def test_what_a_slow_reader_loses_is_counted(tmp_path: Path) -> None:
    """Every record is read or counted; programs go on meanwhile."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(PROGRAMS / "records.o"))["report"]
        await program.attach("sample_ext")
        reports, fired, got, lost = program.maps["reports"], 0, 0, 0
        async for records in reports_after(w, program):
            got, lost = got + len(records), lost + sum(records.lost)
            if fired == 0:
                # Not read meanwhile: the ring holds 170 records, windows and messages some more.
                for _ in range(10):
                    await w.client.fire_batch("sample_ext", contexts=context(1) * 1000, count=1000)
                    fired += 1000
                await w.client.fire("sample_ext", context=context(2))
            elif got + lost == fired + 2:
                break
        assert lost > 5000
        assert (await w.client.map(reports.id)).lost == lost
        assert (await w.client.program(program.id)).counters.runs == fired + 2


async def reports_after(w: World, program: Program) -> AsyncGenerator[Records]:
    """The records of a program that has run once."""
    await w.client.fire("sample_ext", context=context(0))
    async for records in program.maps["reports"].events():
        yield records


async def test_two_programs_by_a_tail_call(tmp_path: Path) -> None:
    """The operator puts one into the other's program array, and takes it out."""
    async with world(tmp_path) as w, sample(w):
        first, maps = await loaded(w, "steps.o")
        steps = maps["steps"]
        reporter, _ = await loaded(w, "records.o")
        assert await run(w, first) == 3
        await w.ctl_json("map", "update", steps, "0", "--program", reporter)
        assert await run(w, first) == 0
        assert (await w.ctl_json("map", "get", steps, "0"))["value_number"] == int(reporter)
        shown = await w.ctl_json("program", "show", reporter)
        assert (shown["held_by"], shown["runs"]) == ([int(steps)], 1)
        unloaded = await w.ctl("program", "unload", reporter)
        assert unloaded.out == f"program {reporter} stays until these let it go: map {steps}\n"
        assert await run(w, first) == 0
        await w.ctl_json("map", "delete", steps, "0")
        assert await run(w, first) == 3
        gone = await w.ctl("-o", "json", "program", "show", reporter)
        assert gone.error()["name"] == "STALE_ID"
        wrong = await w.ctl("map", "update", steps, "0", "7", "--program", first)
        assert (wrong.code, "give a VALUE, or --program" in wrong.err) == (2, True)


async def test_maps_within_a_map(tmp_path: Path) -> None:
    """The operator adds one like the template; another shape is refused."""
    async with world(tmp_path) as w, sample(w):
        program, maps = await loaded(w, "nested.o")
        assert [await run(w, program, value) for value in (1, 2)] == [0, 7]
        (made,) = await w.ctl_json(
            "map", "create", "array", "--key", "4", "--value", "8", "--entries", "1"
        )
        made = str(made["id"])
        await w.ctl_json("map", "update", maps["chosen"], "2", "--map", made)
        assert await run(w, program, 2) == 0
        assert (await w.ctl_json("map", "get", made, "0"))["value_number"] == 1
        removed = await w.ctl("map", "remove", made)
        assert removed.out == f"map {made} stays until these let it go: map {maps['chosen']}\n"
        refused = await w.ctl(
            "-o", "json", "map", "update", maps["chosen"], "2", "--map", maps["chosen"]
        )
        assert refused.error()["name"] == "INVALID_OBJECT"
        shown = await w.ctl_json("map", "show", maps["chosen"])
        assert shown["inner"] == {
            "type": "array", "key_size": 4, "value_size": 8, "max_entries": 1,
        }  # fmt: skip


async def test_a_program_leaves_traces_in_every_kind_of_map(tmp_path: Path) -> None:
    """Per CPU, least recently used, longest prefix, queue."""
    async with world(tmp_path) as w, sample(w):
        program, maps = await loaded(w, "kinds.o")
        prefix = (8).to_bytes(4, "little") + bytes([5, 0, 0, 0])
        await w.ctl_json("map", "update", maps["routes"], "0x" + prefix.hex(), "77")
        assert [await run(w, program, value) for value in (5, 6, 7)] == [77, 0, 0]
        lanes = await w.ctl_json("map", "get", maps["by_lane"], "0")
        assert sum(lanes["value_numbers"]) == 3
        text = (await w.ctl("map", "get", maps["by_lane"], "0")).out.splitlines()
        assert [line.split()[:2] for line in text] == [
            ["lane", str(lane)] for lane in range(len(lanes["values"]))
        ]
        (row, _) = await w.ctl_json("map", "dump", maps["by_lane"])
        assert sum(row["value_numbers"]) == 3
        assert len(await w.ctl_json("map", "dump", maps["latest"])) == 2
        assert (await w.ctl_json("map", "peek", maps["waiting"]))["value_number"] == 6
        popped = [(await w.ctl_json("map", "pop", maps["waiting"]))["value_number"] for _ in "ab"]
        assert popped == [6, 7]
        empty = await w.ctl("-o", "json", "map", "pop", maps["waiting"])
        assert (empty.code, empty.error()["name"]) == (1, "OBJECT_NOT_FOUND")


async def test_entries_are_written_dumped_and_restored(tmp_path: Path) -> None:
    """By ``ebpfctl``: every operation on the entries of a map of one's own."""
    async with world(tmp_path) as w:
        made = [
            str((await w.ctl_json("map", "create", *arguments.split()))[0]["id"])
            for arguments in (
                "hash --key 4 --value 8 --entries 16 --name mine",
                "percpu_array --key 4 --value 4 --entries 1",
                "queue --value 4 --entries 1",
            )
        ]
        mine, per_cpu, queue = made
        for key in ("1", "2", "3"):
            await w.ctl_json("map", "update", mine, key, key, "--expect", "noexist")
        taken = await w.ctl("-o", "json", "map", "update", mine, "1", "1", "--expect", "noexist")
        assert taken.error()["name"] == "OBJECT_ALREADY_EXISTS"
        dumped = await w.ctl("-o", "json", "map", "dump", mine, "--take")
        assert {each["key_number"]: each["value_number"] for each in dumped.json()} == {
            1: 1, 2: 2, 3: 3,
        }  # fmt: skip
        (tmp_path / "dump.json").write_text(dumped.out)
        restored = await w.ctl_json("map", "restore", mine, str(tmp_path / "dump.json"))
        assert restored["entries"] == 3
        assert (await w.ctl_json("map", "take", mine, "2"))["value_number"] == 2
        first = (await w.ctl_json("map", "next", mine))["key_number"]
        last = (await w.ctl_json("map", "next", mine, str(first)))["key_number"]
        assert {first, last} == {1, 3}
        assert (await w.ctl("map", "next", mine, str(last))).code == 1
        refused = await w.ctl("-o", "json", "map", "delete", mine, "1", "2", "3")
        assert refused.error()["message"].startswith("entry 1: ")
        lanes = (await w.ctl_json("map", "show", per_cpu))["lanes"]
        await w.ctl_json("map", "update", per_cpu, "0", *map(str, range(lanes)))
        values = (await w.ctl_json("map", "get", per_cpu, "0"))["value_numbers"]
        assert values == list(range(lanes))
        (tmp_path / "dump.json").write_text((await w.ctl("-o", "json", "map", "dump", per_cpu)).out)
        await w.ctl_json("map", "restore", per_cpu, str(tmp_path / "dump.json"))
        await w.ctl_json("map", "push", queue, "1")
        full = await w.ctl("-o", "json", "map", "push", queue, "2")
        assert full.error()["name"] == "OUT_OF_SPACE"
        await w.ctl_json("map", "push", queue, "2", "--drop-oldest")
        assert (await w.ctl_json("map", "pop", queue))["value_number"] == 2
        for each in made:
            await w.ctl_json("map", "remove", each)
        assert await w.ctl_json("map", "list") == []


async def test_mistakes_on_the_command_line_read_well(tmp_path: Path) -> None:
    """A usage error or one line; never a traceback."""
    async with world(tmp_path) as w:
        (made,) = await w.ctl_json(
            "map", "create", "hash", "--key", "4", "--value", "8", "--entries", "4"
        )
        id_ = str(made["id"])
        (tmp_path / "no.json").write_text('[{"key": 1}]')
        attempts = {
            "is no map type: hash,": ("create", "hsh", "--entries", "1"),
            "does not fit a key of 4 bytes": ("get", id_, str(1 << 40)),
            "INVALID_ARGUMENT": ("create", "hash", "--entries", str(1 << 40)),
            "is not what": ("restore", id_, str(tmp_path / "no.json")),
            "OPERATION_NOT_SUPPORTED": ("events", id_),
            "KEY_NOT_FOUND": ("show", "999"),
            "2 values for a map that is not per-CPU": ("update", id_, "1", "2", "3"),
            "is no queue or stack, but of type hash": ("push", id_, "1"),
        }
        for said, arguments in attempts.items():
            ran = await w.ctl("map", *arguments)
            assert ran.code in {1, 2}, arguments
            assert said in ran.err, ran.err
            assert "Traceback" not in ran.err


async def test_a_map_through_the_sdk(tmp_path: Path) -> None:
    """What ``ebpfctl`` does, from Python: pages, many at once, objects, lanes."""
    async with world(tmp_path) as w, sample(w):
        client = w.client
        mine = await client.create_map(MapType.HASH, 4, 8, 16, name="mine")
        await mine.set_many([(key, key * 2) for key in range(5)])
        page = await mine.page(3)
        rest = await mine.page(3, after=page.next)
        assert (len(page.entries), len(rest.entries), rest.next) == (3, 2, None)
        assert {number(k): number(v) for k, v in (*page.entries, *rest.entries)} == {
            key: key * 2 for key in range(5)
        }
        assert await mine.take(4) == (8).to_bytes(8, "little")
        assert await mine.take(4) is None
        await mine.delete_many([0, 1])
        assert (await client.map(mine.id)).count == 2
        lanes = await client.create_map(MapType.PERCPU_HASH, 4, 4, 4)
        await lanes.set(1, list(range(lanes.lanes)))
        value = await lanes.get(1)
        assert value is not None
        assert list(map(number, lanes.per_lane(value))) == list(range(lanes.lanes))
        outer = await client.create_map(MapType.ARRAY_OF_MAPS, 4, 4, 4, inner=mine)
        await outer.set_map(1, mine)
        assert (await mine.remove()).maps == (outer.id,)
        queue = await client.create_map(MapType.STACK, 0, 4, 4)
        await queue.push(1)
        await queue.push(2)
        assert [await queue.peek(), await queue.pop(), await queue.pop(), await queue.pop()] == [
            b"\2\0\0\0", b"\2\0\0\0", b"\1\0\0\0", None,
        ]  # fmt: skip
        routes = await client.create_map(MapType.LPM_TRIE, 8, 4, 4)
        assert await routes.get(bytes(8)) is None
        program = (await client.load(PROGRAMS / "steps.o"))["first_step"]
        steps = program.maps["steps"]
        await steps.set_program(0, program)
        try:
            await steps.set_map(0, mine)
        except EbpfdError as error:
            assert error.code is Result.OPERATION_NOT_SUPPORTED  # noqa: PT017
        assert (await client.program(program.id)).holder_ids == (steps.id,)
        assert not await program.unload()


async def test_it_is_shown_how_a_program_runs(tmp_path: Path) -> None:
    """Which executor, why the interpreter where it is that, whether instructions are counted."""
    async with world(tmp_path) as w, sample(w):
        program, _ = await loaded(w, "records.o")
        shown = await w.ctl_json("program", "show", program)
        assert (shown["executor"], shown["executor_reason"]) == ("jit", "")
        assert shown["metered"] is False
        assert 0 < shown["worst_case"] <= shown["budget"]
        loading = await w.client.load(PROGRAMS / "records.o", execution=Execution.INTERPRET)
        interpreted = str(loading["report"].id)
        text = (await w.ctl("program", "show", interpreted)).out
        rows = dict(line.split("  ", 1) for line in text.splitlines())
        assert rows["executor"].strip() == "interpret"
        assert rows["executor reason"].strip() not in {"", "-"}
