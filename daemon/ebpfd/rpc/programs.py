"""The ``Programs`` service."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

import grpc

from ebpfd.errors import RequestError
from ebpfd.host.disassembly import Listing, of_loaded
from ebpfd.host.invocation import Executor
from ebpfd.host.loading import JudgedProgram
from ebpfd.host.owners import Owners
from ebpfd.host.programs import Programs
from ebpfd.host.services import Services
from ebpfd.host.test_runs import test_run
from ebpfd.host.trace import PrintedLine
from ebpfd.host.verification import Judge
from ebpfd.objects import Execution, Objects, Program, ProgramState
from ebpfd.rpc.callers import Callers
from ebpfd.rpc.load_permit import CallerPermit
from ebpfd.rpc.map_codec import encode_map
from ebpfd.rpc.owner import owner_names, token_of
from ebpfd.rpc.rules import Things
from ebpfd.rpc.status import answering, rejection, source
from ebpfd.rpc.streams import Streams
from ebpfd_api.result import Result, result_name
from ebpfd_api.v1 import programs_pb2 as pb
from ebpfd_api.v1 import programs_pb2_grpc as services_pb
from ebpfd_vm import Counters, DisassembledRow

_Value = TypeVar("_Value")
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_STATES: Final = {
    ProgramState.READY: pb.PROGRAM_STATE_READY,
    ProgramState.WAITING: pb.PROGRAM_STATE_WAITING,
}
_EXECUTIONS: Final[Mapping[int, Execution]] = {
    pb.EXECUTION_TYPE_UNSPECIFIED: "any",
    pb.EXECUTION_TYPE_JIT: "jit",
    pb.EXECUTION_TYPE_INTERPRET: "interpreter",
}
_JUDGES: Final[Mapping[int, Judge]] = {
    pb.JUDGE_UNSPECIFIED: Judge.ANY,
    pb.JUDGE_OURS: Judge.OURS,
    pb.JUDGE_PREVAIL: Judge.PREVAIL,
    pb.JUDGE_BOTH: Judge.BOTH,
}
_EXECUTORS: Final = {
    "interpreter": pb.EXECUTION_TYPE_INTERPRET,
    "jit": pb.EXECUTION_TYPE_JIT,
}


ROWS_A_MESSAGE: Final = 2_000
"""A row may have a kilobyte of source text and two of names, and a message sixteen megabytes."""


class ProgramsServicer(services_pb.ProgramsServicer):
    """Load, judge, run and list programs."""

    def __init__(
        self,
        *,
        programs: Programs,
        objects: Objects,
        owners: Owners,
        executor: Executor,
        callers: Callers,
        things: Things,
        services: Services,
        streams: Streams,
    ) -> None:
        self._owners = owners
        self._callers = callers
        self._things = things
        self._programs = programs
        self._objects = objects
        self._executor = executor
        self._trace = executor.trace
        self._services = services
        self._streams = streams

    def _placed(self, work: Callable[[], Awaitable[_Value]]) -> Coroutine[Any, Any, _Value]:
        """*work* on an object file for a client: there may be so many at a time.

        What the daemon itself reloads is not counted: nobody would ask for it again.
        """
        return self._executor.guard.placed("verifications", "wait for some", work)

    async def Load(self, request: pb.LoadRequest, context: _Context) -> pb.LoadResponse:
        """All programs of a file, or none."""
        response = pb.LoadResponse()
        with answering(response.status):
            if request.execution not in _EXECUTIONS:
                message = f"execution: {request.execution} is none that this daemon knows"
                raise RequestError(Result.INVALID_ARGUMENT, message)
            loading = partial(
                self._programs.load,
                request.object,
                request.file_name,
                list(request.programs),
                execution=_EXECUTIONS[request.execution],
                follows_contract=request.follow_contract,
                flags=request.flags,
                owner=self._owners.find(token_of(context)),
                permit=CallerPermit(self._callers.of(context), self._things),
            )
            loaded = await self._services.finish(self._placed(loading), name="load")
            response.programs.extend(encode_program(program, self._objects) for program in loaded)
            maps = {
                each.id: each for program in loaded for each in (*program.maps, *program.file_maps)
            }
            response.maps.extend(encode_map(maps[map_id]) for map_id in sorted(maps))
        return response

    async def Verify(self, request: pb.VerifyRequest, context: _Context) -> pb.VerifyResponse:
        """Judge without loading."""
        del context
        response = pb.VerifyResponse()
        with answering(response.status):
            if request.judge not in _JUDGES:
                message = f"judge: {request.judge} is none that this daemon knows"
                raise RequestError(Result.INVALID_ARGUMENT, message)
            judging = partial(
                self._programs.verify,
                request.object,
                list(request.programs),
                _JUDGES[request.judge],
            )
            judged = await self._placed(judging)
            response.verdicts.extend(_encode_verdict(each) for each in judged)
        return response

    async def List(
        self, request: pb.ProgramsListRequest, context: _Context
    ) -> pb.ProgramsListResponse:
        """All programs by id."""
        del request, context
        programs = [encode_program(program, self._objects) for program in self._objects.programs()]
        return pb.ProgramsListResponse(programs=programs)

    async def Get(
        self, request: pb.ProgramsGetRequest, context: _Context
    ) -> pb.ProgramsGetResponse:
        """One program."""
        del context
        response = pb.ProgramsGetResponse()
        with answering(response.status):
            response.program.CopyFrom(
                encode_program(self._objects.program(request.id), self._objects)
            )
        return response

    async def TestRun(self, request: pb.TestRunRequest, context: _Context) -> pb.TestRunResponse:
        """Run a program on the caller's context."""
        del context
        response = pb.TestRunResponse()
        with answering(response.status):
            _check_run(request)
            outcome = await test_run(
                self._objects.program(request.id),
                self._executor,
                request.context,
                request.data,
                request.meta_length,
                request.repeat or 1,
            )
            response.status.code = outcome.code
            if outcome.code != Result.SUCCESS:
                response.status.message = f"the run ended with {result_name(outcome.code)}"
            response.result, response.duration_ns = outcome.result, outcome.duration_ns
            response.context, response.data = outcome.context, outcome.data
        return response

    async def Reload(self, request: pb.ReloadRequest, context: _Context) -> pb.ReloadResponse:
        """Make a program anew, in the old one's place."""
        del context
        response = pb.ReloadResponse()
        with answering(response.status):
            reloading = partial(self._programs.reload, request.id)
            program = await self._services.finish(
                self._placed(reloading), name=f"reload {request.id}"
            )
            response.program.CopyFrom(encode_program(program, self._objects))
        return response

    async def Unload(self, request: pb.UnloadRequest, context: _Context) -> pb.UnloadResponse:
        """Give up the caller's reference, or the daemon's."""
        response = pb.UnloadResponse()
        with answering(response.status):
            unloading = self._programs.unload(request.id, self._owners.find(token_of(context)))
            program = await self._services.finish(unloading, name=f"unload {request.id}")
            response.link_ids.extend(sorted(program.link_ids))
            response.map_ids.extend(sorted(program.holder_ids))
            response.pin_paths.extend(sorted(program.users.paths))
            response.owners.extend(owner_names(program.users))
        return response

    async def Disassemble(
        self, request: pb.DisassembleRequest, context: _Context
    ) -> AsyncIterator[pb.DisassembleResponse]:
        """Programs in pieces that fit into messages, or one error."""
        del context
        failed = pb.DisassembleResponse()
        listings: list[Listing] = []
        with answering(failed.status):
            listings = await self._listings(request)
        if failed.status.code != Result.SUCCESS:
            yield failed
        for listing in listings:
            for start in range(0, len(listing.rows), ROWS_A_MESSAGE):
                yield pb.DisassembleResponse(
                    program=listing.name,
                    section=listing.section,
                    instructions=map(_encode_row, listing.rows[start : start + ROWS_A_MESSAGE]),
                )

    async def _listings(self, request: pb.DisassembleRequest) -> list[Listing]:
        match request.WhichOneof("subject"):
            case "id":
                if request.programs:
                    message = "programs: a loaded program is named by its id alone"
                    raise RequestError(Result.INVALID_ARGUMENT, message)
                return [await of_loaded(self._objects.program(request.id))]
            case "object":
                names = list(request.programs)
                return await self._placed(
                    partial(self._programs.disassemble, request.object, names)
                )
            case _:
                message = "subject: say what to disassemble, the id of a program or an object"
                raise RequestError(Result.INVALID_ARGUMENT, message)

    async def Trace(
        self, request: pb.TraceRequest, context: _Context
    ) -> AsyncIterator[pb.TraceResponse]:
        """Recent lines, then new ones."""
        if request.no_follow:
            for line in self._trace.recent():
                if request.program_id in (0, line.program_id):
                    yield self._encode_line(line)
            return
        self._streams.opened(context, self._trace.close)
        async with aclosing(self._trace.follow()) as lines:
            async for line in lines:
                if request.program_id in (0, line.program_id):
                    yield self._encode_line(line)

    def _encode_line(self, line: PrintedLine) -> pb.TraceResponse:
        return pb.TraceResponse(
            time_ns=line.time_ns,
            program_id=line.program_id,
            program_name=self._name_of(line.program_id),
            text=line.text,
            lost=line.lost,
        )

    def _name_of(self, program_id: int) -> str:
        """A line outlives its program."""
        try:
            return self._objects.program(program_id).name
        except RequestError:
            return ""


