"""What a child runs before it becomes its command: ties itself to the daemon, limits itself.

It is a script of its own, run by path and with nothing of ours imported, because nothing but exec
may happen between fork and exec in a process with threads and gRPC.  Its one argument is JSON.

The kernel kills the child when the *thread* that started it ends, so the daemon starts children
from a thread that lives as long as they do.  Its own children are not tied to anybody.
"""

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
CANNOT_RUN = 127


def main() -> None:
    """Limit this process, then become the command."""
    order = json.loads(sys.argv[1])
    command = order["command"]
    try:
        die_with_parent()
        if os.getppid() != order["parent"]:
            return  # the daemon ended before the kernel knew
        if order["cpus"]:
            run_on(order["cpus"])
        if order["nice"]:
            os.nice(order["nice"])
        # Python ignores them for itself, and what is ignored stays so.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if order["memory_bytes"] is not None:
            limit = order["memory_bytes"]
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        os.execvp(command[0], command)  # noqa: S606 (its own arguments, no shell)
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(CANNOT_RUN)


def run_on(cpus: list[int]) -> None:
    """Run on these processors alone; end this process if there is none of them."""
    try:
        os.sched_setaffinity(0, cpus)
    except OSError:
        allowed = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        sys.stderr.write(f"cpus: it may run on none of {cpus}; there are {allowed}\n")
        sys.exit(CANNOT_RUN)


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    main()
