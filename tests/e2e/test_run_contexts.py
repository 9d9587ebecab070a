"""Test runs through the context functions of an extension's program type."""

from pathlib import Path

import pytest

from ebpfd_extensions.sample.extension import SampleContext, sample
from ebpfd_sdk import EbpfdError, Extension, FlatContext, NativeContext, ProgramType, Result
from tests.e2e.world import world

CHAIN = Path(__file__).parent / "programs" / "chain.o"


def decimal() -> ProgramType[SampleContext]:
    """The sample's program type, for users who write numbers in decimal."""
    kind = ProgramType(sample.guid, SampleContext, name="sample", section="sample_ext")

    @kind.context_create
    def create(flat: FlatContext) -> NativeContext[SampleContext]:
        return NativeContext(SampleContext(uint32_data=int(flat.context)))

    @kind.context_destroy
    def destroy(native: NativeContext[SampleContext]) -> FlatContext:
        return FlatContext(str(native.context.uint32_data).encode())

    return kind


async def test_users_give_and_get_what_the_extension_makes_of_it(tmp_path: Path) -> None:
    """One context for all repetitions; what it cannot read is the user's to mend."""
    async with world(tmp_path) as w, Extension(decimal(), address=w.address):
        program = (await w.client.load(CHAIN, programs=["twice"]))["twice"]
        run = await program.test_run(context=b"21", repeat=3)
        assert (run.result, run.context) == (168, b"168")
        with pytest.raises(EbpfdError, match="ValueError: invalid literal") as caught:
            await program.test_run(context=b"many")
        assert caught.value.code is Result.INVALID_ARGUMENT
