"""Sessions that say anything in any order: refused or done, and nothing of theirs stays."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ebpfd.host.callbacks import Deadlines
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.host.world import until
from tests.daemon.rpc.wire import Module, plain, serving

SESSIONS, MESSAGES, HANDLES = 4, 200, 24
NPIS = (bytes(15) + b"\7", bytes(15) + b"\7", PROGRAM_INFORMATION.bytes, HOOK.bytes, b"", b"short")
STATUSES = (*[NtStatus.SUCCESS] * 6, NtStatus.PENDING, NtStatus.NOINTERFACE, 0xDEADBEEF)


class Babbler:
    """One session's words."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.callbacks: list[reg.SessionResponse] = []
        self._nested: set[int] = set()
        self._calls: tuple[Callable[[], dict[str, Any]], ...] = (
            self._register,
            lambda: {"deregister": reg.Deregister(registration=self._number())},
            lambda: {"wait_deregistered": reg.WaitDeregistered(registration=self._number())},
            lambda: self._nest(self._number()),
            lambda: {
                "detach_complete": reg.DetachComplete(binding=self._number(), role=self._role())
            },
            lambda: {"hello": reg.Hello(protocol_version=1)},
            lambda: {"helper_return": reg.HelperReturn(callback_id=self._number())},
            lambda: {"map_return": reg.MapReturn(callback_id=self._number())},
            dict[str, Any],
        )

    def next(self) -> dict[str, Any]:
        """A message: mostly the next step of a callback if there is one."""
        if self.callbacks and self._chance.random() < 0.8:
            return self._go_on(self.callbacks.pop(0))
        if self._chance.random() < 0.1:
            return self._returned(self._number())
        call = self._chance.choice((self._register, *self._calls))
        return {"call_id": self._chance.randrange(3), **call()}

    def _go_on(self, callback: reg.SessionResponse) -> dict[str, Any]:
        attach = callback.attach
        nests = callback.HasField("attach") and attach.role == reg.ROLE_CLIENT
        if nests and attach.binding not in self._nested and self._chance.random() < 0.9:
            self._nested.add(attach.binding)
            self.callbacks.append(callback)
            return self._nest(attach.binding)
        return self._returned(callback.callback_id)

    def _register(self) -> dict[str, Any]:
        instance = plain(self._chance.choice(NPIS), self._chance.choice([bytes(16), b"odd"]))
        return {"register": reg.Register(role=self._role(), instance=instance, has_cleanup=True)}

    def _nest(self, binding: int) -> dict[str, Any]:
        side = reg.BindingSide(binding_context=self._chance.choice([b"", b"context"]))
        nested = reg.ClientAttachProvider(binding=binding, client=side)
        return {"client_attach_provider": nested}

    def _returned(self, callback_id: int) -> dict[str, Any]:
        status = self._chance.choice(STATUSES)
        return {"callback_return": reg.CallbackReturn(callback_id=callback_id, status=status)}

    def _number(self) -> int:
        return self._chance.randrange(HANDLES)

    def _role(self) -> Any:
        return self._chance.choice([reg.ROLE_UNSPECIFIED, reg.ROLE_CLIENT, reg.ROLE_PROVIDER])


async def _babble(module: Module, babbler: Babbler) -> None:
    """Say everything, each when the daemon has heard what was said before."""
    for _ in range(MESSAGES):
        await module.write(**babbler.next())
        await module.write(heartbeat=reg.Heartbeat(ask=True))
        while (message := await module.read()).WhichOneof("message") != "heartbeat":
            if message.WhichOneof("message") in ("attach", "detach", "cleanup"):
                babbler.callbacks.append(message)
    module.call.cancel()
    await module.ended()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_sessions_say_the_daemon_goes_on(tmp_path: Path, seed: int) -> None:
    """No handler fails, every session lasts as long as it likes, and then nothing is left."""
    chance = random.Random(seed)
    deadlines = Deadlines(callback_s=0.05, drain_s=0.1)
    with capture_logs() as logs:
        async with serving(tmp_path, deadlines=deadlines) as w:
            modules = [await w.module(f"module {number}") for number in range(SESSIONS)]
            babblers = [Babbler(random.Random(chance.random())) for _ in modules]
            await asyncio.gather(*map(_babble, modules, babblers))
            await until(lambda: not w.daemon.sessions.all())
            await until(lambda: not w.daemon.registrar.bindings())
            assert [each.owner.name for each in w.daemon.registrar.providers()] == ["daemon"]  # type: ignore[attr-defined]
            assert w.daemon.registrar.clients() == []
    events = [each["event"] for each in logs]
    assert "binding is up" in events
    assert not [each for each in events if "failed" in each]
