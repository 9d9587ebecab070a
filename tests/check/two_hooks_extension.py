"""An extension with two hooks of one program type, and a second type beside it."""

import asyncio

from ebpfd_sdk import U64, Context, Extension, Hook, ProgramType, run


class Event(Context):
    """What programs see."""

    first: U64 = 0
    second: U64 = 0


kind = ProgramType("d0a51f10-4b8e-4b3e-9d0c-6a2f4f7f1a01", Event, name="two", section="two")
other = ProgramType("d0a51f10-4b8e-4b3e-9d0c-6a2f4f7f1a02", Event, name="other", section="other")
left = Hook("d0a51f10-4b8e-4b3e-9d0c-6a2f4f7f1a03", kind, name="left")
right = Hook("d0a51f10-4b8e-4b3e-9d0c-6a2f4f7f1a04", kind, name="right")
last = Hook("d0a51f10-4b8e-4b3e-9d0c-6a2f4f7f1a05", other, name="last")


async def main(_extension: Extension) -> None:
    """Serve."""
    await asyncio.Event().wait()


if __name__ == "__main__":
    run(kind, other, left, right, last, main)
