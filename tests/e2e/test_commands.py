"""The operator's path by ``ebpfctl``: load, attach, fire, look, detach."""

import asyncio
from pathlib import Path

import pytest

from ebpfd_sdk import Execution, Result
from tests.e2e.world import PROGRAMS, sample, world
from tests.packets import UDP


async def test_the_whole_path_in_json(tmp_path: Path) -> None:
    """Every command of the path answers in JSON, and the figures agree."""
    async with world(tmp_path) as w, sample(w):
        providers = await w.ctl_json("provider", "list")
        assert {each["module"] for each in providers} == {
            "general helpers",
            "sample",
            "sample_ext",
        }
        (program,) = await w.ctl_json("program", "load", str(PROGRAMS / "count.o"))
        assert program["state"] == "ready"
        (link,) = await w.ctl_json(
            "link", "attach", str(program["id"]), "--attach-type", "sample_ext", "--param", "00"
        )
        assert (link["state"], link["parameter"]) == ("attached", "00")
        assert await w.ctl_json("link", "show", str(link["id"])) == link
        nobody = await w.ctl("link", "show", "999")
        assert (nobody.code, "`ebpfctl link list`" in nobody.err) == (1, True)
        fired = await w.ctl_json(
            "hook", "fire", "sample_ext", "--param", "00", "--data", UDP.hex(), "--count", "3"
        )
        assert fired["results"] == {"0": 3}
        (by_protocol,) = await w.ctl_json("map", "list")
        entries = await w.ctl_json("map", "dump", str(by_protocol["id"]))
        assert [(each["key_number"], each["value_number"]) for each in entries] == [(17, 3)]
        value = await w.ctl_json("map", "get", str(by_protocol["id"]), "17")
        assert value["value_number"] == 3
        clients = await w.ctl_json("client", "list")
        assert len(clients) == 3, "a program's two registrations and a link's one"
        bindings = await w.ctl_json("binding", "list")
        assert {each["state"] for each in bindings} == {"ready"}
        assert await w.ctl_json("link", "detach", str(link["id"])) == {"id": link["id"]}
        assert await w.ctl_json("link", "list") == []
        await w.ctl_json("program", "unload", str(program["id"]))
        assert await w.ctl_json("program", "list") == []
        assert await w.ctl_json("map", "list") == []


async def test_the_whole_path_in_text(tmp_path: Path) -> None:
    """The same in text: tables with headings, short sentences."""
    async with world(tmp_path) as w, sample(w):
        loaded = await w.ctl("program", "load", str(PROGRAMS / "count.o"))
        heading, row = loaded.out.splitlines()
        assert heading.split() == [
            "ID", "NAME", "TYPE", "SECTION", "STATE", "EXECUTOR", "MAPS", "LINKS", "RUNS", "FILE",
        ]  # fmt: skip
        program = row.split()[0]
        attached = await w.ctl("link", "attach", program, "--attach-type", "sample_ext")
        link = attached.out.splitlines()[1].split()[0]
        assert (await w.ctl("hook", "fire", "sample_ext", "--data", UDP.hex())).out == "result 0\n"
        listed = await w.ctl("map", "list")
        map_id = listed.out.splitlines()[1].split()[0]
        dumped = await w.ctl("map", "dump", map_id)
        assert dumped.out.splitlines()[1].split() == ["11000000", "0100000000000000", "17", "1"]
        detached = await w.ctl("link", "detach", link)
        assert detached.out == f"link {link} is detached\n"
        assert (await w.ctl("whoami")).out.endswith("you need no roles here: you may do all\n")


HELPERS = {
    "helper_function1": 0,
    "helper_implicit_1": 11,
    "helper_implicit_2": 22,
}


@pytest.mark.parametrize("name", ["set", "delete"])
async def test_maps_can_be_written(tmp_path: Path, name: str) -> None:
    """A user writes and deletes what a program counts with."""
    async with world(tmp_path) as w, sample(w):
        await w.ctl_json("program", "load", str(PROGRAMS / "count.o"))
        (by_protocol,) = await w.ctl_json("map", "list")
        map_id = str(by_protocol["id"])
        await w.ctl_json("map", "set", map_id, "6", "40")
        assert (await w.ctl_json("map", "get", map_id, "0x06000000"))["value_number"] == 40
        if name == "delete":
            await w.ctl_json("map", "delete", map_id, "6")
            missing = await w.ctl("-o", "json", "map", "get", map_id, "6")
            assert (missing.code, missing.error()["name"]) == (1, "OBJECT_NOT_FOUND")


