"""The engine's verdict as the daemon's value: the same in the daemon and in its workers.

It blocks, and says nothing about limits: whoever asks prevail must be ready to be killed.  Fields
have the names that the engine gives them, so that none need be listed here.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from ebpfd.contracts import EngineInformation
from ebpfd.host.verification_frames import Rejection, Verdict
from ebpfd_vm import EngineError, MapSpec, ProgramSpec, verify


def judge(
    program: ProgramSpec,
    maps: Sequence[MapSpec],
    information: EngineInformation,
    by: Literal["ours", "prevail"],
) -> Verdict:
    """What judge *by* says about *program*; a contract that makes no sense is a rejection."""
    try:
        verdict = verify(program, maps, information, judges=by)
    except EngineError as error:
        return Verdict(judge="loader", rejection=Rejection(reason=error.message))
    return msgspec.convert(verdict, Verdict, from_attributes=True)
