"""A program type whose context has grown a field in its middle.

Run as ``python tests/e2e/growing_extension.py [--grown] ADDRESS``.
"""

import sys

from ebpfd_sdk import U16, U32, U64, Context, Data, DataEnd, Hook, ProgramType, run


class Small(Context):
    """As it was yesterday."""

    data: Data = 0
    data_end: DataEnd = 0
    visitor: U32 = 0
    floor: U16 = 0


class Grown(Context):
    """As it is today."""

    data: Data = 0
    data_end: DataEnd = 0
    arrived: U64 = 0
    visitor: U32 = 0
    floor: U32 = 0


GUID = "5e1d9a3c-2b4f-4c6d-8e7f-0a1b2c3d4e5f"
context = Grown if "--grown" in sys.argv else Small
visits = ProgramType(GUID, context, name="visit", section="visit", context_type="visit_t")
hook = Hook("5e1d9a3d-2b4f-4c6d-8e7f-0a1b2c3d4e5f", visits, name="visits")

if __name__ == "__main__":
    run(visits, hook, address=sys.argv[-1])
