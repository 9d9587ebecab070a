"""Errors become statuses in one place."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.host import verification_frames as frames
from ebpfd.host.loading import JudgedProgram
from ebpfd.host.programs import VerificationError
from ebpfd_api.v1 import status_pb2 as pb
from ebpfd_vm import EngineError, SourceLine

_WAYS: Final = {
    "branch": pb.WAY_BRANCH,
    "enter": pb.WAY_ENTER,
    "leave": pb.WAY_LEAVE,
    "round": pb.WAY_ROUND,
}
_CHANGES: Final = {
    "written": pb.REGISTER_CHANGE_WRITTEN,
    "copied": pb.REGISTER_CHANGE_COPIED,
    "spilled": pb.REGISTER_CHANGE_SPILLED,
    "filled": pb.REGISTER_CHANGE_FILLED,
    "refined": pb.REGISTER_CHANGE_REFINED,
    "invalidated": pb.REGISTER_CHANGE_INVALIDATED,
    "passed": pb.REGISTER_CHANGE_PASSED,
    "returned": pb.REGISTER_CHANGE_RETURNED,
}


@contextmanager
def answering(status: pb.Status) -> Generator[None]:
    """Fill *status* with the error that the block raises, if any: ours or the engine's."""
    try:
        yield
    except VerificationError as error:
        status.code, status.message = error.code, error.message
        status.rejections.extend(rejection(judged) for judged in error.refused)
    except (RequestError, EngineError) as error:
        status.code, status.message = error.code, error.message


def rejection(judged: JudgedProgram) -> pb.Rejection:
    """Why *judged* was refused; empty if it was not."""
    verdict = judged.verdict
    refused = verdict.rejection
    named = pb.Rejection(program=judged.spec.name, section=judged.spec.section, judge=verdict.judge)
    if refused is None:
        return named
    answer = pb.Rejection(
        pc=refused.pc,
        instruction=refused.instruction,
        reason=refused.reason,
        hint=refused.hint,
        detail=refused.detail,
        source=source(refused.source),
    )
    answer.MergeFrom(named)
    if refused.explanation is not None:
        answer.MergeFrom(_explanation(refused.explanation))
    return answer


def _explanation(explanation: frames.Explanation) -> pb.Rejection:
    """The part of a rejection that our own judge can tell."""
    return pb.Rejection(
        kind=explanation.kind,
        obligation=explanation.obligation,
        fact=explanation.fact,
        proof=explanation.proof,
        path=map(_path_step, explanation.path),
        registers=[
            pb.RegisterFact(register=register, text=text)
            for register, text in explanation.registers
        ],
        history=map(_event, explanation.history),
        witness=_witness(explanation.witness),
    )


def _path_step(step: frames.PathStep) -> pb.PathStep:
    return pb.PathStep(
        way=_WAYS.get(step.way, pb.WAY_UNSPECIFIED),
        pc=step.pc,
        source=source(step.source),
        text=step.text,
        taken=step.taken,
        next_pc=step.next_pc,
        next=source(step.next),
        times=step.times,
    )


def _event(event: frames.RegisterEvent) -> pb.RegisterEvent:
    return pb.RegisterEvent(
        change=_CHANGES.get(event.change, pb.REGISTER_CHANGE_UNSPECIFIED),
        pc=event.pc,
        source=source(event.source),
        text=event.text,
    )


def _witness(witness: frames.Witness | None) -> pb.Witness | None:
    if witness is None:
        return None
    return pb.Witness(
        context=witness.context,
        data=witness.data,
        meta_length=witness.meta_length,
        notes=witness.notes,
        outcome=witness.outcome,
        pc=witness.pc,
        code=witness.code,
    )


def source(line: frames.Source | SourceLine | None) -> pb.SourceLine | None:
    """A line of source, if there is one."""
    if line is None:
        return None
    return pb.SourceLine(file=line.file, line=line.line, column=line.column, text=line.text)
