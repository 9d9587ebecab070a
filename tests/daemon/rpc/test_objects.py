"""Programs, maps and links over the wire: what comes back, and how refusals read."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from ebpfd.rpc.maps import ENTRIES_A_MESSAGE
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import links_pb2, maps_pb2, programs_pb2
from tests.daemon.contracts.samples import ATTACH_TYPE, PROGRAM_TYPE
from tests.daemon.host.test_invocation import contexts, u32s
from tests.daemon.host.world import object_file, until
from tests.daemon.rpc.wire import serving


def load(name: str, **more: Any) -> programs_pb2.LoadRequest:
    """A request to load a file."""
    return programs_pb2.LoadRequest(object=object_file(name), file_name=name, **more)


async def test_a_program_is_loaded_listed_run_and_unloaded(tmp_path: Path) -> None:
    """With its maps, its contract's digest and its counters."""
    async with serving(tmp_path) as w:
        module = await w.module("sample")
        await module.provide()
        response = await module.during(w.programs.Load(load("count.o")))
        (program,), (counted,) = response.programs, response.maps
        assert (program.name, program.section, program.program_type) == (
            "count_by_protocol",
            "sample_ext",
            PROGRAM_TYPE.bytes,
        )
        assert (program.state, program.loaded) == (programs_pb2.PROGRAM_STATE_READY, True)
        assert list(program.map_ids) == [counted.id]
        assert (counted.name, counted.type_name, list(counted.program_ids)) == (
            "by_protocol",
            "hash",
            [program.id],
        )
        assert len(program.contract_digest) == len(program.instructions_sha256) == 32
        run = await w.programs.TestRun(programs_pb2.TestRunRequest(id=program.id, repeat=3))
        assert (run.status.code, run.result, len(run.context)) == (0, 1, 32)
        shown = await w.programs.Get(programs_pb2.ProgramsGetRequest(id=program.id))
        assert shown.program.counters.runs == 3
        listed = await w.programs.List(programs_pb2.ProgramsListRequest())
        assert listed.programs == [shown.program]
        module.call.cancel()
        await until(lambda: w.daemon.sessions.all() == [])
        shown = await w.programs.Get(programs_pb2.ProgramsGetRequest(id=program.id))
        assert shown.program.state == programs_pb2.PROGRAM_STATE_WAITING
        assert shown.program.state_reason == "the extension sample has gone"
        unloaded = await w.programs.Unload(programs_pb2.UnloadRequest(id=program.id))
        assert (unloaded.status.code, list(unloaded.link_ids)) == (0, [])
        assert (await w.maps.List(maps_pb2.MapsListRequest())).maps == []


async def test_a_refused_program_comes_with_its_reason(tmp_path: Path) -> None:
    """Of Load and of Verify alike: what, where, why, and what to write instead."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        refused = await module.during(w.programs.Load(load("unsafe/null_map_value.o")))
        assert refused.status.code == Result.VERIFICATION_FAILED
        (why,) = refused.status.rejections
        assert why.reason
        assert why.judge
        assert why.source.line > 0
        request = programs_pb2.VerifyRequest(object=object_file("unsafe/null_map_value.o"))
        (verdict,) = (await w.programs.Verify(request)).verdicts
        assert not verdict.accepted
        assert verdict.rejection == why
        request = programs_pb2.VerifyRequest(object=object_file("count.o"))
        (verdict,) = (await w.programs.Verify(request)).verdicts
        assert verdict.accepted
        assert (verdict.program_type_name, verdict.HasField("rejection")) == ("sample", False)


async def test_judges_are_asked_by_name(tmp_path: Path) -> None:
    """Both give a verdict each; a program says who accepted it, and for how many instructions."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        ask = programs_pb2.VerifyRequest(object=object_file("fnv.o"), judge=programs_pb2.JUDGE_BOTH)
        ours, prevail = (await w.programs.Verify(ask)).verdicts
        assert (ours.accepted, ours.decided, ours.worst_case) == (True, True, 10_509)
        assert (ours.proved_loops, ours.steps > 0, ours.states > 0) == (1, True, True)
        assert (prevail.accepted, prevail.decided, prevail.steps) == (False, True, 0)
        assert not prevail.HasField("worst_case")
        ask = programs_pb2.VerifyRequest(
            object=object_file("leak.o"), judge=programs_pb2.JUDGE_OURS
        )
        (undecided,) = (await w.programs.Verify(ask)).verdicts
        assert (undecided.accepted, undecided.decided) == (False, False)
        assert undecided.rejection.reason
        program = await w.load("fnv.o", module)
        assert (program.judge, program.worst_case) == (ours.judge, ours.worst_case)
        assert not program.metered


