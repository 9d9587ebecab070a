"""Programs as people read them: what is loaded, and what a file holds."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ebpfd.contracts import ContractLookupError, KnownContracts, ProgramData
from ebpfd.objects import Program
from ebpfd_vm import DisassembledRow, Object, ProgramSpec, disassemble, general_helpers


@dataclass(frozen=True, slots=True)
class Listing:
    """A program's instructions."""

    name: str
    section: str
    rows: list[DisassembledRow]


async def of_loaded(program: Program) -> Listing:
    """The instructions that run: relocated for the contract that it was verified against."""
    maps = {
        index: each.map.name
        for index, each in zip(program.spec.map_indices, program.maps, strict=True)
    }
    return await _listing(program.spec, maps, _helpers(program.contract))


async def of_file(
    parsed: Object, chosen: Sequence[ProgramSpec], contracts: KnownContracts
) -> list[Listing]:
    """The instructions as they were compiled; no extension needs to be there."""
    maps = {index: each.name for index, each in enumerate(parsed.maps)}
    return [await _listing(each, maps, _helpers_of(each, contracts)) for each in chosen]


def _helpers_of(spec: ProgramSpec, contracts: KnownContracts) -> dict[int, str]:
    """Without a known contract only general helpers have names."""
    try:
        return _helpers(contracts.for_section(spec.section))
    except ContractLookupError:
        return _helpers(None)


def _helpers(contract: ProgramData | None) -> dict[int, str]:
    names = {each.helper_id: each.name for each in general_helpers()}
    own = contract.program_info.helpers() if contract is not None else ()
    return names | {each.helper_id: each.name for each in own}


async def _listing(
    spec: ProgramSpec, maps: Mapping[int, str], helpers: Mapping[int, str]
) -> Listing:
    """Large programs take a while: they are written out off the loop."""
    rows = await asyncio.to_thread(disassemble, spec, maps, helpers)
    return Listing(spec.name, spec.section, rows)
