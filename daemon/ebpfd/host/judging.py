"""The engine's verdict as the daemon's value: the same in the daemon and in its workers.

It blocks, and says nothing about limits: whoever asks prevail must be ready to be killed.
"""

from collections.abc import Sequence
from typing import Literal

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames
from ebpfd_vm import (
    EngineError,
    Explanation,
    MapSpec,
    PathStep,
    ProgramSpec,
    Rejection,
    SourceLine,
    Witness,
    verify,
)


def judge(
    program: ProgramSpec,
    maps: Sequence[MapSpec],
    information: EngineInformation | frames.Information,
    by: Literal["ours", "prevail"],
) -> frames.Verdict:
    """What judge *by* says about *program*; a contract that makes no sense is a rejection."""
    try:
        verdict = verify(program, maps, information, judges=by)
    except EngineError as error:
        return frames.Verdict(judge="loader", rejection=frames.Rejection(reason=error.message))
    return frames.Verdict(
        judge=verdict.judge,
        rejection=verdict.rejection and _rejection(verdict.rejection),
        decided=verdict.decided,
        worst_case=verdict.worst_case,
        steps=verdict.steps,
        states=verdict.states,
        proved_loops=verdict.proved_loops,
        has_loops=verdict.has_loops,
        instruction_count=verdict.instruction_count,
        duration_ns=verdict.duration_ns,
    )


def _rejection(refused: Rejection) -> frames.Rejection:
    return frames.Rejection(
        reason=refused.reason,
        pc=refused.pc,
        instruction=refused.instruction,
        hint=refused.hint,
        detail=refused.detail,
        source=_source(refused.source),
        explanation=refused.explanation and _explanation(refused.explanation),
    )


def _explanation(told: Explanation) -> frames.Explanation:
    return frames.Explanation(
        kind=told.kind,
        obligation=told.obligation,
        fact=told.fact,
        proof=told.proof,
        path=[_path_step(each) for each in told.path],
        registers=told.registers,
        history=[
            frames.RegisterEvent(
                change=each.change, pc=each.pc, source=_source(each.source), text=each.text
            )
            for each in told.history
        ],
        witness=told.witness and _witness(told.witness),
    )


def _witness(witness: Witness) -> frames.Witness:
    return frames.Witness(
        context=witness.context,
        data=witness.data,
        meta_length=witness.meta_length,
        notes=witness.notes,
        outcome=witness.outcome,
        pc=witness.pc,
        code=witness.code,
    )


def _path_step(step: PathStep) -> frames.PathStep:
    return frames.PathStep(
        way=step.way,
        pc=step.pc,
        source=_source(step.source),
        text=step.text,
        taken=step.taken,
        next_pc=step.next_pc,
        next=_source(step.next),
        times=step.times,
    )


def _source(line: SourceLine | None) -> frames.Source | None:
    if line is None:
        return None
    return frames.Source(file=line.file, line=line.line, column=line.column, text=line.text)