def encode_counters(counters: Counters) -> pb.ProgramCounters:
    """How often something ran, how long, and how it failed."""
    return pb.ProgramCounters(
        runs=counters.runs, nanoseconds=counters.nanoseconds, failures=counters.failures
    )


def encode_latency(runs: Sequence[int]) -> pb.Latency:
    """How long runs took, a number for each bucket of ``ebpfd_api.latency``."""
    return pb.Latency(runs=runs)


def encode_program(program: Program, objects: Objects) -> pb.Program:
    """A program for listings."""
    links = objects.links_of(program)
    latency = program.engine.latency()  # before the runs: then there are never more of them
    return pb.Program(
        id=program.id,
        name=program.name,
        section=program.spec.section,
        program_type=program.program_type.bytes,
        program_type_name=program.contract.name,
        state=_STATES[program.state],
        state_reason=program.provider.reason,
        map_ids=[each.id for each in program.maps],
        link_ids=sorted(program.link_ids),
        instruction_count=len(program.spec.instructions) // 8,
        instructions_sha256=program.spec.sha256,
        contract_digest=program.contract_digest,
        follows_contract=program.source.follows_contract,
        flags=program.source.flags,
        executor=_EXECUTORS[program.engine.executor],
        blocking=program.engine.blocking,
        budget=program.engine.budget,
        counters=encode_counters(program.engine.counters()),
        latency=encode_latency(latency),
        in_flight=sum(each.in_flight for each in links),
        running=sum(each.running for each in links),
        file_name=program.file_name,
        loaded=program.loaded,
        executor_reason=program.engine.executor_reason,
        metered=program.engine.metered,
        worst_case=program.engine.worst_case,
        holder_map_ids=sorted(program.holder_ids),
        judge=program.judge,
        pin_paths=sorted(program.users.paths),
        owners=owner_names(program.users),
    )


