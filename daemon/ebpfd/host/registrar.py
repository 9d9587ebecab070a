"""Runs the effects of the pure registrar: one task for each callback.

The registrar never waits; this shell does, and turns its answers into returns of coroutines.
A status that a module returns is an NTSTATUS; a module that raises, or takes too long, counts as
a failed attach or a completed detach, so that no bug of one module keeps another from unloading.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import structlog

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.callbacks import Call, Callback, Callbacks, Deadlines, Wait
from ebpfd.host.changes import Changes
from ebpfd.host.modules import AttachAnswer, DispatchTable, Module
from ebpfd.host.services import Services
from ebpfd.host.watch import BindingSeen, Part, Watches
from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Value = TypeVar("_Value")

LEAVING_S: Final = 5.0
"""How long a module that has taken back a hook is expected to take back the rest, too."""


@dataclass(frozen=True, slots=True)
class ProviderSide:
    """How a client's nested attach ended: the provider's side if ``status`` is SUCCESS."""

    status: int
    context: bytes = b""
    dispatch: DispatchTable | None = None
    message: str = ""


class RegistrarHost:
    """The registrar with its modules attached."""

    def __init__(self, services: Services, deadlines: Deadlines | None = None) -> None:
        self._services = services
        self._registrar = nmr.Registrar()
        self.changes = Changes()
        """Of registrations and bindings."""

        self._callbacks = Callbacks(deadlines or Deadlines())
        self._watches = Watches(self._registrar, self._callbacks)
        self._registering: dict[nmr.RegistrationHandle, asyncio.Future[None]] = {}
        self._deregistering: dict[nmr.RegistrationHandle, asyncio.Future[int]] = {}
        self._completions: dict[nmr.RegistrationHandle, asyncio.Future[None]] = {}
        self._attaching: dict[nmr.BindingHandle, asyncio.Future[ProviderSide]] = {}
        self._leaving: dict[nmr.Owner, asyncio.TimerHandle] = {}
        self._messages: dict[nmr.BindingHandle, str] = {}

    async def register(
        self,
        role: nmr.Role,
        instance: nmr.RegistrationInstance,
        module: Module,
        *,
        has_cleanup: bool = True,
        wants: Iterable[UUID] | None = None,
    ) -> nmr.RegistrationHandle:
        """Register *module*; returns when the attaches that this queued have ended.

        A client that *wants* the providers of certain module ids is offered no others.
        """
        wanted = None if wants is None else frozenset(map(nmr.ModuleId.guid, wants))
        handle, effects = self._registrar.register(
            role, instance, owner=module, has_cleanup=has_cleanup, wants=wanted
        )
        answer = self._registering[handle] = _future()
        self._completions[handle] = _future()
        self._run(effects)
        try:
            await answer
        except asyncio.CancelledError:
            self._abandon(handle)
            raise
        return handle

    async def deregister(
        self, handle: nmr.RegistrationHandle, *, by: nmr.Owner = nmr.ANYONE
    ) -> int:
        """Deregister; SUCCESS when all bindings are gone already, else PENDING."""
        answer: asyncio.Future[int] = _future()
        leaving = self._registrar.registration(handle)
        effects = self._registrar.deregister(handle, by=by)
        if leaving.role is nmr.Role.PROVIDER and leaving.instance.npi_id == HOOK:
            self._begin_to_leave(leaving.owner)
        self._deregistering[handle] = answer
        self._run(effects)
        return await answer

    async def wait_deregistered(self, handle: nmr.RegistrationHandle) -> None:
        """Wait until the last binding of a deregistered registration is gone."""
        if completion := self._completions.get(handle):
            await asyncio.shield(completion)

    async def withdraw(self, handle: nmr.RegistrationHandle) -> None:
        """Deregister, and wait for the end."""
        await self.deregister(handle)
        await self.wait_deregistered(handle)

    async def attach_provider(
        self,
        binding: nmr.BindingHandle,
        context: bytes,
        dispatch: DispatchTable | None,
        *,
        by: nmr.Owner = nmr.ANYONE,
    ) -> ProviderSide:
        """NmrClientAttachProvider: legal only inside the client's attach callback."""
        effects = self._registrar.client_attach_provider(binding, context, dispatch, by=by)
        answer: asyncio.Future[ProviderSide] = _future()
        self._attaching[binding] = answer
        self._callbacks.pause(binding)
        self._run(effects)
        return await answer

    def describe(self, handle: nmr.RegistrationHandle, characteristics: object) -> None:
        """Let peers see other characteristics in attaches to come."""
        self._registrar.describe(handle, characteristics)

    def detach_complete(
        self, binding: nmr.BindingHandle, role: nmr.Role, *, by: nmr.Owner = nmr.ANYONE
    ) -> None:
        """A detach callback that returned PENDING is through."""
        effects = self._registrar.detach_complete(binding, role, by=by)
        self._callbacks.drained(binding, role)
        self._run(effects)

    async def wait(self, handle: nmr.RegistrationHandle, *, by: nmr.Owner) -> int:
        """NmrWaitFor…DeregisterComplete: SUCCESS at the end, INVALID_PARAMETER without one."""
        status = self._registrar.wait(handle, by=by)
        if status != NtStatus.PENDING:
            return status
        await self.wait_deregistered(handle)
        return NtStatus.SUCCESS

    def lost(self, module: Module) -> None:
        """The process behind *module* has vanished."""
        self._callbacks.lost(module)
        self._end_leaving(module)
        self._run(self._registrar.lost(module))

    @property
    def registration_count(self) -> int:
        """Providers and clients, those that are leaving included."""
        return self._registrar.registration_count

    @property
    def binding_count(self) -> int:
        """Bindings in whatever phase."""
        return self._registrar.binding_count

    def providers(self, npi_id: UUID | None = None) -> list[nmr.RegistrationSnapshot]:
        """Registered providers, of one NPI or of all."""
        return list(self._registrar.providers(npi_id))

    def providers_of(self, npi_id: UUID, guid: UUID) -> list[nmr.RegistrationSnapshot]:
        """The providers with one module id, those that are leaving included."""
        wanted = nmr.ModuleId.guid(guid)
        return [each for each in self.providers(npi_id) if each.instance.module_id == wanted]

    def is_provided(self, npi_id: UUID, guid: UUID) -> bool:
        """Whether somebody provides this, and is not leaving."""
        return any(not each.deregistering for each in self.providers_of(npi_id, guid))

    def clients(self, npi_id: UUID | None = None) -> list[nmr.RegistrationSnapshot]:
        """Registered clients, of one NPI or of all."""
        return list(self._registrar.clients(npi_id))

    def registration(self, handle: nmr.RegistrationHandle) -> nmr.RegistrationSnapshot:
        """One registration, or ``RequestError`` KEY_NOT_FOUND."""
        try:
            return self._registrar.registration(handle)
        except nmr.RegistrarError as error:
            message = f"registration: {error}; `ebpfctl provider list` shows what is there"
            raise RequestError(Result.KEY_NOT_FOUND, message) from None

    def provider_of(self, binding: nmr.BindingHandle) -> nmr.RegistrationSnapshot:
        """The provider's registration behind *binding*."""
        return self._registrar.registration(self._registrar.binding(binding).provider)

    def module_of(self, registration: nmr.RegistrationSnapshot) -> Module:
        """The module behind a registration."""
        return _module(registration.owner)

    def bindings(self) -> list[nmr.BindingSnapshot]:
        """All bindings that are not gone."""
        return list(self._registrar.bindings())

    def owned(self, module: Module) -> list[nmr.RegistrationSnapshot]:
        """All registrations of *module*."""
        return list(self._registrar.owned(module))

    def bindings_of(self, handle: nmr.RegistrationHandle) -> list[nmr.BindingSnapshot]:
        """All bindings of one registration."""
        return list(self._registrar.bindings_of(handle))

    def bound(self) -> list[BindingSeen]:
        """All bindings that are not gone, with both their ends."""
        return self._watches.bound()

    def watch(self, npi_id: UUID | None = None) -> AsyncGenerator[Part]:
        """What is there, then every change."""
        return self._watches.follow(npi_id)

    def end_watches(self) -> None:
        """Nobody is served any more: let watches come to their end."""
        self._watches.close()

    def waits(self, binding: nmr.BindingHandle) -> list[Wait]:
        """Whose callbacks of *binding* run."""
        return self._callbacks.waits(binding)

    def overdue(self, binding: nmr.BindingHandle) -> tuple[str, ...]:
        """Whose callbacks of *binding* were not waited for any longer."""
        return self._callbacks.overdue(binding)

    def is_leaving(self, registration: nmr.RegistrationSnapshot) -> bool:
        """Whether its module has taken back a hook just now: the rest may follow."""
        return registration.owner in self._leaving

    def _begin_to_leave(self, owner: nmr.Owner) -> None:
        self._end_leaving(owner)
        loop = asyncio.get_running_loop()
        self._leaving[owner] = loop.call_later(LEAVING_S, self._end_leaving, owner)

    def _end_leaving(self, owner: nmr.Owner) -> None:
        if timer := self._leaving.pop(owner, None):
            timer.cancel()
            self.changes.note()

    def _abandon(self, handle: nmr.RegistrationHandle) -> None:
        """Whoever registered hung up, so nobody knows the handle: it must not stay behind."""
        try:
            effects = self._registrar.deregister(handle)
        except nmr.RegistrarError:
            return  # it is leaving already, or its process has vanished
        self._run(effects)

    def _run(self, effects: Iterable[nmr.Effect]) -> None:
        for effect in effects:
            match effect:
                case nmr.RegisterReturned():
                    _resolve(self._registering.pop(effect.registration, None), None)
                case nmr.DeregisterReturned():
                    _resolve(self._deregistering.pop(effect.registration, None), effect.status)
                case nmr.DeregisterCompleted():
                    _resolve(self._completions.pop(effect.registration, None), None)
                case nmr.ClientAttachProviderReturned():
                    self._answer_attach(effect)
                case nmr.BindingReady():
                    _log.debug("binding is up", binding=effect.binding)
                case nmr.BindingGone():
                    self._callbacks.forget(effect.binding)
                    self._messages.pop(effect.binding, None)
                    if unanswered := self._attaching.pop(effect.binding, None):
                        self._callbacks.resume(effect.binding)
                        _resolve(unanswered, ProviderSide(NtStatus.DEVICE_NOT_READY))
                    _log.debug("binding is gone", binding=effect.binding)
                case _:
                    self._call_back(effect)
        self.changes.note()

    def _answer_attach(self, effect: nmr.ClientAttachProviderReturned) -> None:
        self._callbacks.resume(effect.binding)
        context, dispatch = effect.provider_context, effect.provider_dispatch
        side = ProviderSide(
            effect.status,
            context if isinstance(context, bytes) else b"",
            dispatch if isinstance(dispatch, DispatchTable) else None,
            self._messages.get(effect.binding, ""),
        )
        _resolve(self._attaching.pop(effect.binding, None), side)

    def _call_back(self, effect: nmr.Callback) -> None:
        module = _module(effect.owner)
        match effect:
            case nmr.ClientAttachProvider():
                work = self._client_attach(module, effect)
            case nmr.ProviderAttachClient():
                work = self._provider_attach(module, effect)
            case nmr.ClientDetachProvider():
                work = self._detach(module, effect.binding, nmr.Role.CLIENT)
            case nmr.ProviderDetachClient():
                work = self._detach(module, effect.binding, nmr.Role.PROVIDER)
            case nmr.ClientCleanupBindingContext():
                work = self._cleanup(module, effect.binding, nmr.Role.CLIENT)
            case nmr.ProviderCleanupBindingContext():
                work = self._cleanup(module, effect.binding, nmr.Role.PROVIDER)
        self._services.start(work, name=f"{type(effect).__name__} {effect.binding}")

    async def _client_attach(self, module: Module, effect: nmr.ClientAttachProvider) -> None:
        binding = effect.binding
        status = await self._callbacks.run(
            Call(Callback.ATTACH, binding, nmr.Role.CLIENT, module),
            module.client_attach_provider(effect),
            failed=NtStatus.INSUFFICIENT_RESOURCES,
            late=NtStatus.IO_TIMEOUT,
        )
        self._report(binding, lambda: self._registrar.client_attach_returned(binding, status))

    async def _provider_attach(self, module: Module, effect: nmr.ProviderAttachClient) -> None:
        binding = effect.binding
        call = Call(Callback.ATTACH, binding, nmr.Role.PROVIDER, module)
        answer = await self._callbacks.run(
            call,
            module.provider_attach_client(effect),
            failed=AttachAnswer(NtStatus.INSUFFICIENT_RESOURCES, message="the provider failed"),
            late=AttachAnswer(NtStatus.IO_TIMEOUT, message=self._callbacks.overdue_text(call)),
        )
        if answer.message and self._exists(binding):
            self._messages[binding] = answer.message
        self._report(
            binding,
            lambda: self._registrar.provider_attach_returned(
                binding, answer.status, answer.context, answer.dispatch
            ),
        )

    async def _detach(self, module: Module, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        status = await self._callbacks.run(
            Call(Callback.DETACH, binding, role, module),
            module.detach(binding, role),
            failed=NtStatus.SUCCESS,
            late=NtStatus.SUCCESS,
        )
        if status != NtStatus.PENDING:
            # Whatever else it says, the callback has returned and will say no more.
            status = NtStatus.SUCCESS
        self._report(binding, lambda: self._registrar.detach_returned(binding, role, status))
        if self._drains(binding, role):
            call = Call(Callback.DRAIN, binding, role, module)
            self._callbacks.drain(
                call,
                lambda: self._report(
                    binding, lambda: self._registrar.detach_complete(binding, role)
                ),
            )

    def _drains(self, binding: nmr.BindingHandle, role: nmr.Role) -> bool:
        """Whether the detach of that side is not complete yet, though its callback has returned."""
        if not self._exists(binding):
            return False
        pictured = self._registrar.binding(binding)
        is_client = role is nmr.Role.CLIENT
        detach = pictured.client_detach if is_client else pictured.provider_detach
        return detach is nmr.Detach.PENDING

    def _exists(self, binding: nmr.BindingHandle) -> bool:
        try:
            self._registrar.binding(binding)
        except nmr.RegistrarError:
            return False
        return True

    async def _cleanup(self, module: Module, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        call = Call(Callback.CLEANUP, binding, role, module)
        await self._callbacks.run(call, module.cleanup(binding, role), failed=None, late=None)
        self._report(binding, lambda: self._registrar.cleanup_returned(binding, role))

    def _report(self, binding: nmr.BindingHandle, report: Callable[[], list[nmr.Effect]]) -> None:
        """Tell the registrar that a callback has ended; its module may have vanished meanwhile."""
        try:
            effects = report()
        except nmr.LateCallError:
            if not self._exists(binding):
                self._callbacks.forget(binding)
            return
        self._run(effects)


def _module(owner: nmr.Owner) -> Module:
    """The module behind an owner: this host registers nothing else."""
    return cast("Module", owner)


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _resolve(future: asyncio.Future[_Value] | None, value: _Value) -> None:
    """Set *value* unless nobody waits any more."""
    if future is not None and not future.done():
        future.set_result(value)
