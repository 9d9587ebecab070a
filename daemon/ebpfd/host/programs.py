"""Loading, judging and unloading programs: a file's programs all load, or none does."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from ebpfd.contracts import ContractLookupError, KnownContracts, ProgramData, engine_information
from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.disassembly import Listing, of_file
from ebpfd.host.file_maps import create_custom_maps, end_custom_maps, fill_maps, users_maps
from ebpfd.host.fitting import fit
from ebpfd.host.helpers import HelperCalls
from ebpfd.host.invocation import Executor
from ebpfd.host.keeper import Keeper
from ebpfd.host.load_permit import EVERYTHING, LoadPermit
from ebpfd.host.loading import JudgedProgram, Loading, Made, make, program_of
from ebpfd.host.local_images import note_emptied
from ebpfd.host.new_maps import NewMaps
from ebpfd.host.pinned_maps import BY_NAME, pin_maps, pinned_maps
from ebpfd.host.program_clients import (
    ProgramClients,
    clients_of,
    helper_label,
    missing_helpers,
)
from ebpfd.host.program_elements import check_uses
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.verification import Judge, Subject, Verifier
from ebpfd.objects import (
    DAEMON,
    Execution,
    MapObject,
    Objects,
    Owner,
    Program,
    ProgramSource,
    Without,
)
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Object, ProgramSpec, parse_object

NAME_LENGTH: Final = 64
"""``BPF_OBJ_NAME_LEN``: bytes of a program's name, with the zero that ends it in C."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class VerificationError(RequestError):
    """At least one program was refused; ``refused`` are those, with their reasons."""

    def __init__(self, refused: Sequence[JudgedProgram]) -> None:
        names = ", ".join(judged.spec.name for judged in refused)
        super().__init__(Result.VERIFICATION_FAILED, f"refused by the verifier: {names}")
        self.refused = tuple(refused)


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
        services: Services,
        custom_maps: CustomMaps,
        new_maps: NewMaps,
        keeper: Keeper,
        helper_calls: HelperCalls,
    ) -> None:
        self.helper_calls: Final = helper_calls
        self._keeper = keeper
        self._registrar = registrar
        self._custom_maps = custom_maps
        self._new_maps = new_maps
        self._contracts = contracts
        self._objects = objects
        self._verifier = verifier
        self._executor = executor
        self._services = services
        self._clients: dict[int, ProgramClients] = {}

    async def verify(
        self, object_file: bytes, wanted: Sequence[str], judge: Judge = Judge.ANY
    ) -> list[JudgedProgram]:
        """Judge programs against the latest known contracts; their extensions may be away."""
        parsed = await _parse(object_file)
        chosen = _choose(parsed, wanted)
        contracts = [self._contract_of(spec) for _, spec in chosen]
        judged: list[JudgedProgram] = []
        for (index, spec), contract in zip(chosen, contracts, strict=True):
            fitted = await fit(spec, contract)
            subject = Subject(object_file, parsed, index, fitted, contract.context_btf)
            information = engine_information(contract, self._contracts.imported(spec.imports))
            verdicts = await self._verifier.opinions(subject, information, judge)
            judged.extend(JudgedProgram(fitted, contract, verdict) for verdict in verdicts)
        return judged

    async def disassemble(self, object_file: bytes, wanted: Sequence[str]) -> list[Listing]:
        """The programs of a file as they were compiled."""
        parsed = await _parse(object_file)
        chosen = [spec for _, spec in _choose(parsed, wanted)]
        return await of_file(parsed, chosen, self._contracts)

    async def load(
        self,
        object_file: bytes,
        file_name: str,
        wanted: Sequence[str],
        *,
        execution: Execution = "any",
        follows_contract: bool = False,
        flags: int = 0,
        owner: Owner = DAEMON,
        permit: LoadPermit = EVERYTHING,
    ) -> list[Program]:
        """Bind, verify and make ready the wanted programs of a file for *owner*, all or none.

        With *follows_contract* a program is reloaded by itself when its contract changes.  A link
        gets *flags* when it is attached, unless it is given its own.
        """
        parsed = await _parse(object_file)
        chosen = _choose(parsed, wanted)
        for _, spec in chosen:
            _check_name(spec.name)
        self._check_quotas(len(chosen), 0)
        contracts = [self._contract_of(spec) for _, spec in chosen]
        for contract in contracts:
            permit.program(contract)
        loading: list[Loading] = []
        custom: dict[int, MapObject] = {}
        try:
            for (index, spec), contract in zip(chosen, contracts, strict=True):
                loading.append(self._begin(index, spec, contract))
                await self._bind(loading[-1])
            await self._judge_all(object_file, parsed, loading)
            while True:
                reused = pinned_maps(self._objects, parsed.maps)
                for index, declared in enumerate(parsed.maps):
                    if declared.pinning == BY_NAME:
                        permit.pinned_map(declared, reused.get(index))
                custom = await create_custom_maps(self._custom_maps, parsed.maps, reused)
                existing = custom | reused
                await self._associate(loading, existing)
                made = await self._compile(parsed, loading, execution, existing, self._new_maps)
                if pinned_maps(self._objects, parsed.maps) == reused:
                    break
                # Somebody has pinned or unpinned one of them meanwhile.
                await end_custom_maps(self._custom_maps, custom)
            sources = [
                ProgramSource(object_file, each.index, execution, follows_contract, flags)
                for each in loading
            ]
            owner.check()  # it may have ended meanwhile
            programs = self._publish(parsed, loading, made, file_name, sources, existing, owner)
        except BaseException:
            await end_custom_maps(self._custom_maps, custom)
            for each in loading:
                await each.clients.withdraw()
            raise
        pinned = pin_maps(self._objects, parsed.maps, programs[0].file_maps, reused)
        if pinned or reused:
            await self._keeper.kept(partial(self._take_back, programs, pinned, owner))
        return programs

    async def _take_back(self, programs: list[Program], pinned: list[str], owner: Owner) -> None:
        """What was loaded could not be kept."""
        left: list[Program] = []
        for path in pinned:
            left += [each for each in self._objects.take_out(path) if isinstance(each, Program)]
        for each in programs:
            left += self._objects.unload(each, owner)
        await self.destroy_unkept(dict.fromkeys(left))

    async def reload(self, program_id: int) -> Program:
        """Make a program anew, against the contract of today, and put it in the old one's place.

        It keeps maps and links, and gets another id; an error leaves the old one as it is.
        """
        old = self._objects.program(program_id)
        source = old.source
        parsed = await _parse(source.object_file)
        spec = parsed.programs[source.index]
        loading = self._begin(source.index, spec, self._contract_of(spec))
        existing = dict(zip(old.spec.map_indices, old.maps, strict=True))
        try:
            await self._bind(loading)
            await self._judge_all(source.object_file, parsed, [loading])
            await self._associate([loading], existing)
            made = await self._compile(parsed, [loading], source.execution, existing, NewMaps())
            keeps = self._keeper.keeps(old)
            new, left = self._replace(old, loading, made, existing)
        except BaseException:
            await loading.clients.withdraw()
            raise
        if not old.kept:
            self._objects.remove_program(old)  # nobody sees both, also while this is written
        if keeps:
            await self._keeper.kept(partial(self._replace_again, new, old))
        await self.destroy_unkept(left)
        return new

    async def _replace_again(self, new: Program, old: Program) -> None:
        """Undo a reload that could not be kept."""
        left = self._objects.replace_program(new, old)
        # Somebody may have put another one in the new one's place meanwhile: then nobody has it.
        await self.destroy_unkept([*left, old])

    async def _follow(self, program_id: int) -> None:
        """A program's contract has changed, and its user wants it to follow."""
        try:
            await self.reload(program_id)
        except RequestError as error:
            _log.warning("program not reloaded", program=program_id, reason=error.message)
            if clients := self._clients.get(program_id):
                clients.provider.reason += f"; it was tried, and failed: {error.message}"
                self._watch(self._objects.program(program_id))

    async def unload(self, program_id: int, owner: Owner = DAEMON) -> Program:
        """End *owner*'s reference, or the daemon's; others, links, pins and arrays may keep it."""
        program = self._objects.program(program_id)
        releasing = program.users.who_lets_go(owner)
        if releasing is DAEMON and self._keeper.keeps(program):
            async with self._keeper.gone(Without(released=frozenset({program_id}))):
                self._objects.program(program_id)  # or it was reloaded meanwhile, under another id
                left = self._objects.unload(program, releasing)
        else:
            left = self._objects.unload(program, releasing)
        await self.destroy_unkept(left)
        return program

    async def destroy_unkept(self, left: Iterable[Program]) -> None:
        """Destroy those that nobody has taken again while others were destroyed."""
        for program in left:
            if not program.kept:
                await self.destroy(program)

    async def destroy(self, program: Program) -> None:
        """Take a program that nobody keeps out of the world."""
        self._objects.remove_program(program)
        _log.info("program gone", program=program.id, name=program.name)
        clients = self._clients.pop(program.id, None)
        if clients is not None:
            await clients.withdraw()
            # What is left of the registrations is garbage that refers to itself, and would keep
            # the program's maps with their files.
            program.provider.rundown.untell()

    async def close(self) -> None:
        """Unload every program, at the daemon's end; also one whose link did not let go."""
        for program in self._objects.programs():
            left = {program}
            for owner in tuple(program.users.owners):
                left.update(self._objects.unload(program, owner))
            for each in left:
                await self.destroy(each)

    def _contract_of(self, spec: ProgramSpec) -> ProgramData:
        try:
            return self._contracts.for_section(spec.section)
        except ContractLookupError as error:
            message = f"program {spec.name}: {error}"
            raise RequestError(Result.INVALID_ARGUMENT, message) from None

    def _begin(self, index: int, spec: ProgramSpec, contract: ProgramData) -> Loading:
        program_id = self._objects.next_id()
        clients = clients_of(self._registrar, contract.program_type, spec, program_id)
        return Loading(index, spec, program_id, clients, contract)

    async def _bind(self, loading: Loading) -> None:
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
                helper = helper_label(contract, served[0])
                message = (
                    f"program {loading.spec.name}: nobody serves helper {helper}: "
                    "its provider gives it no address"
                )
                raise RequestError(Result.INVALID_ARGUMENT, message)
        loading.spec = await fit(loading.spec, contract)

    async def _judge_all(self, object_file: bytes, parsed: Object, loading: list[Loading]) -> None:
        refused: list[JudgedProgram] = []
        for each in loading:
            btf = each.contract.context_btf
            subject = Subject(object_file, parsed, each.index, each.spec, btf)
            verdict = await self._verifier.verify(subject, each.information())
            each.judged = JudgedProgram(each.spec, each.contract, verdict)
            if verdict.rejection is not None:
                refused.append(each.judged)
        if refused:
            raise VerificationError(refused)

    async def _associate(self, loading: list[Loading], maps: Mapping[int, MapObject]) -> None:
        """Ask the providers of custom maps whether the programs may use them."""
        for each in loading:
            each.ask_providers(maps)
            for index in each.spec.map_indices:
                used = maps.get(index)
                if used is not None and used.custom is not None:
                    check_uses(used, each.spec, index)
                    await self._custom_maps.associate(used, each.contract.program_type)

    async def _compile(
        self,
        parsed: Object,
        loading: list[Loading],
        execution: Execution,
        maps: Mapping[int, MapObject],
        new_maps: NewMaps,
    ) -> Made:
        """Make maps and machine code on a thread: a large program takes a while."""
        existing = {index: each.program_map for index, each in maps.items()}
        bridges = [each.bridge(self.helper_calls) for each in loading]
        trace = self._executor.trace.engine
        try:
            return await asyncio.to_thread(
                make, parsed, loading, bridges, trace, execution, existing, new_maps
            )
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None

    def _publish(
        self,
        parsed: Object,
        loading: list[Loading],
        made: Made,
        file_name: str,
        sources: list[ProgramSource],
        existing: Mapping[int, MapObject],
        owner: Owner,
    ) -> list[Program]:
        """From here on nothing waits, so nobody sees half of it."""
        for each in loading:
            _still_bound(each)
        known = sum(self._objects.has_map(each.id) for each in existing.values())
        self._check_quotas(len(loading), len(made.maps) - known)
        maps = [
            existing[index] if index in existing else MapObject(self._objects.next_id(), each)
            for index, each in enumerate(made.maps)
        ]
        for bridge in made.bridges:
            bridge.know_maps([(each.program_map, each.id) for each in maps])
        file_maps = users_maps(parsed.maps, maps)
        programs = [
            program_of(each, engine, dict(enumerate(maps)), file_maps, file_name, source)
            for each, engine, source in zip(loading, made.engines, sources, strict=True)
        ]
        reused = pinned_maps(self._objects, parsed.maps)
        try:
            fill_maps(self._objects, parsed.maps, maps, programs, reused)
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None
        for program, each in zip(programs, loading, strict=True):
            self.adopt(program, each.clients, (owner,))
            _log.info("program loaded", program=program.id, name=program.name, file=file_name)
        return programs

    def _check_quotas(self, programs: int, maps: int) -> None:
        guard, count = self._executor.guard, self._objects.count
        guard.check("programs", count("program"), programs, "unload some")
        guard.check("maps", count("map"), maps, "remove some, or unload programs")

    def adopt(self, program: Program, clients: ProgramClients, owners: Iterable[Owner]) -> None:
        """A program is there from now on, with its registrations; *owners* have it."""
        self._objects.add_program(program, owners)
        self._serve(program, clients)

    def _serve(self, program: Program, clients: ProgramClients) -> None:
        self._clients[program.id] = clients
        program.provider.rundown.tell(program.engine.set_waits)
        note_emptied(program)
        self._watch(program)

    def _watch(self, program: Program) -> None:
        if program.source.follows_contract:
            self._clients[program.id].when_changed = lambda: self._services.start(
                self._follow(program.id), name=f"reload of program {program.id}"
            )

    def _replace(
        self, old: Program, loading: Loading, made: Made, existing: Mapping[int, MapObject]
    ) -> tuple[Program, list[Program]]:
        """Nothing waits here either; the new program, and what nobody keeps now."""
        _still_bound(loading)
        self._objects.program(old.id)  # or somebody else was faster, or it was unloaded
        maps = [
            existing[index] if index in existing else MapObject(self._objects.next_id(), each)
            for index, each in enumerate(made.maps)
        ]
        for bridge in made.bridges:
            bridge.know_maps([(each.program_map, each.id) for each in maps])
        (engine,) = made.engines
        # Maps of its file are kept for its user, who may have let go of it.
        file_maps = old.file_maps if old.loaded else ()
        by_place = dict(enumerate(maps))
        new = program_of(loading, engine, by_place, file_maps, old.file_name, old.source)
        try:
            left = self._objects.replace_program(old, new)
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None
        self._serve(new, loading.clients)
        _log.info("program reloaded", program=new.id, name=new.name, instead_of=old.id)
        return new, left


def _still_bound(loading: Loading) -> None:
    if loading.clients.data is None:
        message = f"program {loading.spec.name}: {loading.clients.provider.reason}"
        raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)


async def _parse(object_file: bytes) -> Object:
    """Large files take a while: they are parsed off the loop."""
    try:
        return await asyncio.to_thread(parse_object, object_file)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None


def _check_name(name: str) -> None:
    """As for maps, whose names the engine checks."""
    if (size := len(name.encode())) >= NAME_LENGTH:
        message = (
            f"program {name}: its name has {size} bytes: it must have fewer than {NAME_LENGTH}"
        )
        raise RequestError(Result.INVALID_ARGUMENT, message)


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
