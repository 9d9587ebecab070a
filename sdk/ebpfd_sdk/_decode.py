"""From protobuf to the values of ``_values``: the only place that knows both."""

from collections.abc import AsyncGenerator, AsyncIterator
from enum import Enum
from typing import TypeVar
from uuid import UUID

from ebpfd_api.v1 import links_pb2, peer_pb2, programs_pb2, registrar_pb2, status_pb2
from ebpfd_sdk._answer import result_of
from ebpfd_sdk._errors import EbpfdError, VerificationFailed
from ebpfd_sdk._values import (
    Binding,
    BindingCallback,
    BindingState,
    BindingWait,
    ChangeKind,
    Instruction,
    LinkOutcomes,
    LinkState,
    PathStep,
    Peer,
    PeerCertificate,
    PeerProcess,
    ProgramCounters,
    ProgramState,
    RegisterChange,
    RegisterEvent,
    RegisterFact,
    RegistrarChange,
    RegistrarSnapshot,
    Registration,
    Rejection,
    Role,
    SourceLine,
    TraceLine,
    Verdict,
    Way,
    Witness,
)

E = TypeVar("E", bound=Enum)


def check(status: status_pb2.Status) -> None:
    """Raise what a reply's status means, if it is not success."""
    if not status.code:
        return
    code = result_of(status.code)
    if status.rejections:
        rejections = tuple(map(rejection, status.rejections))
        raise VerificationFailed(status.message or _summary(rejections), rejections)
    raise EbpfdError(code, status.message)


def guid(raw: bytes) -> UUID:
    """Read a GUID; one that the daemon left out is all zero."""
    return UUID(bytes=raw or bytes(16))


def rejection(message: status_pb2.Rejection) -> Rejection:
    """Read why a program is refused."""
    return Rejection(
        program=message.program,
        section=message.section,
        pc=message.pc if message.HasField("pc") else None,
        instruction=message.instruction,
        reason=message.reason,
        hint=message.hint,
        detail=message.detail,
        source=_source(message.source) if message.HasField("source") else None,
        judge=message.judge,
        kind=message.kind,
        obligation=message.obligation,
        fact=message.fact,
        proof=message.proof,
        path=tuple(map(_path_step, message.path)),
        registers=tuple(RegisterFact(each.register, each.text) for each in message.registers),
        history=tuple(map(_event, message.history)),
        witness=_witness(message.witness) if message.HasField("witness") else None,
    )


def verdict(message: programs_pb2.Verdict) -> Verdict:
    """Read what the verifier thinks of a program."""
    return Verdict(
        program=message.program,
        section=message.section,
        program_type_name=message.program_type_name,
        accepted=message.accepted,
        rejection=rejection(message.rejection) if message.HasField("rejection") else None,
        judge=message.judge,
        instruction_count=message.instruction_count,
        has_loops=message.has_loops,
        duration_ns=message.duration_ns,
        decided=message.decided or not message.HasField("decided"),
        worst_case=message.worst_case if message.HasField("worst_case") else None,
        steps=message.steps,
        states=message.states,
        proved_loops=message.proved_loops,
        cached=message.cached,
    )


def instruction(message: programs_pb2.Instruction) -> Instruction:
    """Read an instruction as people read it."""
    return Instruction(
        pc=message.pc,
        raw=message.raw,
        text=message.text,
        label=message.label,
        reference=message.reference,
        source=_source(message.source) if message.HasField("source") else None,
    )


def counters(message: programs_pb2.ProgramCounters) -> ProgramCounters:
    """Read a program's counters."""
    return ProgramCounters(message.runs, message.nanoseconds, dict(message.failures))


def outcomes(message: links_pb2.LinkOutcomes) -> LinkOutcomes:
    """Read what a link's events came to."""
    return LinkOutcomes(
        success=message.success,
        no_provider=message.no_provider,
        timeout=message.timeout,
        error=message.error,
        overload=message.overload,
        lost=message.lost,
        broken=message.broken,
    )


def trace_line(message: programs_pb2.TraceResponse) -> TraceLine:
    """Read a line that a program printed."""
    return TraceLine(
        message.time_ns, message.program_id, message.program_name, message.text, message.lost
    )


def peer_of(message: peer_pb2.Peer) -> Peer:
    """Read who is at the far end of a connection."""
    if message.HasField("certificate"):
        certificate = message.certificate
        return Peer(certificate=PeerCertificate(tuple(certificate.names), certificate.address))
    if not message.HasField("process"):
        return Peer()
    process = message.process
    return Peer(PeerProcess(process.pid, process.uid, process.gid))