async def test_refusals_carry_a_code_and_a_sentence(tmp_path: Path) -> None:
    """Never a transport error."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        program = await w.load("count.o", module)
        (map_id,) = program.map_ids
        here = hook.AttachType(name="sample_ext")
        calls: list[tuple[Any, Result]] = [
            (w.programs.Load(programs_pb2.LoadRequest()), Result.ELF_PARSING_FAILED),
            (w.programs.Load(load("count.o", execution=7)), Result.INVALID_ARGUMENT),
            (w.programs.Load(load("count.o", programs=["x"])), Result.INVALID_ARGUMENT),
            (w.programs.Verify(programs_pb2.VerifyRequest(object=b"x")), Result.ELF_PARSING_FAILED),
            (w.programs.Verify(programs_pb2.VerifyRequest(judge=7)), Result.INVALID_ARGUMENT),  # type: ignore[arg-type]
            (w.programs.Get(programs_pb2.ProgramsGetRequest(id=999)), Result.KEY_NOT_FOUND),
            (w.programs.Unload(programs_pb2.UnloadRequest(id=2**64 - 1)), Result.KEY_NOT_FOUND),
            (w.programs.TestRun(programs_pb2.TestRunRequest()), Result.KEY_NOT_FOUND),
            (
                w.programs.TestRun(
                    programs_pb2.TestRunRequest(id=program.id, meta_length=2**32 - 1)
                ),
                Result.INVALID_ARGUMENT,
            ),
            (w.maps.Lookup(maps_pb2.LookupRequest(id=999)), Result.KEY_NOT_FOUND),
            (w.maps.Lookup(maps_pb2.LookupRequest(id=map_id)), Result.INVALID_ARGUMENT),
            (
                w.maps.Lookup(maps_pb2.LookupRequest(id=map_id, key=u32s(5))),
                Result.OBJECT_NOT_FOUND,
            ),
            (
                w.maps.Update(maps_pb2.UpdateRequest(id=map_id, key=u32s(5), value=b"x")),
                Result.INVALID_ARGUMENT,
            ),
            (
                w.maps.Update(
                    maps_pb2.UpdateRequest(id=map_id, key=u32s(5), value=bytes(8), flags=2**64 - 1)
                ),
                Result.INVALID_ARGUMENT,
            ),
            (
                w.maps.Delete(maps_pb2.DeleteRequest(id=map_id, key=u32s(5))),
                Result.KEY_NOT_FOUND,
            ),
            (
                w.links.Attach(links_pb2.AttachRequest(program_id=999, attach_type=here)),
                Result.KEY_NOT_FOUND,
            ),
            (
                w.links.Attach(links_pb2.AttachRequest(program_id=program.id)),
                Result.INVALID_ARGUMENT,
            ),
            (
                w.links.Attach(
                    links_pb2.AttachRequest(
                        program_id=program.id, attach_type=hook.AttachType(guid=b"x")
                    )
                ),
                Result.INVALID_ARGUMENT,
            ),
            (w.links.Detach(links_pb2.DetachRequest(id=program.id)), Result.KEY_NOT_FOUND),
        ]
        for call, code in calls:
            status = (await call).status
            assert status.code == code, status
            assert status.message


async def test_a_map_is_written_read_and_dumped_in_pieces(tmp_path: Path) -> None:
    """All its entries once; a dump of no map says so."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        (map_id,) = (await w.load("count.o", module)).map_ids
        keys = [u32s(number) for number in range(ENTRIES_A_MESSAGE + 1)]
        for key in keys:
            request = maps_pb2.UpdateRequest(id=map_id, key=key, value=key + bytes(4))
            assert (await w.maps.Update(request)).status.code == 0
        found = await w.maps.Lookup(maps_pb2.LookupRequest(id=map_id, key=keys[3]))
        assert found.value == keys[3] + bytes(4)
        pieces = [each async for each in w.maps.Dump(maps_pb2.DumpRequest(id=map_id))]
        assert [len(each.entries) for each in pieces] == [ENTRIES_A_MESSAGE, 1]
        assert sorted(e.key for each in pieces for e in each.entries) == sorted(keys)
        assert (
            await w.maps.Delete(maps_pb2.DeleteRequest(id=map_id, key=keys[3]))
        ).status.code == 0
        (answer,) = [each async for each in w.maps.Dump(maps_pb2.DumpRequest(id=999))]
        assert answer.status.code == Result.KEY_NOT_FOUND


