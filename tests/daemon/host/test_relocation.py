"""Programs of yesterday on the context of today: what is judged is what runs."""

import dataclasses
from pathlib import Path
from typing import Final

import pytest

from ebpfd.contracts import ContextField, ProgramData, contract_digest
from ebpfd.host.programs import VerificationError
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.host.verification import Judge
from ebpfd.objects import ProgramState
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, parse_object
from tests.daemon.contracts.samples import SAMPLE, with_context
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, refused, until, world

FOLDER: Final = Path(__file__).parents[3] / "daemon" / "vm" / "tests" / "programs"
OBJECT: Final = (FOLDER / "relocated.o").read_bytes()
INSERTED: Final = (FOLDER / "layouts" / "inserted.btf").read_bytes()
CONTEXT: Final = bytes(16) + bytes(range(16, 64))
OLD: Final = dataclasses.replace(
    with_context(SAMPLE, size=64), fields=(ContextField(name="all", offset=16, size=48),)
)
NEW: Final = dataclasses.replace(OLD, context_btf=INSERTED)


async def result_of(w: World, name: str) -> int:
    """What one program of the object gives on ``CONTEXT``; it is gone afterwards."""
    (program,) = await w.programs.load(OBJECT, "relocated.o", [name])
    outcome = await run_test(program, w.executor, CONTEXT, b"", 0, 1)
    await w.programs.unload(program.id)
    assert outcome.code == Result.SUCCESS
    return outcome.result


@pytest.mark.parametrize(
    ("data", "place"), [(OLD, 16), (NEW, 24)], ids=["as compiled", "field added in its middle"]
)
async def test_a_field_is_read_where_the_context_has_it(data: ProgramData, place: int) -> None:
    """The very same file, whatever the extension has added meanwhile."""
    async with world() as w:
        await w.provide(FakeExtension(), data)
        assert await result_of(w, "number") == int.from_bytes(CONTEXT[place:][:4], "little")


async def test_both_judges_see_the_program_that_runs() -> None:
    """A field that is gone is refused by each, where it is used and nowhere else."""
    async with world() as w:
        await w.provide(FakeExtension(), NEW)
        for judged in await w.programs.verify(OBJECT, ["removed"], Judge.BOTH):
            assert judged.verdict.rejection is not None
            assert "sample_context.removed" in judged.verdict.rejection.reason
            assert judged.verdict.rejection.source is not None
        for judged in await w.programs.verify(OBJECT, ["asked_first", "half"], Judge.BOTH):
            assert judged.verdict.rejection is None
        with pytest.raises(VerificationError):
            await w.programs.load(OBJECT, "relocated.o", ["removed"])
        assert await result_of(w, "asked_first") == 11


async def test_a_verdict_for_one_layout_is_none_for_another() -> None:
    """They are remembered by what was judged."""
    async with world() as w:
        handles = await w.provide(FakeExtension(), OLD)
        (before,) = await w.programs.verify(OBJECT, ["removed"])
        for handle in handles:
            await w.registrar.withdraw(handle)
        await w.provide(FakeExtension(), NEW)
        (after,) = await w.programs.verify(OBJECT, ["removed"])
    assert before.verdict.rejection is None
    assert after.verdict.rejection is not None
    assert not after.verdict.cached


async def test_a_loaded_program_waits_if_its_layout_changes() -> None:
    """Its instructions come from the old one; the reason names what has changed."""
    async with world() as w:
        handles = await w.provide(FakeExtension(), OLD, hook=False)
        (program,) = await w.programs.load(OBJECT, "relocated.o", ["number"])
        await w.registrar.withdraw(handles[0])
        await w.provide(FakeExtension(), NEW, hook=False)
        await until(lambda: "another contract" in program.provider.reason)
        assert "context_btf" in program.provider.reason
        assert program.state is ProgramState.WAITING


def test_the_layout_weighs_only_for_programs_that_come_from_it() -> None:
    """Others stay as they are when an extension ships other types."""
    assert contract_digest(OLD, []) == contract_digest(NEW, [])
    assert contract_digest(OLD, [], relocatable=True) != contract_digest(NEW, [], relocatable=True)


async def test_types_that_are_damaged_are_one_clear_error() -> None:
    """It names the program and what is wrong, and nothing is loaded."""
    async with world() as w:
        await w.provide(FakeExtension(), dataclasses.replace(OLD, context_btf=b"none"))
        message = await refused(
            w.programs.load(OBJECT, "relocated.o", ["number"]), Result.INVALID_ARGUMENT
        )
        assert message.startswith("program number: BTF of its context: ")
        assert w.objects.programs() == ()


def test_relocating_is_a_step_on_a_parsed_program() -> None:
    """A new value for the layout, the old one untouched; the same if there is nothing to do."""
    spec = next(each for each in parse_object(OBJECT).programs if each.name == "number")
    before = spec.instructions
    relocated = spec.relocated(INSERTED)
    assert spec.relocatable
    assert not relocated.relocatable
    assert spec.instructions == before != relocated.instructions
    assert spec.relocated(b"") is spec
    assert relocated.relocated(INSERTED) is relocated
    with pytest.raises(EngineError, match="BTF of its context"):
        spec.relocated(b"none")
