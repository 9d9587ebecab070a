"""Functions of other modules: imported by name, bound for as long as the module is there."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from ebpfd_sdk import EbpfdError, Program, ProgramState, Result, VerificationFailed
from tests.e2e.world import World, sample, script, world

HERE = Path(__file__).parent
OBJECT = HERE / "programs" / "imports.o"
BTF = "8cf35ce4-7cf4-4407-883e-59b4e73dbe4f"
MODULE = "8f6c1f83-ce4c-4b58-8b91-654a29e23b7c"
CONTEXT = bytes(16) + (30).to_bytes(4, "little") + bytes(12)


def functions(w: World, *flags: str) -> AbstractAsyncContextManager[None]:
    """The module as its own process."""
    return script(w, HERE / "function_extension.py", *flags)


async def runs(program: Program) -> int:
    """What it results in."""
    return (await program.test_run(context=CONTEXT)).result


async def test_a_program_calls_functions_of_another_module(tmp_path: Path) -> None:
    """One writes memory of the program: 30 + 8 and 30."""
    async with world(tmp_path) as w, sample(w), functions(w):
        (program,) = (await w.client.load(OBJECT)).values()
        assert program.blocking
        assert await runs(program) == 68
        bindings = [each for each in await w.client.bindings() if str(each.npi) == BTF]
        assert len(bindings) == 1


async def test_a_function_has_the_deadline_that_its_author_gives_it(tmp_path: Path) -> None:
    """As a helper has: the run ends with TIMEOUT."""
    async with world(tmp_path) as w, sample(w), functions(w, "--slow-add"):
        (program,) = (await w.client.load(OBJECT)).values()
        with pytest.raises(EbpfdError) as caught:
            await runs(program)
        assert caught.value.code is Result.TIMEOUT


async def test_without_its_module_a_program_is_not_loaded(tmp_path: Path) -> None:
    """The error names the module; nothing is left behind."""
    async with world(tmp_path) as w, sample(w):
        with pytest.raises((EbpfdError, VerificationFailed), match=MODULE) as caught:
            await w.client.load(OBJECT)
        assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        assert await w.client.programs() == ()


async def test_a_function_that_the_module_lacks_is_named(tmp_path: Path) -> None:
    """All that is imported must be there."""
    async with world(tmp_path) as w, sample(w), functions(w, "--without-add"):
        with pytest.raises(EbpfdError, match="no function add"):
            await w.client.load(OBJECT)


async def test_a_program_waits_for_its_module_and_runs_again(tmp_path: Path) -> None:
    """With the functions that it was verified against, and with no others."""
    async with world(tmp_path) as w, sample(w):
        async with functions(w):
            (program,) = (await w.client.load(OBJECT)).values()
        waiting = await w.client.program(program.id)
        assert waiting.state is ProgramState.WAITING
        assert MODULE in waiting.state_reason
        with pytest.raises(EbpfdError, match="has gone") as caught:
            await runs(program)
        assert caught.value.code is Result.INVALID_ARGUMENT, "as test runs end on Windows"
        async with functions(w, "--other-lookup"):
            waiting = await w.client.program(program.id)
            assert waiting.state is ProgramState.WAITING
            assert "another sample_ebpf_extension_btf_lookup" in waiting.state_reason
        async with functions(w):
            assert await runs(program) == 68
