"""The engine's verdict as the daemon's value: the same in the daemon and in its workers.

It blocks, and says nothing about limits: whoever asks prevail must be ready to be killed.
"""

from collections.abc import Sequence
from typing import Literal

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames
from ebpfd_vm import EngineError, MapSpec, ProgramSpec, Rejection, SourceLine, verify


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
        source=refused.source and _source(refused.source),
    )


def _source(line: SourceLine) -> frames.Source:
    return frames.Source(file=line.file, line=line.line, column=line.column, text=line.text)
