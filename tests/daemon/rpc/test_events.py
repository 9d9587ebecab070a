"""Records over the wire: as they come, counted where they are lost, and never held in memory."""

import asyncio
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest

from ebpfd.host import records
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_vm import EngineError, Map, lane_count
from tests.daemon.host.test_invocation import u32s
from tests.daemon.host.world import until
from tests.daemon.rpc.test_held_objects import load, run, unload
from tests.daemon.rpc.test_maps import created
from tests.daemon.rpc.wire import Wire, serving

Call: TypeAlias = "grpc.aio.UnaryStreamCall[pb.EventsRequest, pb.EventsResponse]"


@asynccontextmanager
async def reading(w: Wire, id_: int, count: int = 0) -> AsyncGenerator[Call]:
    """A stream whose call is the reader when the block begins."""
    call = w.maps.Events(pb.EventsRequest(id=id_, count=count))
    await call.initial_metadata()
    try:
        yield call
    finally:
        call.cancel()


async def message(call: Call) -> pb.EventsResponse:
    """The next message, which must be one."""
    answer = await call.read()
    assert isinstance(answer, pb.EventsResponse), "the stream has ended"
    return answer


def taken_apart(answer: pb.EventsResponse) -> list[tuple[int, bytes]]:
    """A message's records: lane, bytes."""
    lanes, lengths = (
        struct.unpack(f"<{len(column) // 4}I", column) for column in (answer.lanes, answer.lengths)
    )
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    return [
        (lane, answer.data[end - length : end])
        for lane, length, end in zip(lanes, lengths, ends, strict=True)
    ]


def ring(w: Wire, id_: int) -> Map:
    """The engine's map, to write to as a program does."""
    return w.daemon.objects.map(id_).map


async def test_records_come_as_programs_write_them(tmp_path: Path) -> None:
    """Those that were there, then each as it comes; of a ring buffer all in lane 0."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "records.o")
        (program,), (reports,) = loaded.programs, loaded.maps
        await run(w, program.id, 5)
        async with reading(w, reports.id) as call:
            assert taken_apart(await message(call)) == [(0, u32s(5) + b"reported")]
            for number in (6, 7):
                await run(w, program.id, number)
                answer = await message(call)
                assert taken_apart(answer) == [(0, u32s(number) + b"reported")]
                assert (list(answer.lost), list(answer.lost_now)) == ([0], [0])


async def test_records_of_a_perf_event_array_name_their_lane(tmp_path: Path) -> None:
    """The record, and then as much of the data as the program asked for."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "perf.o")
        (program,), (samples,) = loaded.programs, loaded.maps
        assert samples.lanes == lane_count()
        # Helper 32 gives -INVALID_ARGUMENT if there is less data than it is to append.
        assert await run(w, program.id, 1) == 2**32 - Result.INVALID_ARGUMENT
        async with reading(w, samples.id) as call:
            await run(w, program.id, 9, data=b"packet")
            answer = await message(call)
            ((lane, data),) = taken_apart(answer)
            assert (lane in range(lane_count()), data) == (True, u32s(9) + b"pack")
            assert len(answer.lost) == len(answer.lost_now) == lane_count()


async def test_many_records_come_in_one_message(tmp_path: Path) -> None:
    """In order; a message ends at about its size."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 1 << 20)).id
        wanted = [u32s(number) * 64 for number in range(2000)]
        for each in wanted:
            ring(w, id_).write(each)
        async with reading(w, id_) as call:
            found = list[bytes]()
            messages = 0
            while len(found) < len(wanted):
                answer = await message(call)
                found += [data for _, data in taken_apart(answer)]
                messages += 1
            assert found == wanted
            assert messages == 2


async def test_lost_records_are_counted_once_and_for_ever(tmp_path: Path) -> None:
    """Since the message before, and since the map was made; the first message has them all."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        fill = [bytes(1016)] * 4
        for each in fill:
            ring(w, id_).write(each)
        for _ in range(3):
            with pytest.raises(EngineError, match="too slow"):
                ring(w, id_).write(b"lost")
        assert (await w.maps.Get(pb.MapsGetRequest(id=id_))).map.lost == 3
        async with reading(w, id_) as call:
            first = await message(call)
            assert (len(taken_apart(first)), list(first.lost), list(first.lost_now)) == (
                4,
                [3],
                [3],
            )
            ring(w, id_).write(b"more")
            then = await message(call)
            assert (taken_apart(then), list(then.lost), list(then.lost_now)) == (
                [(0, b"more")], [3], [0],
            )  # fmt: skip


