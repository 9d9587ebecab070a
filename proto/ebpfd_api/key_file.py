"""Files with a private key."""

import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = stat.S_IRWXO | stat.S_IWGRP


def exposure(path: Path) -> str:
    """Why the key in a file is not private, and what to do; empty if it is.  ``OSError``.

    A group may read it, as that of a service's keys does.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"others can read or change it (mode {mode:o}): chmod 600 it" if mode & _OTHERS else ""
