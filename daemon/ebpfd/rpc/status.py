"""Errors become statuses in one place."""

from collections.abc import Generator
from contextlib import contextmanager

from ebpfd.errors import RequestError
from ebpfd.host.loading import JudgedProgram
from ebpfd.host.programs import VerificationError
from ebpfd_api.v1 import status_pb2 as pb
from ebpfd_vm import EngineError


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
    answer = pb.Rejection(
        program=judged.spec.name, section=judged.spec.section, judge=verdict.judge
    )
    refused = verdict.rejection
    if refused is None:
        return answer
    answer.reason, answer.hint, answer.detail = refused.reason, refused.hint, refused.detail
    answer.instruction = refused.instruction
    if refused.pc is not None:
        answer.pc = refused.pc
    if (source := refused.source) is not None:
        answer.source.file, answer.source.text = source.file, source.text
        answer.source.line, answer.source.column = source.line, source.column
    return answer
