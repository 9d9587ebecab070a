"""What happens to a binding: the steps between its stages, and the effects that each step has.

    register      attach_all -> client_answered / provider_answered -> attach_ended -> the next one
    deregister    retire -> unbind -> detach client -> detach provider -> drain
                  -> cleanup client -> cleanup provider -> gone

A callback that need not be called is taken as returned at once, so every binding takes every step.
Invariant: a step is taken only along ``STAGES``, and effects come out in the order of the steps.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

from ebpfd.nmr.binding import PHASES, Binding, Detach, DetachEvent, Event, Stage
from ebpfd.nmr.book import Book
from ebpfd.nmr.effects import (
    BindingGone,
    BindingReady,
    ClientAttachProvider,
    ClientAttachProviderReturned,
    ClientCleanupBindingContext,
    ClientDetachProvider,
    DeregisterCompleted,
    DeregisterReturned,
    Effect,
    ProviderAttachClient,
    ProviderCleanupBindingContext,
    ProviderDetachClient,
    RegisterReturned,
)
from ebpfd.nmr.identity import Role
from ebpfd.nmr.registration import AttachQueue, Registration
from ebpfd.nmr.retries import Retries
from ebpfd.nmr.snapshots import Change
from ebpfd_api.ntstatus import NtStatus

_DETACH: Final[Mapping[Role, type[ClientDetachProvider | ProviderDetachClient]]] = {
    Role.CLIENT: ClientDetachProvider,
    Role.PROVIDER: ProviderDetachClient,
}
_DETACH_RETURNED: Final = {
    Role.CLIENT: Event.CLIENT_DETACH_RETURNED,
    Role.PROVIDER: Event.PROVIDER_DETACH_RETURNED,
}
_CLEANUP: Final[
    Mapping[Role, type[ClientCleanupBindingContext | ProviderCleanupBindingContext]]
] = {
    Role.CLIENT: ClientCleanupBindingContext,
    Role.PROVIDER: ProviderCleanupBindingContext,
}
_CLEANED: Final = {Role.CLIENT: Event.CLIENT_CLEANED, Role.PROVIDER: Event.PROVIDER_CLEANED}


class Life:
    """Takes bindings through their stages and collects the effects."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._retries = Retries()
        self._effects: list[Effect] = []

    def take(self) -> list[Effect]:
        """Return the effects collected since the last time."""
        effects, self._effects = self._effects, []
        return effects

    def _move(self, binding: Binding, event: Event) -> Stage:
        before = binding.stage
        stage = binding.apply(event)
        if PHASES[before] is not PHASES[stage] and stage is not Stage.GONE:
            self._book.note(Change.CHANGED, binding)
        return stage

    # Attaching.

    def attach_all(self, bindings: list[Binding], *, registered: Registration | None) -> None:
        """Attach new *bindings* one after the other, and then answer who *registered*."""
        queue = AttachQueue(registered, deque(bindings))
        for binding in bindings:
            binding.queue = queue
        self._attach_next(queue)

    def ask_provider(self, binding: Binding) -> None:
        """Call the provider from within the client's attach callback."""
        self._move(binding, Event.NEST)
        provider, side = binding.provider, binding.client_side
        if provider.lost:
            self.provider_answered(binding, NtStatus.DEVICE_NOT_READY)
            return
        self._effects.append(
            ProviderAttachClient(
                binding=binding.handle,
                registration=provider.handle,
                owner=provider.owner,
                client_instance=binding.client.instance,
                client_context=side.context,
                client_dispatch=side.dispatch,
            )
        )

    def provider_answered(self, binding: Binding, status: int) -> None:
        """Hand the provider's answer to the client, if that still waits for it."""
        if binding.stage is Stage.DESERTED:
            if binding.accepted and binding.client.lost:
                self._unbind(binding)
            else:
                self._move(binding, Event.ANSWER)
                self._cleanup(binding, Role.CLIENT)
            return
        self._move(binding, Event.ANSWER)
        if not binding.client.lost:
            self._effects.append(
                ClientAttachProviderReturned(
                    binding=binding.handle,
                    owner=binding.client.owner,
                    status=status,
                    provider_context=binding.provider_side.context,
                    provider_dispatch=binding.provider_side.dispatch,
                )
            )

    def client_answered(self, binding: Binding, event: Event) -> None:
        """End the attach: ``ACCEPT`` makes the binding ready, ``FAIL`` cleans it up."""
        stage = self._move(binding, event)
        if stage is Stage.READY:
            binding.succeeded = True
            self._effects.append(BindingReady(binding.handle))
            self._attach_ended(binding)
            if binding.leaving:
                self._unbind(binding)
        elif stage is Stage.CLIENT_CLEANUP:
            self._cleanup(binding, Role.CLIENT)

    def _attach_next(self, queue: AttachQueue) -> None:
        while queue.waiting:
            binding = queue.waiting.popleft()
            if binding.stage is Stage.QUEUED:
                self._attach(binding)
                return
        registered = queue.registered
        if registered is not None:
            answer = RegisterReturned(registered.handle, NtStatus.SUCCESS, registered.owner)
            self._effects.append(answer)

    def _attach(self, binding: Binding) -> None:
        self._move(binding, Event.BEGIN)
        client = binding.client
        binding.began_at = self._retries.began(client.handle)
        self._effects.append(
            ClientAttachProvider(
                binding=binding.handle,
                registration=client.handle,
                owner=client.owner,
                provider_instance=binding.provider.instance,
            )
        )

    def _attach_ended(self, binding: Binding) -> None:
        if binding.queue is not None:
            queue, binding.queue = binding.queue, None
            self._attach_next(queue)

    # Parting.

    def retire(self, registrations: list[Registration]) -> None:
        """Let nothing bind to *registrations* any more, and part them from their peers."""
        for registration in registrations:
            registration.deregistering = True
            self._book.note(Change.CHANGED, registration)
            # Held until all its bindings were told, lest the first that ends gives the answer.
            registration.unsettled += 1
            self._book.close(registration)
            self._retries.forget(registration.handle, registration.role)
        # What is queued goes first, lest an attach that ends below begins one of them.
        for registration in registrations:
            for binding in list(registration.bindings.values()):
                if binding.stage is Stage.QUEUED:
                    self._withdraw(binding)
        for registration in registrations:
            for binding in list(registration.bindings.values()):
                self._part(registration, binding)
            registration.unsettled -= 1
            self._conclude(registration)

    def detach_ended(self, binding: Binding, role: Role, event: DetachEvent) -> None:
        """Go on after the detach callback of *role* has returned or was skipped."""
        binding.apply_detach(role, event)
        self._move(binding, _DETACH_RETURNED[role])
        if role is Role.CLIENT:
            self._detach(binding, Role.PROVIDER)
        else:
            self._drain(binding)

    def detach_completed(self, binding: Binding, role: Role) -> None:
        """Go on after the calls that were in flight have ended."""
        binding.apply_detach(role, DetachEvent.COMPLETE)
        if binding.stage is Stage.DRAINING:
            self._drain(binding)

    def cleaned(self, binding: Binding, role: Role) -> None:
        """Go on after the cleanup callback of *role* has returned or was skipped."""
        self._move(binding, _CLEANED[role])
        if role is Role.CLIENT:
            self._cleanup(binding, Role.PROVIDER)
        else:
            self._gone(binding)

    def lose(self, binding: Binding, role: Role) -> None:
        """Take whatever the lost side of *role* was doing as done."""
        match binding.stage, role:
            case ((Stage.CLIENT_ATTACHING | Stage.PROVIDER_ATTACHING), Role.CLIENT):
                self.client_answered(binding, Event.FAIL)
            case Stage.ANSWERED, Role.CLIENT if binding.accepted:
                self._unbind(binding)
            case Stage.ANSWERED, Role.CLIENT:
                self.client_answered(binding, Event.FAIL)
            case ((Stage.PROVIDER_ATTACHING | Stage.DESERTED), Role.PROVIDER):
                self.provider_answered(binding, NtStatus.DEVICE_NOT_READY)
            case (Stage.CLIENT_CLEANUP, Role.CLIENT) | (Stage.PROVIDER_CLEANUP, Role.PROVIDER):
                self.cleaned(binding, role)
            case _:
                self._lose_detach(binding, role)

    def _lose_detach(self, binding: Binding, role: Role) -> None:
        match binding.side(role).detach:
            case Detach.CALLED | Detach.COMPLETED_EARLY:
                self.detach_ended(binding, role, DetachEvent.RETURN_SUCCESS)
            case Detach.PENDING:
                self.detach_completed(binding, role)
            case _:
                pass

    def _withdraw(self, binding: Binding) -> None:
        self._move(binding, Event.WITHDRAW)
        binding.queue = None
        self._gone(binding)

    def _part(self, registration: Registration, binding: Binding) -> None:
        if binding.leaving:
            return
        binding.leaving = True
        binding.waiter = registration
        registration.unsettled += 1
        if binding.stage is Stage.READY:
            self._unbind(binding)

    def _unbind(self, binding: Binding) -> None:
        self._move(binding, Event.UNBIND)
        self._attach_ended(binding)
        self._detach(binding, Role.CLIENT)

    def _detach(self, binding: Binding, role: Role) -> None:
        if not binding.callable(role):
            self.detach_ended(binding, role, DetachEvent.SKIP)
            return
        binding.apply_detach(role, DetachEvent.CALL)
        called, context = binding.registration(role), binding.side(role).context
        callback = _DETACH[role](binding.handle, called.handle, called.owner, context)
        self._effects.append(callback)

    def _drain(self, binding: Binding) -> None:
        if binding.detached:
            self._move(binding, Event.DRAIN)
            self._cleanup(binding, Role.CLIENT)
        else:
            self._settle(binding)

    def _cleanup(self, binding: Binding, role: Role) -> None:
        called, context = binding.registration(role), binding.side(role).context
        if called.has_cleanup and binding.callable(role):
            callback = _CLEANUP[role](binding.handle, called.handle, called.owner, context)
            self._effects.append(callback)
        else:
            self.cleaned(binding, role)

    def _gone(self, binding: Binding) -> None:
        self._book.unpair(binding)
        self._effects.append(BindingGone(binding.handle))
        # Noted before the next attach begins, which therefore was no reason to refuse this one.
        due = self._second_chances(binding)
        self._attach_ended(binding)
        self._settle(binding)
        self.attach_all([self._book.pair(binding.client, each) for each in due], registered=None)

    def _settle(self, binding: Binding) -> None:
        if binding.waiter is not None:
            binding.waiter.unsettled -= 1
            binding.waiter = None
        self._conclude(binding.client)
        self._conclude(binding.provider)

    def _conclude(self, registration: Registration) -> None:
        if not registration.deregistering or registration.unsettled:
            return
        handle, owner, gone = registration.handle, registration.owner, not registration.bindings
        if registration.answer_due:
            registration.answer_due = False
            status = NtStatus.SUCCESS if gone else NtStatus.PENDING
            self._effects.append(DeregisterReturned(handle, status, owner))
        if gone:
            self._book.strike(registration)
            self._effects.append(DeregisterCompleted(handle, owner))

    # Beyond NMR.

    def _second_chances(self, binding: Binding) -> list[Registration]:
        client, provider = binding.client, binding.provider
        if client.deregistering or not binding.began_at:
            return []
        if binding.succeeded or provider.lost:
            due = self._retries.freed(client.handle, binding.began_at)
        elif provider.deregistering:
            self._retries.ended(client.handle)
            return []
        else:
            due = self._retries.failed(client.handle, provider.handle, binding.began_at)
        return [self._book.any_registration(handle) for handle in due]
