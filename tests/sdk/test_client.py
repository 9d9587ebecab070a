"""Clients: everything comes back as plain values, and every failure as one clear error."""

import asyncio
import dataclasses
import os
import pwd
from pathlib import Path
from uuid import UUID

import grpc
import pytest

from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk import (
    AttachCapability,
    BindingCallback,
    BindingWait,
    Breaker,
    ChangeKind,
    Client,
    Columns,
    DaemonUnavailable,
    EbpfdError,
    Execution,
    Failure,
    FireEvent,
    HookInfo,
    Instruction,
    Judge,
    LinkState,
    MapType,
    MapUpdate,
    Origin,
    PathStep,
    ProgramState,
    RegisterChange,
    RegisterEvent,
    RegisterFact,
    RegistrarChange,
    RegistrarSnapshot,
    Registration,
    Rejection,
    Result,
    Role,
    SourceLine,
    VerificationFailed,
    Way,
    Witness,
    number,
)
from ebpfd_sdk._connection import Connection
from tests.sdk.conftest import Scene
from tests.sdk.fake_daemon import FakeDaemon
from tests.sdk.fake_objects import GOOD, UNSAFE
from tests.sdk.parcels import ATTACH_TYPE, PROGRAM_TYPE, Parcel

REJECTION = Rejection(
    program="drop",
    section="parcel",
    pc=3,
    instruction="r0 = *(u8 *)(r1 + 0)",
    reason="the packet may be shorter",
    hint="compare with data_end first",
    detail="",
    source=SourceLine("drop.c", 9, 12, "return p[0];"),
    judge="fake",
    kind="past-data",
    obligation="the packet has 1 byte",
    fact="no byte is proved to exist",
    proof="the check at line 7 is for fewer bytes",
    path=(
        PathStep(
            way=Way.BRANCH,
            pc=1,
            source=SourceLine("drop.c", 7, 0, ""),
            text="r1 is not NULL",
            taken=True,
            next_pc=3,
            next=SourceLine("drop.c", 9, 0, ""),
            times=2,
        ),
        PathStep(Way.UNKNOWN, 2, None, "", taken=False, next_pc=0, next=None, times=0),
    ),
    registers=(RegisterFact(1, "points to the packet"),),
    history=(
        RegisterEvent(RegisterChange.WRITTEN, 0, SourceLine("drop.c", 5, 0, ""), "r1 is data"),
    ),
    witness=Witness(b"c", b"d", 1, ("random",), "it is stopped", 3, 31),
)


async def test_a_file_loads_by_path_or_bytes(daemon: FakeDaemon, tmp_path: Path) -> None:
    """Programs come back by name, with their maps by name."""
    file = tmp_path / "drop.o"
    file.write_bytes(GOOD)
    async with Client(daemon.address) as ebpfd:
        program = (await ebpfd.load(file, execution=Execution.INTERPRET))["parse"]
        assert {"parse": program} == await ebpfd.load(GOOD)
    assert (1, UUID(PROGRAM_TYPE), ProgramState.READY) == (
        program.id,
        program.program_type,
        program.state,
    )
    assert program.counters.failures == {32: 1}
    assert (program.maps["counts"].type, program.maps["counts"].key_size) == (MapType.HASH, 4)
    first, second = daemon.programs.asked
    assert ("drop.o", Execution.INTERPRET.value) == (first.file_name, first.execution)
    assert (second.file_name, second.execution) == ("", 0)


async def test_flags_are_given_at_load_and_kept(daemon: FakeDaemon) -> None:
    """A program says what it has; a link has its own only if they are given, be they none."""
    async with Client(daemon.address) as ebpfd:
        program = (await ebpfd.load(GOOD, flags=0xCCCCCCCC))["parse"]
        assert daemon.programs.asked[-1].flags == program.flags == 0xCCCCCCCC
        with pytest.raises(dataclasses.FrozenInstanceError):
            program.flags = 1  # type: ignore[misc]
        await program.attach("passing")
        assert not daemon.links.asked[-1].HasField("prog_attach_flags")
        await program.attach("passing", flags=0)
        assert daemon.links.asked[-1].HasField("prog_attach_flags")


