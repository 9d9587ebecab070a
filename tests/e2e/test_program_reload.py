"""A program that is made anew when its contract has changed, in its own place."""

import asyncio
import struct
from pathlib import Path

import pytest

from ebpfd_sdk import EbpfdError, Program, ProgramState, Result
from tests.e2e.test_extension_reload import FOUND, changed, unchanged
from tests.e2e.world import PATIENCE_S, PROGRAMS, World, script, world

COUNT = PROGRAMS / "count.o"
HERE = Path(__file__).parent
GROWING = HERE / "growing_extension.py"
VISITS = HERE / "programs" / "visits.o"


async def other_than(w: World, program: Program) -> Program:
    """The one program that is loaded, once it is another one; each look is a call."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            (found,) = await w.client.programs()
            if found.id != program.id:
                return found


async def test_a_program_is_reloaded_on_request(tmp_path: Path) -> None:
    """It keeps its link and its map with what is counted there, and has another id."""
    async with world(tmp_path) as w:
        async with unchanged(w):
            (program,) = (await w.client.load(COUNT)).values()
            link = await program.attach("sample_ext")
            assert (await w.client.fire("sample_ext", data=bytes(64))).code is Result.SUCCESS
            counted = await program.maps["by_protocol"].items()
        async with changed(w, "read-only"):
            waiting = await w.client.program(program.id)
            assert waiting.state is ProgramState.WAITING
            assert (await w.client.fire("sample_ext")).code is Result.EXTENSION_FAILED_TO_LOAD
            new = await w.ctl_json("program", "reload", str(program.id))
            (reloaded,) = await w.client.programs()
            assert new[0]["id"] == reloaded.id > program.id
            assert (reloaded.state, reloaded.link_ids) == (ProgramState.READY, (link.id,))
            assert reloaded.maps["by_protocol"].id == program.maps["by_protocol"].id
            assert await reloaded.maps["by_protocol"].items() == counted
            assert (await w.client.fire("sample_ext", data=bytes(64))).code is Result.SUCCESS
            assert await reloaded.maps["by_protocol"].items() != counted
        async with unchanged(w):
            assert (await w.client.program(reloaded.id)).state is ProgramState.WAITING


async def test_a_program_follows_its_contract_if_it_is_told_to(tmp_path: Path) -> None:
    """Nobody asks: the program of the link is another one after the extension has come back."""
    async with world(tmp_path) as w:
        async with unchanged(w):
            loaded = await w.ctl_json("program", "load", "--follow-contract", str(FOUND))
            program = await w.client.program(loaded[0]["id"])
            assert program.follows_contract
            await program.attach("sample_ext")
        async with changed(w, "read-only"):
            followed = await other_than(w, program)
            assert followed.follows_contract
            assert followed.state is ProgramState.READY
            assert (await w.client.fire("sample_ext")).result == 42


async def test_what_is_refused_anew_stays_as_it_is(tmp_path: Path) -> None:
    """It waits for the contract that it was verified against, and says what was tried."""
    async with world(tmp_path) as w:
        async with unchanged(w):
            (program,) = (await w.client.load(FOUND, follow_contract=True)).values()
            await program.attach("sample_ext")
        async with changed(w, "return-type"):
            with pytest.raises(EbpfdError) as caught:
                await program.reload()
            assert caught.value.code is Result.VERIFICATION_FAILED
            waiting = await w.client.program(program.id)
            assert waiting.state is ProgramState.WAITING
            assert "it was tried, and failed" in waiting.state_reason
        async with unchanged(w):
            assert (await w.client.fire("sample_ext")).result == 42
            assert [each.id for each in await w.client.programs()] == [program.id]


async def test_a_context_may_grow_in_its_middle(tmp_path: Path) -> None:
    """Yesterday's file is relocated, verified and swapped in anew: on request, never by itself."""
    async with world(tmp_path) as w:
        async with script(w, GROWING):
            (program,) = (await w.client.load(VISITS)).values()
            link = await program.attach("visits")
            small = struct.pack("<16xIH2x", 7, 3)
            assert (await w.client.fire("visits", context=small)).result == 703
        async with script(w, GROWING, "--grown"):
            grown = struct.pack("<16xQII", 2**64 - 1, 8, 4)
            waiting = await w.client.program(program.id)
            assert waiting.state is ProgramState.WAITING
            assert "another contract" in waiting.state_reason
            fired = await w.client.fire("visits", context=grown)
            assert fired.code is Result.EXTENSION_FAILED_TO_LOAD, "never revived in place"
            reloaded = await program.reload()
            assert (reloaded.state, reloaded.link_ids) == (ProgramState.READY, (link.id,))
            assert (await w.client.fire("visits", context=grown)).result == 804
            seen = dict(await reloaded.maps["seen"].items())
            assert seen == {struct.pack("<I", k): struct.pack("<I", v) for k, v in [(7, 3), (8, 4)]}


async def test_a_program_follows_a_context_that_grows(tmp_path: Path) -> None:
    """By itself, where it was loaded so."""
    async with world(tmp_path) as w:
        async with script(w, GROWING):
            (program,) = (await w.client.load(VISITS, follow_contract=True)).values()
            await program.attach("visits")
        async with script(w, GROWING, "--grown"):
            followed = await other_than(w, program)
            grown = struct.pack("<16xQII", 2**64 - 1, 8, 4)
            assert (await w.client.fire("visits", context=grown)).result == 804
        async with script(w, GROWING):
            await other_than(w, followed)
            small = struct.pack("<16xIH2x", 7, 3)
            assert (await w.client.fire("visits", context=small)).result == 703
