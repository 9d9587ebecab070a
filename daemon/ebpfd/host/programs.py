"""Loading, judging and unloading programs: a file's programs all load, or none does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import structlog

from ebpfd.contracts import (
    KnownContracts,
    ProgramData,
    UnknownSectionError,
    engine_information,
)
from ebpfd.errors import RequestError
from ebpfd.host.helpers import HelperBridge
from ebpfd.host.invocation import Executor
from ebpfd.host.program_clients import ProgramClients, missing_helpers
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.verification import Verifier
from ebpfd.host.verification_frames import Verdict
from ebpfd.objects import MapObject, Objects, Program
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map, MapSpec, Object, ProgramSpec, parse_object
from ebpfd_vm import Program as EngineProgram

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Execution: TypeAlias = Literal["any", "jit", "interpreter"]

FIRST_RUN_NS: Final = 10_000_000.0
"""What a program with loops might take before anybody has seen it run."""

INSTRUCTION_NS: Final = 20.0
"""What an instruction of a program without loops might take, before anybody has seen it run."""


@dataclass(frozen=True, slots=True)
class JudgedProgram:
    """A program of a file with its verdict."""

    spec: ProgramSpec
    contract: ProgramData
    verdict: Verdict


class VerificationError(RequestError):
    """At least one program was refused; ``refused`` are those, with their reasons."""

    def __init__(self, refused: Sequence[JudgedProgram]) -> None:
        names = ", ".join(judged.spec.name for judged in refused)
        super().__init__(Result.VERIFICATION_FAILED, f"refused by the verifier: {names}")
        self.refused = tuple(refused)


@dataclass(slots=True)
class _Loading:
    """A program on its way: what must be undone if another of its file fails."""

    index: int
    spec: ProgramSpec
    program_id: int
    clients: ProgramClients
    contract: ProgramData
    digest: bytes = b""
    judged: JudgedProgram | None = None


class Programs:
    """The loader's environment: registrar, verifier, engine and the objects that result."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        contracts: KnownContracts,
        objects: Objects,
        verifier: Verifier,
        executor: Executor,
    ) -> None:
        self._registrar = registrar
        self._contracts = contracts
        self._objects = objects
        self._verifier = verifier
        self._executor = executor
        self._clients: dict[int, ProgramClients] = {}

    async def verify(self, object_file: bytes, wanted: Sequence[str]) -> list[JudgedProgram]:
        """Judge programs against the latest known contracts; their extensions may be away."""
        parsed = await _parse(object_file)
        chosen = _choose(parsed, wanted)
        contracts = [self._contract_of(spec) for _, spec in chosen]
        return [
            await self._judge(object_file, index, spec, contract)
            for (index, spec), contract in zip(chosen, contracts, strict=True)
        ]

    async def load(
        self,
        object_file: bytes,
        file_name: str,
        wanted: Sequence[str],
        *,
        execution: Execution = "any",
    ) -> list[Program]:
        """Bind, verify and make ready the wanted programs of a file, all or none."""
        parsed = await _parse(object_file)
        chosen = _choose(parsed, wanted)
        contracts = [self._contract_of(spec) for _, spec in chosen]
        loading: list[_Loading] = []
        try:
            for (index, spec), contract in zip(chosen, contracts, strict=True):
                loading.append(self._begin(index, spec, contract))
                await self._bind(loading[-1])
            await self._judge_all(object_file, loading)
            return self._publish(parsed, loading, file_name, execution)
        except BaseException:
            for each in loading:
                await each.clients.withdraw()
            raise

    async def unload(self, program_id: int) -> list[int]:
        """Give up the daemon's reference; the links that still keep the program."""
        program = self._objects.program(program_id)
        if self._objects.unload(program):
            await self.destroy(program)
        return sorted(program.link_ids)

    async def destroy(self, program: Program) -> None:
        """Take a program that nobody keeps out of the world."""
        self._objects.remove_program(program)
        _log.info("program gone", program=program.id, name=program.name)
        clients = self._clients.pop(program.id, None)
        if clients is not None:
            await clients.withdraw()

    async def close(self) -> None:
        """Withdraw every program's registrations, at the daemon's end."""
        for program in self._objects.programs():
            await self.destroy(program)

    def _contract_of(self, spec: ProgramSpec) -> ProgramData:
        try:
            return self._contracts.for_section(spec.section)
        except UnknownSectionError as error:
            message = f"program {spec.name}: {error}"
            raise RequestError(Result.INVALID_ARGUMENT, message) from None

    def _begin(self, index: int, spec: ProgramSpec, contract: ProgramData) -> _Loading:
        program_id = self._objects.next_id()
        clients = ProgramClients(
            self._registrar,
            contract.program_type,
            spec.helper_ids,
            label=f"program {program_id} ({spec.name})",
        )
        return _Loading(index, spec, program_id, clients, contract)

    async def _bind(self, loading: _Loading) -> None:
        """A program exists only while its providers are there: nobody waits for them here."""
        contract = await loading.clients.register()
        if contract is None:
            reason = loading.clients.provider.reason
            message = (
                f'program {loading.spec.name}: its type "{loading.contract.name}" is known, but '
                f"{reason}: start the extension and load again"
            )
            raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
        loading.contract = contract
        # Before judging: a provider that returns meanwhile with another contract must not be taken.
        loading.digest = loading.clients.seal(contract)
        if missing := missing_helpers(contract, loading.spec.helper_ids):
            known = {helper.helper_id for helper in contract.program_info.helpers()}
            if served := sorted(known.intersection(missing)):
                message = f"program {loading.spec.name}: nobody serves helper {served[0]}"
                raise RequestError(Result.INVALID_ARGUMENT, message)

    async def _judge_all(self, object_file: bytes, loading: list[_Loading]) -> None:
        refused: list[JudgedProgram] = []
        for each in loading:
            judged = await self._judge(object_file, each.index, each.spec, each.contract)
            each.judged = judged
            if judged.verdict.rejection is not None:
                refused.append(judged)
        if refused:
            raise VerificationError(refused)

    async def _judge(
        self, object_file: bytes, index: int, spec: ProgramSpec, contract: ProgramData
    ) -> JudgedProgram:
        verdict = await self._verifier.verify(object_file, index, engine_information(contract))
        return JudgedProgram(spec, contract, verdict)

    def _publish(
        self, parsed: Object, loading: list[_Loading], file_name: str, execution: Execution
    ) -> list[Program]:
        """From here on nothing waits, so nobody sees half of it."""
        for each in loading:
            if each.clients.data is None:
                message = f"program {each.spec.name}: {each.clients.provider.reason}"
                raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
        try:
            maps = [MapObject(self._objects.next_id(), _create_map(spec)) for spec in parsed.maps]
            programs = [self._make(each, maps, file_name, execution) for each in loading]
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None
        for program, each in zip(programs, loading, strict=True):
            self._objects.add_program(program)
            self._clients[program.id] = each.clients
            _log.info("program loaded", program=program.id, name=program.name, file=file_name)
        return programs

    def _make(
        self, loading: _Loading, maps: list[MapObject], file_name: str, execution: Execution
    ) -> Program:
        clients, spec = loading.clients, loading.spec
        assert loading.judged is not None, "all were judged"
        assert loading.judged.verdict.rejection is None, "what was refused is never made"
        helper = HelperBridge(
            loading.contract.program_type, loading.program_id, lambda: clients.extension
        )
        helper.know_maps([(each.map, each.id) for each in maps])
        engine = EngineProgram(
            spec,
            [each.map for each in maps],
            engine_information(loading.contract),
            helper=helper,
            trace=self._executor.trace.engine,
            tag=loading.program_id,
            # On this the engine's safety rests: maps and contract are those it was judged with.
            verified=True,
            execution=execution,
        )
        return Program(
            id=loading.program_id,
            spec=spec,
            contract=loading.contract,
            contract_digest=loading.digest,
            engine=engine,
            file_name=file_name,
            maps=tuple(maps[index] for index in spec.map_indices),
            provider=clients.provider,
            nanoseconds_per_run=_first_run_ns(spec, loading.judged.verdict),
        )


