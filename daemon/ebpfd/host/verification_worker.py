"""A process that asks prevail about programs, one at a time, until its standard input ends.

It exists to be killed: the verifier may take for ever, exhaust memory or overflow its stack on a
hostile program, and here that costs nobody anything.  Run as
``python -m ebpfd.host.verification_worker CPU_SECONDS MEMORY_BYTES STACK_BYTES``.

The limit on processor time is for one program, and holds also when nobody is left who could kill.
"""

import math
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
    return judge(parsed.programs[request.program], parsed.maps, request.information, "prevail")


def serve(requests: BinaryIO, answers: BinaryIO, cpu_seconds: int) -> None:
    """Answer each frame of *requests* until they end; each may take *cpu_seconds*."""
    decoder = msgspec.msgpack.Decoder(frames.Request)
    encoder = msgspec.msgpack.Encoder()
    while header := requests.read(frames.LENGTH.size):
        (size,) = frames.LENGTH.unpack(header)
        _limit_time(cpu_seconds)
        payload = encoder.encode(answer(decoder.decode(requests.read(size))))
        answers.write(frames.LENGTH.pack(len(payload)) + payload)
        answers.flush()


def _limit_time(cpu_seconds: int) -> None:
    """From now on; the system counts from the start of the process, in whole seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_seconds, resource.RLIM_INFINITY))


def main() -> None:
    """Limit this process, then serve."""
    cpu_seconds, memory, stack = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_STACK, (stack, stack))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer, cpu_seconds)


if __name__ == "__main__":
    main()
