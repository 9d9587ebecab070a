"""Contracts that are imported, provided, kept and forgotten."""

import asyncio
import dataclasses
from pathlib import Path
from uuid import UUID

import pytest
import structlog

from ebpfd.contracts import ProgramData
from ebpfd.errors import RequestError
from ebpfd.objects import ProgramState
from ebpfd.store import Database, KeptContracts
from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.result import Result
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HOOK_DATA,
    PROGRAM_TYPE,
    SAMPLE,
    with_descriptor,
)
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import object_file, refused, world

COUNT = "count.o"
"""It calls general helpers only."""

TURNS = 20
"""Of the loop, until callbacks that nobody waits for have been called."""


async def test_an_imported_type_can_be_verified_for_but_not_loaded() -> None:
    """Nobody provides it."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=False)
        (judged,) = await w.programs.verify(object_file(COUNT), [])
        assert judged.verdict.rejection is None
        with pytest.raises(RequestError, match="start the extension") as caught:
            await w.load(COUNT)
        assert caught.value.code is Result.EXTENSION_FAILED_TO_LOAD
        assert not w.leftovers()


async def test_a_provided_type_loads_and_runs() -> None:
    """The daemon is its provider."""
    async with world() as w:
        known = await w.exchange.add(SAMPLE, "sample.json", provide=True)
        assert (known.origin, known.imported) == ("sample.json", True)
        assert w.exchange.is_provided(PROGRAM_TYPE)
        program = await w.load(COUNT)
        assert program.state is ProgramState.READY
        assert program.provider.name == "daemon"


async def test_a_provided_type_serves_no_helper() -> None:
    """A program that calls one of the type's own is refused by name."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        with pytest.raises(RequestError, match="helper find"):
            await w.load("helper_find.o")


async def test_a_forgotten_type_is_unknown_and_its_programs_wait() -> None:
    """What was loaded stays; what comes back with the same contract revives it."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        program = await w.load(COUNT)
        await w.exchange.forget("sample")
        assert program.state.name == "WAITING"
        assert w.registrar.providers(PROGRAM_INFORMATION)[1:] == []
        with pytest.raises(RequestError, match="none: no extension has registered yet"):
            w.exchange.find("sample")
        await w.exchange.add(SAMPLE, "again", provide=True)
        assert program.state is ProgramState.READY


async def test_importing_anew_takes_the_place_of_the_provider() -> None:
    """There is one at a time, with the latest contract."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "first", provide=True)
        changed = dataclasses.replace(SAMPLE, section_prefixes=("other",))
        await w.exchange.add(changed, "second", provide=True)
        (_, provider) = w.registrar.providers(PROGRAM_INFORMATION)
        assert isinstance(provider.instance.characteristics, ProgramData)
        assert provider.instance.characteristics.section_prefixes == ("other",)
        await w.exchange.add(SAMPLE, "third", provide=False)
        assert len(w.registrar.providers(PROGRAM_INFORMATION)) == 1


async def test_contracts_survive_the_daemon(tmp_path: Path) -> None:
    """Registered and imported ones, hooks, and what the daemon provided."""
    path = tmp_path / "state.sqlite"
    async with Database(path) as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.remember_program_type(SAMPLE, "sample extension")
        await w.exchange.remember_attach_type(ATTACH_TYPE, HOOK_DATA)
    async with Database(path) as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.restore()
        known = w.exchange.find("sample")
        assert (known.data, known.origin, known.imported) == (SAMPLE, "sample extension", False)
        assert w.contracts.attach_type(ATTACH_TYPE) == HOOK_DATA
        assert not w.exchange.is_provided(PROGRAM_TYPE)
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
    async with Database(path) as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.restore()
        assert w.exchange.is_provided(PROGRAM_TYPE)
        assert (await w.load(COUNT)).state is ProgramState.READY
        await w.exchange.forget(PROGRAM_TYPE)
    async with Database(path) as database, world(kept=KeptContracts(database)) as w:
        await w.exchange.restore()
        assert w.exchange.all() == []


async def test_a_contract_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    """Nobody is told that it is there."""
    async with Database(tmp_path / "state.sqlite") as database:
        await database.look(lambda connection: connection.execute("PRAGMA max_page_count = 2"))
        async with world(kept=KeptContracts(database)) as w:
            large = dataclasses.replace(SAMPLE, context_btf=bytes(100_000))
            with pytest.raises(RequestError, match="so nothing has changed") as caught:
                await w.exchange.add(large, "large", provide=True)
            assert caught.value.code is Result.OUT_OF_SPACE
            assert w.exchange.all() == []
            assert not w.exchange.is_provided(PROGRAM_TYPE)


