"""An extension that does as its mood is.

Run as ``python tests/e2e/moody_extension.py MOOD [NUMBER]``; the number makes its hook another one.
"""

import signal
import sys
from uuid import UUID

from ebpfd_sdk import U64, Context, Extension, Hook, ProgramType, run


class Moody(Context):
    """Nothing much."""

    one: U64 = 0
    other: U64 = 0


def main() -> None:
    """Serve, or not."""
    mood = sys.argv[1]
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if mood == "silent":
        say("says nothing to the daemon")
        signal.pause()
    moody = ProgramType(UUID(int=2 * number), Moody, name=f"moody_{number}", section="moody")
    hook = Hook(UUID(int=2 * number + 1), moody, name=f"mood_{number}")

    async def ready(extension: Extension) -> None:
        say(f"{mood} {extension.name}")
        if mood == "stubborn":
            # After ``run`` has set its own.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if mood == "hungry":
            try:
                bytearray(1 << 30)
            except MemoryError:
                say("no gibibyte for me")

    run(moody, hook, ready)


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
