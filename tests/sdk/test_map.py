"""Maps in a client's hands: batches, objects, lanes and records as plain values."""

import pytest

from ebpfd_api.v1 import maps_pb2
from ebpfd_sdk import Client, EbpfdError, InnerMap, MapType, Record, Result, number
from tests.sdk.fake_daemon import FakeDaemon
from tests.sdk.fake_maps import MAP

PER_CPU = maps_pb2.Map(
    id=5, name="lanes", type=5, type_name="percpu_array", key_size=4, value_size=4,
    user_value_size=24, lanes=3, max_entries=1,
)  # fmt: skip


async def test_a_map_says_what_it_is(daemon: FakeDaemon) -> None:
    """Also what there may or may not be: a count, a template."""
    daemon.maps.map = maps_pb2.Map(id=5, type=99, count=0, holder_map_ids=[7], created=True, lost=2)
    async with Client(daemon.address) as ebpfd:
        counted = await ebpfd.map(5)
        daemon.maps.map = maps_pb2.Map(id=5, inner=maps_pb2.InnerMap(type=2, key_size=4))
        outer = await ebpfd.map(5)
        with pytest.raises(EbpfdError, match="no such map") as caught:
            await ebpfd.map(9)
    assert Result.KEY_NOT_FOUND is caught.value.code
    assert (counted.type, counted.count, counted.inner, counted.lost) == (99, 0, None, 2)
    assert (counted.created, counted.holder_ids) == (True, (7,))
    assert (outer.count, outer.inner) == (None, InnerMap(MapType.ARRAY, "", 4, 0, 0))


async def test_a_map_is_created_and_removed(daemon: FakeDaemon) -> None:
    """With a template by another map; removal says who holds it."""
    async with Client(daemon.address) as ebpfd:
        like = await ebpfd.map(5)
        made = await ebpfd.create_map(MapType.HASH_OF_MAPS, 4, 4, 9, name="n", flags=1, inner=like)
        assert (await made.remove()).maps == (7,)
    (request,) = daemon.maps.asked
    assert request == maps_pb2.CreateRequest(
        type=6, key_size=4, value_size=4, max_entries=9, name="n", flags=1, inner_map_id=5
    )


async def test_entries_go_in_batches(daemon: FakeDaemon) -> None:
    """Columns here, pairs there; the end is None."""
    async with Client(daemon.address) as ebpfd:
        counts = await ebpfd.map(5)
        assert (await counts.page(2)).entries == ()
        await counts.set_many([(key, key + 10) for key in (1, 2, 3)])
        page = await counts.page(2)
        assert [(number(k), number(v)) for k, v in page.entries] == [(1, 11), (2, 12)]
        rest = await counts.page(2, after=page.next, take=True)
        assert ([number(k) for k, _ in rest.entries], rest.next) == ([3], None)
        assert (await counts.next_key(), await counts.next_key(2)) == (b"\1\0\0\0", None)
        assert number(await counts.take(1) or b"") == 11
        assert await counts.take(1) is None
        with pytest.raises(EbpfdError, match="entry 1: no such key"):
            await counts.delete_many([2, b"\3\0\0\0"])
    assert daemon.maps.asked[-1].keys == b"\2\0\0\0\3\0\0\0"


async def test_objects_are_put_by_themselves_or_by_id(daemon: FakeDaemon) -> None:
    """A program array takes programs, a map of maps takes maps."""
    async with Client(daemon.address) as ebpfd:
        counts, program = await ebpfd.map(5), await ebpfd.program(1)
        await counts.set_program(3, program)
        await counts.set_program(3, 8)
        await counts.set_map(3, counts)
        await counts.set_map(3, 9)
    which = [each.WhichOneof("object") for each in daemon.maps.asked]
    assert which == ["program_id", "program_id", "map_id", "map_id"]
    assert [each.program_id or each.map_id for each in daemon.maps.asked] == [1, 8, 5, 9]


async def test_a_queue_has_no_keys(daemon: FakeDaemon) -> None:
    """Push, peek, pop; an empty one gives None."""
    daemon.maps.map = maps_pb2.Map(id=5, type=10, value_size=4, user_value_size=4, max_entries=2)
    async with Client(daemon.address) as ebpfd:
        queue = await ebpfd.map(5)
        assert (await queue.peek(), await queue.pop()) == (None, None)
        await queue.push(7, drop_oldest=True)
        assert (await queue.peek(), await queue.pop()) == (b"\7\0\0\0", b"\7\0\0\0")
    assert (daemon.maps.asked[0].key, daemon.maps.asked[0].flags) == (b"", 2)


async def test_a_value_has_one_part_for_each_lane(daemon: FakeDaemon) -> None:
    """Written as a sequence, padded; taken apart without the padding."""
    daemon.maps.map = PER_CPU
    async with Client(daemon.address) as ebpfd:
        lanes = await ebpfd.map(5)
        await lanes.set(0, [1, b"\2\0\0\0", 3])
        value = await lanes.get(0)
        assert value is not None
        assert len(value) == 24
        assert list(map(number, lanes.per_lane(value))) == [1, 2, 3]
        for wrong in ([], [1, 2]):
            with pytest.raises(ValueError, match=f"lanes: {len(wrong)} values for 3 lanes"):
                await lanes.set(0, wrong)
        daemon.maps.map = MAP
        assert (await ebpfd.map(5)).per_lane(b"12345678") == (b"12345678",)


async def test_records_come_with_what_was_lost(daemon: FakeDaemon) -> None:
    """By lane; the end of the map is an error that says so."""
    async with Client(daemon.address) as ebpfd:
        counts = await ebpfd.map(5)
        stream = counts.events()
        records = await anext(stream)
        assert list(records) == [Record(1, b"one"), Record(0, b"tw")]
        assert (len(records), records.lost, records.lost_ever) == (2, (4, 0), (4, 0))
        with pytest.raises(EbpfdError, match="map 5 has gone") as caught:
            await anext(stream)
        assert Result.CANCELED is caught.value.code
        assert [len(each) async for each in counts.events(count=2)] == [2]
    assert daemon.maps.asked[-1].count == 2
