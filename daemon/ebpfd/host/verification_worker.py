"""A process that asks prevail about programs, one at a time, until its standard input ends.

It exists to be killed: the verifier may take for ever, exhaust memory or overflow its stack on a
hostile program, and here that costs nobody anything.  Run as
``python -m ebpfd.host.verification_worker MEMORY_BYTES``.
"""

import resource
import sys
from typing import BinaryIO

import msgspec

from ebpfd.host import verification_frames as frames
from ebpfd.host.judging import judge
from ebpfd_vm import parse_object


def answer(request: frames.Request) -> frames.Verdict:
    """Prevail's verdict on *request*."""
    parsed = parse_object(request.object)
    program = parsed.programs[request.program].relocated(request.context_btf)
    return judge(program, parsed.maps, request.information, "prevail")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each frame of *requests* until they end."""
    decoder = msgspec.msgpack.Decoder(frames.Request)
    encoder = msgspec.msgpack.Encoder()
    while header := requests.read(frames.LENGTH.size):
        (size,) = frames.LENGTH.unpack(header)
        payload = encoder.encode(answer(decoder.decode(requests.read(size))))
        answers.write(frames.LENGTH.pack(len(payload)) + payload)
        answers.flush()


def main() -> None:
    """Limit the memory of this process, then serve."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
