"""Helpers that come as code: judged with the contract, linked into programs, called by nobody."""

import asyncio
import struct
import sys
from asyncio.subprocess import PIPE
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import ContractFormat, Program, ProgramState, VerificationFailed
from tests.e2e.test_recordings import begun
from tests.e2e.world import PATIENCE_S, World, command, script, world

HERE: Final = Path(__file__).parent
EXTENSION: Final = HERE / "gate_extension.py"
OBJECT: Final = HERE / "programs" / "gate.o"
PROGRAMS: Final = ("hashes", "has_room", "shouts")
CONTEXT: Final = struct.pack("<16xII", 3, 10)
DATA: Final = bytes(range(200, 212))
ROOM: Final = "program_type_specific_helpers[gate_room]"


def gate(w: World, way: str) -> AbstractAsyncContextManager[None]:
    """The extension as its own process, with its helpers in one way."""
    return script(w, EXTENSION, way)


async def loaded(w: World, name: str) -> Program:
    """One program of the file."""
    return (await w.client.load(OBJECT, programs=[name]))[name]


async def results(w: World) -> dict[str, list[int]]:
    """What each program gives with a packet and without, by test runs."""
    found: dict[str, list[int]] = {}
    for name in PROGRAMS:
        program = await loaded(w, name)
        runs = [await program.test_run(context=CONTEXT, data=data) for data in (DATA, b"")]
        found[name] = [each.result for each in runs]
        await program.unload()
    return found


async def test_code_gives_what_its_twin_gives_and_calls_nobody(tmp_path: Path) -> None:
    """The same programs, helpers served by the extension and linked in: the same results."""
    async with world(tmp_path) as w:
        async with gate(w, "served"):
            served = await results(w)
            calls = await loaded(w, "calls")
            assert (await calls.test_run(context=CONTEXT)).result == 6
            assert (await loaded(w, "hashes")).blocking
            for each in await w.client.programs():
                await each.unload()
        async with gate(w, "code"):
            assert await results(w) == served
            assert served["has_room"] == [7, 7]
            program = await loaded(w, "hashes")
            assert not program.blocking
            await program.attach("gate")
            fired = await w.client.fire("gate", context=CONTEXT, data=DATA)
            assert fired.result == served["hashes"][0]
            calls = await loaded(w, "calls")
            assert (await calls.test_run(context=CONTEXT)).result == 0


async def test_a_linked_program_runs_in_its_hooks_process(tmp_path: Path) -> None:
    """As one that calls no helper does; with a served one it could not."""
    async with world(tmp_path, "--local") as w, gate(w, "code"):
        program = await loaded(w, "hashes")
        expected = (await program.test_run(context=CONTEXT, data=DATA)).result
        link = await program.attach("gate")
        assert (await w.ctl_json("link", "show", str(link.id)))["where"].startswith("local: ")
        fired = await w.client.fire("gate", context=CONTEXT, data=DATA)
        assert fired.result == expected


async def test_code_that_is_not_safe_is_refused_when_its_extension_connects(
    tmp_path: Path,
) -> None:
    """By the helper's name, its instruction and the reason; nothing of the contract is known."""
    async with world(tmp_path) as w:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(EXTENSION), "careless", w.address, stderr=PIPE
        )
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            said = (await process.stderr.readline()).decode()
            process.terminate()
            await process.communicate()
        assert "program_type_specific_helpers[4].code" in said, said
        assert "helper gate_careless: instruction 0 (r0 = *(u8 *)(r1 + 7))" in said
        assert "no more bytes than argument 2 says" in said
        assert not await w.client.contracts()


