"""Two extensions provide one program type, by other contracts."""

import dataclasses
from pathlib import Path

import pytest

from ebpfd.contracts import ProgramData
from ebpfd.rpc.contract_codec import encode_program_data
from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.contracts.samples import PROGRAM_TYPE, SAMPLE
from tests.daemon.host.world import until
from tests.daemon.rpc.wire import Module, Wire, serving

OTHER = dataclasses.replace(SAMPLE, section_prefixes=("other",))


async def register(module: Module, data: ProgramData) -> int:
    """Let *module* provide the sample's program type by *data*."""
    told = reg.Characteristics(program_data=encode_program_data(data))
    return await module.register(PROGRAM_INFORMATION.bytes, PROGRAM_TYPE.bytes, told)


def known(w: Wire) -> ProgramData:
    """What the daemon knows of the type."""
    return w.daemon.contracts.find("sample").data


@pytest.mark.parametrize("in_order", [True, False])
async def test_the_first_ones_contract_holds_again_when_the_second_leaves(
    tmp_path: Path, in_order: bool
) -> None:
    """Whether it deregisters or its process vanishes."""
    async with serving(tmp_path) as w:
        first, second = await w.module("first"), await w.module("second")
        await register(first, SAMPLE)
        handle = await register(second, OTHER)
        assert known(w) == OTHER
        if in_order:
            await second.ask(deregister=reg.Deregister(registration=handle))
        else:
            second.call.cancel()
        await until(lambda: known(w) == SAMPLE)
