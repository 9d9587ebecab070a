"""Loading: all programs of a file or none, and nothing left behind when it fails."""

import asyncio
import dataclasses
import gc
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ebpfd import nmr
from ebpfd.host import programs, verification
from ebpfd.host.judging import judge
from ebpfd.host.loading import Made, make
from ebpfd.host.modules import AttachAnswer
from ebpfd.host.program_clients import missing_helpers
from ebpfd.host.programs import VerificationError
from ebpfd.host.test_runs import test_run as run_test
from ebpfd.host.verification_frames import Verdict
from ebpfd.objects import ProgramState
from ebpfd.store import StateDirectory
from ebpfd_api.npi import GENERAL_HELPERS_MODULE, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.prototype import ReturnType
from ebpfd_api.result import Result
from tests.conformance.elf import SECTION
from tests.conformance.elf import object_file as named
from tests.daemon.contracts.samples import (
    ATTACH_TYPE,
    HELPERS,
    PROGRAM_TYPE,
    SAMPLE,
    helper,
    with_helper,
    with_info,
)
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import object_file, refused, soon, until, world


async def test_a_loaded_program_binds_runs_and_leaves_without_trace() -> None:
    """Two registrations while it is loaded, none afterwards."""
    async with world() as w:
        extension = FakeExtension()
        handles = await w.provide(extension, hook=False)
        program = await w.load("count.o")
        assert program.state is ProgramState.READY
        assert len(w.registrar.clients()) == len(w.registrar.bindings()) == 2
        assert [each.program_ids for each in w.objects.maps()] == [{program.id}]
        outcome = await run_test(program, w.executor, b"", b"", 0, 3)
        assert (outcome.code, outcome.result) == (Result.SUCCESS, 1)
        assert program.engine.counters().runs == 3
        assert (await w.programs.unload(program.id)).link_ids == set()
        await w.registrar.withdraw(handles[0])
        assert w.leftovers() == []
        assert [each.split()[0] for each in extension.journal] == ["attach", "detach", "cleanup"]
        await refused(w.programs.unload(program.id), Result.STALE_ID)


async def test_a_file_that_makes_no_sense_is_refused_before_anything_is_bound() -> None:
    """Bad bytes, an unknown section, an unknown program name."""
    async with world() as w:
        assert "ELF" in await refused(
            w.programs.load(b"junk", "x.o", []), Result.ELF_PARSING_FAILED
        )
        unknown = await refused(w.load("count.o"), Result.INVALID_ARGUMENT)
        assert "count_by_protocol" in unknown
        assert "no extension has registered yet" in unknown
        extension = FakeExtension()
        await w.provide(extension)
        wanted = w.programs.load(object_file("count.o"), "count.o", ["other"])
        assert 'no program "other" (it has: count_by_protocol)' in await refused(
            wanted, Result.INVALID_ARGUMENT
        )
        assert extension.journal == []


async def test_a_known_type_without_provider_is_refused_and_leaves_nothing() -> None:
    """Facts 5.1: a program is created only while its provider is there; nobody waits."""
    async with world() as w:
        w.contracts.remember_program_type(SAMPLE)
        message = await refused(w.load("count.o"), Result.EXTENSION_FAILED_TO_LOAD)
        assert "no extension provides its program type" in message
        assert w.leftovers() == []


