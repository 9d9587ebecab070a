"""Hooks that take many links, with a real daemon: one by one or in batches, and links in motion."""

import asyncio
import struct
from collections import Counter
from pathlib import Path
from typing import Final

from ebpfd_extensions.sample.extension import SampleContext, sample
from ebpfd_sdk import Answer, AttachCapability, Columns, Extension, Hook, Result
from tests.e2e.world import PROGRAMS, world

CHAIN: Final = Path(__file__).parent / "programs" / "chain.o"
ATTACH_TYPE: Final = "f788ef4b-207d-4dc3-85cf-0f2ea107213c"
NUMBERS: Final = (0, 3, 7, 20)
PACKETS: Final = (b"", bytes(13), bytes(20), bytes(12) + b"\x08\x00\x45" + bytes(30))


def many() -> Hook[SampleContext]:
    """The sample's hook, for many links; parameter 00 is for every event, as none is."""
    return Hook(
        ATTACH_TYPE,
        sample,
        name="sample_ext",
        capability=AttachCapability.MULTI_ATTACH_WITH_WILDCARD,
        wildcards=(b"", b"\0"),
    )


Seen = tuple[Result, int, bytes, bytes]
"""Code, result, context and data."""


def seen(answer: Answer[SampleContext]) -> Seen:
    """All that an author sees of an answer."""
    return answer.code, answer.result, answer.context_bytes, answer.data


def rows(columns: Columns, contexts: list[bytes], data: list[bytes]) -> list[Seen]:
    """The same of a batch; empty columns have not changed."""
    assert columns.code is Result.SUCCESS, columns.message
    changed, left = columns.contexts or b"".join(contexts), columns.data or b"".join(data)
    results = struct.unpack(f"<{len(contexts)}I", columns.results)
    found: list[Seen] = []
    for code, result, packet in zip(columns.codes, results, data, strict=True):
        found.append((Result(code), result, changed[:32], left[: len(packet)]))
        changed, left = changed[32:], left[len(packet) :]
    return found


async def test_a_batch_gives_what_its_invocations_give(tmp_path: Path) -> None:
    """Row 11 of the facts: alone, gathered, packed, or between batch_begin and batch_end."""
    hook = many()
    async with world(tmp_path) as w, Extension(sample, hook, address=w.address):
        programs = await w.client.load(CHAIN)
        count = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await count.attach(hook)
        await programs["twice"].attach(hook, parameter=b"\1", priority=3)
        await programs["add_one"].attach(hook, parameter=b"\1")
        contexts = [SampleContext(uint32_data=number) for number in NUMBERS]
        packed, packets = [each.pack() for each in contexts], list(PACKETS)
        for parameter in (b"\1", b"\2"):
            alone = [
                seen(await hook.invoke(context, data=data, parameter=parameter))
                for context, data in zip(contexts, packets, strict=True)
            ]
            gathered = await asyncio.gather(
                *(
                    hook.invoke(context, data=data, parameter=parameter)
                    for context, data in zip(contexts, packets, strict=True)
                )
            )
            async with hook.batch_begin() as batch:
                begun = [
                    batch.invoke(context, data=data, parameter=parameter)
                    for context, data in zip(contexts, packets, strict=True)
                ]
            columns = await hook.invoke_batch(
                b"".join(packed),
                count=len(packed),
                data=b"".join(packets),
                data_lengths=[len(each) for each in packets],
                parameter=parameter,
            )
            assert list(map(seen, gathered)) == alone
            assert [seen(each.result()) for each in begun] == alone
            assert rows(columns, packed, packets) == alone
            assert {code for code, *_ in alone} == {Result.SUCCESS}
        numbers = [int.from_bytes(context[16:20], "little") for _, _, context, _ in alone]
        assert numbers == list(NUMBERS), "an event of another parameter meets the wildcard alone"


async def test_links_come_and_go_under_fire(tmp_path: Path) -> None:
    """Facts 5.7: each event ends with one of few codes, and what is detached runs no more."""
    hook = many()
    async with world(tmp_path) as w, Extension(sample, hook, address=w.address):
        programs = await w.client.load(CHAIN)
        codes: Counter[Result] = Counter()
        done = asyncio.Event()

        async def fire() -> None:
            while not done.is_set():
                batch = [hook.invoke(SampleContext(uint32_data=1), parameter=b"\1") for _ in "ab"]
                codes.update(answer.code for answer in await asyncio.gather(*batch))

        async def attach_and_detach(name: str, parameter: bytes) -> None:
            program = programs[name]
            for _ in range(60):
                link = await program.attach(hook, parameter=parameter)
                await link.detach()
                before = (await w.client.program(program.id)).counters.runs
                await hook.invoke(parameter=b"\1")
                assert (await w.client.program(program.id)).counters.runs == before

        async with asyncio.TaskGroup() as group:
            firing = [group.create_task(fire()) for _ in range(4)]
            await asyncio.gather(
                attach_and_detach("add_one", b"\1"), attach_and_detach("twice", b"")
            )
            done.set()
        assert all(each.done() for each in firing)
        assert set(codes) <= {Result.SUCCESS, Result.OBJECT_NOT_FOUND}
        assert codes[Result.SUCCESS] > 0
        assert await w.client.links() == ()
