"""Running a recording again, with the program that was recorded or with another in its place.

Nothing of a daemon is needed, and nothing that lives is touched: maps are made as they were when
the recording began, and what the world said then is said again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ebpfd.contracts import ContractLookupError, KnownContracts, engine_information
from ebpfd.errors import RequestError
from ebpfd.host.fitting import fitted
from ebpfd.host.judging import judge
from ebpfd.host.replayed_maps import ReplayedMaps
from ebpfd.objects.recordings import (
    End,
    Entry,
    Head,
    Loss,
    RecordedBatch,
    RecordedMap,
    RecordedMapEntries,
    RecordedProgram,
    RecordedWrite,
    Unseen,
)
from ebpfd_api.result import Result
from ebpfd_vm import BatchResult, EngineError, HelperError, Map, Object, ProgramSpec, parse_object
from ebpfd_vm import Program as EngineProgram


@dataclass(frozen=True, slots=True)
class Came:
    """What one event came to: code and result, and its context and data afterwards."""

    code: int
    result: int
    context: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """An event that came to something else; it is the *event*-th of the recording, from 1."""

    event: int
    link_id: int
    program: str
    context: bytes
    data: bytes
    was: Came
    now: Came


@dataclass(slots=True)
class Report:
    """What a replay came to.

    ``unknown`` events asked what the recording does not know; ``overlapped`` ones ran beside
    others, and ``lost`` ones are not there, as ``lost_writes`` of users are not: maps may be other
    than they were.
    """

    events: int = 0
    differing: int = 0
    unknown: int = 0
    overlapped: int = 0
    lost: int = 0
    lost_writes: int = 0
    complete: bool = False
    reason: str = ""
    notes: list[str] = field(default_factory=list[str])
    first: list[Difference] = field(default_factory=list[Difference])


@dataclass(frozen=True, slots=True)
class Instead:
    """The program that runs in place of those recorded with these ids."""

    object_file: bytes
    name: str
    of: frozenset[int]


class Replay:
    """Takes the entries of a recording in order; ``report`` has at most *show* differences.

    ``RequestError`` if a program is refused, or needs what the recording does not have.
    """

    def __init__(self, instead: Instead | None = None, *, show: int = 10) -> None:
        self.report = Report()
        self._instead = instead
        self._show = show
        self._maps = ReplayedMaps(self.report.notes.append)
        self._programs: dict[int, tuple[RecordedProgram, EngineProgram]] = {}

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        report = self.report
        match entry:
            case Head():
                self._maps.lanes = entry.lanes
            case RecordedMap():
                self._maps.declare(entry)
            case RecordedMapEntries():
                self._maps.fill(entry)
            case RecordedProgram():
                self._programs[entry.id] = entry, self._made(entry)
            case RecordedBatch():
                self._run(entry)
            case RecordedWrite():
                self._maps.write(entry)
            case Unseen():
                self._maps.tell_unseen(entry)
            case Loss():
                report.lost += entry.events
                report.lost_writes += entry.writes
            case End():
                report.complete, report.reason = True, entry.reason

    def _made(self, recorded: RecordedProgram) -> EngineProgram:
        instead = self._instead
        if instead is not None and recorded.id in instead.of:
            return _Maker(recorded, instead.object_file, self._maps).made(instead.name)
        if not recorded.object_file:
            message = (
                f"program {recorded.name} was too large to be recorded: give its file with "
                f"--program FILE:{recorded.name}"
            )
            raise RequestError(Result.INVALID_ARGUMENT, message)
        return _Maker(recorded, recorded.object_file, self._maps).made(recorded.name)

    def _run(self, batch: RecordedBatch) -> None:
        if batch.program_id not in self._programs:
            message = f"the recording has events of program {batch.program_id}, but not the program"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        recorded, engine = self._programs[batch.program_id]
        tapes = batch.lane, batch.tape, batch.tape_lengths
        columns = batch.contexts, batch.count, batch.data, batch.data_lengths, batch.meta_lengths
        try:
            outcome, unknown = engine.replay_batch(*columns, batch.origin, tapes)
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None
        report = self.report
        for difference in _differences(batch, outcome, recorded.name, report.events + 1):
            report.differing += 1
            if len(report.first) < self._show:
                report.first.append(difference)
        report.events += batch.count
        report.unknown += sum(unknown)
        report.overlapped += batch.count if batch.overlapped else 0


class _Maker:
    """Makes programs of one file, with the maps that one recorded program had."""

    def __init__(self, recorded: RecordedProgram, object_file: bytes, maps: ReplayedMaps) -> None:
        self._recorded = recorded
        self._parsed = _parsed(object_file)
        self._maps = maps
        self._live: list[Map] = []
        contracts = KnownContracts()
        contracts.remember_program_type(recorded.contract)
        self._contracts = contracts

    def made(self, name: str) -> EngineProgram:
        """The program of this name, verified against the contract of then."""
        self._live = self._maps.of_file(self._parsed, self._recorded.map_ids)
        program = self._compiled(_chosen(self._parsed, name))
        self._maps.fill_program_arrays(self._recorded.map_ids, self._programs())
        return program

    def _programs(self) -> Callable[[str], EngineProgram | None]:
        """Makes programs that a program array is to hold, each once."""
        made: dict[str, EngineProgram] = {}

        def program(name: str) -> EngineProgram | None:
            if name not in made:
                found = [spec for spec in self._parsed.programs if spec.name == name]
                if not found:
                    return None
                made[name] = self._compiled(found[0])
            return made[name]

        return program

    def _compiled(self, spec: ProgramSpec) -> EngineProgram:
        contract = self._recorded.contract
        try:
            self._contracts.for_section(spec.section)
        except ContractLookupError as error:
            message = f"program {spec.name}: {error}"
            raise RequestError(Result.INVALID_ARGUMENT, message) from None
        functions = self._recorded.functions
        known = {(str(each.module), each.name) for each in functions}
        if new := [name for module, name in spec.imports if (module, name) not in known]:
            message = f"program {spec.name} imports {new[0]}, which was not recorded"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        information = engine_information(contract, functions)
        try:
            spec = fitted(spec, contract.context_btf, contract.program_info.shipped())
            verdict = judge(spec, self._parsed.maps, information, "ours")
            if verdict.rejection is not None and not verdict.decided:
                verdict = judge(spec, self._parsed.maps, information, "prevail")
            if verdict.rejection is not None:
                message = (
                    f"program {spec.name} is refused by the verifier: {verdict.rejection.reason} "
                    "(`ebpfctl program verify` shows where)"
                )
                raise RequestError(Result.VERIFICATION_FAILED, message)
            return EngineProgram(
                spec,
                self._live,
                information,
                helper=_nobody,
                # As in a daemon: maps and contract are those that it was judged with.
                verified=True,
                proved=verdict.worst_case,
            )
        except EngineError as error:
            raise RequestError(Result(error.code), error.message) from None


def _nobody(
    helper: int, arguments: list[int | bytes | Map | None], context: bytes
) -> tuple[int, list[tuple[int, bytes]]]:
    """Who would answer for an extension: the tape does."""
    del arguments, context
    raise HelperError(Result.FAILED, f"helper {helper} is not on the tape")


def _parsed(object_file: bytes) -> Object:
    try:
        return parse_object(object_file)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None


def _chosen(parsed: Object, name: str) -> ProgramSpec:
    for spec in parsed.programs:
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in parsed.programs) or "none"
    message = f'the file has no program "{name}" (it has: {names})'
    raise RequestError(Result.INVALID_ARGUMENT, message)


def instead_of(
    recorded: Mapping[int, str], object_file: bytes, name: str = "", of: str = ""
) -> Instead:
    """Which program of a file stands for which recorded ones, given by their names.

    Both are found where there is one choice only, or a program of the same name; ``RequestError``
    says what to name.
    """
    old = set(recorded.values())
    names = [spec.name for spec in _parsed(object_file).programs]
    new = name or (names[0] if len(names) == 1 else "")
    if of and of not in old:
        message = f'no program "{of}" was recorded (there are: {", ".join(sorted(old))})'
        raise RequestError(Result.INVALID_ARGUMENT, message)
    wanted = of or (next(iter(old)) if len(old) == 1 else new)
    if wanted not in old:
        message = f"several programs were recorded: name one with --of: {', '.join(sorted(old))}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    new = new or wanted
    if new not in names:
        message = f"name one of the file's programs, as FILE:NAME: {', '.join(names)}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    ids = frozenset(id_ for id_, each in recorded.items() if each == wanted)
    return Instead(object_file, new, ids)


def _differences(
    batch: RecordedBatch, outcome: BatchResult, program: str, first: int
) -> Iterator[Difference]:
    same = (
        batch.codes == outcome.codes
        and batch.results == outcome.results
        and (batch.contexts_after or batch.contexts) == (outcome.contexts or batch.contexts)
        and (batch.data_after or batch.data) == (outcome.data or batch.data)
    )
    if same:
        return
    contexts, data = batch.contexts_of(batch.contexts), batch.data_of(batch.data)
    was = _came(batch, batch.codes, batch.results, batch.contexts_after, batch.data_after)
    now = _came(batch, outcome.codes, outcome.results, outcome.contexts, outcome.data)
    for at, (before, after) in enumerate(zip(was, now, strict=True)):
        if before != after:
            yield Difference(
                first + at, batch.link_id, program, contexts[at], data[at], before, after
            )


def _came(
    batch: RecordedBatch, codes: bytes, results: bytes, contexts: bytes, data: bytes
) -> list[Came]:
    numbers = [int.from_bytes(results[at : at + 4], "little") for at in range(0, len(results), 4)]
    columns = (
        codes,
        numbers,
        batch.contexts_of(contexts or batch.contexts),
        batch.data_of(data or batch.data),
    )
    return [Came(*each) for each in zip(*columns, strict=True)]
