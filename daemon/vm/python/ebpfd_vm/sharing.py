"""Programs that another process runs: what it is given, and what it shares with the daemon.

The daemon seals a program's image (``sealed``), makes a ``Gate`` for one process, and passes both
with the files of the maps; there ``Program.of_image`` makes the program.  Whoever has the gate
closed, and sees nobody inside, knows that the process runs the program no more; one that stays
inside is left behind with what was the map's memory (``Map.renew``).  A ``Door`` is for callers in
that process who ask for one run at a time, and who must have an answer in any case.
"""

import fcntl
import os
from typing import Final

from ebpfd_vm._native import Door, Gate

__all__ = ["Door", "Gate", "sealed"]

_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


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
