"""Two ways to drive a registrar without a loop: step by step, or as the threads of NMR would.

``Desk`` keeps every effect and lets the test report each callback itself.  ``Host`` runs effects at
once against modules written in Python, so that a call returns only when all it caused has ended.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from ebpfd.nmr import (
    BindingHandle,
    BindingSnapshot,
    ClientAttachProvider,
    ClientAttachProviderReturned,
    ClientCleanupBindingContext,
    ClientDetachProvider,
    DeregisterCompleted,
    DeregisterReturned,
    Effect,
    ModuleId,
    ProviderAttachClient,
    ProviderCleanupBindingContext,
    ProviderDetachClient,
    RegisterReturned,
    Registrar,
    RegistrationHandle,
    RegistrationInstance,
    RegistrationSnapshot,
    Role,
    Stage,
)
from ebpfd_api.ntstatus import NtStatus

NPI = UUID(int=0)
OTHER_NPI = UUID(int=1)
CLIENT, PROVIDER = Role.CLIENT, Role.PROVIDER


def instance(npi_id: UUID | None = NPI, module: int = 1) -> RegistrationInstance:
    """Return what a module with that id registers."""
    return RegistrationInstance(npi_id, ModuleId.guid(UUID(int=module)))


def words(effects: Iterable[Effect]) -> list[str]:
    """Write effects as 'Name handle owner' with what little else a script needs to see."""
    return [_word(effect) for effect in effects]


def _word(effect: Effect) -> str:
    parts: list[object] = [type(effect).__name__]
    handle = getattr(effect, "binding", None) or getattr(effect, "registration", None)
    parts += [handle, getattr(effect, "owner", None)]
    status = getattr(effect, "status", None)
    if isinstance(status, int):
        parts.append(NtStatus(status).name)
    return " ".join(str(part) for part in parts if part is not None)


Picture = tuple[
    tuple[RegistrationSnapshot, ...],
    tuple[RegistrationSnapshot, ...],
    tuple[BindingSnapshot, ...],
]


@dataclass
class Desk:
    """A registrar with shorthands for scripts; contexts are named for the side and the binding."""

    registrar: Registrar = field(default_factory=Registrar)

    def register(
        self,
        role: Role,
        owner: str,
        *,
        npi_id: UUID | None = NPI,
        has_cleanup: bool = True,
    ) -> tuple[RegistrationHandle, list[str]]:
        """Register and return the handle and what must be done."""
        handle, effects = self.registrar.register(
            role, instance(npi_id), owner=owner, has_cleanup=has_cleanup
        )
        return handle, words(effects)

    def nest(self, binding: int, context: object = "C") -> list[str]:
        """Let the client call the provider."""
        handle = BindingHandle(binding)
        return words(self.registrar.client_attach_provider(handle, context, "client dispatch"))

    def answer(
        self, binding: int, status: int = NtStatus.SUCCESS, context: object = "P"
    ) -> list[str]:
        """Let the provider's attach callback return."""
        handle = BindingHandle(binding)
        effects = self.registrar.provider_attach_returned(
            handle, status, context, "provider dispatch"
        )
        return words(effects)

    def attached(self, binding: int, status: int = NtStatus.SUCCESS) -> list[str]:
        """Let the client's attach callback return."""
        return words(self.registrar.client_attach_returned(BindingHandle(binding), status))

    def bind(self, binding: int, client_context: object = "C", context: object = "P") -> list[str]:
        """Let both sides say yes."""
        self.nest(binding, client_context)
        self.answer(binding, context=context)
        return self.attached(binding)

    def deregister(self, registration: int) -> list[str]:
        """Deregister."""
        return words(self.registrar.deregister(RegistrationHandle(registration)))

    def detached(self, binding: int, role: Role, status: int = NtStatus.SUCCESS) -> list[str]:
        """Let a detach callback return."""
        return words(self.registrar.detach_returned(BindingHandle(binding), role, status))

    def complete(self, binding: int, role: Role) -> list[str]:
        """Complete a pending detach."""
        return words(self.registrar.detach_complete(BindingHandle(binding), role))

    def cleaned(self, binding: int, role: Role) -> list[str]:
        """Let a cleanup callback return."""
        return words(self.registrar.cleanup_returned(BindingHandle(binding), role))

    def lost(self, owner: str) -> list[str]:
        """Let a process vanish."""
        return words(self.registrar.lost(owner))

    def stage(self, binding: int) -> Stage:
        """Return where a binding is."""
        return self.registrar.binding(BindingHandle(binding)).stage

    def picture(self) -> Picture:
        """Return everything that can be seen from outside."""
        return self.registrar.clients(), self.registrar.providers(), self.registrar.bindings()


def desk_at(stage: Stage) -> Desk:
    """Return a desk whose binding 1, of client 2 of 'c' and provider 1 of 'p', is at *stage*.

    From CLIENT_DETACHING on, client and provider are both deregistering, in this order.
    """
    desk = Desk()
    if stage is Stage.QUEUED:
        # Binding 1 must come second in a queue, so the binding before it belongs to another pair.
        raise ValueError(stage)
    desk.register(PROVIDER, "p")
    desk.register(CLIENT, "c")
    for reached, step in _steps(desk):
        if desk.registrar.bindings() and desk.stage(1) is stage:
            break
        if reached is not Stage.DESERTED or stage is Stage.DESERTED:
            step()
    return desk