async def test_what_programs_print_can_be_followed(tmp_path: Path) -> None:
    """``ebpfctl trace`` shows the lines of bpf_trace_printk."""
    async with world(tmp_path) as w, sample(w):
        (program,) = await w.ctl_json("program", "load", str(PROGRAMS / "trace.o"))
        await w.ctl_json("program", "test-run", str(program["id"]), "--data", UDP.hex())
        traced = await w.ctl("trace", "--no-follow")
        assert f"[{program['id']} {program['name']}]" in traced.out


async def test_a_test_run_gives_result_context_and_duration(tmp_path: Path) -> None:
    """``program test-run`` runs without any hook; counters count its runs."""
    async with world(tmp_path) as w, sample(w):
        (program,) = await w.ctl_json("program", "load", str(PROGRAMS / "count.o"))
        ran = await w.ctl_json(
            "program", "test-run", str(program["id"]), "--data", UDP.hex(), "--repeat", "100"
        )
        assert ran["result"] == 0
        assert len(ran["context"]) == 64
        shown = await w.ctl_json("program", "show", str(program["id"]))
        assert shown["runs"] == 100


async def test_programs_are_compiled_unless_the_caller_wants_otherwise(tmp_path: Path) -> None:
    """What the verifier accepted runs as machine code; both executors give the same result."""
    results: list[tuple[int, bytes]] = []
    async with world(tmp_path) as w, sample(w):
        for execution in (None, Execution.JIT, Execution.INTERPRET):
            loaded = await w.client.load(PROGRAMS / "count.o", execution=execution)
            (program,) = loaded.values()
            assert program.executor is (execution or Execution.JIT)
            ran = await program.test_run(context=bytes(32), data=UDP)
            results.append((ran.result, ran.context))
    assert [results[0]] * 3 == results


async def test_verify_judges_without_loading(tmp_path: Path) -> None:
    """``program verify`` works while the extension is away, from the contract seen before."""
    async with world(tmp_path) as w:
        async with sample(w) as extension:
            await asyncio.wait_for(_end(extension), 30)
        good = await w.ctl_json("program", "verify", str(PROGRAMS / "count.o"))
        assert [each["accepted"] for each in good] == [True]
        bad = await w.ctl(
            "-o", "json", "program", "verify", str(PROGRAMS / "unsafe" / "null_map_value.o")
        )
        assert bad.code == 1
        assert bad.json()[0]["rejection"]["source"]["file"].endswith("null_map_value.c")
        assert await w.ctl_json("program", "list") == []


async def _end(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    await process.wait()


async def test_a_program_is_attached_by_its_name_or_right_from_its_file(tmp_path: Path) -> None:
    """One that was loaded for that goes again if its hook does not take it."""
    async with world(tmp_path) as w, sample(w):
        hook = ("--attach-type", "sample_ext", "--param")
        count = f"{PROGRAMS / 'count.o'}:count_by_protocol"
        (link,) = await w.ctl_json("link", "attach", count, *hook, "00")
        (again,) = await w.ctl_json("link", "attach", "count_by_protocol", *hook, "01")
        assert link["name"] == again["name"] == "count_by_protocol"
        assert link["program"] == again["program"]
        refused = await w.ctl("-o", "json", "link", "attach", count, "--attach-type", "nowhere")
        assert refused.error()["code"] == Result.OBJECT_NOT_FOUND
        assert len(await w.client.programs()) == 1
        await w.client.load(PROGRAMS / "count.o")
        for given, said in (
            ("count_by_protocol", "2 programs are called"),
            ("nobody", 'no program "nobody" is loaded'),
        ):
            refused = await w.ctl("link", "attach", given, *hook, "02")
            assert (refused.code, said in refused.err) == (1, True), refused.err
        missing = await w.ctl("link", "attach", f"{tmp_path}/no.o:name", *hook, "02")
        assert (missing.code, "no.o" in missing.err) == (2, True), missing.err
