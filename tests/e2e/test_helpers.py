"""Each helper of the sample extension, called by a compiled program in the daemon."""

import struct
from pathlib import Path

import pytest

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Result
from tests.e2e.world import PROGRAMS, sample, world

CASES = {
    "helper_function1": (SampleContext(), 42),
    "helper_find": (SampleContext(), 3),
    "helper_replace": (SampleContext(uint16_data=2), 0x5859),
    "helper_implicit_1": (SampleContext(helper_data_1=11), 11),
    "helper_implicit_2": (SampleContext(helper_data_2=20, uint32_data=2), 22),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_helper_gives_its_expected_value(tmp_path: Path, name: str) -> None:
    """By test run and through the hook; the program is marked blocking."""
    context, expected = CASES[name]
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(PROGRAMS / f"{name}.o")).values()
        assert program.blocking
        assert (await program.test_run(context=context)).result == expected
        await program.attach("sample_ext")
        answer = await w.client.fire("sample_ext", context=context)
        assert (answer.code, answer.result) == (Result.SUCCESS, expected)


async def test_what_a_program_writes_into_its_context_comes_back(tmp_path: Path) -> None:
    """helper_implicit_1 copies the helper's result into uint32_data."""
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(PROGRAMS / "helper_implicit_1.o")).values()
        run = await program.test_run(context=SampleContext(helper_data_1=11))
        assert SampleContext.unpack(run.context).uint32_data == 11
        assert struct.unpack_from("<QQ", run.context) == (0, 0), "pointers never travel"
