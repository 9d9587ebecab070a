"""Maps of programs and of maps over the wire: what they take, what they keep, when they let go."""

from pathlib import Path
from typing import Any

import pytest

from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_api.v1 import maps_pb2 as pb
from ebpfd_api.v1 import programs_pb2
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import object_file, until
from tests.daemon.rpc.test_maps import create, created, maps, unchanged
from tests.daemon.rpc.wire import Module, Wire, serving


async def load(w: Wire, module: Module, name: str, **more: Any) -> programs_pb2.LoadResponse:
    """Load a file of ours; it must load."""
    response = await try_load(w, module, name, **more)
    assert response.status.code == 0, response.status
    return response


async def try_load(w: Wire, module: Module, name: str, **more: Any) -> programs_pb2.LoadResponse:
    """Load a file of ours."""
    request = programs_pb2.LoadRequest(object=object_file(name), file_name=name, **more)
    return await module.during(w.programs.Load(request))


async def unload(w: Wire, module: Module, id_: int) -> programs_pb2.UnloadResponse:
    """Unload a program."""
    request = programs_pb2.UnloadRequest(id=id_)
    return await module.during(w.programs.Unload(request))


async def put(w: Wire, id_: int, index: int, **what: Any) -> int:
    """Put an object under an index; the result code."""
    request = pb.UpdateRequest(id=id_, key=u32s(index), **what)
    return (await w.maps.Update(request)).status.code


async def run(w: Wire, program_id: int, number: int = 0, data: bytes = b"") -> int:
    """Run a program; its result."""
    request = programs_pb2.TestRunRequest(id=program_id, context=contexts(number), data=data)
    response = await w.programs.TestRun(request)
    assert response.status.code == 0, response.status
    return response.result


async def programs(w: Wire) -> list[int]:
    """Ids of all programs."""
    listed = await w.programs.List(programs_pb2.ProgramsListRequest())
    return [each.id for each in listed.programs]


async def under(w: Wire, id_: int, index: int) -> int:
    """The id under an index; 0: there is none."""
    answer = await w.maps.Lookup(pb.LookupRequest(id=id_, key=u32s(index)))
    return int.from_bytes(answer.value, "little")


async def test_a_program_array_takes_programs_by_id(tmp_path: Path) -> None:
    """The next run calls it; lookup and dump show its id; deleting takes it away."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "steps.o")
        (first,), (steps,) = loaded.programs, loaded.maps
        (last,) = (await load(w, module, "ready_steps.o", programs=["finish", "begin"])).programs[
            :1
        ]
        assert await run(w, first.id) == 3
        assert await put(w, steps.id, 0, program_id=last.id) == 0
        assert await run(w, first.id) == 42
        assert await under(w, steps.id, 0) == last.id
        dumped = [each async for each in w.maps.Dump(pb.DumpRequest(id=steps.id))]
        values = [entry.value for each in dumped for entry in each.entries]
        assert values[0] == u32s(last.id)
        shown = await w.programs.Get(programs_pb2.ProgramsGetRequest(id=last.id))
        assert steps.id in shown.program.holder_map_ids
        assert (await w.maps.Delete(pb.DeleteRequest(id=steps.id, key=u32s(0)))).status.code == 0
        assert await run(w, first.id) == 3
        shown = await w.programs.Get(programs_pb2.ProgramsGetRequest(id=last.id))
        assert steps.id not in shown.program.holder_map_ids


async def test_a_held_program_stays_until_it_is_let_go(tmp_path: Path) -> None:
    """Unloaded, it is still called; with its last place it goes."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "steps.o")
        (first,), (steps,) = loaded.programs, loaded.maps
        (other,) = (await load(w, module, "count.o")).programs
        for index in (0, 1):
            assert await put(w, steps.id, index, program_id=other.id) == 0
        assert list((await unload(w, module, other.id)).map_ids) == [steps.id]
        assert await programs(w) == [first.id, other.id]
        assert await run(w, first.id) == 1, "a truncated packet is malformed"
        removal = pb.DeleteBatchRequest(id=steps.id, keys=u32s(1, 9))
        await w.maps.DeleteBatch(removal)
        assert await programs(w) == [first.id, other.id]
        replacing = pb.UpdateRequest(id=steps.id, key=u32s(0), program_id=first.id)
        assert (await module.during(w.maps.Update(replacing))).status.code == 0
        assert await programs(w) == [first.id]


