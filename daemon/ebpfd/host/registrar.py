"""Runs the effects of the pure registrar: one task for each callback.

The registrar never waits; this shell does, and turns its answers into returns of coroutines.
A status that a module returns is an NTSTATUS; a module that raises counts as FAILED attach or
as a completed detach, so that no bug of one module keeps another from unloading.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

import structlog

from ebpfd import nmr
from ebpfd.host.modules import AttachAnswer, DispatchTable, Module
from ebpfd.host.services import Services
from ebpfd_api.ntstatus import NtStatus

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class ProviderSide:
    """How a client's nested attach ended: the provider's side if ``status`` is SUCCESS."""

    status: int
    context: bytes = b""
    dispatch: DispatchTable | None = None
    message: str = ""


class RegistrarHost:
    """The registrar with its modules attached."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registrar = nmr.Registrar()
        self._registering: dict[nmr.RegistrationHandle, asyncio.Future[None]] = {}
        self._deregistering: dict[nmr.RegistrationHandle, asyncio.Future[int]] = {}
        self._completions: dict[nmr.RegistrationHandle, asyncio.Future[None]] = {}
        self._attaching: dict[nmr.BindingHandle, asyncio.Future[ProviderSide]] = {}
        self._messages: dict[nmr.BindingHandle, str] = {}

    async def register(
        self,
        role: nmr.Role,
        instance: nmr.RegistrationInstance,
        module: Module,
        *,
        has_cleanup: bool = True,
    ) -> nmr.RegistrationHandle:
        """Register *module*; returns when the attaches that this queued have ended."""
        handle, effects = self._registrar.register(
            role, instance, owner=module, has_cleanup=has_cleanup
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
        effects = self._registrar.deregister(handle, by=by)
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
        self._run(effects)
        return await answer

    def detach_complete(
        self, binding: nmr.BindingHandle, role: nmr.Role, *, by: nmr.Owner = nmr.ANYONE
    ) -> None:
        """A detach callback that returned PENDING is through."""
        self._run(self._registrar.detach_complete(binding, role, by=by))

    def lost(self, module: Module) -> None:
        """The process behind *module* has vanished."""
        self._run(self._registrar.lost(module))

    def providers(self, npi_id: UUID | None = None) -> list[nmr.RegistrationSnapshot]:
        """Registered providers, of one NPI or of all."""
        return _of_npi(self._registrar.providers(), npi_id)

    def clients(self, npi_id: UUID | None = None) -> list[nmr.RegistrationSnapshot]:
        """Registered clients, of one NPI or of all."""
        return _of_npi(self._registrar.clients(), npi_id)

    def provider_of(self, binding: nmr.BindingHandle) -> nmr.RegistrationSnapshot:
        """The provider's registration behind *binding*."""
        return self._registrar.registration(self._registrar.binding(binding).provider)

    def module_of(self, registration: nmr.RegistrationSnapshot) -> Module:
        """The module behind a registration."""
        return _module(registration.owner)

    def bindings(self) -> list[nmr.BindingSnapshot]:
        """All bindings that are not gone."""
        return list(self._registrar.bindings())

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
                    self._messages.pop(effect.binding, None)
                    unanswered = self._attaching.pop(effect.binding, None)
                    _resolve(unanswered, ProviderSide(NtStatus.DEVICE_NOT_READY))
                    _log.debug("binding is gone", binding=effect.binding)
                case _:
                    self._call_back(effect)

    def _answer_attach(self, effect: nmr.ClientAttachProviderReturned) -> None:
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

    async def _client_attach(self, module: Module, call: nmr.ClientAttachProvider) -> None:
        status = await _guarded(
            module.client_attach_provider(call), NtStatus.INSUFFICIENT_RESOURCES, module
        )
        self._report(lambda: self._registrar.client_attach_returned(call.binding, status))

    async def _provider_attach(self, module: Module, call: nmr.ProviderAttachClient) -> None:
        failed = AttachAnswer(NtStatus.INSUFFICIENT_RESOURCES, message="the provider failed")
        answer = await _guarded(module.provider_attach_client(call), failed, module)
        if answer.message:
            self._messages[call.binding] = answer.message
        self._report(
            lambda: self._registrar.provider_attach_returned(
                call.binding, answer.status, answer.context, answer.dispatch
            )
        )

    async def _detach(self, module: Module, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        status = await _guarded(module.detach(binding, role), NtStatus.SUCCESS, module)
        if status != NtStatus.PENDING:
            # Whatever else it says, the callback has returned and will say no more.
            status = NtStatus.SUCCESS
        self._report(lambda: self._registrar.detach_returned(binding, role, status))

    async def _cleanup(self, module: Module, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        await _guarded(module.cleanup(binding, role), None, module)
        self._report(lambda: self._registrar.cleanup_returned(binding, role))

    def _report(self, report: Callable[[], list[nmr.Effect]]) -> None:
        """Tell the registrar that a callback has ended; its module may have vanished meanwhile."""
        try:
            effects = report()
        except nmr.LateCallError:
            return
        self._run(effects)


async def _guarded(work: Coroutine[Any, Any, _Value], failed: _Value, module: Module) -> _Value:
    """The callback's value, or *failed* if it raises: a module's bug stays the module's."""
    try:
        return await work
    except Exception:  # noqa: BLE001 (the supervisor of callbacks)
        _log.exception("a module's callback failed", module=module.name)
        return failed


def _module(owner: nmr.Owner) -> Module:
    """The module behind an owner: this host registers nothing else."""
    return cast("Module", owner)


def _of_npi(
    registrations: Iterable[nmr.RegistrationSnapshot], npi_id: UUID | None
) -> list[nmr.RegistrationSnapshot]:
    return [each for each in registrations if npi_id is None or each.instance.npi_id == npi_id]


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _resolve(future: asyncio.Future[_Value] | None, value: _Value) -> None:
    """Set *value* unless nobody waits any more."""
    if future is not None and not future.done():
        future.set_result(value)
