"""Firing a hook from outside: handed to whoever provides it, an extension or the daemon itself.

An event with a deadline of its own is not lost when one extension takes over from another: while
the old one leaves, and its links and programs move to the new one, it waits.  One that an extension
has begun is never given to another.
"""

import asyncio
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
from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_api.result import Result


class Hooks:
    """The hooks that are there to be fired."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self._registrar = registrar
        self._changes = registrar.changes
        self._settled: dict[UUID, tuple[int, nmr.RegistrationSnapshot]] = {}
        """What was found for an attach type, and after how many changes."""

    async def fire(self, call: FireCall, deadline_s: float, *, wait: bool = False) -> BatchOutcome:
        """Let the hook's provider run what is attached; with *wait*, let it come first."""
        if wait:
            return await self._fire_or_wait(call, deadline_s)
        provider = self._provider(call.attach_type)
        if provider is None:
            message = "the hook's extension is not connected: start it and fire again"
            raise RequestError(Result.OBJECT_NOT_FOUND, message)
        try:
            return await self._hand(provider, call, deadline_s)
        except DeclinedError as declined:
            raise RequestError(Result.CANCELED, str(declined)) from None

    def provider_name(self, attach_type: UUID) -> str:
        """Who provides a hook now; empty: nobody does."""
        provider = self._provider(attach_type)
        return provider.name if provider else ""

    def streaming(self) -> None:
        """An extension can be fired that could not be before."""
        self._changes.note()

    async def _fire_or_wait(self, call: FireCall, deadline_s: float) -> BatchOutcome:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + deadline_s
        declined: set[nmr.RegistrationHandle] = set()
        while True:
            found = self._settled_provider(call.attach_type, declined)
            if found is not None:
                module = self._registrar.module_of(found)
                assert isinstance(module, HookModule)
                try:
                    return await self._hand(module, call, deadline_s, deadline - loop.time())
                except DeclinedError:
                    declined.add(found.handle)
                    continue
                except NotReadyError:
                    pass
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changes.next()
            except TimeoutError:
                raise self._late(call, deadline_s) from None

    async def _hand(
        self,
        provider: HookModule,
        call: FireCall,
        deadline_s: float,
        left_s: float | None = None,
    ) -> BatchOutcome:
        """With *left_s*, what is left of the deadline, NotReadyError is the caller's to handle."""
        try:
            return await provider.fire(call, max(deadline_s if left_s is None else left_s, 0.0))
        except TimeoutError:
            message = f"the hook's extension {provider.name} did not answer in {deadline_s:g} s"
            raise RequestError(Result.TIMEOUT, message) from None
        except ModuleGoneError as gone:
            if left_s is not None and isinstance(gone, NotReadyError):
                raise
            message = f"the hook's extension {provider.name} went away before it answered"
            raise RequestError(Result.OBJECT_NOT_FOUND, message) from None

    def _late(self, call: FireCall, deadline_s: float) -> RequestError:
        if self._provider(call.attach_type) is None:
            message = f"the hook's extension is not connected, and did not come in {deadline_s:g} s"
            return RequestError(Result.OBJECT_NOT_FOUND, message)
        message = f"the hook's links were moving to another extension for all of {deadline_s:g} s"
        return RequestError(Result.TIMEOUT, message)

    def _settled_provider(
        self, attach_type: UUID, declined: set[nmr.RegistrationHandle]
    ) -> nmr.RegistrationSnapshot | None:
        """The hook's provider, if nobody is leaving it with links and none is on its way to it."""
        known = self._settled.get(attach_type)
        if known and known[0] == self._changes.count and known[1].handle not in declined:
            return known[1]
        everybody = self._providers_of(attach_type)
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
        for each in self._providers_of(data.supported_program_type, PROGRAM_INFORMATION):
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

    def _providers_of(self, guid: UUID, npi_id: UUID = HOOK) -> list[nmr.RegistrationSnapshot]:
        wanted = nmr.ModuleId.guid(guid)
        everybody = self._registrar.providers(npi_id)
        return [each for each in everybody if each.instance.module_id == wanted]

    def _provider(self, attach_type: UUID) -> HookModule | None:
        for provider in self._providers_of(attach_type):
            if not provider.deregistering:
                module = self._registrar.module_of(provider)
                return module if isinstance(module, HookModule) else None
        return None
