"""A process that judges programs, one at a time, until its standard input ends.

It exists to be killed: the verifier may take for ever, exhaust memory or overflow its stack on a
hostile program, and here that costs nobody anything.  Run as
``python -m ebpfd.host.verification_worker MEMORY_BYTES``.
"""

import resource
import sys
from typing import BinaryIO

import msgspec

from ebpfd.host import verification_frames as frames
from ebpfd_vm import EngineError, SourceLine, parse_object, verify


def judge(request: frames.Request) -> frames.Verdict:
    """The engine's verdict on *request*."""
    parsed = parse_object(request.object)
    program = parsed.programs[request.program]
    try:
        verdict = verify(program, parsed.maps, request.information)
    except EngineError as error:
        return frames.Verdict(judge="loader", rejection=frames.Rejection(reason=error.message))
    refused = verdict.rejection
    return frames.Verdict(
        judge=verdict.judge,
        rejection=refused
        and frames.Rejection(
            reason=refused.reason,
            pc=refused.pc,
            instruction=refused.instruction,
            hint=refused.hint,
            detail=refused.detail,
            source=_source(refused.source),
        ),
        has_loops=verdict.has_loops,
        instruction_count=verdict.instruction_count,
        duration_ns=verdict.duration_ns,
    )


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each frame of *requests* until they end."""
    decoder = msgspec.msgpack.Decoder(frames.Request)
    encoder = msgspec.msgpack.Encoder()
    while header := requests.read(frames.LENGTH.size):
        (size,) = frames.LENGTH.unpack(header)
        payload = encoder.encode(judge(decoder.decode(requests.read(size))))
        answers.write(frames.LENGTH.pack(len(payload)) + payload)
        answers.flush()


def main() -> None:
    """Limit the memory of this process, then serve."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def _source(line: SourceLine | None) -> frames.Source | None:
    if line is None:
        return None
    return frames.Source(file=line.file, line=line.line, column=line.column, text=line.text)


if __name__ == "__main__":
    main()