async def test_an_unsafe_program_is_refused_with_reasons(daemon: FakeDaemon) -> None:
    """What the verifier said is on the error, field by field."""
    async with Client(daemon.address) as ebpfd:
        with pytest.raises(VerificationFailed, match="drop: the packet may be sh") as caught:
            await ebpfd.load(UNSAFE)
    assert caught.value.rejections == (REJECTION,)
    assert Result.VERIFICATION_FAILED is caught.value.code


@pytest.mark.parametrize("source", [1, GOOD], ids=["by id", "a file"])
async def test_disassemble_puts_pieces_together(daemon: FakeDaemon, source: int | bytes) -> None:
    """One value a program, however many messages it came in; errors are errors."""
    async with Client(daemon.address) as ebpfd:
        (found,) = await ebpfd.disassemble(source)
        with pytest.raises(EbpfdError, match="no such program"):
            await ebpfd.disassemble(2)
    assert (found.program, found.section) == ("parse", "parcel")
    assert found.instructions == (
        Instruction(0, bytes(8), "r0 = 0", "parse", "", SourceLine("", 3, 0, "")),
        Instruction(1, bytes(8), "exit", "", "", None),
    )


async def test_verify_gives_verdicts(daemon: FakeDaemon) -> None:
    """A refusal is a verdict here, not an error; a file that is none is an error."""
    async with Client(daemon.address) as ebpfd:
        (good,), (bad,) = await ebpfd.verify(GOOD), await ebpfd.verify(UNSAFE)
        with pytest.raises(EbpfdError, match="not an ELF file"):
            await ebpfd.verify(b"MZ")
    assert (good.accepted, good.rejection) == (True, None)
    assert (bad.accepted, bad.rejection) == (False, REJECTION)
    assert (good.decided, good.worst_case) == (True, 12), "an older daemon's is decided"
    assert (bad.decided, bad.worst_case) == (True, None)
    assert (bad.judge, bad.steps, bad.states, bad.proved_loops) == ("fake", 9, 2, 1)


@pytest.mark.parametrize(
    ("judge", "number"), [(Judge.ANY, 0), (Judge.OURS, 1), (Judge.PREVAIL, 2), (Judge.BOTH, 3)]
)
async def test_verify_asks_whom_it_is_told(daemon: FakeDaemon, judge: Judge, number: int) -> None:
    """The wire has a number for each; our own judge alone may be undecided."""
    async with Client(daemon.address) as ebpfd:
        (verdict,) = await ebpfd.verify(UNSAFE, judge=judge)
    assert daemon.programs.asked[-1].judge == number
    assert verdict.decided is (judge is not Judge.OURS)


async def test_programs_are_found_again(daemon: FakeDaemon) -> None:
    """Listing and looking up give the same value; an unknown id is an error."""
    async with Client(daemon.address) as ebpfd:
        assert (await ebpfd.program(1),) == await ebpfd.programs()
        assert [each.name for each in await ebpfd.maps()] == ["counts"]
        with pytest.raises(EbpfdError, match="there is no program 9") as caught:
            await ebpfd.program(9)
    assert Result.OBJECT_NOT_FOUND is caught.value.code


@pytest.mark.parametrize("hook", ["passing", ATTACH_TYPE, UUID(ATTACH_TYPE)])
async def test_a_program_attaches_by_name_or_guid(daemon: FakeDaemon, hook: str | UUID) -> None:
    """A hook is named in any way; to detach the link twice is to detach it once."""
    async with Client(daemon.address) as ebpfd:
        link = await (await ebpfd.program(1)).attach(hook, parameter=b"\x07")
        assert (link,) == await ebpfd.links()
        assert (link.parameter, link.state) == (b"\x07", LinkState.ATTACHED)
        await link.detach()
        await link.detach()
        with pytest.raises(EbpfdError, match="STALE_ID"):
            await ebpfd.detach(link.id)