def _encode_row(row: DisassembledRow) -> pb.Instruction:
    return pb.Instruction(
        pc=row.pc,
        raw=row.raw,
        text=row.text,
        label=row.label,
        reference=row.reference,
        source=source(row.source),
    )


def _encode_verdict(judged: JudgedProgram) -> pb.Verdict:
    verdict = judged.verdict
    answer = pb.Verdict(
        program=judged.spec.name,
        section=judged.spec.section,
        program_type_name=judged.contract.name,
        accepted=verdict.rejection is None,
        judge=verdict.judge,
        instruction_count=len(judged.spec.instructions) // 8,
        has_loops=verdict.has_loops,
        duration_ns=verdict.duration_ns,
        worst_case=verdict.worst_case,
        steps=verdict.steps,
        states=verdict.states,
        proved_loops=verdict.proved_loops,
        decided=verdict.decided,
        cached=verdict.cached,
    )
    if verdict.rejection is not None:
        answer.rejection.CopyFrom(rejection(judged))
    return answer


def _check_run(request: pb.TestRunRequest) -> None:
    """``RequestError`` OPERATION_NOT_SUPPORTED names a wish that nobody would fulfil."""
    for field, wanted in (
        ("batch_size", request.batch_size != 0),
        ("cpu", request.HasField("cpu")),
    ):
        if wanted:
            message = f"{field}: test runs cannot be told this here; leave it out"
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)
