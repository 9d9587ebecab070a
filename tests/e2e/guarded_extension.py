"""A program type with a field that programs may read only, and one that they may not see.

Run as ``python tests/e2e/guarded_extension.py ADDRESS``.
"""

import sys

from ebpfd_sdk import (
    U32,
    Context,
    Data,
    DataEnd,
    Hook,
    Integer,
    ProgramType,
    WritableMemory,
    hidden,
    read_only,
    run,
)


class GuardedContext(Context):
    """What a door tells its programs."""

    data: Data = 0
    data_end: DataEnd = 0
    answer: U32 = 0
    visitor: U32 = read_only(0)
    key: U32 = hidden(0)


guarded = ProgramType(
    "3c5e6b4e-0d4a-4a39-9f0e-3d1f2a7b8c9d", GuardedContext, name="door", section="door"
)
doors = Hook("3c5e6b4f-0d4a-4a39-9f0e-3d1f2a7b8c9d", guarded, name="doors")


@guarded.helper(0x10000)
def door_write(into: WritableMemory) -> Integer:
    """Fill memory with ones."""
    into[:] = b"\x01" * len(into)
    return len(into)


@guarded.helper(0x10001, implicit_context=True)
def door_key(ctx: GuardedContext) -> Integer:
    """Tell what programs may not see."""
    return ctx.key


if __name__ == "__main__":
    run(guarded, doors, address=sys.argv[1])
