"""Roles asked on the wire: by somebody who is known, and by one without a token."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ebpfd.access import BUILT_IN, Action, Role, Roles
from ebpfd.rpc.contract_codec import encode_attach_data, encode_program_data
from ebpfd.rpc.rules import RULES, free
from ebpfd_api.metadata import OWNER, TOKEN
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import (
    hook_pb2,
    links_pb2,
    maps_pb2,
    objects_pb2,
    objects_pb2_grpc,
    pins_pb2,
    pins_pb2_grpc,
    programs_pb2,
    registrar_pb2,
    registrar_pb2_grpc,
)
from tests.daemon.contracts.samples import ATTACH_TYPE, HOOK_DATA, PROGRAM_TYPE, SAMPLE
from tests.daemon.host.world import object_file
from tests.daemon.rpc.test_rules import methods
from tests.daemon.rpc.wire import Module, Wire, greeting, plain, serving

PROGRAMS = Path(__file__).parents[2] / "e2e" / "programs"
HOOK_NAME = hook_pb2.AttachType(name="sample_ext")
EXTENSION = Role("extension", frozenset({"*"}), BUILT_IN["extension"].may)
"""So that somebody provides something: modules of these tests have no token."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A daemon with roles, and the token of this process, which has the role *mine*."""

    wire: Wire
    token: tuple[tuple[str, str], ...]

    async def code(self, call: Any) -> grpc.StatusCode:
        """How a call ends."""
        return await call.code()  # type: ignore[no-any-return]

    async def denied(self, call: Any) -> str:
        """Why a call is refused, which it must be."""
        assert await call.code() is grpc.StatusCode.PERMISSION_DENIED
        return str(await call.details())


@asynccontextmanager
async def guarded(
    folder: Path, may: Mapping[Action, tuple[str, ...]], *more: Role
) -> AsyncGenerator[Guarded]:
    """A daemon in which this process may *may*, and nobody else anything but *more*."""
    roles = Roles([Role("mine", frozenset({"owner"}), may), *more])
    async with serving(folder, roles=roles) as wire:
        token, *_ = (await greeting(folder / "ebpfd.sock")).split()
        yield Guarded(wire, ((TOKEN, token),))


async def ended(channel: grpc.aio.Channel, name: str) -> tuple[grpc.StatusCode, str]:
    """What a call of any method comes to that carries nothing, not even a request of a stream."""
    method = methods()[name]
    kind = "_".join(
        "stream" if streams else "unary"
        for streams in (method.client_streaming, method.server_streaming)
    )
    call: Any = getattr(channel, kind)(f"/ebpfd_api.v1.{name}")
    call = call() if method.client_streaming else call(b"")
    if method.client_streaming:
        await call.done_writing()
    code, details = await call.code(), await call.details()
    return code, details


async def test_who_has_no_role_may_call_nothing(tmp_path: Path) -> None:
    """Whatever kind of call it is; the refusal says what would allow it."""
    async with guarded(tmp_path, BUILT_IN["admin"].may) as g:
        for name, rule in RULES.items():
            if rule is free:
                continue
            code, details = await ended(g.wire.channel, name)
            assert code is grpc.StatusCode.PERMISSION_DENIED, name
            assert details.startswith("a caller without a token may not "), name
            assert details.endswith(" would allow it"), name


async def test_who_may_all_meets_no_refusal(tmp_path: Path) -> None:
    """His token says who he is; health and reflection are for everybody."""
    async with guarded(tmp_path, BUILT_IN["admin"].may) as g:
        module = Module(g.wire.channel)
        module.call.cancel()
        module.call = registrar_pb2_grpc.RegistrarStub(g.wire.channel).Session(metadata=g.token)
        await module.hello("mine")
        await module.provide()
        program = await g.wire.load("count.o", module, g.token)
        attach = links_pb2.AttachRequest(program_id=program.id, attach_type=HOOK_NAME)
        attach.policy.timeout.result = 1
        attached = await module.during(g.wire.links.Attach(attach, metadata=g.token))
        assert attached.status.code == Result.SUCCESS, attached.status
        health: Any = health_pb2_grpc.HealthStub(g.wire.channel)
        answer = await health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_programs_are_loaded_by_their_types(tmp_path: Path) -> None:
    """The file says of which type they are; a program that exists has one already."""
    allowed = {Action.LOAD: (f"guid:{PROGRAM_TYPE}",)}
    for folder, may in ((tmp_path / "a", allowed), (tmp_path / "b", {Action.LOAD: ("name:x",)})):
        folder.mkdir()
        async with guarded(folder, may, EXTENSION) as g:
            module = await g.wire.module()
            await module.provide()
            if may is allowed:
                program = await g.wire.load("count.o", module, g.token)
                unload = programs_pb2.UnloadRequest(id=program.id)
                assert "load sample programs" in await g.denied(g.wire.programs.Unload(unload))
                done = await module.during(g.wire.programs.Unload(unload, metadata=g.token))
                assert done.status.code == Result.SUCCESS
            else:
                request = programs_pb2.LoadRequest(object=object_file("count.o"))
                load = g.wire.programs.Load(request, metadata=g.token)
                assert "may not load sample programs" in await g.denied(load)
                assert tuple(g.wire.daemon.objects.programs()) == ()