async def test_a_program_that_calls_itself_can_be_unloaded(tmp_path: Path) -> None:
    """Its program array lets go when its last user goes."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "steps.o")
        (first,), (steps,) = loaded.programs, loaded.maps
        assert await put(w, steps.id, 0, program_id=first.id) == 0
        assert await run(w, first.id) == 3, "after 33 calls the last one goes on"
        await unload(w, module, first.id)
        assert (await programs(w), await maps(w)) == ([], [])
        await until(lambda: len(w.daemon.registrar.bindings()) == 0)


async def test_declared_values_are_there_at_load(tmp_path: Path) -> None:
    """Programs that call each other in a ring: the last user's end is the end of all."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "ready_steps.o")
        ids = {each.name: each.id for each in loaded.programs}
        (steps,) = loaded.maps
        assert [await under(w, steps.id, index) for index in range(3)] == [
            ids["begin"], 0, ids["finish"],
        ]  # fmt: skip
        assert await run(w, ids["begin"]) == 42
        await unload(w, module, ids["finish"])
        assert await run(w, ids["begin"]) == 42, "the other program of the file is a user too"
        await unload(w, module, ids["begin"])
        assert (await programs(w), await maps(w)) == ([], [])


async def test_declared_values_must_be_loaded_too(tmp_path: Path) -> None:
    """Nothing is left of a load that leaves one out."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        answer = await try_load(w, module, "ready_steps.o", programs=["begin"])
        assert answer.status.code == Result.INVALID_ARGUMENT
        assert 'map steps holds "finish"' in answer.status.message
        assert (await programs(w), await maps(w)) == ([], [])


async def test_a_map_of_maps_takes_maps_like_its_template(tmp_path: Path) -> None:
    """By id; of another shape INVALID_OBJECT, unknown KEY_NOT_FOUND, as bytes INVALID_ARGUMENT."""
    async with serving(tmp_path) as w:
        like = await created(w, MapType.ARRAY, 4, 8, 1)
        outer = await created(w, MapType.HASH_OF_MAPS, 4, 4, 4, inner_map_id=like.id)
        assert (outer.inner.type_name, outer.inner.value_size) == ("array", 8)
        assert await put(w, outer.id, 7, map_id=like.id) == 0
        assert await under(w, outer.id, 7) == like.id
        assert await put(w, outer.id, 7, map_id=like.id, flags=1) == Result.OBJECT_ALREADY_EXISTS
        wrong = [(MapType.HASH, 4, 8, 1), (MapType.ARRAY, 4, 4, 1), (MapType.ARRAY, 4, 8, 2)]
        for sizes in wrong:
            other = await created(w, *sizes)
            assert await put(w, outer.id, 8, map_id=other.id) == Result.INVALID_OBJECT
        assert await put(w, outer.id, 8, map_id=999) == Result.KEY_NOT_FOUND
        assert await put(w, outer.id, 8, value=u32s(like.id)) == Result.INVALID_ARGUMENT
        assert await put(w, like.id, 0, map_id=like.id) == Result.OPERATION_NOT_SUPPORTED
        assert await under(w, outer.id, 8) == 0


async def test_a_held_map_stays_until_it_is_let_go(tmp_path: Path) -> None:
    """Removed, it can still be read by its id; with its last place it goes."""
    async with serving(tmp_path) as w:
        like = await created(w, MapType.ARRAY, 4, 8, 1)
        outer = await created(w, MapType.ARRAY_OF_MAPS, 4, 4, 4, inner_map_id=like.id)
        for index in (0, 1):
            assert await put(w, outer.id, index, map_id=like.id) == 0
        removed = await w.maps.Remove(pb.RemoveRequest(id=like.id))
        assert list(removed.map_ids) == [outer.id]
        shown = (await w.maps.Get(pb.MapsGetRequest(id=like.id))).map
        assert (shown.created, list(shown.holder_map_ids)) == (False, [outer.id])
        taken = await w.maps.TakeBatch(pb.TakeBatchRequest(id=outer.id, count=1))
        assert taken.values == u32s(like.id)
        assert len(await maps(w)) == 2
        assert (await w.maps.Delete(pb.DeleteRequest(id=outer.id, key=u32s(1)))).status.code == 0
        assert [each.id for each in await maps(w)] == [outer.id]


async def test_a_container_lets_go_with_its_last_user(tmp_path: Path) -> None:
    """A removed map of maps inside of another one is empty from then on, and takes nothing."""
    async with serving(tmp_path) as w:
        like = await created(w, MapType.ARRAY, 4, 8, 1)
        inner = await created(w, MapType.ARRAY_OF_MAPS, 4, 4, 4, inner_map_id=like.id)
        outer = await created(w, MapType.ARRAY_OF_MAPS, 4, 4, 4, inner_map_id=inner.id)
        assert await put(w, outer.id, 0, map_id=inner.id) == 0
        assert await put(w, inner.id, 0, map_id=like.id) == 0
        assert (await w.maps.Remove(pb.RemoveRequest(id=inner.id))).status.code == 0
        assert await under(w, inner.id, 0) == 0
        assert await put(w, inner.id, 0, map_id=like.id) == Result.INVALID_STATE
        assert (await w.maps.Remove(pb.RemoveRequest(id=like.id))).status.code == 0
        assert (await w.maps.Remove(pb.RemoveRequest(id=outer.id))).status.code == 0
        assert await maps(w) == []


async def test_a_program_counts_in_the_map_that_it_is_given(tmp_path: Path) -> None:
    """One by its declaration, one by a user; a map that came with a file goes with that only."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "nested.o")
        (program,) = loaded.programs
        by_name = {each.name: each for each in loaded.maps}
        assert set(by_name) == {"chosen", "ready", "spare"}, "the template is none of them"
        assert await put(w, by_name["chosen"].id, 2, map_id=by_name["spare"].id) == 0
        assert [await run(w, program.id, number) for number in (1, 2, 2, 3)] == [0, 0, 0, 7]
        counted = [
            (await w.maps.Lookup(pb.LookupRequest(id=by_name[name].id, key=u32s(0)))).value[0]
            for name in ("ready", "spare")
        ]
        assert counted == [1, 2]
        refused = await w.maps.Remove(pb.RemoveRequest(id=by_name["spare"].id))
        assert refused.status.code == Result.INVALID_STATE
        assert str(program.id) in refused.status.message
        await unload(w, module, program.id)
        assert await maps(w) == []


