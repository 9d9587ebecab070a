"""Events whose data begins with metadata, one at a time: the program reads both, and writes it."""

import asyncio
from pathlib import Path

import pytest

from ebpfd_sdk import (
    AttachCapability,
    Context,
    Data,
    DataEnd,
    DataMeta,
    Extension,
    Hook,
    ProgramType,
    Result,
)
from tests.e2e.world import PROGRAMS, sample, world

MARKS = Path(__file__).parent / "programs" / "marks.o"
MARKED, PLAIN = b"\x07.d", b"d"
"""Data with two bytes of metadata in front, of which the first is the mark; and data alone."""

READ = 7 << 8 | ord("d")
"""The program's result: the mark, and the first byte of the data."""


class Event(Context):
    """What the program sees."""

    data: Data = 0
    data_end: DataEnd = 0
    data_meta: DataMeta = 0


def declare() -> tuple[ProgramType[Event], Hook[Event]]:
    """Make fresh declarations; the hook takes several links."""
    marked = ProgramType(
        "b3a0c4d2-5a57-4c2e-8d0e-2f4f8a9b1c01", Event, name="marked", section="marked"
    )
    return marked, Hook(
        "b3a0c4d3-5a57-4c2e-8d0e-2f4f8a9b1c01",
        marked,
        name="marking",
        capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD,
    )


@pytest.mark.parametrize("options", [(), ("--local",)], ids=["daemon", "local"])
async def test_a_single_event_has_metadata(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Beside others that have none, in every way in which an extension invokes."""
    marked, marking = declare()
    async with world(tmp_path, *options) as w, Extension(marked, marking, address=w.address):
        program = (await w.client.load(MARKS))["marks"]
        link = await program.attach("marking")
        answers = await asyncio.gather(
            marking.invoke(data=PLAIN),
            marking.invoke(data=MARKED, meta_length=2),
            marking.invoke(data=MARKED, meta_length=2, deadline_s=60),
            marking.invoke(data=MARKED),
        )
        assert [each.result for each in answers] == [ord("d"), READ, READ, 7]
        assert [each.data for each in answers] == [PLAIN, b"\x08.d", b"\x08.d", MARKED]
        async with marking.batch_begin() as batch:
            batched = [batch.invoke(data=MARKED, meta_length=length) for length in (2, 0)]
        assert [each.result().result for each in batched] == [READ, 7]
        if options:
            assert marking.invoke_now(data=MARKED, meta_length=2) == READ
            assert marking.counters.messages_sent == 0
        await program.attach("marking")
        chained = await marking.invoke(data=MARKED, meta_length=2)
        assert (chained.result, chained.data) == (READ + (1 << 8), b"\x09.d")
        await link.detach()


async def test_a_client_fires_an_event_with_metadata(tmp_path: Path) -> None:
    """By the SDK and by commands, at the extension's hook and at one of the daemon's."""
    marked, marking = declare()
    async with world(tmp_path) as w, Extension(marked, marking, address=w.address):
        program = (await w.client.load(MARKS))["marks"]
        await w.client.create_hook("hosted", "marked")
        for hook in ("marking", "hosted"):
            await program.attach(hook)
            answer = await w.client.fire(hook, data=MARKED, meta_length=2)
            assert (answer.code, answer.result, answer.data) == (Result.SUCCESS, READ, b"\x08.d")
            words = ("--data", MARKED.hex(), "--meta-length", "2")
            fired = await w.ctl_json("hook", "fire", hook, *words, "--count", "3")
            assert (fired["results"], fired["data"]) == ({str(READ): 3}, b"\x08.d".hex())
        run = await w.ctl_json("program", "test-run", str(program.id), *words)
        assert (run["result"], run["data"]) == (READ, b"\x08.d".hex())


@pytest.mark.parametrize(
    ("meta_length", "why"),
    [
        (2, "meta_lengths[0] is 2, but contexts of this type have no metadata"),
        (4, "meta_lengths[0] is 4, more than the 3 bytes of its data"),
    ],
)
async def test_what_can_be_no_metadata_is_refused(
    tmp_path: Path, meta_length: int, why: str
) -> None:
    """At a hook whose contexts have none: by one error that names it, of fires and of commands."""
    async with world(tmp_path) as w, sample(w):
        program = next(iter((await w.client.load(PROGRAMS / "count.o")).values()))
        await program.attach("sample_ext")
        answer = await w.client.fire("sample_ext", data=b"abc", meta_length=meta_length)
        assert (answer.code, answer.message) == (Result.INVALID_ARGUMENT, why)
        words = ("--data", b"abc".hex(), "--meta-length", str(meta_length))
        for command in (("hook", "fire", "sample_ext"), ("program", "test-run", str(program.id))):
            error = (await w.ctl("-o", "json", *command, *words)).error()
            assert (error["name"], error["message"]) == ("INVALID_ARGUMENT", why)