async def test_maps_that_a_file_pins_by_name_need_rights(tmp_path: Path) -> None:
    """By his program its user would read and write them."""
    content = (PROGRAMS / "by_name.o").read_bytes()
    request = programs_pb2.LoadRequest(object=content)
    name = "name:shared_*"
    for number, rights in enumerate(((), (Action.READ,), (Action.READ, Action.WRITE))):
        folder = tmp_path / str(number)
        folder.mkdir()
        may = {Action.LOAD: ("*",)} | dict.fromkeys(rights, (name,))
        async with guarded(folder, may, EXTENSION) as g:
            module = await g.wire.module()
            await module.provide()
            load = g.wire.programs.Load(request, metadata=g.token)
            if len(rights) == 2:
                reply = await module.during(load)
                assert reply.status.code == Result.SUCCESS, reply.status
                continue
            said = await module.during(g.denied(load))
            assert "map shared_steps, which is pinned by its name" in said
            assert list(g.wire.daemon.objects.pins()) == []


async def test_links_belong_to_their_hooks(tmp_path: Path) -> None:
    """Who may attach to one may detach from it; its policy is up to others."""
    may = {Action.LOAD: ("*",), Action.ATTACH: ("name:sample_ext",)}
    async with guarded(tmp_path, may, EXTENSION) as g:
        module = await g.wire.module()
        await module.provide()
        program = await g.wire.load("count.o", module, g.token)
        attach = links_pb2.AttachRequest(program_id=program.id, attach_type=HOOK_NAME)
        said = await g.denied(g.wire.links.Attach(attach))
        assert "may not attach sample_ext" in said
        reply = await module.during(g.wire.links.Attach(attach, metadata=g.token))
        assert reply.status.code == Result.SUCCESS, reply.status
        attach.policy.timeout.result = 1
        assert "may not admin" in await g.denied(g.wire.links.Attach(attach, metadata=g.token))
        policy = links_pb2.SetPolicyRequest(id=reply.link.id)
        assert "may not admin" in await g.denied(g.wire.links.SetPolicy(policy, metadata=g.token))
        detach = links_pb2.DetachRequest(id=reply.link.id)
        assert "may not attach" in await g.denied(g.wire.links.Detach(detach))
        done = await module.during(g.wire.links.Detach(detach, metadata=g.token))
        assert done.status.code == Result.SUCCESS
        gone = await g.wire.links.Detach(detach, metadata=g.token)
        assert gone.status.code == Result.STALE_ID


async def test_a_hook_that_nobody_knows_is_attached_to_by_its_guid(tmp_path: Path) -> None:
    """It may come meanwhile, and nobody knows then whether its name would have been allowed."""
    unknown = UUID(int=5)
    for right in ("name:sample_ext", f"guid:{unknown}"):
        folder = tmp_path / right[:4]
        folder.mkdir()
        async with guarded(folder, {Action.LOAD: ("*",), Action.ATTACH: (right,)}, EXTENSION) as g:
            module = await g.wire.module()
            await module.provide()
            request = programs_pb2.LoadRequest(object=object_file("count.o"))
            loaded = await module.during(g.wire.programs.Load(request, metadata=g.token))
            attach = links_pb2.AttachRequest(
                program_id=loaded.programs[0].id,
                attach_type=hook_pb2.AttachType(guid=unknown.bytes),
            )
            attaching = g.wire.links.Attach(attach, metadata=g.token)
            if right.startswith("name"):
                assert f"may not attach {unknown}" in await g.denied(attaching)
            else:
                assert (await attaching).status.code == Result.EXTENSION_FAILED_TO_LOAD


async def make_map(g: Guarded, name: str, *owner: tuple[str, str]) -> int:
    """A map of somebody's own, which must be allowed."""
    request = maps_pb2.CreateRequest(type=2, key_size=4, value_size=8, max_entries=1, name=name)
    reply = await g.wire.maps.Create(request, metadata=(*g.token, *owner))
    assert reply.status.code == Result.SUCCESS, reply.status
    return reply.map.id


async def test_maps_are_read_and_written_by_name(tmp_path: Path) -> None:
    """Reading is not writing."""
    may = {Action.READ: ("name:a*",), Action.WRITE: ("name:ab",)}
    async with guarded(tmp_path, may) as g:
        made = await make_map(g, "ab")
        wrong = maps_pb2.CreateRequest(type=2, key_size=4, value_size=8, max_entries=1, name="b")
        assert "may not write a map 'b'" in await g.denied(
            g.wire.maps.Create(wrong, metadata=g.token)
        )
        key = bytes(4)
        update = maps_pb2.UpdateRequest(id=made, key=key, value=bytes(8))
        lookup = maps_pb2.LookupRequest(id=made, key=key)
        assert (await g.wire.maps.Update(update, metadata=g.token)).status.code == Result.SUCCESS
        assert (await g.wire.maps.Lookup(lookup, metadata=g.token)).status.code == Result.SUCCESS
        for call in (g.wire.maps.Update(update), g.wire.maps.Lookup(lookup)):
            assert f"map {made} and has no role" in await g.denied(call)


