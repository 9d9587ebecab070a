"""Programs, maps and links of a daemon without an engine: one object file, always the same."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_api.v1 import (
    contract_pb2,
    links_pb2,
    links_pb2_grpc,
    programs_pb2,
    programs_pb2_grpc,
    status_pb2,
)
from tests.sdk.fake_maps import MAP
from tests.sdk.parcels import ATTACH_TYPE, PROGRAM_TYPE

GOOD = b"\x7fELF good"
UNSAFE = b"\x7fELF unsafe"

REJECTION = status_pb2.Rejection(
    program="drop",
    section="parcel",
    pc=3,
    instruction="r0 = *(u8 *)(r1 + 0)",
    reason="the packet may be shorter",
    hint="compare with data_end first",
    source=status_pb2.SourceLine(file="drop.c", line=9, column=12, text="return p[0];"),
    judge="fake",
    kind="past-data",
    obligation="the packet has 1 byte",
    fact="no byte is proved to exist",
    proof="the check at line 7 is for fewer bytes",
    path=[
        status_pb2.PathStep(
            way=status_pb2.WAY_BRANCH,
            pc=1,
            source=status_pb2.SourceLine(file="drop.c", line=7),
            text="r1 is not NULL",
            taken=True,
            next_pc=3,
            next=status_pb2.SourceLine(file="drop.c", line=9),
            times=2,
        ),
        status_pb2.PathStep(pc=2),
    ],
    registers=[status_pb2.RegisterFact(register=1, text="points to the packet")],
    history=[
        status_pb2.RegisterEvent(
            change=status_pb2.REGISTER_CHANGE_WRITTEN,
            pc=0,
            source=status_pb2.SourceLine(file="drop.c", line=5),
            text="r1 is data",
        ),
    ],
    witness=status_pb2.Witness(
        context=b"c",
        data=b"d",
        meta_length=1,
        notes=["random"],
        outcome="it is stopped",
        pc=3,
        code=31,
    ),
)
NOT_FOUND = status_pb2.Status(code=Result.OBJECT_NOT_FOUND, message="there is no program 9")


class FakePrograms(programs_pb2_grpc.ProgramsServicer):
    """One program with one map."""

    def __init__(self) -> None:
        self.program = programs_pb2.Program(
            id=1,
            name="parse",
            section="parcel",
            program_type=UUID(PROGRAM_TYPE).bytes,
            program_type_name="parcel",
            state=programs_pb2.PROGRAM_STATE_READY,
            map_ids=[5],
            instruction_count=12,
            executor=programs_pb2.EXECUTION_TYPE_JIT,
            counters=programs_pb2.ProgramCounters(runs=3, failures={32: 1}),
            loaded=True,
        )
        self.asked: list[Any] = []

    async def Load(self, request: Any, context: Any) -> Any:  # noqa: N802 (the wire's name)
        """Load the good file only."""
        self.asked.append(request)
        if request.object != GOOD:
            status = status_pb2.Status(code=Result.VERIFICATION_FAILED, rejections=[REJECTION])
            return programs_pb2.LoadResponse(status=status)
        self.program.flags = request.flags
        return programs_pb2.LoadResponse(programs=[self.program], maps=[MAP])

    async def Reload(self, request: Any, context: Any) -> Any:  # noqa: N802 (the wire's name)
        """The same program, under another id."""
        self.asked.append(request)
        if request.id != self.program.id:
            return programs_pb2.ReloadResponse(status=NOT_FOUND)
        new = programs_pb2.Program()
        new.CopyFrom(self.program)
        new.id = request.id + 1
        return programs_pb2.ReloadResponse(program=new)

    async def Verify(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Judge by the name."""
        self.asked.append(request)
        if not request.object.startswith(b"\x7fELF"):
            status = status_pb2.Status(code=Result.ELF_PARSING_FAILED, message="not an ELF file")
            return programs_pb2.VerifyResponse(status=status)
        accepted = request.object == GOOD
        verdict = programs_pb2.Verdict(
            program="drop",
            accepted=accepted,
            rejection=None if accepted else REJECTION,
            judge="fake",
            worst_case=12 if accepted else None,
            decided=None if accepted else request.judge != programs_pb2.JUDGE_OURS,
            steps=9,
            states=2,
            proved_loops=1,
        )
        status = status_pb2.Status(code=0 if accepted else Result.VERIFICATION_FAILED)
        return programs_pb2.VerifyResponse(status=status, verdicts=[verdict])

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """List the one program."""
        return programs_pb2.ProgramsListResponse(programs=[self.program])

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Know the one program."""
        if request.id != 1:
            return programs_pb2.ProgramsGetResponse(status=NOT_FOUND)
        return programs_pb2.ProgramsGetResponse(program=self.program)

    async def TestRun(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Return what came in, and how often."""
        return programs_pb2.TestRunResponse(
            result=request.repeat, context=request.context, data=request.data, duration_ns=80
        )

    async def Unload(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Leave a link behind."""
        return programs_pb2.UnloadResponse(link_ids=[8])

    async def Disassemble(  # noqa: N802 (same)
        self, request: Any, context: Any
    ) -> AsyncGenerator[programs_pb2.DisassembleResponse]:
        """One instruction a message."""
        if request.id not in (0, 1):
            status = status_pb2.Status(code=Result.KEY_NOT_FOUND, message="no such program")
            yield programs_pb2.DisassembleResponse(status=status)
            return
        for pc, text in enumerate(("r0 = 0", "exit")):
            row = programs_pb2.Instruction(pc=pc, raw=bytes(8), text=text)
            if not pc:
                row.label, row.source.line = "parse", 3
            yield programs_pb2.DisassembleResponse(
                program="parse", section="parcel", instructions=[row]
            )

    async def Trace(  # noqa: N802 (same)
        self, request: Any, context: Any
    ) -> AsyncGenerator[programs_pb2.TraceResponse]:
        """Print two lines, and then for ever, if somebody follows."""
        number = 0
        while number < 2 or not request.no_follow:
            number += 1
            yield programs_pb2.TraceResponse(text=f"line {number}", program_name="parse")


class FakeLinks(links_pb2_grpc.LinksServicer):
    """Links by their ids."""

    def __init__(self) -> None:
        self.links: dict[int, links_pb2.Link] = {}
        self.asked: list[Any] = []

    async def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Attach to the one hook there is, by GUID or name."""
        self.asked.append(request)
        if request.attach_type.guid != UUID(ATTACH_TYPE).bytes and request.attach_type.name != (
            "passing"
        ):
            status = status_pb2.Status(code=Result.OBJECT_NOT_FOUND, message="no such hook")
            return links_pb2.AttachResponse(status=status)
        link = links_pb2.Link(
            id=8,
            program_id=request.program_id,
            attach_type=UUID(ATTACH_TYPE).bytes,
            parameter=request.parameter,
            state=links_pb2.LINK_STATE_ATTACHED,
        )
        self.links[link.id] = link
        return links_pb2.AttachResponse(link=link)

    async def Detach(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Detach."""
        known = self.links.pop(request.id, None) is not None
        code = Result.SUCCESS if known else Result.STALE_ID
        return links_pb2.DetachResponse(status=status_pb2.Status(code=code))

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """List them."""
        return links_pb2.LinksListResponse(links=self.links.values())

    async def Unlink(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Detach all."""
        self.asked.append(request)
        ids, self.links = list(self.links), {}
        return links_pb2.UnlinkResponse(ids=ids)

    async def SetPolicy(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Choose what becomes of events."""
        self.asked.append(request)
        return links_pb2.SetPolicyResponse(link=self.links[request.id])

    async def Replace(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Put another program into a link."""
        self.asked.append(request)
        link = self.links[request.id]
        if request.expected_program_id not in (0, link.program_id):
            status = status_pb2.Status(code=Result.INVALID_ARGUMENT, message="not that one")
            return links_pb2.ReplaceResponse(status=status)
        link.program_id = request.program_id
        return links_pb2.ReplaceResponse(link=link)

    async def ListHooks(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """The one hook there is."""
        self.asked.append(request)
        hook = links_pb2.HookInfo(
            attach_type=UUID(ATTACH_TYPE).bytes,
            name="passing",
            program_type=UUID(PROGRAM_TYPE).bytes,
            program_type_name="parcel",
            capability=contract_pb2.ATTACH_CAPABILITY_SINGLE_ATTACH,
            wildcards=[b""],
            provider="postman",
            link_type=2,
            bpf_attach_type=3,
            links=self.links.values(),
        )
        return links_pb2.ListHooksResponse(hooks=[hook])

    async def CreateHook(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """As it was asked for."""
        self.asked.append(request)
        hook = links_pb2.HookInfo(
            attach_type=request.attach_type or UUID(ATTACH_TYPE).bytes,
            name=request.name,
            program_type=UUID(PROGRAM_TYPE).bytes,
            capability=request.capability,
            wildcards=request.wildcards.parameters,
            provider="daemon",
            hosted=True,
            default_result=request.default_result,
        )
        return links_pb2.CreateHookResponse(hook=hook)

    async def ImportHook(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """What it says is called "imported"."""
        self.asked.append(request)
        hook = links_pb2.HookInfo(name="imported", provider="daemon", hosted=True)
        return links_pb2.ImportHookResponse(hook=hook)

    async def ExportHook(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Not the real form."""
        self.asked.append(request)
        return links_pb2.ExportHookResponse(content=request.attach_type.name.encode())

    async def RemoveHook(self, request: Any, context: Any) -> Any:  # noqa: N802 (same)
        """Refused: something is attached."""
        self.asked.append(request)
        status = status_pb2.Status(code=Result.INVALID_STATE, message="link 1 is attached")
        return links_pb2.RemoveHookResponse(status=status)
