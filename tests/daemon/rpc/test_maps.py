"""Maps over the wire: made and removed, every type's operations, batches, codes of refusals."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ebpfd.host.maps import MAX_VALUE_BYTES
from ebpfd.host.quotas import Quotas
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_vm import lane_count
from tests.daemon.host.test_invocation import u32s
from tests.daemon.rpc.wire import Wire, serving

M = 2**32 - 1


async def created(w: Wire, *sizes: int, **more: Any) -> pb.Map:
    """A new map: type, key size, value size, entries."""
    answer = await create(w, *sizes, **more)
    assert answer.status.code == 0, answer.status
    return answer.map


async def create(w: Wire, *sizes: int, **more: Any) -> pb.CreateResponse:
    """Try to make a map."""
    type_, key_size, value_size, max_entries = sizes
    request = pb.CreateRequest(
        type=type_, key_size=key_size, value_size=value_size, max_entries=max_entries, **more
    )
    return await w.maps.Create(request)


async def update(w: Wire, id_: int, key: bytes, value: bytes, flags: int = 0) -> int:
    """Write; the result code."""
    request = pb.UpdateRequest(id=id_, key=key, value=value, flags=flags)
    return (await w.maps.Update(request)).status.code


async def lookup(w: Wire, id_: int, key: bytes) -> tuple[int, bytes]:
    """Read; result code and value."""
    answer = await w.maps.Lookup(pb.LookupRequest(id=id_, key=key))
    return answer.status.code, answer.value


async def maps(w: Wire) -> list[pb.Map]:
    """All maps."""
    return list((await w.maps.List(pb.MapsListRequest())).maps)


@asynccontextmanager
async def unchanged(w: Wire) -> AsyncGenerator[None]:
    """The block leaves the same maps behind."""
    before = await maps(w)
    yield
    assert await maps(w) == before


async def test_a_map_is_created_described_and_removed(tmp_path: Path) -> None:
    """It lives until it is removed; its id is never given again."""
    async with serving(tmp_path) as w:
        made = await created(w, MapType.PERCPU_HASH, 4, 5, 10, name="mine", flags=1)
        assert (made.name, made.type_name, made.flags, made.created) == (
            "mine", "percpu_hash", 1, True,
        )  # fmt: skip
        assert (made.value_size, made.lanes) == (5, lane_count())
        assert made.user_value_size == 8 * lane_count()
        assert made.HasField("count")
        assert not made.HasField("inner")
        assert (await w.maps.Get(pb.MapsGetRequest(id=made.id))).map == made
        assert await maps(w) == [made]
        assert await update(w, made.id, u32s(1), bytes(made.user_value_size)) == 0
        assert (await w.maps.Get(pb.MapsGetRequest(id=made.id))).map.count == 1
        removed = await w.maps.Remove(pb.RemoveRequest(id=made.id))
        assert (removed.status.code, list(removed.map_ids)) == (0, [])
        assert await maps(w) == []
        again = await w.maps.Remove(pb.RemoveRequest(id=made.id))
        assert again.status.code == Result.STALE_ID
        assert (await created(w, MapType.HASH, 4, 8, 10)).id > made.id


HOSTILE: list[tuple[tuple[int, int, int, int], dict[str, Any], Result]] = [
    ((MapType.UNSPEC, 4, 4, 4), {}, Result.OPERATION_NOT_SUPPORTED),
    ((M, 4, 4, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.HASH, 4, 8, 0), {}, Result.INVALID_ARGUMENT),
    ((MapType.HASH, 0, 8, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.HASH, 4, 0, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.HASH, M, M, M), {}, Result.INVALID_ARGUMENT),
    ((MapType.ARRAY, 8, 8, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.ARRAY, 4, M, M), {}, Result.INVALID_ARGUMENT),
    ((MapType.QUEUE, 4, 8, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.RINGBUF, 0, 0, 4097), {}, Result.INVALID_ARGUMENT),
    ((MapType.RINGBUF, 0, 0, M), {}, Result.INVALID_ARGUMENT),
    ((MapType.RINGBUF, 0, 8, 4096), {}, Result.INVALID_ARGUMENT),
    ((MapType.PROG_ARRAY, 4, 8, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.ARRAY_OF_MAPS, 4, 8, 4), {}, Result.INVALID_ARGUMENT),
    ((MapType.ARRAY_OF_MAPS, 4, 4, 4), {}, Result.INVALID_FD),
    ((MapType.HASH_OF_MAPS, 4, 4, 4), {"inner_map_id": 999}, Result.KEY_NOT_FOUND),
    ((MapType.HASH, 4, 8, 4), {"inner_map_id": 2}, Result.INVALID_ARGUMENT),
    ((MapType.HASH, 4, 8, 4), {"name": "n" * 64}, Result.INVALID_ARGUMENT),
]


async def test_hostile_declarations_leave_nothing_behind(tmp_path: Path) -> None:
    """A code, a sentence, and the same maps as before."""
    async with serving(tmp_path) as w:
        await created(w, MapType.HASH, 4, 8, 1)
        async with unchanged(w):
            for sizes, more, code in HOSTILE:
                answer = await create(w, *sizes, **more)
                assert answer.status.code == code, (sizes, answer.status)
                assert answer.status.message


async def test_the_largest_maps_take_memory_only_as_they_are_used(tmp_path: Path) -> None:
    """2^32 - 1 entries, or what 128 GiB hold for many lanes: made, written, removed."""
    quotas = Quotas(map_memory=1 << 40)
    async with serving(tmp_path, quotas=quotas) as w:
        for type_ in (MapType.HASH, MapType.ARRAY, MapType.PERCPU_ARRAY, MapType.LRU_HASH):
            entries = 1 << 26 if type_ is MapType.PERCPU_ARRAY else M
            made = await created(w, type_, 4, 8, entries)
            value = bytes(range(8)) * max(made.lanes, 1)
            assert await update(w, made.id, u32s(entries - 1), value) == 0
            assert await lookup(w, made.id, u32s(entries - 1)) == (0, value)
            assert (await w.maps.Remove(pb.RemoveRequest(id=made.id))).status.code == 0
        assert await maps(w) == []


async def test_a_thousand_maps_can_be_there_at_once(tmp_path: Path) -> None:
    """All listed, all usable, all removed."""
    async with serving(tmp_path) as w:
        made = [await created(w, MapType.HASH, 4, 8, 16) for _ in range(1000)]
        assert [each.id for each in await maps(w)] == [each.id for each in made]
        assert await update(w, made[-1].id, u32s(1), bytes(8)) == 0
        for each in made:
            assert (await w.maps.Remove(pb.RemoveRequest(id=each.id))).status.code == 0
        assert await maps(w) == []


async def test_what_does_not_fit_into_an_answer_is_refused_by_its_size(tmp_path: Path) -> None:
    """INSUFFICIENT_BUFFER, never a transport error."""
    async with serving(tmp_path) as w:
        large = await created(w, MapType.ARRAY, 4, MAX_VALUE_BYTES, 1)
        code, _ = await lookup(w, large.id, u32s(0))
        assert code == Result.INSUFFICIENT_BUFFER
        page = await w.maps.LookupBatch(pb.LookupBatchRequest(id=large.id, count=1))
        assert page.status.code == Result.INSUFFICIENT_BUFFER
        (dumped,) = [each async for each in w.maps.Dump(pb.DumpRequest(id=large.id))]
        assert str(MAX_VALUE_BYTES + 4) in dumped.status.message
        half = await created(w, MapType.ARRAY, 4, 4 << 20, 5)
        page = await w.maps.LookupBatch(pb.LookupBatchRequest(id=half.id, count=5))
        assert (page.status.code, page.count, page.next) == (0, 3, u32s(2))
        dump = w.maps.Dump(pb.DumpRequest(id=half.id))
        assert [len(each.entries) async for each in dump] == [1] * 5


async def test_keys_follow_one_another(tmp_path: Path) -> None:
    """NO_MORE_KEYS at the end; a key that is gone begins anew."""
    async with serving(tmp_path) as w:
        array = await created(w, MapType.ARRAY, 4, 4, 2)
        hashed = await created(w, MapType.HASH, 4, 4, 2)
        queue = await created(w, MapType.QUEUE, 0, 4, 2)
        keys: list[bytes | None] = [None, u32s(0), u32s(1)]
        answers = [await w.maps.Next(pb.NextRequest(id=array.id, key=key)) for key in keys]
        assert [(each.status.code, each.key) for each in answers] == [
            (0, u32s(0)), (0, u32s(1)), (Result.NO_MORE_KEYS, b""),
        ]  # fmt: skip
        assert await update(w, hashed.id, u32s(7), u32s(1)) == 0
        after_a_stranger = await w.maps.Next(pb.NextRequest(id=hashed.id, key=u32s(99)))
        assert after_a_stranger.key == u32s(7)
        wrong = await w.maps.Next(pb.NextRequest(id=hashed.id, key=b"x"))
        assert wrong.status.code == Result.INVALID_ARGUMENT
        none = await w.maps.Next(pb.NextRequest(id=queue.id))
        assert none.status.code == Result.OPERATION_NOT_SUPPORTED


async def test_batches_go_in_order_and_stop_at_the_first_error(tmp_path: Path) -> None:
    """What came before it is done, and the message says which it was."""
    async with serving(tmp_path) as w:
        array = await created(w, MapType.ARRAY, 4, 4, 3)
        request = pb.UpdateBatchRequest(id=array.id, keys=u32s(0, 1, 9, 2), values=u32s(5, 6, 7, 8))
        refused = (await w.maps.UpdateBatch(request)).status
        assert refused.code == Result.INVALID_ARGUMENT
        assert refused.message.startswith("entry 2: ")
        page = await w.maps.LookupBatch(pb.LookupBatchRequest(id=array.id, count=9))
        assert (page.count, page.keys, page.values) == (3, u32s(0, 1, 2), u32s(5, 6, 0))
        hashed = await created(w, MapType.HASH, 4, 4, 3)
        fill = pb.UpdateBatchRequest(id=hashed.id, keys=u32s(1, 2, 3), values=u32s(1, 2, 3))
        assert (await w.maps.UpdateBatch(fill)).status.code == 0
        fill.flags = 1
        assert (await w.maps.UpdateBatch(fill)).status.code == Result.OBJECT_ALREADY_EXISTS
        remove = pb.DeleteBatchRequest(id=hashed.id, keys=u32s(3, 9, 1))
        refused = (await w.maps.DeleteBatch(remove)).status
        assert (refused.code, refused.message.split(":")[0]) == (Result.KEY_NOT_FOUND, "entry 1")
        page = await w.maps.LookupBatch(pb.LookupBatchRequest(id=hashed.id, count=9))
        assert {page.keys[:4], page.keys[4:]} == {u32s(1), u32s(2)}
        for keys, values in [(b"", b""), (u32s(1), b"x"), (b"xyz", u32s(1))]:
            request = pb.UpdateBatchRequest(id=hashed.id, keys=keys, values=values)
            assert (await w.maps.UpdateBatch(request)).status.code == Result.INVALID_ARGUMENT


@pytest.mark.parametrize("take", [False, True])
async def test_entries_come_in_pages_with_a_key_to_go_on(tmp_path: Path, take: bool) -> None:
    """Each once; after the last one there is nothing to go on, then NO_MORE_KEYS."""
    async with serving(tmp_path) as w:
        hashed = await created(w, MapType.HASH, 4, 4, 8)
        fill = pb.UpdateBatchRequest(id=hashed.id, keys=u32s(*range(5)), values=u32s(*range(5)))
        assert (await w.maps.UpdateBatch(fill)).status.code == 0
        method: Any = w.maps.TakeBatch if take else w.maps.LookupBatch
        message = pb.TakeBatchRequest if take else pb.LookupBatchRequest
        request = message(id=hashed.id, count=2)
        found, counts = set[bytes](), list[int]()
        while True:
            page = await method(request)
            assert page.status.code == 0
            assert page.keys == page.values
            found |= {page.keys[at : at + 4] for at in range(0, len(page.keys), 4)}
            counts.append(page.count)
            if not page.next:
                break
            request.after = page.next
        assert (counts, found) == ([2, 2, 1], {u32s(each) for each in range(5)})
        left = await w.maps.LookupBatch(pb.LookupBatchRequest(id=hashed.id, count=9))
        assert left.count == (0 if take else 5)
        if take:
            assert left.status.code == Result.NO_MORE_KEYS
        nothing = await method(message(id=hashed.id))
        assert nothing.status.code == Result.INVALID_ARGUMENT


async def test_a_value_is_taken_once(tmp_path: Path) -> None:
    """Looked up and deleted at once, where the type knows that."""
    async with serving(tmp_path) as w:
        hashed = await created(w, MapType.HASH, 4, 4, 8)
        array = await created(w, MapType.ARRAY, 4, 4, 8)
        assert await update(w, hashed.id, u32s(1), u32s(2)) == 0
        request = pb.TakeRequest(id=hashed.id, key=u32s(1))
        taken = await w.maps.Take(request)
        assert (taken.status.code, taken.value) == (0, u32s(2))
        assert (await w.maps.Take(request)).status.code == Result.OBJECT_NOT_FOUND
        refused = await w.maps.Take(pb.TakeRequest(id=array.id, key=u32s(1)))
        assert refused.status.code == Result.INVALID_ARGUMENT


@pytest.mark.parametrize(("type_", "order"), [(MapType.QUEUE, (1, 2)), (MapType.STACK, (2, 1))])
async def test_queues_and_stacks(tmp_path: Path, type_: MapType, order: tuple[int, int]) -> None:
    """Push, peek and pop without a key; a full one refuses, or drops its oldest value."""
    async with serving(tmp_path) as w:
        queue = (await created(w, type_, 0, 4, 2)).id
        assert (await lookup(w, queue, b""))[0] == Result.OBJECT_NOT_FOUND
        assert [await update(w, queue, b"", u32s(each)) for each in (1, 2, 3)] == [
            0, 0, Result.OUT_OF_SPACE,
        ]  # fmt: skip
        assert await lookup(w, queue, b"") == (0, u32s(order[0]))
        popped = [(await w.maps.Take(pb.TakeRequest(id=queue))).value for _ in order]
        assert popped == [u32s(each) for each in order]
        assert (await w.maps.Take(pb.TakeRequest(id=queue))).status.code == Result.OBJECT_NOT_FOUND
        for each in (1, 2, 3):
            assert await update(w, queue, b"", u32s(each), 2) == 0
        left = [(await w.maps.Take(pb.TakeRequest(id=queue))).value for _ in order]
        assert sorted(left) == [u32s(2), u32s(3)]
        assert await update(w, queue, u32s(0), u32s(1)) == Result.INVALID_ARGUMENT
        gone = await w.maps.Delete(pb.DeleteRequest(id=queue))
        assert gone.status.code == Result.OPERATION_NOT_SUPPORTED


async def test_a_per_cpu_value_is_that_of_all_lanes(tmp_path: Path) -> None:
    """Each padded to eight bytes; anything else is refused."""
    async with serving(tmp_path) as w:
        for type_ in (MapType.PERCPU_ARRAY, MapType.PERCPU_HASH, MapType.LRU_PERCPU_HASH):
            id_ = (await created(w, type_, 4, 5, 4)).id
            value = b"".join(bytes([lane] * 5) + bytes(3) for lane in range(lane_count()))
            assert await update(w, id_, u32s(1), value) == 0
            assert await lookup(w, id_, u32s(1)) == (0, value)
            assert await update(w, id_, u32s(1), value[:5]) == Result.INVALID_ARGUMENT


async def test_the_longest_prefix_wins(tmp_path: Path) -> None:
    """And a miss is KEY_NOT_FOUND, as in eBPF for Windows."""
    async with serving(tmp_path) as w:
        routes = (await created(w, MapType.LPM_TRIE, 8, 4, 8)).id
        net, host = u32s(8) + b"\x0a\0\0\0", u32s(32) + b"\x0a\1\2\3"
        assert await update(w, routes, net, u32s(8)) == 0
        assert await update(w, routes, host, u32s(32)) == 0
        assert await lookup(w, routes, u32s(32) + b"\x0a\1\2\3") == (0, u32s(32))
        assert await lookup(w, routes, u32s(32) + b"\x0a\1\2\4") == (0, u32s(8))
        assert (await lookup(w, routes, u32s(32) + b"\x0b\1\2\4"))[0] == Result.KEY_NOT_FOUND
        assert await update(w, routes, u32s(33) + bytes(4), u32s(1)) == Result.INVALID_ARGUMENT


async def test_a_full_lru_map_gives_up_old_entries(tmp_path: Path) -> None:
    """There is never OUT_OF_SPACE, and never more than max_entries."""
    async with serving(tmp_path) as w:
        latest = (await created(w, MapType.LRU_HASH, 4, 4, 16)).id
        for each in range(64):
            assert await update(w, latest, u32s(each), u32s(each)) == 0
        assert (await w.maps.Get(pb.MapsGetRequest(id=latest))).map.count == 16
        assert await lookup(w, latest, u32s(63)) == (0, u32s(63))


@pytest.mark.parametrize("type_", [MapType.RINGBUF, MapType.PERF_EVENT_ARRAY])
async def test_rings_have_no_entries(tmp_path: Path, type_: MapType) -> None:
    """Every operation on entries is refused by name."""
    async with serving(tmp_path) as w:
        ring = (await created(w, type_, 0, 0, 4096)).id
        answers = [
            (await w.maps.Lookup(pb.LookupRequest(id=ring))).status,
            (await w.maps.Update(pb.UpdateRequest(id=ring))).status,
            (await w.maps.Delete(pb.DeleteRequest(id=ring))).status,
            (await w.maps.Take(pb.TakeRequest(id=ring))).status,
            (await w.maps.Next(pb.NextRequest(id=ring))).status,
            (await w.maps.LookupBatch(pb.LookupBatchRequest(id=ring, count=1))).status,
            *[each.status async for each in w.maps.Dump(pb.DumpRequest(id=ring))],
        ]
        for status in answers:
            assert status.code == Result.OPERATION_NOT_SUPPORTED, status
            assert type_.name in status.message


async def test_an_unknown_map_is_key_not_found_everywhere(tmp_path: Path) -> None:
    """One code, and the command that lists those there are."""
    async with serving(tmp_path) as w:
        answers = [
            (await w.maps.Get(pb.MapsGetRequest(id=9))).status,
            (await w.maps.Remove(pb.RemoveRequest(id=9))).status,
            (await w.maps.Lookup(pb.LookupRequest(id=9))).status,
            (await w.maps.Update(pb.UpdateRequest(id=9))).status,
            (await w.maps.Update(pb.UpdateRequest(id=9, program_id=1))).status,
            (await w.maps.Update(pb.UpdateRequest(id=9, map_id=1))).status,
            (await w.maps.Delete(pb.DeleteRequest(id=9))).status,
            (await w.maps.Take(pb.TakeRequest(id=9))).status,
            (await w.maps.Next(pb.NextRequest(id=9))).status,
            (await w.maps.LookupBatch(pb.LookupBatchRequest(id=9))).status,
            (await w.maps.TakeBatch(pb.TakeBatchRequest(id=9))).status,
            (await w.maps.UpdateBatch(pb.UpdateBatchRequest(id=9))).status,
            (await w.maps.DeleteBatch(pb.DeleteBatchRequest(id=9))).status,
            *[each.status async for each in w.maps.Dump(pb.DumpRequest(id=9))],
            *[each.status async for each in w.maps.Events(pb.EventsRequest(id=9))],
        ]
        assert {status.code for status in answers} == {Result.KEY_NOT_FOUND}
        assert all("`ebpfctl map list`" in status.message for status in answers)