async def test_a_programs_name_has_fewer_than_64_bytes() -> None:
    """Bytes, not characters; INVALID_ARGUMENT before anything is bound."""
    data = dataclasses.replace(SAMPLE, section_prefixes=(SECTION,))
    zero = struct.pack("<BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)
    async with world() as w:
        extension = FakeExtension()
        await w.provide(extension, data, hook=False)
        for name in ("n" * 63, "é" * 31):
            (program,) = await w.programs.load(named(zero, (0,), name=name), "n.o", [])
            assert program.spec.name == name
        bound = len(extension.attached)
        for name in ("n" * 64, "é" * 32):
            loading = w.programs.load(named(zero, (0,), name=name), "n.o", [])
            assert "64 bytes" in await refused(loading, Result.INVALID_ARGUMENT)
        assert len(extension.attached) == bound


async def test_a_program_that_is_not_safe_leaves_nothing_behind() -> None:
    """Refused after it was bound: both registrations end, no map stays."""
    async with world() as w:
        extension = FakeExtension()
        (handle,) = await w.provide(extension, hook=False)
        with pytest.raises(VerificationError, match="refused by the verifier") as caught:
            await w.load("unsafe/null_map_value.o")
        (judged,) = caught.value.refused
        assert judged.verdict.rejection is not None
        assert caught.value.code is Result.VERIFICATION_FAILED
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []
        assert extension.attached == []


async def test_programs_are_compiled_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop goes on meanwhile; an extension that leaves meanwhile ends the load."""
    compiling, go = asyncio.Event(), threading.Event()
    async with world() as w:
        loop = asyncio.get_running_loop()

        def slow(*arguments: Any) -> Made:
            loop.call_soon_threadsafe(compiling.set)
            go.wait()
            return make(*arguments)

        monkeypatch.setattr(programs, "make", slow)
        (handle,) = await w.provide(FakeExtension(), hook=False)
        loading = asyncio.ensure_future(w.load("count.o"))
        await soon(compiling.wait())
        assert list(w.objects.programs()) == []
        await soon(w.registrar.withdraw(handle))
        go.set()
        assert "has gone" in await refused(loading, Result.EXTENSION_FAILED_TO_LOAD)
        assert w.leftovers() == []


@pytest.mark.parametrize(
    ("served", "prototypes", "code", "said"),
    [
        (
            frozenset[int](),
            HELPERS,
            Result.INVALID_ARGUMENT,
            "nobody serves helper implicit_2 (65540): its provider gives it no address",
        ),
        (
            frozenset[int](),
            HELPERS[:3],
            Result.VERIFICATION_FAILED,
            "refused by the verifier",
        ),
    ],
    ids=["nobody serves it", "nobody knows it"],
)
async def test_a_helper_that_is_not_there_is_refused(
    served: frozenset[int], prototypes: tuple[object, ...], code: Result, said: str
) -> None:
    """Prototypes alone are legal to register, and not enough to run."""
    async with world() as w:
        data = dataclasses.replace(
            with_info(SAMPLE, program_type_specific_helpers=prototypes), helper_addresses=served
        )
        (handle,) = await w.provide(FakeExtension(), data, hook=False)
        assert said in await refused(w.load("helper_implicit_2.o"), code)
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (dataclasses.replace(SAMPLE, capabilities=1), "capabilities is 1, not 0"),
        (None, "no extension provides"),
    ],
    ids=["reserved bits", "not program data"],
)
async def test_a_provider_that_will_not_do_is_not_taken(data: object, reason: str) -> None:
    """It may register; the program's attach is what fails."""
    async with world() as w:
        w.contracts.remember_program_type(SAMPLE)
        instance = nmr.RegistrationInstance(
            PROGRAM_INFORMATION, nmr.ModuleId.guid(PROGRAM_TYPE), characteristics=data
        )
        extension = FakeExtension()
        await w.registrar.register(nmr.Role.PROVIDER, instance, extension)
        assert reason in await refused(w.load("count.o"), Result.EXTENSION_FAILED_TO_LOAD)
        assert extension.journal == []


async def test_a_provider_that_refuses_a_program_is_named_in_the_reason() -> None:
    """Its status becomes EXTENSION_FAILED_TO_LOAD."""
    async with world() as w:
        extension = FakeExtension()
        extension.answer = AttachAnswer(NtStatus.ACCESS_DENIED, message="not today")
        (handle,) = await w.provide(extension, hook=False)
        assert "not today" in await refused(w.load("count.o"), Result.EXTENSION_FAILED_TO_LOAD)
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


async def test_concurrent_loads_do_not_meet() -> None:
    """Each has its own registrations, ids and maps; one that fails takes nobody with it."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), hook=False)
        outcomes = await asyncio.gather(
            w.load("count.o"),
            w.load("unsafe/out_of_bounds.o"),
            w.load("count.o"),
            w.load("trace.o"),
            return_exceptions=True,
        )
        assert [type(each).__name__ for each in outcomes] == [
            "Program",
            "VerificationError",
            "Program",
            "Program",
        ]
        maps = [each.id for each in w.objects.maps()]
        programs = [each.id for each in w.objects.programs()]
        assert (len(maps), len({*maps, *programs})) == (2, 5)
        await asyncio.gather(*(w.programs.unload(each.id) for each in w.objects.programs()))
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


async def test_a_load_cancelled_while_it_binds_leaves_nothing() -> None:
    """The registration that nobody has heard of yet goes too."""
    async with world() as w:
        extension = FakeExtension()
        gate = extension.hold("attach")
        (handle,) = await w.provide(extension, hook=False)
        loading = asyncio.ensure_future(w.load("count.o"))
        assert await soon(extension.reached.get()) == "attach"
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        gate.set()
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []
        assert extension.attached == []


async def test_a_load_cancelled_while_it_is_judged_leaves_nothing() -> None:
    """The worker is killed and the registrations end."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), hook=False)
        loading = asyncio.ensure_future(w.load("count.o"))
        await soon(w.verifier.asked.wait())
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


async def test_an_extension_lost_while_a_program_is_judged_fails_the_load() -> None:
    """The program would wait from the start: it is refused instead."""
    async with world() as w:
        extension = FakeExtension("lost one")
        await w.provide(extension, hook=False)
        w.verifier.gate.clear()
        loading = asyncio.ensure_future(w.load("count.o"))
        await soon(w.verifier.asked.wait())
        w.lose(extension)
        w.verifier.gate.set()
        message = await refused(loading, Result.EXTENSION_FAILED_TO_LOAD)
        assert "the extension lost one has gone" in message
        assert w.leftovers() == []


async def test_an_extension_lost_while_it_attaches_fails_the_load() -> None:
    """Its callback never answers."""
    async with world() as w:
        extension = FakeExtension()
        extension.hold("attach")
        await w.provide(extension, hook=False)
        loading = asyncio.ensure_future(w.load("count.o"))
        assert await soon(extension.reached.get()) == "attach"
        w.lose(extension)
        await refused(soon(loading), Result.EXTENSION_FAILED_TO_LOAD)
        assert w.leftovers() == []


async def test_another_contract_while_a_program_is_judged_is_not_taken() -> None:
    """Verified against one contract, it must not be published with another."""
    async with world() as w:
        first, second = FakeExtension("first"), FakeExtension("second")
        await w.provide(first, hook=False)
        w.verifier.gate.clear()
        loading = asyncio.ensure_future(w.load("helper_implicit_2.o"))
        await soon(w.verifier.asked.wait())
        w.lose(first)
        await w.provide(second, with_helper(SAMPLE, 4, name="other"), hook=False)
        w.verifier.gate.set()
        message = await refused(loading, Result.EXTENSION_FAILED_TO_LOAD)
        assert "another contract" in message


async def test_a_program_survives_its_provider_and_revives_with_the_same_contract() -> None:
    """Facts 5.2: waiting meanwhile, test runs are refused; an unused helper may change."""
    async with world() as w:
        first = FakeExtension("first")
        await w.provide(first, hook=False)
        program = await w.load("helper_implicit_2.o")
        w.lose(first)
        await until(lambda: program.state is ProgramState.WAITING)
        assert program.provider.reason == "the extension first has gone"
        await refused(run_test(program, w.executor, b"", b"", 0, 1), Result.INVALID_ARGUMENT)

        changed = [
            (
                with_helper(SAMPLE, 4, return_type=ReturnType.PTR_TO_MAP_VALUE_OR_NULL),
                "program_type_specific_helpers[implicit_2].return_type is 1, was 0; load it anew",
            ),
            (
                dataclasses.replace(SAMPLE, helper_addresses=frozenset()),
                "its provider no longer serves helper implicit_2 (65540)",
            ),
            (
                dataclasses.replace(SAMPLE, capabilities=1),
                "its provider sets reserved bits: capabilities is 1, not 0",
            ),
        ]
        for data, reason in changed:
            (handle,) = await w.provide(FakeExtension(), data, hook=False)
            assert program.state is ProgramState.WAITING
            assert reason in program.provider.reason
            await w.registrar.withdraw(handle)

        again = FakeExtension("again")
        await w.provide(again, with_helper(SAMPLE, 0, name="unused"), hook=False)
        assert program.state is ProgramState.READY
        assert (program.provider.name, program.provider.reason) == ("again", "")
        outcome = await run_test(program, w.executor, bytes(32), b"", 0, 1)
        assert (outcome.code, outcome.result) == (Result.SUCCESS, 5)
        assert again.journal[-1] == "helper 0x10004"


async def test_of_two_providers_at_once_one_is_bound_and_the_other_waits() -> None:
    """Both attaches run at the same time; when the first leaves, the second takes over."""
    async with world() as w:
        gone = FakeExtension()
        await w.provide(gone, hook=False)
        program = await w.load("count.o")
        w.lose(gone)
        await until(lambda: program.state is ProgramState.WAITING)
        first, second = FakeExtension("first"), FakeExtension("second")
        gate = first.hold("attach")
        registering = asyncio.ensure_future(w.provide(first, hook=False))
        assert await soon(first.reached.get()) == "attach"
        await w.provide(second, hook=False)
        gate.set()
        (handle,) = await soon(registering)
        assert (len(first.attached), len(second.attached)) == (1, 0)
        assert program.provider.name == "first"
        await w.registrar.withdraw(handle)
        await until(lambda: program.state is ProgramState.READY)
        assert (len(first.attached), len(second.attached)) == (0, 1)
        assert program.provider.name == "second"


async def test_nobody_passes_for_the_general_helpers() -> None:
    """An impostor with their module id neither replaces them nor takes them away."""
    async with world() as w:
        impostor = FakeExtension()
        impostor.answer = AttachAnswer(NtStatus.ACCESS_DENIED)
        instance = nmr.RegistrationInstance(
            PROGRAM_INFORMATION, nmr.ModuleId.guid(GENERAL_HELPERS_MODULE), characteristics=SAMPLE
        )
        await w.registrar.register(nmr.Role.PROVIDER, instance, impostor)
        await w.provide(FakeExtension(), hook=False)
        assert (await w.load("count.o")).state is ProgramState.READY
        assert impostor.journal == []


async def test_verifying_needs_no_extension_only_its_contract() -> None:
    """And registers nothing."""
    async with world() as w:
        w.contracts.remember_program_type(SAMPLE)
        (accepted,) = await w.programs.verify(object_file("count.o"), [])
        (refusal,) = await w.programs.verify(object_file("unsafe/out_of_bounds.o"), [])
        assert accepted.verdict.rejection is None
        assert refusal.verdict.rejection is not None
        assert w.leftovers() == []


async def test_loading_what_was_verified_judges_nothing_anew() -> None:
    """And verifying what was loaded: both ask one memory."""
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        (first,) = await w.programs.verify(object_file("count.o"), [])
        await w.load("count.o")
        (second,) = await w.programs.verify(object_file("count.o"), [])
        assert (first.verdict.cached, second.verdict.cached) == (False, True)
        await w.load("trace.o")
        (third,) = await w.programs.verify(object_file("trace.o"), [])
        assert third.verdict.cached


async def test_concurrent_loads_of_one_program_are_judged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They wait for one verdict, and each becomes a program of its own."""
    asked: list[str] = []

    def counted(*arguments: Any) -> Verdict:
        asked.append(arguments[0].name)
        return judge(*arguments)

    monkeypatch.setattr(verification, "judge", counted)
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        loaded = await asyncio.gather(*(w.load("count.o") for _ in range(4)))
        assert len({each.id for each in loaded}) == 4
        assert asked == ["count_by_protocol"]


async def test_unloading_a_linked_program_waits_for_its_link() -> None:
    """The links that keep it are named; it goes with the last of them."""
    async with world() as w:
        extension = FakeExtension()
        handles = await w.provide(extension)
        link = await w.attached("count.o")
        assert (await w.programs.unload(link.program.id)).link_ids == {link.id}
        assert (await w.programs.unload(link.program.id)).link_ids == {link.id}
        await w.links.detach(link.id)
        for handle in handles:
            await w.registrar.withdraw(handle)
        assert w.leftovers() == []


async def test_closing_withdraws_every_program() -> None:
    """At the daemon's end."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), hook=False)
        await w.load("count.o")
        await w.load("trace.o")
        await w.programs.close()
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


@pytest.mark.parametrize(
    ("used", "served", "overrides", "missing"),
    [
        ([1, 2], frozenset[int](), (), []),
        ([1, 0x10000], frozenset({0x10000}), (), []),
        ([0x10001, 0x10000], frozenset[int](), (), [0x10000, 0x10001]),
        ([1], frozenset[int](), (helper(1, "lookup"),), [1]),
        ([1], frozenset({1}), (helper(1, "lookup"),), []),
    ],
)
def test_what_the_provider_must_serve(
    used: list[int], served: frozenset[int], overrides: tuple[object, ...], missing: list[int]
) -> None:
    """Its own helpers in use, and general ones that it overrides."""
    data = dataclasses.replace(with_info(SAMPLE, global_helpers=overrides), helper_addresses=served)
    assert missing_helpers(data, used) == missing


async def test_a_long_test_run_does_not_keep_its_extension_from_leaving() -> None:
    """The detach ends it between two slices."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), hook=False)
        program = await w.load("count.o")
        running = asyncio.ensure_future(run_test(program, w.executor, b"", b"", 0, 2**32 - 1))
        await until(lambda: program.engine.counters().runs > 1)
        await soon(w.registrar.withdraw(handle))
        assert "its extension left" in await refused(running, Result.CANCELED)
        assert program.provider.rundown.active == 0


async def test_a_cancelled_test_run_ends_before_its_use_does() -> None:
    """The thread is awaited, so that nothing runs after a detach has returned."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), hook=False)
        program = await w.load("count.o")
        running = asyncio.ensure_future(run_test(program, w.executor, b"", b"", 0, 2**32 - 1))
        await until(lambda: program.engine.counters().runs > 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert program.provider.rundown.active == 0
        await soon(w.registrar.withdraw(handle))


@pytest.mark.parametrize(
    ("context", "data", "meta_length"), [(b"x", b"", 0), (bytes(32), b"ab", 3)]
)
async def test_a_test_run_with_bad_sizes_is_refused(
    context: bytes, data: bytes, meta_length: int
) -> None:
    """INVALID_ARGUMENT, and the use ends."""
    async with world() as w:
        await w.provide(FakeExtension(), hook=False)
        program = await w.load("count.o")
        run = run_test(program, w.executor, context, data, meta_length, 1)
        await refused(run, Result.INVALID_ARGUMENT)
        assert program.provider.rundown.active == 0


async def test_attaching_an_absent_program_is_key_not_found() -> None:
    """Nothing is registered for it."""
    async with world() as w:
        await w.provide(FakeExtension())
        await refused(w.links.attach(99, ATTACH_TYPE, b""), Result.KEY_NOT_FOUND)


async def test_what_is_unloaded_is_gone_at_once(tmp_path: Path) -> None:
    """With the files of its maps: no collection of garbage is waited for."""

    def files() -> list[str]:
        found: list[str] = []
        for each in Path("/proc/self/fd").iterdir():
            with suppress(FileNotFoundError):  # it was of this very walk
                found.append(str(each.readlink()))
        return [each for each in found if str(tmp_path) in each and "/maps/" in each]

    async with world(state=StateDirectory(tmp_path)) as w:
        await w.provide(FakeExtension())
        gc.collect()
        gc.disable()
        try:
            loaded = (await w.load("count.o")).id
            assert files()
            await w.programs.unload(loaded)
            assert files() == []
        finally:
            gc.enable()
