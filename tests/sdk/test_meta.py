"""Metadata of single events: of each the length, in messages where somebody has any."""

import asyncio
import struct
from typing import Any

import pytest

from ebpfd_sdk import (
    Client,
    Columns,
    Context,
    Data,
    DataEnd,
    DataMeta,
    Extension,
    FireEvent,
    Hook,
    ProgramType,
    Result,
)
from tests.sdk.conftest import Scene


class Labelled(Context):
    """A context whose data begins with a label."""

    data: Data = 0
    data_end: DataEnd = 0
    label: DataMeta = 0


def labelled(scene: Scene) -> tuple[Hook[Labelled], Extension]:
    """A hook of the type, and its extension, not connected yet."""
    kind = ProgramType(scene.kind.guid, Labelled, name="labelled")
    hook = Hook(scene.hook.guid, kind)
    return hook, Extension(kind, hook, address=scene.daemon.address)


def u32s(*numbers: int) -> bytes:
    """A column of numbers."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


async def test_a_message_says_of_each_event_how_long_its_metadata_is(scene: Scene) -> None:
    """If one has any; data that comes back has it in front, too."""
    hook, extension = labelled(scene)
    async with extension:
        await scene.daemon.link()
        plain = await asyncio.gather(hook.invoke(data=b"ab"), hook.invoke())
        mixed = await asyncio.gather(
            hook.invoke(data=b"cd"),
            hook.invoke(data=b"efg", meta_length=1),
            hook.invoke(),
            hook.invoke(data=b"hi", meta_length=2, deadline_s=60),
        )
        alone = await hook.invoke(data=b"jkl", meta_length=3)
    assert [each.data for each in (*plain, *mixed, alone)] == [
        b"ab", b"", b"cd", b"efg", b"", b"hi", b"jkl",
    ]  # fmt: skip
    first, second, third = scene.daemon.requests
    assert first.meta_lengths == b""
    assert (second.data, second.data_lengths) == (b"cdefghi", u32s(2, 3, 0, 2))
    assert second.meta_lengths == u32s(0, 1, 0, 2)
    assert (third.data_lengths, third.meta_lengths) == (u32s(3), u32s(3))


async def test_metadata_stays_with_its_event_when_others_are_cancelled(scene: Scene) -> None:
    """Those that are not sent have no place in the column."""
    hook, extension = labelled(scene)
    async with extension:
        await scene.daemon.link()
        events = [hook.invoke(data=b"abcd", meta_length=length) for length in (1, 2, 0, 4)]
        events[0].cancel()
        events[2].cancel()
        await asyncio.gather(events[1], events[3])
    (request,) = scene.daemon.requests
    assert (request.count, request.meta_lengths) == (2, u32s(2, 4))


async def test_a_batch_has_metadata_too(scene: Scene) -> None:
    """Of the events that were added with it."""
    hook, extension = labelled(scene)
    async with extension:
        await scene.daemon.link()
        async with hook.batch_begin() as batch:
            for length in (0, 2):
                batch.invoke(data=b"abc", meta_length=length)
        async with hook.batch_begin() as batch:
            batch.invoke(data=b"abc")
    assert [each.meta_lengths for each in scene.daemon.requests] == [u32s(0, 2), b""]


@pytest.mark.parametrize(
    ("length", "size", "error", "why"),
    [
        (4, 3, ValueError, "meta_length is 4: data has 3 bytes, which begin with the metadata"),
        (-1, 3, ValueError, "meta_length is -1: data has 3 bytes, .*"),
        (4099, 5000, ValueError, "meta_length is 4099: an event has at most 4098 bytes of .*"),
        (1.0, 3, TypeError, "meta_length must be an int, not float"),
        (b"a", 3, TypeError, "meta_length must be an int, not bytes"),
    ],
)
async def test_what_can_be_no_metadata_is_its_callers_error(
    scene: Scene, length: Any, size: int, error: type[Exception], why: str
) -> None:
    """At the call, which it names; what others invoke in that turn is answered."""
    hook, extension = labelled(scene)
    async with extension:
        await scene.daemon.link()
        good, batch = hook.invoke(data=bytes(4098), meta_length=4098), hook.batch_begin()
        for call in (hook.invoke, hook.invoke_now, batch.invoke):
            with pytest.raises(error, match=f"^{why}$"):
                call(data=bytes(size), meta_length=length)
        assert (await good).code is Result.SUCCESS


async def test_a_context_without_metadata_is_given_none(scene: Scene) -> None:
    """The error names what it would need."""
    why = "^meta_length is 1: Parcel has no field of type DataMeta, so its events have no metadata$"
    async with scene.extension():
        await scene.daemon.link()
        batch = scene.hook.batch_begin()
        for call in (scene.hook.invoke, scene.hook.invoke_now, batch.invoke):
            with pytest.raises(ValueError, match=why):
                call(data=b"abc", meta_length=1)
        assert (await scene.hook.invoke(data=b"abc", meta_length=0)).code is Result.SUCCESS


async def test_a_client_fires_with_metadata(scene: Scene) -> None:
    """The hook hears it, and so does the daemon of what the hook runs for it."""
    hook, extension = labelled(scene)
    events: list[FireEvent] = []
    async with extension, Client(scene.daemon.address) as ebpfd:
        await scene.daemon.link()
        for length in (0, 2):
            await ebpfd.fire(hook, data=b"abc", meta_length=length)
        await ebpfd.fire_batch(hook, count=2, data=b"abc", data_lengths=[1, 2], meta_lengths=[0, 2])

        @hook.on_fire
        async def note(event: FireEvent) -> Columns:
            events.append(event)
            return Columns(Result.SUCCESS, codes=bytes(event.count), results=bytes(4))

        await ebpfd.fire(hook, data=b"abc", meta_length=3)
        with pytest.raises(ValueError, match=r"^lengths: .* they are numbers of 32 bits$"):
            await ebpfd.fire(hook, data=b"abc", meta_length=-1)
    assert [each.meta_lengths for each in scene.daemon.requests] == [b"", u32s(2), u32s(0, 2)]
    assert [each.meta_lengths for each in events] == [u32s(3)]