async def test_a_link_gets_another_program(daemon: FakeDaemon) -> None:
    """By the link that one holds, or by ids; only if it has the expected one."""
    async with Client(daemon.address) as ebpfd:
        program = await ebpfd.program(1)
        link = await program.attach("passing", priority=-3, flags=5, on_failure=0)
        asked = daemon.links.asked[-1]
        assert (asked.priority, asked.prog_attach_flags) == (-3, 5)
        assert {each.result for _, each in asked.policy.ListFields()} == {0}
        await program.attach("passing", on_failure="DROP")
        assert daemon.links.asked[-1].policy.overload.name == "DROP"
        await program.attach("passing", on_failure={"timeout": "closed", Failure.LOST: 3})
        asked = daemon.links.asked[-1].policy
        assert (len(asked.ListFields()), asked.timeout.name, asked.lost.result) == (2, "closed", 3)
        assert (await link.set_policy("open")).id == link.id
        assert {each.name for _, each in daemon.links.asked[-1].policy.ListFields()} == {"open"}
        await ebpfd.set_policy(link.id, {"error": 0})
        ((field, choice),) = daemon.links.asked[-1].policy.ListFields()
        assert (field.name, choice.WhichOneof("choice"), choice.result) == ("error", "result", 0)
        await link.set_policy(breaker=Breaker(3, 1.5))
        ((field, rule),) = daemon.links.asked[-1].policy.ListFields()
        assert (field.name, rule.failures, rule.retry_ms) == ("breaker", 3, 1500)
        with pytest.raises(ValueError, match='there is no failure "late" \\(there are no_prov'):
            await link.set_policy({"late": 0})
        assert (await link.replace(program, expected=program)).program_id == 1
        assert (await ebpfd.replace(link.id, 4, expected_id=1)).program_id == 4
        with pytest.raises(EbpfdError, match="not that one"):
            await link.replace(program, expected=program)


async def test_a_client_takes_in_and_writes_contracts_of_hooks(daemon: FakeDaemon) -> None:
    """As bytes, which the daemon reads and writes."""
    async with Client(daemon.address) as ebpfd:
        assert await ebpfd.export_hook("gate") == b"gate"
        taken = await ebpfd.import_hook(b"{}")
        assert (taken.name, taken.hosted) == ("imported", True)
        assert daemon.links.asked[-1].content == b"{}"


async def test_a_client_makes_hooks_of_the_daemons_and_removes_them(daemon: FakeDaemon) -> None:
    """What is left out is the daemon's to choose; a default result is a number or a name."""
    async with Client(daemon.address) as ebpfd:
        made = await ebpfd.create_hook("gate", "parcel")
        assert (made.name, made.hosted, made.provider) == ("gate", True, "daemon")
        asked = daemon.links.asked[-1]
        assert (asked.attach_type, asked.program_type.text) == (b"", "parcel")
        assert asked.capability == AttachCapability.ONE_PER_PARAMETER
        assert not asked.HasField("wildcards")
        assert asked.WhichOneof("on_nobody") is None
        made = await ebpfd.create_hook(
            "gate",
            UUID(PROGRAM_TYPE),
            attach_type=UUID(int=7),
            capability=AttachCapability.SINGLE_ATTACH,
            wildcards=[b"\1"],
            default_result=0,
        )
        assert (made.attach_type, made.wildcards) == (UUID(int=7), (b"\1",))
        assert daemon.links.asked[-1].WhichOneof("on_nobody") == "default_result"
        await ebpfd.create_hook("gate", "parcel", default_result="DROP")
        assert daemon.links.asked[-1].default_result_name == "DROP"
        with pytest.raises(EbpfdError, match="link 1 is attached") as caught:
            await ebpfd.remove_hook("gate")
        assert caught.value.code is Result.INVALID_STATE
        assert daemon.links.asked[-1].attach_type.name == "gate"


async def test_a_hook_shows_its_rules_and_links(daemon: FakeDaemon) -> None:
    """All of them, or one; and the links of a parameter go together."""
    async with Client(daemon.address) as ebpfd:
        link = await (await ebpfd.program(1)).attach("passing")
        (shown,) = await ebpfd.hooks()
        assert not daemon.links.asked[-1].HasField("attach_type")
        assert shown == HookInfo(
            attach_type=UUID(ATTACH_TYPE),
            name="passing",
            program_type=UUID(PROGRAM_TYPE),
            program_type_name="parcel",
            capability=AttachCapability.SINGLE_ATTACH,
            wildcards=(b"",),
            closed_result=None,
            provider="postman",
            link_type=2,
            bpf_attach_type=3,
            links=(link,),
        )
        assert (shown,) == await ebpfd.hooks("passing")
        assert daemon.links.asked[-1].attach_type.name == "passing"
        assert (link.id,) == await ebpfd.unlink("passing", parameter=b"\1", program_id=7)
        asked = daemon.links.asked[-1]
        assert (asked.parameter, asked.program_id) == (b"\1", 7)


