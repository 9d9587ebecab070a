"""Lines of the audit log about sessions, refusals, and callers who hang up."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebpfd.access import Action, Role, Roles
from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import maps_pb2, programs_pb2, registrar_pb2
from tests.daemon.contracts.samples import ATTACH_TYPE
from tests.daemon.host.world import object_file
from tests.daemon.rpc.wire import Module, Wire, plain, serving

PROCESS = bytes(15) + b"\x01"


@dataclass(frozen=True, slots=True)
class Audited:
    """A daemon with an audit log."""

    wire: Wire
    log: Path

    def told(self, what: str) -> list[dict[str, Any]]:
        """The lines about one kind of thing."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [each for each in lines if each["what"] == what]


@asynccontextmanager
async def audited(folder: Path, roles: Roles | None = None) -> AsyncGenerator[Audited]:
    """With *roles*, or none."""
    log = folder / "audit"
    async with serving(folder, audit=log, roles=roles) as wire:
        yield Audited(wire, log)


async def test_a_session_that_takes_another_one_s_place_is_told(tmp_path: Path) -> None:
    """With what the old one had."""
    async with audited(tmp_path) as a:
        old = Module(a.wire.channel)
        welcome = await old.hello("twice", process_instance=PROCESS)
        handles = await old.provide()
        new = Module(a.wire.channel)
        token = welcome.resume_token
        await new.hello("twice", process_instance=PROCESS, resume_token=token)
        await new.provide()
        begins = [(each["extension"], each["takes_over"]) for each in a.told("session.begin")]
        assert begins == [("twice", False), ("twice", True)]
        (ended,) = a.told("session.end")
        assert sorted(ended["registrations"]) == sorted(handles)
        assert ended["reason"] == "another session of the same process has taken its place"
        assert [each["npi"] for each in a.told("register")] == ["program information", "hook"] * 2


async def test_registrations_that_are_refused_are_told_once(tmp_path: Path) -> None:
    """However often they are tried."""
    role = Role("some", frozenset({"*"}), {Action.REGISTER: (f"guid:{ATTACH_TYPE}",)})
    async with audited(tmp_path, Roles([role])) as a:
        module = await a.wire.module("pushy")
        instance = plain(PROGRAM_INFORMATION.bytes, ATTACH_TYPE.bytes)
        register = registrar_pb2.Register(role=registrar_pb2.ROLE_CLIENT, instance=instance)
        for _ in range(5):
            answer = await module.ask(register=register)
            assert answer.status == NtStatus.ACCESS_DENIED
        (refused,) = a.told("refused")
        assert (refused["thing"], refused["role"], refused["extension"]) == (
            "Registrar/Session",
            "client",
            "pushy",
        )
        assert "may not register as a client of program information" in refused["message"]
        assert a.told("register") == []


async def test_what_a_caller_began_who_hung_up_is_told(tmp_path: Path) -> None:
    """It was done, or not, and who did it does not get away without a line."""
    async with audited(tmp_path) as a:
        module = await a.wire.module()
        await module.provide()
        module.held.add("attach")  # the load waits for it
        request = programs_pb2.LoadRequest(object=object_file("count.o"), file_name="count.o")
        load: Any = a.wire.programs.Load(request)
        waiting = (await module.next("attach")).callback_id
        load.cancel()
        module.held.clear()
        await module.return_to(waiting, NtStatus.SUCCESS)
        create = maps_pb2.CreateRequest(type=2, key_size=4, value_size=8, max_entries=1)
        while not a.told("program.load"):
            await module.during(a.wire.maps.Create(create))
        (line,) = a.told("program.load")
        assert line["file_name"] == "count.o"
        assert line["who"] is None