def registration(message: registrar_pb2.Registration) -> Registration:
    """Read a module's registration."""
    instance = message.instance
    return Registration(
        registration=message.registration,
        role=_role(message.role),
        npi=guid(instance.npi_id),
        npi_name=message.npi_name,
        module=module_id(instance.module_id),
        module_name=message.module_name,
        number=instance.number,
        owner=message.owner,
        deregistering=message.deregistering,
        binding_count=message.binding_count,
        peer=peer_of(message.peer) if message.HasField("peer") else None,
    )


def binding(message: registrar_pb2.Binding) -> Binding:
    """Read a binding."""
    return Binding(
        binding=message.binding,
        npi=guid(message.npi_id),
        client=registration(message.client),
        provider=registration(message.provider),
        state=known(BindingState, message.state, BindingState.ATTACHING),
        waits=tuple(map(_wait, message.waits)),
        overdue=tuple(message.overdue),
    )


async def registrar_events(
    parts: AsyncIterator[registrar_pb2.WatchResponse],
) -> AsyncGenerator[RegistrarSnapshot | RegistrarChange]:
    """Read a watch: the parts of a snapshot become one event, each change is one."""
    present: list[registrar_pb2.WatchChange] = []
    lost = 0
    async for part in parts:
        if part.part == registrar_pb2.WATCH_PART_CHANGES:
            for change in part.changes:
                kind = known(ChangeKind, change.kind, ChangeKind.CHANGED)
                yield RegistrarChange(kind, _subject(change))
            continue
        present += part.changes
        lost += part.lost
        if part.part == registrar_pb2.WATCH_PART_SNAPSHOT_END:
            subjects = [_subject(each) for each in present]
            yield RegistrarSnapshot(
                tuple(each for each in subjects if isinstance(each, Registration)),
                tuple(each for each in subjects if isinstance(each, Binding)),
                lost,
            )
            present, lost = [], 0


def _subject(change: registrar_pb2.WatchChange) -> Registration | Binding:
    if change.HasField("registration"):
        return registration(change.registration)
    return binding(change.binding)


def _wait(message: registrar_pb2.BindingWait) -> BindingWait:
    return BindingWait(
        role=_role(message.role),
        callback=known(BindingCallback, message.callback, BindingCallback.DRAIN),
        module=message.module,
        elapsed_ms=message.elapsed_ms,
    )


def _role(number: registrar_pb2.Role) -> Role:
    return Role.CLIENT if number == registrar_pb2.ROLE_CLIENT else Role.PROVIDER


def program_state(message: programs_pb2.Program) -> ProgramState:
    """Read whether a program can run; one that does not say cannot."""
    return known(ProgramState, message.state, ProgramState.WAITING)


def link_state(message: links_pb2.Link) -> LinkState:
    """Read how far a link is."""
    return known(LinkState, message.state, LinkState.WAITING)


def known(kind: type[E], number: int, default: E) -> E:
    """Read an enumeration's value, or *default* for one that is new to us."""
    return next((each for each in kind if each.value == number), default)


def _source(message: status_pb2.SourceLine) -> SourceLine:
    return SourceLine(message.file, message.line, message.column, message.text)


def _path_step(message: status_pb2.PathStep) -> PathStep:
    return PathStep(
        way=known(Way, message.way, Way.UNKNOWN),
        pc=message.pc,
        source=_source(message.source) if message.HasField("source") else None,
        text=message.text,
        taken=message.taken,
        next_pc=message.next_pc,
        next=_source(message.next) if message.HasField("next") else None,
        times=message.times,
    )


def _event(message: status_pb2.RegisterEvent) -> RegisterEvent:
    return RegisterEvent(
        change=known(RegisterChange, message.change, RegisterChange.UNKNOWN),
        pc=message.pc,
        source=_source(message.source) if message.HasField("source") else None,
        text=message.text,
    )


def _witness(message: status_pb2.Witness) -> Witness:
    return Witness(
        context=message.context,
        data=message.data,
        meta_length=message.meta_length,
        notes=tuple(message.notes),
        outcome=message.outcome,
        pc=message.pc,
        code=message.code,
    )


def module_id(message: registrar_pb2.ModuleId) -> UUID | int | None:
    """Read a GUID or an interface LUID; None: neither is given."""
    match message.WhichOneof("id"):
        case "guid":
            return guid(message.guid)
        case "if_luid":
            return message.if_luid
        case _:
            return None


def _summary(rejections: tuple[Rejection, ...]) -> str:
    return "; ".join(f"{each.program}: {each.reason}" for each in rejections)
