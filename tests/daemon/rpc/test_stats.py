"""All counts over the wire, in one call."""

from pathlib import Path

from ebpfd_api.v1 import hook_pb2 as hook
from ebpfd_api.v1 import (
    links_pb2,
    maps_pb2,
    objects_pb2,
    objects_pb2_grpc,
    pins_pb2,
    pins_pb2_grpc,
    programs_pb2,
)
from ebpfd_api.v1 import registrar_pb2 as reg
from ebpfd_api.v1 import stats_pb2 as pb
from ebpfd_api.v1 import stats_pb2_grpc as stats_grpc
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.test_invocation import contexts
from tests.daemon.rpc.wire import Wire, serving


async def stats(w: Wire) -> pb.StatsGetResponse:
    """All counts."""
    return await stats_grpc.StatsStub(w.channel).Get(pb.StatsGetRequest())


async def test_an_idle_daemon_has_counted_nothing(tmp_path: Path) -> None:
    """It has its own registrations, and a clock that goes forward."""
    async with serving(tmp_path) as w:
        first, second = await stats(w), await stats(w)
        assert (first.status.code, list(first.links), list(first.programs)) == (0, [], [])
        assert (first.daemon.sessions, first.daemon.maps, first.daemon.owners) == (0, 0, 0)
        assert first.daemon.registrations > 0
        assert first.started_ns == second.started_ns
        assert 0 < first.uptime_ns < second.uptime_ns


async def test_links_and_programs_count_apart(tmp_path: Path) -> None:
    """Runs through a link are its program's too; test runs are the program's alone."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        link = await w.attach("trace.o", module, parameter=b"\7")
        await module.open_data()
        batch = contexts(*range(5))
        for _ in range(3):
            await module.invoke(sequence=1, binding=link.binding, contexts=batch, count=5)
        run = programs_pb2.TestRunRequest(id=link.program_id, repeat=2)
        await w.programs.TestRun(run)
        seen = await stats(w)
        (ours,), (program,) = seen.links, seen.programs
        assert (ours.id, ours.program_id, ours.program_name) == (
            link.id,
            link.program_id,
            link.program_name,
        )
        assert (ours.attach_type, ours.attach_type_name) == (ATTACH_TYPE.bytes, "sample_ext")
        assert (ours.parameter, ours.in_flight) == (b"\7", 0)
        assert (program.id, program.program_type_name) == (link.program_id, "sample")
        assert (ours.counters.runs, program.counters.runs) == (15, 17)
        assert (sum(ours.latency.runs), sum(program.latency.runs)) == (15, 17)
        assert (ours.outcomes.success, ours.outcomes.error) == (15, 0)
        assert 0 < ours.counters.nanoseconds < program.counters.nanoseconds
        shown = await w.programs.Get(programs_pb2.ProgramsGetRequest(id=program.id))
        assert shown.program.counters == program.counters
        assert shown.program.latency == program.latency
        (listed,) = (await w.links.List(links_pb2.LinksListRequest())).links
        assert (listed.latency, listed.in_flight) == (ours.latency, 0)


async def test_batches_that_wait_are_in_flight(tmp_path: Path) -> None:
    """From when they arrive until they are answered; those that run at once never are."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        link = await w.attach("helper_implicit_2.o", module)
        data = await module.open_data()
        for sequence in (1, 2):
            await data.write(hook.InvokeRequest(sequence=sequence, binding=link.binding))
        call = (await module.next("helper_call")).callback_id
        while (await stats(w)).daemon.in_flight < 2:
            pass
        seen = await stats(w)
        assert [(each.in_flight, each.running) for each in seen.links] == [(2, 1)]
        assert seen.daemon.running == 1
        (shown,) = (await w.links.List(links_pb2.LinksListRequest())).links
        assert (shown.in_flight, shown.running) == (2, 1), "one runs, one waits for its turn"
        asked = programs_pb2.ProgramsGetRequest(id=link.program_id)
        program_shown = (await w.programs.Get(asked)).program
        assert (program_shown.in_flight, program_shown.running) == (2, 1)
        await module.write(helper_return=reg.HelperReturn(callback_id=call))
        call = (await module.next("helper_call")).callback_id
        await module.write(helper_return=reg.HelperReturn(callback_id=call))
        for sequence in (1, 2):
            answer = await data.read()
            assert isinstance(answer, hook.InvokeResponse)
            assert answer.sequence == sequence
        seen = await stats(w)
        (program,) = seen.programs
        assert (seen.daemon.in_flight, seen.daemon.running) == (0, 0)
        assert program.counters.runs == sum(program.latency.runs) == 2


async def test_how_full_the_daemon_is(tmp_path: Path) -> None:
    """Sessions, registrations, bindings, maps and their memory, pins and holders."""
    async with serving(tmp_path) as w:
        before = (await stats(w)).daemon
        module = await w.module()
        await module.provide()
        link = await w.attach("count.o", module)
        pin = pins_pb2.PinRequest(path="/p", id=link.program_id)
        await pins_pb2_grpc.PinsStub(w.channel).Pin(pin)
        holding = objects_pb2_grpc.ObjectsStub(w.channel).Hold(objects_pb2.HoldRequest())
        await holding.read()
        now = (await stats(w)).daemon
        assert (now.sessions, now.maps, now.pins, now.owners) == (1, 1, 1, 1)
        assert now.registrations >= before.registrations + 4, "its two, the program's, the link's"
        assert now.bindings >= before.bindings + 2
        assert now.map_bytes > 0
        holding.cancel()


async def test_map_bytes_are_the_memory_that_maps_have(tmp_path: Path) -> None:
    """As the quota counts it, and not the addresses for all that they may come to hold."""
    async with serving(tmp_path) as w:
        before = (await stats(w)).daemon.map_bytes
        large = maps_pb2.CreateRequest(type=1, key_size=4, value_size=1024, max_entries=1 << 20)
        assert (await w.maps.Create(large)).status.code == 0
        seen = await stats(w)
        assert seen.daemon.maps == 1
        assert seen.daemon.map_bytes - before < 1 << 28
        (quota,) = [each for each in seen.quotas if each.name == "map_memory"]
        assert seen.daemon.map_bytes == quota.used