async def test_a_program_runs_and_goes(scene: Scene) -> None:
    """A test run takes a context object; unloading says who still holds the program."""
    async with Client(scene.daemon.address) as ebpfd:
        program = await ebpfd.program(1)
        run = await program.test_run(context=Parcel(weight=2), data=b"abc", repeat=3)
        assert (run.result, run.data, run.duration_ns) == (3, b"abc", 80)
        assert Parcel.unpack(run.context).weight == 2
        await program.attach(scene.hook)
        assert (await program.unload()).links == (8,)


async def test_maps_take_bytes_and_numbers(daemon: FakeDaemon) -> None:
    """Numbers are packed little-endian to the map's sizes."""
    async with Client(daemon.address) as ebpfd:
        counts = (await ebpfd.program(1)).maps["counts"]
        assert await counts.get(6) is None
        await counts.set(6, 40)
        await counts.set(b"\x11\0\0\0", b"\1" + bytes(7))
        assert number(await counts.get(b"\6\0\0\0") or b"") == 40
        assert {number(k): number(v) async for k, v in counts} == {6: 40, 17: 1}
        assert len(await counts.items()) == 2
        with pytest.raises(EbpfdError, match="it is there") as caught:
            await counts.set(6, 1, MapUpdate.NOEXIST)
        assert Result.KEY_ALREADY_EXISTS is caught.value.code
        await counts.delete(6)
        with pytest.raises(EbpfdError, match="KEY_NOT_FOUND"):
            await counts.delete(6)
        with pytest.raises(ValueError, match="counts: 4294967296 does not fit a key of 4 bytes"):
            await counts.get(1 << 32)


async def test_a_client_fires_a_hook(scene: Scene) -> None:
    """A fire goes through the extension and back; the context is decoded for a Hook object."""
    async with scene.extension(), Client(scene.daemon.address) as ebpfd:
        nobody = await ebpfd.fire(scene.hook)
        assert Result.OBJECT_NOT_FOUND is nobody.code
        await scene.daemon.link(b"\x07")
        answer = await ebpfd.fire(
            scene.hook, context=Parcel(weight=5), data=b"abc", parameter=b"\x07"
        )
        assert (answer.code, answer.context.weight, answer.data) == (Result.SUCCESS, 5, b"abc")
        columns = await ebpfd.fire_batch(UUID(ATTACH_TYPE), count=3)
        assert bytes(3) == columns.codes
        plain = await ebpfd.fire(ATTACH_TYPE)
        with pytest.raises(TypeError, match="name the hook by its Hook object"):
            _ = plain.context


@pytest.mark.parametrize("origin", [None, Origin(7, 8), Origin(7, 8, 9)])
async def test_a_fire_says_who_has_caused_it(scene: Scene, origin: Origin | None) -> None:
    """The hook hears it, and so does the daemon of what the hook runs for it."""
    events: list[FireEvent] = []
    async with scene.extension(), Client(scene.daemon.address) as ebpfd:
        await scene.daemon.link()
        await ebpfd.fire(scene.hook, origin=origin)
        (request,) = scene.daemon.requests

        @scene.hook.on_fire
        async def note(event: FireEvent) -> Columns:
            events.append(event)
            return Columns(Result.SUCCESS, codes=bytes(event.count), results=bytes(4))

        await ebpfd.fire_batch(scene.hook, origin=origin)
    assert [event.origin for event in events] == [origin]
    assert request.HasField("origin") is (origin is not None)
    if origin is not None:
        said = request.origin
        assert (said.pid, said.tid, said.HasField("uid")) == (7, 8, origin.uid is not None)
        assert said.uid == (origin.uid or 0)


