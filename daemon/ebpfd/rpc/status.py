"""Errors become statuses in one place."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from ebpfd.errors import RequestError
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
    """Why *judged* was refused; empty if it was not.

    Fields have the names on the wire that they have in the verdict; what is told there in words
    that the wire has numbers for is replaced.
    """
    verdict, fields = judged.verdict, dict[str, Any]()
    if verdict.rejection is not None:
        fields = msgspec.to_builtins(verdict.rejection, builtin_types=(bytes,))
        told = fields.pop("explanation")
        if told is not None:
            fields |= told
            fields["path"] = [
                step | {"way": _WAYS.get(step["way"], pb.WAY_UNSPECIFIED)} for step in told["path"]
            ]
            fields["history"] = [
                event | {"change": _CHANGES.get(event["change"], pb.REGISTER_CHANGE_UNSPECIFIED)}
                for event in told["history"]
            ]
            fields["registers"] = [
                {"register": register, "text": text} for register, text in told["registers"]
            ]
    return pb.Rejection(
        program=judged.spec.name, section=judged.spec.section, judge=verdict.judge, **fields
    )


def source(line: SourceLine | None) -> pb.SourceLine | None:
    """A line of source, if there is one."""
    if line is None:
        return None
    return pb.SourceLine(file=line.file, line=line.line, column=line.column, text=line.text)
