"""A registrar with many bindings, for ``registrar.py``: a round of calls for each line it reads.

    python tests/bench/registrar_crowd.py core|host BINDINGS

It prints a line of JSON when the crowd is there, and then one a round: seconds a call.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import structlog
import uvloop

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from ebpfd import nmr  # noqa: E402 (found through the line above, as the next ones)
from ebpfd.host.modules import AttachAnswer, LocalModule  # noqa: E402
from ebpfd.host.registrar import RegistrarHost  # noqa: E402
from ebpfd.host.services import Services  # noqa: E402
from ebpfd_api.ntstatus import NtStatus  # noqa: E402
from tests.bench.processes import memory_bytes  # noqa: E402

CLIENTS_EACH: Final = 10
BLOCK: Final = 100
"""Calls of each kind in a round."""

CLIENT, PROVIDER = nmr.Role.CLIENT, nmr.Role.PROVIDER


class Layer(Protocol):
    """A registrar whose modules agree to everything."""

    async def register(self, role: nmr.Role, npi: int) -> nmr.RegistrationHandle:
        """Register, and attach whoever is there."""
        ...

    async def withdraw(self, handle: nmr.RegistrationHandle) -> None:
        """Deregister, to the end."""
        ...


class Core:
    """The state machine alone."""

    def __init__(self) -> None:
        self._registrar = nmr.Registrar()

    async def register(self, role: nmr.Role, npi: int) -> nmr.RegistrationHandle:
        """See Layer."""
        handle, effects = self._registrar.register(role, instance(npi), owner="owner")
        self._do(effects)
        return handle

    async def withdraw(self, handle: nmr.RegistrationHandle) -> None:
        """See Layer."""
        self._do(self._registrar.deregister(handle))

    def _do(self, effects: list[nmr.Effect]) -> None:
        registrar = self._registrar
        while effects:
            more: list[nmr.Effect] = []
            for effect in effects:
                match effect:
                    case nmr.ClientAttachProvider():
                        more += registrar.client_attach_provider(effect.binding, b"client", None)
                    case nmr.ProviderAttachClient():
                        status, context = NtStatus.SUCCESS, b"provider"
                        more += registrar.provider_attach_returned(effect.binding, status, context)
                    case nmr.ClientAttachProviderReturned():
                        more += registrar.client_attach_returned(effect.binding, effect.status)
                    case nmr.ClientDetachProvider():
                        more += registrar.detach_returned(effect.binding, CLIENT, 0)
                    case nmr.ProviderDetachClient():
                        more += registrar.detach_returned(effect.binding, PROVIDER, 0)
                    case nmr.ClientCleanupBindingContext():
                        more += registrar.cleanup_returned(effect.binding, CLIENT)
                    case nmr.ProviderCleanupBindingContext():
                        more += registrar.cleanup_returned(effect.binding, PROVIDER)
                    case _:
                        pass
            effects = more


class Agreeing(LocalModule):
    """Takes whomever it meets."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self._registrar = registrar

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Ask the provider."""
        return (await self._registrar.attach_provider(call.binding, b"client", None)).status

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Agree."""
        del call
        return AttachAnswer(NtStatus.SUCCESS, b"provider")


class Host:
    """The registrar as the daemon has it."""

    def __init__(self, services: Services) -> None:
        self._registrar = RegistrarHost(services)

    async def register(self, role: nmr.Role, npi: int) -> nmr.RegistrationHandle:
        """See Layer."""
        module = Agreeing(self._registrar)
        return await self._registrar.register(role, instance(npi), module)

    async def withdraw(self, handle: nmr.RegistrationHandle) -> None:
        """See Layer."""
        await self._registrar.withdraw(handle)


def instance(npi: int) -> nmr.RegistrationInstance:
    """What modules of a contract register."""
    return nmr.RegistrationInstance(UUID(int=npi), nmr.ModuleId.guid(UUID(int=0)))


async def a_round(layer: Layer, npis: "count[int]") -> dict[str, float]:
    """Seconds a call, of contracts that nobody else has."""
    fresh = [next(npis) for _ in range(BLOCK)]
    handles: dict[nmr.Role, list[nmr.RegistrationHandle]] = {}

    async def timed(step: Callable[[], Awaitable[None]]) -> float:
        began = time.perf_counter()
        await step()
        return (time.perf_counter() - began) / BLOCK

    async def register(role: nmr.Role = CLIENT) -> None:
        handles[role] = [await layer.register(role, npi) for npi in fresh]

    async def attach() -> None:
        await register(PROVIDER)

    async def detach() -> None:
        await deregister(PROVIDER)

    async def deregister(role: nmr.Role = CLIENT) -> None:
        for handle in handles[role]:
            await layer.withdraw(handle)

    steps = (register, attach, detach, deregister)
    return {step.__name__: await timed(step) for step in steps}


async def serve(layer: Layer, bindings: int) -> None:
    """Bring the crowd together, and go on as long as there are lines."""
    npis = count(1)
    before, began = memory_bytes(os.getpid()), time.process_time()
    for _ in range(bindings // CLIENTS_EACH):
        npi = next(npis)
        await layer.register(PROVIDER, npi)
        for _ in range(CLIENTS_EACH):
            await layer.register(CLIENT, npi)
    ready = {
        "bindings": bindings,
        "npis": bindings // CLIENTS_EACH,
        "brought_together_cpu_s": round(time.process_time() - began, 2),
        "bytes_per_binding": round((memory_bytes(os.getpid()) - before) / bindings),
    }
    say(ready)
    while await asyncio.to_thread(sys.stdin.readline):
        say(await a_round(layer, npis))


def say(row: object) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


async def main(kind: str, bindings: int) -> None:
    """Serve one layer."""
    if kind == "core":
        await serve(Core(), bindings)
        return
    async with Services() as services:
        await serve(Host(services), bindings)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
