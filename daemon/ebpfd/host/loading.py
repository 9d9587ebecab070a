"""A program on its way from a file: judged, bound, compiled, and then an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ebpfd.contracts import EngineInformation, ProgramData, engine_information
from ebpfd.host.file_maps import create_maps
from ebpfd.host.function_client import FIRST_FUNCTION
from ebpfd.host.helpers import HelperBridge, HelperCalls, Target
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.program_clients import ProgramClients
from ebpfd.host.program_elements import WRITING, provided
from ebpfd.host.verification_frames import Verdict
from ebpfd.objects import Execution, MapObject, Program, ProgramSource
from ebpfd_vm import Map, Object, ProgramSpec, Trace
from ebpfd_vm import Program as EngineProgram

FIRST_RUN_NS: Final = 10_000_000.0
"""What a program whose loops have no bound might take before anybody has seen it run."""

INSTRUCTION_NS: Final = 20.0
"""What an instruction might take, where it is known how many there can be."""


@dataclass(frozen=True, slots=True)
class JudgedProgram:
    """A program of a file with its verdict."""

    spec: ProgramSpec
    contract: ProgramData
    verdict: Verdict


@dataclass(slots=True)
class Loading:
    """A program on its way: what must be undone if another of its file fails."""

    index: int
    spec: ProgramSpec
    program_id: int
    clients: ProgramClients
    contract: ProgramData
    digest: bytes = b""
    judged: JudgedProgram | None = None
    provided: tuple[int, ...] = ()
    """Places of custom maps whose provider must be asked when it writes elements."""

    def target(self, helper_id: int) -> Target:
        """Who serves a helper or an imported function at the moment."""
        if helper_id >= FIRST_FUNCTION:
            return self.clients.functions.target(helper_id)
        deadline_s = self.clients.deadlines.get(helper_id)
        clients, program_type = self.clients, self.contract.program_type
        return Target(clients.extension, program_type, helper_id, clients.calls, deadline_s)

    def bridge(self, calls: HelperCalls) -> HelperBridge:
        """Who carries the program's calls to its extensions."""
        general = WRITING - self.contract.program_info.overridden()
        return HelperBridge(self.program_id, self.target, calls, elements_by=general)

    def ask_providers(self, maps: Mapping[int, MapObject]) -> None:
        """Find out which of its maps need their providers when it writes to them."""
        self.provided = provided(maps, self.spec, self.contract.program_info.overridden())

    def information(self) -> EngineInformation:
        """What the program is judged with, and runs with."""
        return engine_information(self.contract, self.clients.functions.sealed)


@dataclass(frozen=True, slots=True)
class Made:
    """What the engine has made of a file."""

    maps: list[Map]
    engines: list[EngineProgram]
    bridges: list[HelperBridge]


def make(
    parsed: Object,
    loading: Sequence[Loading],
    bridges: list[HelperBridge],
    trace: Trace,
    execution: Execution,
    existing: Mapping[int, Map],
    new_maps: NewMaps,
) -> Made:
    """Make maps, but for those that exist by their places, and machine code: it may take long."""
    maps = create_maps(parsed.maps, existing, new_maps)
    engines: list[EngineProgram] = []
    for each, bridge in zip(loading, bridges, strict=True):
        assert each.judged is not None, "all were judged"
        # One that was kept and is now refused is made to be shown, and nobody may run it.
        accepted = each.judged.verdict.rejection is None
        engine = EngineProgram(
            each.spec,
            maps,
            each.information(),
            helper=bridge,
            provided=each.provided,
            trace=trace,
            tag=each.program_id,
            # On this the engine's safety rests: maps and contract are those it was judged with.
            verified=accepted,
            proved=each.judged.verdict.worst_case if accepted else None,
            execution=execution if accepted else "any",
        )
        engines.append(engine)
    return Made(maps, engines, bridges)


def program_of(
    loading: Loading,
    engine: EngineProgram,
    maps: Mapping[int, MapObject],
    file_maps: tuple[MapObject, ...],
    file_name: str,
    source: ProgramSource,
) -> Program:
    """The object that a program becomes."""
    spec, judged = loading.spec, loading.judged
    assert judged is not None, "all were judged"
    return Program(
        id=loading.program_id,
        spec=spec,
        contract=loading.contract,
        contract_digest=loading.digest,
        engine=engine,
        file_name=file_name,
        maps=tuple(maps[index] for index in spec.map_indices),
        file_maps=file_maps,
        functions=loading.clients.functions.sealed,
        judge=judged.verdict.judge,
        provider=loading.clients.provider,
        source=source,
        nanoseconds_per_run=_first_run_ns(spec, judged.verdict),
    )


def _first_run_ns(spec: ProgramSpec, verdict: Verdict) -> float:
    if verdict.worst_case is not None:
        return verdict.worst_case * INSTRUCTION_NS
    return FIRST_RUN_NS if verdict.has_loops else len(spec.instructions) / 8 * INSTRUCTION_NS