class _Step(Protocol):
    def __call__(self) -> object: ...


def _steps(desk: Desk) -> list[tuple[Stage, _Step]]:
    return [
        (Stage.PROVIDER_ATTACHING, lambda: desk.nest(1)),
        (Stage.DESERTED, lambda: desk.attached(1, NtStatus.NOINTERFACE)),
        (Stage.ANSWERED, lambda: desk.answer(1)),
        (Stage.READY, lambda: desk.attached(1)),
        (Stage.CLIENT_DETACHING, lambda: (desk.deregister(2), desk.deregister(1))),
        (Stage.PROVIDER_DETACHING, lambda: desk.detached(1, CLIENT, NtStatus.PENDING)),
        (Stage.DRAINING, lambda: desk.detached(1, PROVIDER, NtStatus.PENDING)),
        (Stage.CLIENT_CLEANUP, lambda: (desk.complete(1, CLIENT), desk.complete(1, PROVIDER))),
        (Stage.PROVIDER_CLEANUP, lambda: desk.cleaned(1, CLIENT)),
        (Stage.GONE, lambda: desk.cleaned(1, PROVIDER)),
    ]


class Module(Protocol):
    """What ``Host`` calls; a module is one side of any number of bindings, and owns itself."""

    def __hash__(self) -> int:
        """Serve as an owner."""
        ...

    def attach(self, host: "Host", effect: ClientAttachProvider | ProviderAttachClient) -> NtStatus:
        """Answer an attach callback."""
        ...

    def detach(self, context: object) -> NtStatus:
        """Answer a detach callback."""
        ...

    def cleanup(self, context: object) -> None:
        """Free a context."""
        ...


@dataclass
class Host:
    """Runs effects depth first, so every call returns when all that it caused has ended."""

    registrar: Registrar = field(default_factory=Registrar)
    answers: dict[BindingHandle, ClientAttachProviderReturned] = field(
        default_factory=dict[BindingHandle, ClientAttachProviderReturned]
    )
    outputs: dict[BindingHandle, tuple[object, object]] = field(
        default_factory=dict[BindingHandle, tuple[object, object]]
    )
    statuses: dict[type, NtStatus] = field(default_factory=dict[type, NtStatus])
    completed: list[RegistrationHandle] = field(default_factory=list[RegistrationHandle])

    def register(self, role: Role, module: Module) -> tuple[NtStatus, RegistrationHandle]:
        """``NmrRegisterClient`` or ``NmrRegisterProvider``."""
        handle, effects = self.registrar.register(role, instance(), owner=module)
        self._run(effects)
        return self.statuses.pop(RegisterReturned), handle

    def deregister(self, handle: RegistrationHandle) -> NtStatus:
        """``NmrDeregisterClient`` or ``NmrDeregisterProvider``."""
        self._run(self.registrar.deregister(handle))
        return self.statuses.pop(DeregisterReturned)

    def wait(self, handle: RegistrationHandle) -> NtStatus:
        """``NmrWaitFor…DeregisterComplete``, which must not have to block."""
        return self.registrar.wait(handle)

    def client_attach_provider(
        self, binding: BindingHandle, context: object, dispatch: object
    ) -> ClientAttachProviderReturned:
        """``NmrClientAttachProvider``."""
        self._run(self.registrar.client_attach_provider(binding, context, dispatch))
        return self.answers.pop(binding)

    def detach_complete(self, binding: BindingHandle, role: Role) -> None:
        """``NmrClientDetachProviderComplete`` or ``NmrProviderDetachClientComplete``."""
        self._run(self.registrar.detach_complete(binding, role))

    def _run(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case ClientAttachProviderReturned():
                    self.answers[effect.binding] = effect
                case RegisterReturned() | DeregisterReturned():
                    self.statuses[type(effect)] = effect.status
                case DeregisterCompleted():
                    self.completed.append(effect.registration)
                case _:
                    self._run(self._call(effect))

    def _call(self, effect: Effect) -> list[Effect]:
        registrar = self.registrar
        match effect:
            case ClientAttachProvider():
                status = _module(effect.owner).attach(self, effect)
                return registrar.client_attach_returned(effect.binding, status)
            case ProviderAttachClient():
                status = _module(effect.owner).attach(self, effect)
                context, dispatch = self.outputs.pop(effect.binding)
                return registrar.provider_attach_returned(effect.binding, status, context, dispatch)
            case ClientDetachProvider() | ProviderDetachClient():
                role = CLIENT if isinstance(effect, ClientDetachProvider) else PROVIDER
                status = _module(effect.owner).detach(effect.context)
                return registrar.detach_returned(effect.binding, role, status)
            case ClientCleanupBindingContext() | ProviderCleanupBindingContext():
                role = CLIENT if isinstance(effect, ClientCleanupBindingContext) else PROVIDER
                _module(effect.owner).cleanup(effect.context)
                return registrar.cleanup_returned(effect.binding, role)
            case _:
                return []


def _module(owner: object) -> Module:
    assert hasattr(owner, "attach")
    return owner  # type: ignore[return-value]