async def test_a_contract_that_cannot_be_kept_leaves_the_one_before(tmp_path: Path) -> None:
    """The daemon goes on providing that, also to programs that come later."""
    async with (
        Database(tmp_path / "state.sqlite") as database,
        world(kept=KeptContracts(database)) as w,
    ):
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        await database.look(lambda connection: connection.execute("PRAGMA max_page_count = 2"))
        large = dataclasses.replace(SAMPLE, context_btf=bytes(100_000))
        with pytest.raises(RequestError, match="cannot be written"):
            await w.exchange.add(large, "large", provide=True)
        assert [each.data for each in w.exchange.all()] == [SAMPLE]
        assert w.exchange.is_provided(PROGRAM_TYPE)


async def test_an_extension_may_come_beside_the_daemon() -> None:
    """Programs keep the provider that they have."""
    async with world() as w:
        await w.exchange.add(SAMPLE, "sample.json", provide=True)
        program = await w.load(COUNT)
        extension = FakeExtension()
        await w.provide(extension, hook=False)
        assert program.provider.name == "daemon"
        await w.exchange.forget("sample")
        for _ in range(TURNS):  # the extension is offered once more
            await asyncio.sleep(0)
        assert program.provider.name == extension.name
        assert program.state is ProgramState.READY


async def test_the_contract_of_a_running_extension_is_not_forgotten() -> None:
    """It is, when the extension has gone."""
    async with world() as w:
        extension = FakeExtension("sampler")
        await w.provide(extension, hook=False)
        assert "the extension sampler provides" in await refused(
            w.exchange.forget("sample"), Result.INVALID_STATE
        )
        w.lose(extension)
        await w.exchange.forget("sample")
        assert w.exchange.all() == []


OTHER = dataclasses.replace(SAMPLE, section_prefixes=("other",))


async def test_the_contract_of_the_provider_that_remains_holds_again() -> None:
    """A second one with another contract takes its place only while it is there."""
    async with world() as w:
        first, second = FakeExtension("first"), FakeExtension("second")
        await w.exchange.remember_program_type(SAMPLE, "first")
        await w.provide(first, hook=False)
        with structlog.testing.capture_logs() as logs:
            await w.exchange.remember_program_type(OTHER, "second")
        (warning,) = [each for each in logs if each["log_level"] == "warning"]
        assert (warning["extension"], warning["provider"]) == ("second", "first")
        await w.provide(second, OTHER, hook=False)
        w.lose(second)
        await w.exchange.provider_left(PROGRAM_TYPE)
        known = w.exchange.find("sample")
        assert (known.data, known.origin) == (SAMPLE, "first")
        w.lose(first)
        await w.exchange.provider_left(PROGRAM_TYPE)
        assert w.exchange.find("sample").data == SAMPLE


async def test_what_the_daemon_provides_holds_again_when_an_extension_leaves() -> None:
    """Whole, as it was imported."""
    async with world() as w:
        imported = await w.exchange.add(SAMPLE, "sample.json", provide=True)
        extension = FakeExtension()
        await w.exchange.remember_program_type(OTHER, "fake")
        await w.provide(extension, OTHER, hook=False)
        w.lose(extension)
        await w.exchange.provider_left(PROGRAM_TYPE)
        assert w.exchange.find("sample") == imported


async def test_an_extension_that_was_made_anew_is_not_hidden_by_its_old_self() -> None:
    """It has other GUIDs, and the same names and section; what it left behind can be forgotten."""
    async with world() as w:
        dead_type, dead_hook = UUID(int=7), UUID(int=8)
        dead = with_descriptor(SAMPLE, program_type=dead_type)
        await w.exchange.remember_program_type(dead, "old")
        await w.exchange.remember_attach_type(dead_hook, HOOK_DATA)
        await w.provide(FakeExtension())
        assert (await w.load(COUNT)).program_type == PROGRAM_TYPE
        assert w.links.find_attach_type("sample_ext") == ATTACH_TYPE
        assert w.exchange.find("sample").data == SAMPLE
        await w.exchange.forget(dead_type)
        await w.hosted_hooks.remove(dead_hook)
        assert [each.data for each in w.exchange.all()] == [SAMPLE]
        assert [guid for guid, _ in w.contracts.attach_types()] == [ATTACH_TYPE]
