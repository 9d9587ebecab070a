"""The sample extension with helpers that go wrong, each in the way that it is asked for.

Run as ``python tests/e2e/faulty_extension.py [--second] [--hosted] ADDRESS``; the second has a
program type of its own, with the section ``second_ext``; a hosted hook is the daemon's.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import U32, Hook, Integer, ProgramType, run

SECOND = "--second" in sys.argv

kind = ProgramType(
    f"f788ef4a-207d-4dc3-85cf-0f2ea107{'9999' if SECOND else '213c'}",
    SampleContext,
    name="second" if SECOND else "sample",
    section="second_ext" if SECOND else "sample_ext",
)
events = Hook(
    f"f788ef4b-207d-4dc3-85cf-0f2ea107{'9999' if SECOND else '213c'}",
    kind,
    name="second_ext" if SECOND else "sample_ext",
    hosted="--hosted" in sys.argv,
)


def fails() -> Any:
    """Raise."""
    raise ValueError("no")


def gives_up() -> Any:
    """Raise what is no Exception."""
    raise asyncio.CancelledError


FAULTS: list[Callable[[], Any]] = [
    lambda: 7,
    lambda: -3,
    fails,
    gives_up,
    lambda: "seven",
    lambda: None,
    lambda: 1 << 64,
]


@kind.helper(0x10000)
def answers(ctx: SampleContext) -> Integer:
    """Nothing is wrong with this one."""
    return 0


@kind.helper(0x10003, implicit_context=True, deadline_s=0.02)
async def sleeps(ctx: SampleContext) -> Integer:
    """For ever."""
    await asyncio.Event().wait()
    return 0


@kind.helper(0x10004, implicit_context=True, deadline_s=30)
async def goes_wrong(ctx: SampleContext, which: U32) -> Integer:
    """As FAULTS say; beyond them it waits for longer than any test."""
    if which >= len(FAULTS):
        await asyncio.sleep(3600)
    result: int = FAULTS[which]()
    return result


if __name__ == "__main__":
    run(kind, events, address=sys.argv[-1])
