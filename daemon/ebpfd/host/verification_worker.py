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
from ebpfd.host.fitting import fitted
from ebpfd.host.judging import judge
from ebpfd_vm import parse_object


def answer(request: frames.Request) -> frames.Verdict:
    """Prevail's verdict on *request*."""
    parsed = parse_object(request.object)
    information = request.information
    program = fitted(parsed.programs[request.program], request.context_btf, information.helpers)
    return judge(program, parsed.maps, information, "prevail")


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
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (_least(used + cpu_seconds, most), most))


def _limit(kind: int, value: int) -> None:
    """For good; a limit that is lower already stays."""
    _, most = resource.getrlimit(kind)
    value = _least(value, most)
    resource.setrlimit(kind, (value, value))


def _least(value: int, most: int) -> int:
    return value if most == resource.RLIM_INFINITY else min(value, most)


def main() -> None:
    """Limit this process, then serve."""
    cpu_seconds, memory, stack = map(int, sys.argv[1:])
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_STACK, stack)
    _limit(resource.RLIMIT_CORE, 0)
    serve(sys.stdin.buffer, sys.stdout.buffer, cpu_seconds)


if __name__ == "__main__":
    main()