async def _parse(object_file: bytes) -> Object:
    """Large files take a while: they are parsed off the loop."""
    try:
        return await asyncio.to_thread(parse_object, object_file)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None


def _choose(parsed: Object, wanted: Sequence[str]) -> list[tuple[int, ProgramSpec]]:
    """The wanted programs with their places in the file; all if none is named."""
    names = [spec.name for spec in parsed.programs]
    if unknown := [name for name in wanted if name not in names]:
        message = f'the file has no program "{unknown[0]}" (it has: {", ".join(names)})'
        raise RequestError(Result.INVALID_ARGUMENT, message)
    if not names:
        message = 'the file has no program: put one into a section with SEC("…")'
        raise RequestError(Result.INVALID_ARGUMENT, message)
    return [
        (index, spec)
        for index, spec in enumerate(parsed.programs)
        if not wanted or spec.name in wanted
    ]


def _first_run_ns(spec: ProgramSpec, verdict: Verdict) -> float:
    return FIRST_RUN_NS if verdict.has_loops else len(spec.instructions) / 8 * INSTRUCTION_NS


def _create_map(spec: MapSpec) -> Map:
    return Map(
        spec.type,
        spec.key_size,
        spec.value_size,
        spec.max_entries,
        name=spec.name,
        flags=spec.flags,
        initial=spec.initial,
        read_only=spec.read_only,
    )
