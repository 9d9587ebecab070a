"""A verification worker as its owner sees it: ask, kill.  Every call here blocks.

It runs at a low priority: whoever waits for a verdict can wait, and what hooks do cannot.

``subprocess`` starts it, not the event loop: uvloop forks, and what gRPC has registered to run in
a forked child crashed it there about one time in ten.  ``subprocess`` uses vfork, which runs
nothing but exec.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from ebpfd.host import verification_frames as frames

NICENESS: Final = 10


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What a worker may take: processor time for one program, memory and stack for its life."""

    cpu_seconds: int
    memory_bytes: int
    stack_bytes: int


def give_way(process: int) -> None:
    """Let hooks run before a process, or on Linux a thread; one of lower priority keeps it."""
    now = os.getpriority(os.PRIO_PROCESS, process)
    os.setpriority(os.PRIO_PROCESS, process, max(now, NICENESS))


class WorkerDiedError(Exception):
    """The worker ended before it answered; ``exit_code`` is negative for a signal."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"the worker ended with {exit_code}")
        self.exit_code = exit_code


class WorkerProcess:
    """One worker with its pipes, and how many programs it has judged."""

    def __init__(self, limits: WorkerLimits) -> None:
        self.judged = 0
        numbers = (limits.cpu_seconds, limits.memory_bytes, limits.stack_bytes)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ebpfd.host.verification_worker", *map(str, numbers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Its output would be the traceback of a crash that is reported as a rejection.
            stderr=subprocess.DEVNULL,
        )
        give_way(self._process.pid)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, payload: bytes) -> bytes:
        """Send a request and wait for its answer, or until ``kill``."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None, "started with a pipe"
        assert answers is not None, "started with a pipe"
        try:
            requests.write(frames.LENGTH.pack(len(payload)) + payload)
            requests.flush()
            header = answers.read(frames.LENGTH.size)
            if len(header) == frames.LENGTH.size:
                (size,) = frames.LENGTH.unpack(header)
                answer = answers.read(size)
                if len(answer) == size:
                    self.judged += 1
                    return answer
        except BrokenPipeError:
            pass  # it has ended, which is told below
        raise WorkerDiedError(self._process.wait())

    def kill(self) -> None:
        """End it; whoever waits for an answer learns of it."""
        self._process.kill()

    def close(self) -> None:
        """End it and give back what it held; nobody may be waiting for an answer."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