async def test_maps_are_read_by_pin_and_by_who_holds_them(tmp_path: Path) -> None:
    """What somebody holds is his by his user, whichever owner of his it is."""
    may = {
        Action.WRITE: ("own", "name:other"),
        Action.READ: ("own", "path:BPF:\\shown\\*"),
        Action.ADMIN: ("*",),
    }
    async with guarded(tmp_path, may) as g:
        objects = objects_pb2_grpc.ObjectsStub(g.wire.channel)
        hold: Any = objects.Hold(objects_pb2.HoldRequest(name="me"), metadata=g.token)
        owner = (OWNER, (await hold.read()).token)
        own = await make_map(g, "mine", owner)
        other = await make_map(g, "other")
        lookup = maps_pb2.LookupRequest(id=own, key=bytes(4))
        assert (await g.wire.maps.Lookup(lookup, metadata=g.token)).status.code == Result.SUCCESS
        await g.denied(g.wire.maps.Lookup(lookup))
        lookup = maps_pb2.LookupRequest(id=other, key=bytes(4))
        await g.denied(g.wire.maps.Lookup(lookup, metadata=g.token))
        pins = pins_pb2_grpc.PinsStub(g.wire.channel)
        await pins.Pin(pins_pb2.PinRequest(path="/shown/it", id=other), metadata=g.token)
        assert (await g.wire.maps.Lookup(lookup, metadata=g.token)).status.code == Result.SUCCESS
        # To have it is to keep it: that is for who may read it.
        opening = pins_pb2.OpenRequest(path="/shown/it")
        assert "may not observe" in await g.denied(pins.Open(opening, metadata=g.token))
        opened = await pins.Open(opening, metadata=(*g.token, owner))
        assert opened.map.id == other
        hold.cancel()


async def test_fires_are_asked_about_one_by_one(tmp_path: Path) -> None:
    """A refusal is that fire's outcome, and the stream goes on."""
    async with guarded(tmp_path, {Action.FIRE: ("name:other",)}, EXTENSION) as g:
        module = await g.wire.module()
        await module.provide()
        fires: Any = g.wire.hooks.Fire(metadata=g.token)
        for name, code in (("sample_ext", Result.ACCESS_DENIED), ("none", Result.OBJECT_NOT_FOUND)):
            await fires.write(hook_pb2.FireRequest(hook=hook_pb2.AttachType(name=name)))
            answer = await fires.read()
            assert answer.result.code == code, answer
        fires.cancel()


@pytest.mark.parametrize(
    ("patterns", "types", "hooks"),
    [
        ((f"guid:{HOOK}",), NtStatus.ACCESS_DENIED, NtStatus.SUCCESS),
        ((f"guid:{PROGRAM_TYPE}",), NtStatus.SUCCESS, NtStatus.ACCESS_DENIED),
        ((f"guid:{ATTACH_TYPE}",), NtStatus.ACCESS_DENIED, NtStatus.SUCCESS),
        (("*",), NtStatus.SUCCESS, NtStatus.SUCCESS),
    ],
)
async def test_registrations_are_asked_about_one_by_one(
    tmp_path: Path, patterns: tuple[str, ...], types: NtStatus, hooks: NtStatus
) -> None:
    """By NPI or by module; a refusal is a status, as registrars give."""
    role = Role("some", frozenset({"*"}), {Action.REGISTER: patterns})
    async with guarded(tmp_path, {Action.OBSERVE: ("*",)}, role) as g:
        module = await g.wire.module()
        of_type = registrar_pb2.Characteristics(program_data=encode_program_data(SAMPLE))
        of_hook = registrar_pb2.Characteristics(attach_provider_data=encode_attach_data(HOOK_DATA))
        for npi, guid, data, expected in (
            (PROGRAM_INFORMATION, PROGRAM_TYPE, of_type, types),
            (HOOK, ATTACH_TYPE, of_hook, hooks),
        ):
            instance = plain(npi.bytes, guid.bytes, characteristics=data)
            register = registrar_pb2.Register(role=registrar_pb2.ROLE_PROVIDER, instance=instance)
            answer = await module.ask(register=register)
            assert answer.status == expected, answer
            if expected is NtStatus.ACCESS_DENIED:
                assert "may not register as a provider of" in answer.message


async def test_a_client_needs_the_right_to_its_npi(tmp_path: Path) -> None:
    """It would meet all providers of that: a GUID of its own is not enough."""
    role = Role("some", frozenset({"*"}), {Action.REGISTER: (f"guid:{ATTACH_TYPE}",)})
    async with guarded(tmp_path, {Action.OBSERVE: ("*",)}, role) as g:
        module = await g.wire.module()
        instance = plain(PROGRAM_INFORMATION.bytes, ATTACH_TYPE.bytes)
        register = registrar_pb2.Register(role=registrar_pb2.ROLE_CLIENT, instance=instance)
        answer = await module.ask(register=register)
        assert answer.status == NtStatus.ACCESS_DENIED
        assert "may not register as a client of program information" in answer.message