async def test_a_fire_that_the_end_of_its_client_meets_is_answered(scene: Scene) -> None:
    """Another task may wait for it when the client's block ends."""
    async with scene.extension(), asyncio.timeout(10):
        await scene.daemon.link()
        scene.daemon.gate.clear()
        async with Client(scene.daemon.address) as ebpfd:
            fired = asyncio.create_task(ebpfd.fire(scene.hook))
            await scene.request(1)
        with pytest.raises(DaemonUnavailable, match="the client is closed"):
            await fired
        scene.daemon.gate.set()


async def test_a_cancelled_fire_is_alone(scene: Scene) -> None:
    """Cancelling one fire leaves the stream to the others."""
    async with scene.extension(), Client(scene.daemon.address) as ebpfd:
        await scene.daemon.link()
        scene.daemon.gate.clear()
        first = asyncio.create_task(ebpfd.fire(scene.hook))
        second = asyncio.create_task(ebpfd.fire(scene.hook))
        await scene.request(1)
        first.cancel()
        scene.daemon.gate.set()
        assert Result.SUCCESS is (await second).code


async def test_the_registrar_is_listed(scene: Scene) -> None:
    """Who provides what, as plain values."""
    async with scene.extension(), Client(scene.daemon.address) as ebpfd:
        kind, hook = await ebpfd.providers()
        assert await ebpfd.clients() == ()
        assert await ebpfd.bindings() == ()
    assert (Role.PROVIDER, UUID(PROGRAM_TYPE), "parcel") == (kind.role, kind.module, kind.owner)
    assert ("hook", UUID(ATTACH_TYPE)) == (hook.npi_name, hook.module)


async def test_a_session_is_ended_by_a_registration(daemon: FakeDaemon) -> None:
    """And what its module had is returned."""
    async with Client(daemon.address) as ebpfd:
        (gone,) = await ebpfd.disconnect(7)
    assert (gone.registration, gone.owner) == (7, "o")
    assert daemon.journal == ["disconnect 7"]


async def test_a_watch_of_the_registrar_gives_snapshots_and_changes(daemon: FakeDaemon) -> None:
    """The parts of a snapshot become one; a reader that was slow learns what it missed."""
    provider = registrar_pb2.Registration(registration=1, role=registrar_pb2.ROLE_PROVIDER)
    client = registrar_pb2.Registration(registration=2, role=registrar_pb2.ROLE_CLIENT)
    wait = registrar_pb2.BindingWait(
        role=registrar_pb2.ROLE_CLIENT,
        callback=registrar_pb2.BINDING_CALLBACK_DETACH,
        module="c",
        elapsed_ms=5,
    )
    bound = registrar_pb2.Binding(
        binding=3, client=client, provider=provider, waits=[wait], overdue=["p was late"]
    )
    change, part = registrar_pb2.WatchChange, registrar_pb2.WatchResponse
    daemon.watched = [
        part(
            part=registrar_pb2.WATCH_PART_SNAPSHOT, changes=[change(registration=provider)], lost=7
        ),
        part(part=registrar_pb2.WATCH_PART_SNAPSHOT, changes=[change(binding=bound)]),
        part(part=registrar_pb2.WATCH_PART_SNAPSHOT_END),
        part(
            part=registrar_pb2.WATCH_PART_CHANGES,
            changes=[change(kind=registrar_pb2.CHANGE_KIND_GONE, registration=client)],
        ),
        part(part=registrar_pb2.WATCH_PART_SNAPSHOT_END),
    ]
    async with Client(daemon.address) as ebpfd:
        watch = ebpfd.watch_registrar()
        first, second, third = [await anext(watch) for _ in range(3)]
        await watch.aclose()
    assert isinstance(first, RegistrarSnapshot)
    assert (first.lost, [each.registration for each in first.registrations]) == (7, [1])
    (binding,) = first.bindings
    assert binding.waits == (BindingWait(Role.CLIENT, BindingCallback.DETACH, "c", 5),)
    assert binding.overdue == ("p was late",)
    assert isinstance(second, RegistrarChange)
    assert isinstance(second.subject, Registration)
    assert (second.kind, second.subject.role) == (ChangeKind.GONE, Role.CLIENT)
    assert third == RegistrarSnapshot((), (), 0)