async def test_a_slow_reader_costs_the_ring_and_no_more(tmp_path: Path) -> None:
    """Nothing is read ahead of the stream: what it does not take stays in the ring, or is lost."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 1 << 20)).id
        record, written, lost = bytes(16 << 10), 0, 0
        async with reading(w, id_) as call:
            # Far more than rings and windows hold: 64 MiB, and nobody reads.
            for _ in range(4096):
                try:
                    ring(w, id_).write(record)
                except EngineError:
                    lost += 1
                else:
                    written += 1
                await asyncio.sleep(0)
            assert written * len(record) < 8 << 20
            found, told = 0, 0
            while found < written:
                answer = await message(call)
                found += len(taken_apart(answer))
                told += sum(answer.lost_now)
            ring(w, id_).write(b"last")
            answer = await message(call)
            assert taken_apart(answer) == [(0, b"last")]
            assert told + sum(answer.lost_now) == lost == answer.lost[0]


async def test_there_is_one_reader_at_a_time(tmp_path: Path) -> None:
    """INVALID_STATE for the second; when the first has gone, another may read on."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        other = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        async with reading(w, id_) as first, reading(w, other):
            (refused,) = [each async for each in w.maps.Events(pb.EventsRequest(id=id_))]
            assert refused.status.code == Result.INVALID_STATE
            ring(w, id_).write(b"to the first")
            assert taken_apart(await message(first)) == [(0, b"to the first")]
        await until(lambda: not w.daemon.objects.map(id_).when_gone)
        ring(w, id_).write(b"to the next")
        async with reading(w, id_) as second:
            assert taken_apart(await message(second)) == [(0, b"to the next")]


async def test_a_map_without_records_has_no_events(tmp_path: Path) -> None:
    """OPERATION_NOT_SUPPORTED, as a message."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.HASH, 4, 8, 4)).id
        (refused,) = [each async for each in w.maps.Events(pb.EventsRequest(id=id_))]
        assert refused.status.code == Result.OPERATION_NOT_SUPPORTED


async def test_a_stream_ends_after_as_many_records_as_were_asked_for(tmp_path: Path) -> None:
    """The others stay in the map."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        for each in (b"1", b"2", b"3"):
            ring(w, id_).write(each)
        answers = [each async for each in w.maps.Events(pb.EventsRequest(id=id_, count=2))]
        assert [taken_apart(each) for each in answers] == [[(0, b"1"), (0, b"2")]]
        async with reading(w, id_) as call:
            assert taken_apart(await message(call)) == [(0, b"3")]


async def test_a_reader_learns_that_its_map_has_gone(tmp_path: Path) -> None:
    """CANCELED: removed by its user, or with its last program."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "records.o")
        (program,), (reports,) = loaded.programs, loaded.maps
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        async with reading(w, id_) as made, reading(w, reports.id) as loaded_with:
            assert (await w.maps.Remove(pb.RemoveRequest(id=id_))).status.code == 0
            await unload(w, module, program.id)
            for call in (made, loaded_with):
                answer = await message(call)
                assert answer.status.code == Result.CANCELED
                assert "has gone" in answer.status.message
                assert await call.read() is grpc.aio.EOF


async def test_a_reader_learns_that_the_daemon_stops(tmp_path: Path) -> None:
    """CANCELED, at once: nobody waits for a stream to be read."""
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        async with reading(w, id_) as call:
            stopping = asyncio.ensure_future(w.stop())
            answer = await message(call)
            assert answer.status.code == Result.CANCELED
            assert "stops" in answer.status.message
            await stopping


async def test_a_record_that_no_message_carries_is_counted_as_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records after it come."""
    monkeypatch.setattr(records, "LARGEST_RECORD", 100)
    async with serving(tmp_path) as w:
        id_ = (await created(w, MapType.RINGBUF, 0, 0, 4096)).id
        for each in (b"x" * 101, b"y"):
            ring(w, id_).write(each)
        async with reading(w, id_) as call:
            answer = await message(call)
            assert (taken_apart(answer), list(answer.lost_now)) == ([(0, b"y")], [1])
