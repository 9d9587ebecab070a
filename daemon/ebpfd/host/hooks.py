"""Firing a hook from outside: handed to whoever provides it, an extension or the daemon itself.

An event with a deadline of its own is not lost when one extension takes over from another: while
the old one leaves, and its links and programs move to the new one, it waits.  One that an extension
has begun is never given to another.

Events that must keep their order share their ``Turns``: each has its turn until it is handed over,
and what it comes to nobody waits for but its own caller.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from uuid import UUID

from ebpfd import nmr
from ebpfd.contracts import AttachProviderData
from ebpfd.errors import RequestError
from ebpfd.host.link_client import LinkClient
from ebpfd.host.modules import (
    BatchOutcome,
    DeclinedError,
    FireCall,
    HookModule,
    ModuleGoneError,
    NotReadyError,
)
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.turns import Turn, Turns
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.result import Result


@dataclass(slots=True)
class _Event:
    """One that is to be handed over by the loop's time *deadline*."""

    call: FireCall
    deadline_s: float
    deadline: float
    turn: Turn
    declined: set[nmr.RegistrationHandle] = field(default_factory=set[nmr.RegistrationHandle])
    """Who is leaving, and has begun nothing of it."""


class Hooks:
    """The hooks that are there to be fired."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self._registrar = registrar
        self._changes = registrar.changes
        self._settled: dict[UUID, tuple[int, nmr.RegistrationSnapshot]] = {}
        """What was found for an attach type, and after how many changes."""

    async def fire(
        self,
        call: FireCall,
        deadline_s: float,
        *,
        wait: bool = False,
        turns: Turns | None = None,
    ) -> BatchOutcome:
        """Let the hook's provider run what is attached; with *wait*, let it come first.

        It is handed over after those that took one of the same *turns* before it; without *wait*
        it is refused at once, whoever waits there, if the hook has no provider.
        """
        turns = turns or Turns()
        if not wait:
            self._present(call)
        deadline = asyncio.get_running_loop().time() + deadline_s
        event = _Event(call, deadline_s, deadline, turns.take())
        try:
            if wait:
                return await self._fire_or_wait(event, turns)
            await self._in_time(event, event.turn.wait())
            return await self._hand(self._present(call), event)
        except DeclinedError as declined:
            raise RequestError(Result.CANCELED, str(declined)) from None
        except NotReadyError:
            message = "the hook's extension has no data stream yet: fire again"
            raise RequestError(Result.OBJECT_NOT_FOUND, message) from None
        finally:
            event.turn.leave()

    def provider_name(self, attach_type: UUID) -> str:
        """Who provides a hook now; empty: nobody does."""
        provider = self._provider(attach_type)
        return provider.name if provider else ""

    def streaming(self) -> None:
        """An extension can be fired that could not be before."""
        self._changes.note()

    async def _fire_or_wait(self, event: _Event, turns: Turns) -> BatchOutcome:
        while True:
            await self._in_time(event, event.turn.wait())
            found = self._settled_provider(event.call.attach_type, event.declined)
            if found is not None:
                module = self._registrar.module_of(found)
                assert isinstance(module, HookModule)
                try:
                    return await self._hand(module, event)
                except DeclinedError:
                    event.declined.add(found.handle)
                    event.turn.leave()
                    event.turn = turns.take()  # behind those that were declined before it
                    continue
                except NotReadyError:
                    pass
            await self._in_time(event, self._changes.next())

    async def _in_time(self, event: _Event, coming: Awaitable[None]) -> None:
        """Wait for what is *coming*; ``RequestError`` if it has not come by the deadline."""
        try:
            async with asyncio.timeout_at(event.deadline):
                await coming
        except TimeoutError:
            raise self._late(event) from None

    async def _hand(self, provider: HookModule, event: _Event) -> BatchOutcome:
        left_s = max(event.deadline - asyncio.get_running_loop().time(), 0.0)
        try:
            return await provider.fire(event.call, left_s, event.turn.leave)
        except TimeoutError:
            raise _unanswered(provider, event) from None
        except NotReadyError:
            raise
        except ModuleGoneError:
            message = f"the hook's extension {provider.name} went away before it answered"
            raise RequestError(Result.OBJECT_NOT_FOUND, message) from None

    def _present(self, call: FireCall) -> HookModule:
        provider = self._provider(call.attach_type)
        if provider is None:
            message = "the hook's extension is not connected: start it and fire again"
            raise RequestError(Result.OBJECT_NOT_FOUND, message)
        return provider

    def _late(self, event: _Event) -> RequestError:
        provider, deadline_s = self._provider(event.call.attach_type), event.deadline_s
        if provider is None:
            message = f"the hook's extension is not connected, and did not come in {deadline_s:g} s"
            return RequestError(Result.OBJECT_NOT_FOUND, message)
        if self._settled_provider(event.call.attach_type, event.declined) is not None:
            return _unanswered(provider, event)
        message = f"the hook's links were moving to another extension for all of {deadline_s:g} s"
        return RequestError(Result.TIMEOUT, message)

    def _settled_provider(
        self, attach_type: UUID, declined: set[nmr.RegistrationHandle]
    ) -> nmr.RegistrationSnapshot | None:
        """The hook's provider, if nobody is leaving it with links and none is on its way to it."""
        known = self._settled.get(attach_type)
        if known and known[0] == self._changes.count and known[1].handle not in declined:
            return known[1]
        everybody = self._registrar.providers_of(HOOK, attach_type)
        for each in everybody:
            leaves = each.deregistering or each.handle in declined
            for binding in self._registrar.bindings_of(each.handle):
                if leaves or self._moves(binding, attach_type):
                    return None
        staying = [
            each
            for each in everybody
            if not each.deregistering
            and each.handle not in declined
            and isinstance(self._registrar.module_of(each), HookModule)
        ]
        if not staying:
            return None
        found = max(staying, key=lambda each: (each.binding_count, -each.handle))
        if self._type_moves(found):
            return None
        self._settled[attach_type] = self._changes.count, found
        return found

    def _type_moves(self, hook: nmr.RegistrationSnapshot) -> bool:
        """Whether programs of the hook's type are losing who provides it, or are on their way."""
        data = hook.instance.characteristics
        if not isinstance(data, AttachProviderData):
            return False
        at_home: set[nmr.RegistrationHandle] = set()
        moving: set[nmr.RegistrationHandle] = set()
        for each in self._registrar.providers_of(PROGRAM_INFORMATION, data.supported_program_type):
            stays = not each.deregistering and not self._registrar.is_leaving(each)
            for binding in self._registrar.bindings_of(each.handle):
                ready = stays and binding.phase is nmr.Phase.READY
                (at_home if ready else moving).add(binding.client)
        return not moving <= at_home

    def _moves(self, binding: nmr.BindingSnapshot, attach_type: UUID) -> bool:
        """Whether it is of a link that was attached before, and is not through."""
        if binding.phase is nmr.Phase.READY:
            return False
        client = self._registrar.module_of(self._registrar.registration(binding.client))
        return isinstance(client, LinkClient) and client.is_attached_to(attach_type)

    def _provider(self, attach_type: UUID) -> HookModule | None:
        for provider in self._registrar.providers_of(HOOK, attach_type):
            if not provider.deregistering:
                module = self._registrar.module_of(provider)
                return module if isinstance(module, HookModule) else None
        return None


def _unanswered(provider: HookModule, event: _Event) -> RequestError:
    message = f"the hook's extension {provider.name} did not answer in {event.deadline_s:g} s"
    return RequestError(Result.TIMEOUT, message)