async def test_it_needs_no_extension(tmp_path: Path) -> None:
    """The daemon itself provides the type and the hook, also after a restart."""
    state = ("--state", str(tmp_path / "state"))
    contract = tmp_path / "gate.json"
    async with world(tmp_path, *state) as w:
        async with gate(w, "code"):
            contract.write_bytes(await w.client.export_contract("gate", ContractFormat.JSON))
        await w.ctl_json("contract", "import", "--provide", str(contract))
        await w.client.create_hook("lonely", "gate")
        program = await loaded(w, "has_room")
        assert (await program.test_run(context=CONTEXT)).result == 7
        await program.attach("lonely")
        assert (await w.client.fire("lonely", context=CONTEXT)).result == 7
        refused = await w.ctl("program", "load", str(OBJECT), "--program", "calls")
        assert "nobody serves helper gate_calls (65539)" in refused.err
    async with world(tmp_path, *state) as w:
        assert (await w.client.fire("lonely", context=CONTEXT)).result == 7


async def test_other_code_is_another_contract(tmp_path: Path) -> None:
    """A program waits and names what has changed; reloaded, it runs the new code."""
    async with world(tmp_path) as w:
        async with gate(w, "code"):
            program = await loaded(w, "has_room")
            other = await loaded(w, "hashes")
        async with gate(w, "changed"):
            waiting = await w.client.program(program.id)
            assert waiting.state is ProgramState.WAITING
            assert f"{ROOM}.code is b70000000700" in waiting.state_reason
            assert (await w.client.program(other.id)).state is ProgramState.READY
            again = await waiting.reload()
            context = struct.pack("<16xII", 0, 1)
            assert (await again.test_run(context=context)).result == 7
            assert (await other.test_run(context=context)).result > 0


async def test_a_call_that_the_prototype_does_not_allow_is_refused_there(tmp_path: Path) -> None:
    """And not somewhere in code that its author has never seen."""
    async with world(tmp_path) as w, gate(w, "code"):
        with pytest.raises(VerificationFailed) as caught:
            await loaded(w, "passes_number")
        (rejection,) = caught.value.rejections
        assert "gate_room" in rejection.reason
        assert rejection.source is not None
        assert "gate_room((gate_t *)8)" in rejection.source.text


async def test_people_see_what_is_linked(tmp_path: Path) -> None:
    """In the contract, in the header for authors, and in the program as it runs."""
    async with world(tmp_path) as w, gate(w, "code"):
        shown = await w.ctl("contract", "show", "gate")
        (room,) = [line for line in shown.out.splitlines() if "gate_room" in line]
        assert "linked" in room
        assert "code, 11 instructions" in room
        header = (await w.client.export_contract("gate", ContractFormat.C)).decode()
        assert "// Comes as code: a call of it stays within the program.\nstatic int64_t" in header
        program = await loaded(w, "has_room")
        listed = await w.ctl("program", "disassemble", str(program.id))
        lines = listed.out.splitlines()
        assert "gate_room:" in lines
        assert any(line.endswith("; gate_room") and "call function" in line for line in lines)


async def test_recorded_events_come_to_the_same(tmp_path: Path) -> None:
    """The recording has the contract, and that has the code."""
    file = tmp_path / "events.rec"
    async with world(tmp_path) as w, gate(w, "code"):
        program = await loaded(w, "hashes")
        recording = asyncio.create_task(w.client.record("gate", file, limit=20))
        await begun(file)
        await program.attach("gate")
        for number in range(20):
            await w.client.fire("gate", context=CONTEXT, data=bytes([number]) * number)
        assert (await recording).events == 20
    replayed = await command(
        "ebpfctl", "--address", "unix:/nowhere", "-o", "json", "replay", str(file)
    )
    assert replayed.code == 0, replayed.err
    assert replayed.json()["differing"] == 0


async def test_both_judges_see_the_program_that_runs(tmp_path: Path) -> None:
    """In the daemon and in its worker it is linked with the same code."""
    async with world(tmp_path) as w, gate(w, "code"):
        arguments = ("--judge", "both", str(OBJECT), "--program", "has_room")
        verdicts = await w.ctl_json("program", "verify", *arguments)
        assert [each["accepted"] for each in verdicts] == [True, True]
        (loaded,) = await w.ctl_json("program", "load", str(OBJECT), "--program", "has_room")
        assert {each["instructions"] for each in verdicts} == {loaded["instructions"]}
