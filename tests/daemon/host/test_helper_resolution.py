"""Who serves a helper that a program calls: the engine, its type's provider, or nobody.

id < 0xffff     the provider's override, else the engine's own, else nobody
id >= 0x10000   the provider of the program's type, else nobody
"""

import dataclasses
import struct

import pytest

from ebpfd.contracts import HelperFunctionPrototype, ProgramData
from ebpfd.host.modules import HelperCall, HelperOutcome
from ebpfd.host.programs import VerificationError
from ebpfd.host.test_runs import test_run as run_test
from ebpfd_api.prototype import ArgumentType
from ebpfd_api.result import Result
from tests.conformance.elf import SECTION, object_file
from tests.daemon.contracts.samples import SAMPLE, helper, with_info
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import refused, soon, world

COOKIE, CPU, UNKNOWN = 26, 8, 0x1_0099
"""Without a default; with one; declared by nobody."""

ANSWER = 77


def calls(helper_id: int) -> bytes:
    """A program that returns what helper *helper_id* makes of its context."""
    call = struct.pack("<BBhi", 0x85, 0, 0, helper_id)
    return object_file(call + struct.pack("<BBhi", 0x95, 0, 0, 0), (0,))


def offering(override: HelperFunctionPrototype | None, *, served: bool) -> ProgramData:
    """The sample type, with an override of a general helper."""
    data = dataclasses.replace(SAMPLE, section_prefixes=(SECTION,))
    if override is None:
        return data
    addresses = SAMPLE.helper_addresses | ({override.helper_id} if served else set[int]())
    return dataclasses.replace(
        with_info(data, global_helpers=(override,)), helper_addresses=addresses
    )


async def outcome(data: ProgramData, helper_id: int) -> tuple[int, list[str]]:
    """What a program that calls the helper returns, and what the extension was asked."""
    async with world() as w:
        extension = FakeExtension()

        async def answer(call: HelperCall) -> HelperOutcome:
            assert call.helper_id == helper_id
            return HelperOutcome(ANSWER)

        extension.helper = answer
        await w.provide(extension, data, hook=False)
        (program,) = await w.programs.load(calls(helper_id), "calls.o", [])
        run = await soon(run_test(program, w.executor, b"", b"", 0, 1))
        assert run.code == Result.SUCCESS
        return run.result, [each for each in extension.journal if each.startswith("helper")]


@pytest.mark.parametrize("helper_id", [COOKIE, CPU])
async def test_a_types_override_goes_before_the_engines_own(helper_id: int) -> None:
    """Also where the engine has none."""
    override = helper(helper_id, "mine", ArgumentType.PTR_TO_CTX)
    data = offering(override, served=True)
    assert await outcome(data, helper_id) == (ANSWER, [f"helper {helper_id:#x}"])


async def test_without_an_override_the_engines_own_answers() -> None:
    """And nobody else is asked."""
    result, asked = await outcome(offering(None, served=True), CPU)
    assert (result < 4096, asked) == (True, [])


@pytest.mark.parametrize("helper_id", [COOKIE, CPU])
async def test_an_override_without_address_is_refused_by_name(helper_id: int) -> None:
    """The engine's own is no substitute: the type says that it means something else."""
    override = helper(helper_id, "mine", ArgumentType.PTR_TO_CTX)
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), offering(override, served=False), hook=False)
        loading = w.programs.load(calls(helper_id), "calls.o", [])
        assert f"nobody serves helper mine ({helper_id})" in await refused(
            loading, Result.INVALID_ARGUMENT
        )
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []


@pytest.mark.parametrize(
    ("helper_id", "said"),
    [
        (
            COOKIE,
            "helper bpf_get_socket_cookie (26) has no default: program type",
        ),
        (UNKNOWN, 'unknown helper 65689: program type "sample" offers function1 (65536)'),
    ],
    ids=["without default", "unknown"],
)
async def test_a_helper_that_nobody_has_is_refused_by_name(helper_id: int, said: str) -> None:
    """With what the type would have to do, or what it offers instead."""
    async with world() as w:
        (handle,) = await w.provide(FakeExtension(), offering(None, served=True), hook=False)
        with pytest.raises(VerificationError) as caught:
            await w.programs.load(calls(helper_id), "calls.o", [])
        ((rejection,),) = ([each.verdict.rejection] for each in caught.value.refused)
        assert rejection is not None
        assert rejection.reason.startswith(said)
        await w.registrar.withdraw(handle)
        assert w.leftovers() == []
