"""How the SDK feels to type checkers: never run, only checked."""

from pathlib import Path
from typing import Annotated, assert_type
from uuid import UUID

from ebpfd_sdk import (
    U16,
    U32,
    Answer,
    AttachedLink,
    Client,
    Columns,
    Context,
    Counters,
    CustomMap,
    CustomMapType,
    Data,
    DataEnd,
    Extension,
    FireEvent,
    Hook,
    Integer,
    Length,
    Link,
    Map,
    MapOperation,
    MapType,
    NtStatus,
    ObjectType,
    Origin,
    Pin,
    Program,
    ProgramType,
    ReadableMemory,
    Refused,
    Result,
    TraceLine,
    WritableMemory,
    hidden,
    read_only,
    run,
)


class Parcel(Context):
    """Every kind of field."""

    data_start: Data = 0
    data_end: DataEnd = 0
    weight: U32 = 0
    shelf: U16 = read_only()
    label: Annotated[bytes, Length(8)] = b""
    secret: Annotated[bytes, Length(8)] = hidden(b"")


parcel = ProgramType("0f4b9be5-8a4c-4b62-8a0e-3b1b7c2f8b01", Parcel, section="parcel")
passing = Hook("0f4b9be6-8a4c-4b62-8a0e-3b1b7c2f8b01", parcel)
assert_type(parcel, ProgramType[Parcel])
assert_type(passing, Hook[Parcel])
assert_type(Parcel(weight=7).weight, int)
assert_type(Parcel(label=b"x").label, bytes)

Parcel(mass=7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Parcel(weight="7")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Parcel(7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@parcel.helper(0x10000)
def weigh(ctx: Parcel, extra: U32) -> Integer:
    """Keep its own type under the decorator."""
    return ctx.weight + extra


@parcel.helper(0x10001, implicit_context=True)
async def stamp(ctx: Parcel, into: WritableMemory, text: ReadableMemory) -> Integer:
    """Take a bytearray and bytes."""
    assert_type(into, bytearray)
    assert_type(text, bytes)
    into[: len(text)] = text
    return ctx.weight


@parcel.helper(0x10003, code=Path("price.o"))
def price(ctx: Parcel, rate: U32) -> Integer:
    """Come as code, which may be a path or bytes."""
    raise NotImplementedError


assert_type(weigh(Parcel(), 1), int)


@parcel.helper(0x10002)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]
def silent() -> str:
    """Return what no helper may."""
    return ""


@passing.on_attach
async def check(link: Link) -> None:
    """Refuse what it does not like."""
    if len(link.parameter) != 4:
        raise Refused("parameter must be 4 bytes", status=NtStatus.INVALID_PARAMETER)


@passing.on_detach
def note(link: Link) -> None:
    """Be a plain function."""
    assert_type(link.binding, int)


@passing.on_fire
async def fire(event: FireEvent) -> Columns:
    """Run what it likes."""
    return await passing.invoke_batch(event.contexts, count=event.count)


class Ports(CustomMap):
    """Refuse port 0."""

    async def update(self, key: bytes, value: bytes) -> None:
        """Be a coroutine."""
        if not any(value):
            raise Refused("no port", result=Result.BLOCKED_BY_POLICY)

    def delete(self, key: bytes, stored: bytes, operation: MapOperation) -> None:
        """Be a plain function."""
        assert_type(operation & MapOperation.UPDATE, MapOperation)


ports = CustomMapType(MapType.SAMPLE_HASH_MAP, Ports, name="ports")
assert_type(ports.maps, tuple[Ports, ...])
assert_type(ports.map(4), Ports)


async def main(extension: Extension) -> None:
    """Invoke in every way."""
    answer = await passing.invoke(Parcel(weight=7), data=b"abc", parameter=b"")
    assert_type(answer, Answer[Parcel])
    assert_type(answer.context.weight, int)
    assert_type(answer.code, Result)
    labelled = await passing.invoke(data=b"abc", meta_length=1)
    assert_type(labelled, Answer[Parcel])
    assert_type(passing.invoke_now(data=b"abc", meta_length=1), int)
    async with passing.batch_begin(origin=Origin(1, 1)) as batch:
        later = batch.invoke(Parcel(weight=7), data=b"abc", meta_length=1)
    assert_type(await later, Answer[Parcel])
    assert_type(await passing.invoke_batch(bytes(48), count=2), Columns)
    assert_type(await passing.attached(), Link)
    assert_type(passing.counters, Counters)
    extension.stop()


async def client() -> None:
    """Use a client in every way."""
    async with Client() as ebpfd:
        program = (await ebpfd.load(Path("drop.o")))["parse"]
        assert_type(program, Program)
        assert_type(await program.attach(passing, parameter=b""), AttachedLink)
        assert_type(program.maps["counts"], Map)
        assert_type(await ebpfd.pin("/parse", program), Pin)
        assert_type(await ebpfd.open_map("/counts"), Map)
        assert_type(await ebpfd.open_map(5), Map)
        assert_type(await ebpfd.open("/parse"), Program | Map | AttachedLink)
        assert_type(await ebpfd.pins(ObjectType.MAP), tuple[Pin, ...])
        assert_type(await ebpfd.next_id(ObjectType.PROGRAM), int | None)
        assert_type(await program.maps["counts"].get(6), bytes | None)
        assert_type(await ebpfd.fire(passing, context=Parcel()), Answer[Parcel])
        answer = await ebpfd.fire(passing, deadline_s=0.5, origin=Origin(1, 1, uid=0))
        assert_type(answer, Answer[Parcel])
        assert_type(await ebpfd.fire(passing, data=b"abc", meta_length=1), Answer[Parcel])
        assert_type(await ebpfd.fire(UUID(int=0), context=b""), Answer[Context])
        async for line in ebpfd.trace():
            assert_type(line, TraceLine)
        async for key, value in program.maps["counts"]:
            assert_type(key + value, bytes)


if __name__ == "__main__":
    run(parcel, passing, main)