async def test_what_a_program_takes_out_is_let_go(tmp_path: Path) -> None:
    """It is noticed when somebody lists maps, or changes this one."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        loaded = await load(w, module, "nested.o")
        (program,) = loaded.programs
        chosen = next(each for each in loaded.maps if each.name == "chosen")
        made = await created(w, MapType.ARRAY, 4, 8, 1)
        assert await put(w, chosen.id, 2, map_id=made.id) == 0
        assert (await w.maps.Remove(pb.RemoveRequest(id=made.id))).status.code == 0
        assert made.id in [each.id for each in await maps(w)]
        assert await run(w, program.id, 102) == 0
        assert made.id not in [each.id for each in await maps(w)]
        assert await run(w, program.id, 2) == 7


async def test_a_daemon_stops_with_its_maps_full_of_objects(tmp_path: Path) -> None:
    """Programs that hold each other do not hold up its end."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        await load(w, module, "ready_steps.o")
        await load(w, module, "nested.o")
        like = await created(w, MapType.ARRAY, 4, 8, 1)
        outer = await created(w, MapType.HASH_OF_MAPS, 4, 4, 4, inner_map_id=like.id)
        assert await put(w, outer.id, 7, map_id=like.id) == 0
        objects = w.daemon.objects
        await module.during(w.stop())
        assert (tuple(objects.programs()), tuple(objects.maps())) == ((), ())


@pytest.mark.parametrize("what", [{"program_id": 999}, {"map_id": 999}, {"value": bytes(4)}])
async def test_a_program_array_refuses_what_is_no_program(
    tmp_path: Path, what: dict[str, Any]
) -> None:
    """Unknown ids are KEY_NOT_FOUND, bytes are INVALID_ARGUMENT."""
    async with serving(tmp_path) as w:
        array = await created(w, MapType.PROG_ARRAY, 4, 4, 4)
        async with unchanged(w):
            wanted = Result.INVALID_ARGUMENT if "value" in what else Result.KEY_NOT_FOUND
            assert await put(w, array.id, 0, **what) == wanted
        answer = await create(w, MapType.PROG_ARRAY, 4, 4, 4, inner_map_id=array.id)
        assert answer.status.code == Result.INVALID_ARGUMENT


async def test_programs_of_two_types_never_call_each_other(tmp_path: Path) -> None:
    """INVALID_FD: the array is for the type of its first program."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        await module.provide_other()
        (steps,) = (await load(w, module, "steps.o")).maps
        (other,) = (await load(w, module, "nothing.o")).programs
        request = pb.UpdateRequest(id=steps.id, key=u32s(0), program_id=other.id)
        refused = (await w.maps.Update(request)).status
        assert refused.code == Result.INVALID_FD
        assert "another program type" in refused.message
        assert await under(w, steps.id, 0) == 0