async def test_a_link_is_listed_with_all_that_is_known(tmp_path: Path) -> None:
    """In attach order; a refusal carries the extension's own words."""
    async with serving(tmp_path) as w:
        module = await w.module("sample")
        await module.provide()
        first = await w.attach("count.o", module, b"\1")
        second = await w.attach("trace.o", module, b"\2")
        links = (await w.links.List(links_pb2.LinksListRequest())).links
        assert list(links) == [first, second]
        assert (first.attach_type, first.attach_type_name, first.parameter, first.provider) == (
            ATTACH_TYPE.bytes,
            "sample_ext",
            b"\1",
            "sample",
        )
        assert first.state == links_pb2.LINK_STATE_ATTACHED
        detached = await asyncio.gather(
            *(module.during(w.links.Detach(links_pb2.DetachRequest(id=first.id))) for _ in "ab")
        )
        assert [each.status.code for each in detached] == [0, 0]
        assert len((await w.links.List(links_pb2.LinksListRequest())).links) == 1


async def test_a_caller_that_hangs_up_leaves_nothing_half_done(tmp_path: Path) -> None:
    """The attach goes on to its end without it."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        program = await w.load("count.o", module)
        attach: Any = w.links.Attach(
            links_pb2.AttachRequest(
                program_id=program.id, attach_type=hook.AttachType(name="sample_ext")
            )
        )
        callback = await module.next("attach")
        attach.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attach
        await module.return_to(callback.callback_id, 0)
        await until(lambda: [link.binding > 0 for link in w.daemon.objects.links()] == [True])
        await until(lambda: [x.state.value for x in w.daemon.objects.links()] == ["attached"])


@pytest.mark.parametrize(
    ("field", "wanted"),
    [("batch_size", {"batch_size": 2}), ("cpu", {"cpu": 0}), ("cpu", {"cpu": 1})],
)
async def test_what_a_test_run_cannot_heed_is_refused(
    tmp_path: Path, field: str, wanted: dict[str, Any]
) -> None:
    """By the name of the field; nothing has run."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        program = await w.load("count.o", module)
        ran = await w.programs.TestRun(programs_pb2.TestRunRequest(id=program.id, **wanted))
        assert ran.status.code == Result.OPERATION_NOT_SUPPORTED
        assert ran.status.message.startswith(f"{field}: ")
        assert w.daemon.objects.program(program.id).engine.counters().runs == 0


async def test_a_caller_that_hangs_up_ends_its_test_run(tmp_path: Path) -> None:
    """However many runs it had asked for."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        program = await w.load("count.o", module)
        request = programs_pb2.TestRunRequest(id=program.id, repeat=2**32 - 1)
        run: Any = w.programs.TestRun(request)
        running = w.daemon.objects.program(program.id)
        await until(lambda: running.engine.counters().runs > 0)
        run.cancel()
        await until(lambda: running.provider.rundown.active == 0)


async def test_trace_lines_are_followed_and_filtered(tmp_path: Path) -> None:
    """Recent ones and new ones; who stops following is forgotten."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        program, other = await w.load("trace.o", module), await w.load("trace.o", module)
        run = programs_pb2.TestRunRequest(id=program.id, context=contexts(5))
        await w.programs.TestRun(run)
        await w.programs.TestRun(programs_pb2.TestRunRequest(id=other.id, context=contexts(6)))
        past = w.programs.Trace(programs_pb2.TraceRequest(no_follow=True))
        assert [(each.text, each.program_name) async for each in past] == [
            ("got 5", "trace_event"),
            ("got 6", "trace_event"),
        ]
        only = programs_pb2.TraceRequest(program_id=other.id, no_follow=True)
        assert [each.text async for each in w.programs.Trace(only)] == ["got 6"]
        follow: Any = w.programs.Trace(programs_pb2.TraceRequest(program_id=program.id))
        assert (await follow.read()).text == "got 5"
        await w.programs.TestRun(run)
        assert (await follow.read()).text == "got 5"
        await module.during(w.programs.Unload(programs_pb2.UnloadRequest(id=other.id)))
        past = w.programs.Trace(only)
        assert [each.program_name async for each in past] == [""], "a line outlives its program"
        follow.cancel()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await follow.read()
