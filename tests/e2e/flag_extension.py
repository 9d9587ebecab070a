"""An extension that writes down the flags of what attaches to it.

Run as ``python tests/e2e/flag_extension.py JOURNAL ADDRESS``.
"""

import sys
from pathlib import Path

from ebpfd_extensions.sample.extension import events, sample
from ebpfd_sdk import Link, run


@events.on_attach
def note(link: Link) -> None:
    """Add a line to the journal."""
    with Path(sys.argv[1]).open("a") as journal:
        journal.write(f"{link.flags:#x}\n")


if __name__ == "__main__":
    run(sample, events, address=sys.argv[2])