async def test_trace_follows_until_nobody_looks(daemon: FakeDaemon) -> None:
    """Without follow the lines end; with it the reader ends them."""
    async with Client(daemon.address) as ebpfd:
        assert [line.text async for line in ebpfd.trace(follow=False)] == ["line 1", "line 2"]
        async for line in ebpfd.trace():
            if line.text == "line 5":
                break


async def test_no_daemon_is_one_clear_error(tmp_path: Path) -> None:
    """Calls, streams and fires name the address and say what to do."""
    address = f"unix:{tmp_path}/nobody.sock"
    async with Client(address) as ebpfd:
        for attempt in (ebpfd.programs(), ebpfd.fire(ATTACH_TYPE), anext(ebpfd.trace())):
            with pytest.raises(
                DaemonUnavailable, match=r"nobody\.sock .*start it with `ebpfd run`"
            ):
                await attempt
    said = str(DaemonUnavailable("nowhere", "its name was not found"))
    assert said.startswith("no daemon at nowhere (its name was not found): start it")
    with pytest.raises(DaemonUnavailable):
        await Client(address, hold=True).__aenter__()


@pytest.mark.parametrize("wrong", ["nowhere", "localhost:50051", "tls:localhost"])
async def test_what_is_no_address_is_said_to_be_none(wrong: str) -> None:
    """Nobody is told to start a daemon for that."""
    with pytest.raises(DaemonUnavailable, match="an address is unix:PATH or tls:HOST:PORT") as e:
        await Client(wrong).__aenter__()
    assert "start it" not in str(e.value)


async def test_a_socket_that_one_may_not_open_is_no_missing_daemon(tmp_path: Path) -> None:
    """It is said who is refused, whose it is, and what would help."""
    path = tmp_path / "others.sock"
    path.touch()
    error = Connection(f"unix:{path}").unavailable("connect: Permission denied (13)")
    me = pwd.getpwuid(os.getuid()).pw_name
    assert f"user {me} may not open this socket of user {me}" in str(error)
    assert "`open_to`" in str(error)
    assert "start it" not in str(error)


async def test_another_server_is_not_taken_for_a_daemon(tmp_path: Path) -> None:
    """A server without the service is an error that names gRPC's code."""
    server = grpc.aio.server()
    address = f"unix:{tmp_path}/other.sock"
    server.add_insecure_port(address)
    await server.start()
    async with Client(address) as ebpfd:
        with pytest.raises(EbpfdError, match="UNIMPLEMENTED") as caught:
            await ebpfd.programs()
    assert Result.RPC_EXCEPTION is caught.value.code
    await server.stop(grace=None)


async def test_a_client_must_be_open() -> None:
    """A client outside of its block says how to use it."""
    with pytest.raises(RuntimeError, match="use `async with Client"):
        await Client().programs()


@pytest.mark.parametrize("deadline_s", [-1, 5e6, float("nan")])
async def test_a_fire_that_no_deadline_fits_is_refused(
    daemon: FakeDaemon, deadline_s: float
) -> None:
    """With the argument's name and its range, before anything is sent."""
    async with Client(daemon.address) as client:
        with pytest.raises(ValueError, match=rf"^deadline_s: {deadline_s} .* from 0 to 4294967$"):
            await client.fire("parcel", deadline_s=deadline_s)


@pytest.mark.parametrize(
    ("deadline_s", "told"),
    [(None, None), (0, 0.001), (0.07, 0.07), (4294967.295, 4294967.295)],
)
async def test_a_fire_says_how_long_its_client_waits(
    scene: Scene, deadline_s: float | None, told: float | None
) -> None:
    """In whole milliseconds, one at least: none would be no deadline."""
    events: list[FireEvent] = []

    @scene.hook.on_fire
    async def note(event: FireEvent) -> Columns:
        events.append(event)
        return Columns(Result.SUCCESS, codes=b"\0", results=bytes(4))

    async with scene.extension(), Client(scene.daemon.address) as ebpfd:
        await ebpfd.fire(scene.hook, deadline_s=deadline_s)
    assert [event.deadline_s for event in events] == [told]
