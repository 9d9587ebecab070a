"""An extension for tests: parcels pass a hook."""

from ebpfd_sdk import (
    U16,
    U32,
    Context,
    Data,
    DataEnd,
    Hook,
    Integer,
    ProgramType,
    ReadableMemory,
    WritableMemory,
)

PROGRAM_TYPE = "0f4b9be5-8a4c-4b62-8a0e-3b1b7c2f8b01"
ATTACH_TYPE = "0f4b9be6-8a4c-4b62-8a0e-3b1b7c2f8b01"


class Parcel(Context):
    """What a program sees of a parcel."""

    data_start: Data = 0
    data_end: DataEnd = 0
    weight: U32 = 0
    shelf: U16 = 0


def declare() -> tuple[ProgramType[Parcel], Hook[Parcel]]:
    """Make fresh declarations: they keep the links of their connection."""
    parcel = ProgramType(PROGRAM_TYPE, Parcel, name="parcel", section="parcel", bpf_prog_type=77)

    @parcel.helper(0x10000)
    def parcel_weigh(ctx: Parcel, extra: U32) -> Integer:
        return ctx.weight + extra

    @parcel.helper(0x10001)
    async def parcel_stamp(label: WritableMemory, text: ReadableMemory) -> Integer:
        label[: len(text)] = text
        return len(text)

    @parcel.helper(0x10002)
    def parcel_lose() -> Integer:
        raise LookupError("lost in the post")

    return parcel, Hook(ATTACH_TYPE, parcel, name="passing", bpf_attach_type=78)
