"""Programs that another process runs: what it is given, and what it shares with the daemon.

The daemon seals a program's image (``sealed``), makes a ``Gate`` for one process, and passes both
with what that must have of the maps (``descriptors``); there ``Program.of_image`` makes the
program.  One with values of its own, in per-CPU maps, has the ``Lane`` that the daemon has lent
the process; what it prints goes to a ring of the daemon's (``trace_ring``).  Whoever has the gate
closed, and sees nobody inside, knows that the process runs the program no more; one that stays
inside is left behind with what was the map's memory (``Map.renew``).  A ``Door`` is for callers in
that process who ask for one run at a time, and who must have an answer in any case.
"""

import fcntl
import os
from collections.abc import Sequence
from typing import Final

from ebpfd_vm._native import Door, Gate, Lane, Map, Trace

__all__ = ["Door", "Gate", "Lane", "descriptors", "sealed", "trace_ring", "trace_through"]

_RINGBUF: Final = 13
_TRACE_BYTES: Final = 1 << 16
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def descriptors(maps: Sequence[Map]) -> list[int]:
    """The files of *maps*, in order, each with its event behind it if it has records."""
    found: list[int] = []
    for each in maps:
        found += [each.fileno(), each.event()] if each.has_records else [each.fileno()]
    return found


def trace_ring() -> Map:
    """What takes the lines that another process prints: its records are ``trace.rs``'s."""
    return Map(_RINGBUF, 0, 0, _TRACE_BYTES, name="trace", shared=True)


def trace_through(file: int, event: int) -> Trace:
    """Lines go to the daemon's ring, of which these are the ``descriptors``."""
    ring = Map(_RINGBUF, 0, 0, _TRACE_BYTES, name="trace", file=file, event=event)
    return Trace(through=ring)


def sealed(image: bytes) -> int:
    """A memfd with *image* that nobody can change; its descriptor, which the caller closes."""
    descriptor = os.memfd_create("ebpf-image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(image)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
