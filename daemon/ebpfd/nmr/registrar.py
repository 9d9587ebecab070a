"""The registrar: calls of modules and the ends of their callbacks go in, effects come out.

It follows NMR as usersim implements it, with callbacks that take time.  Each public method checks
first and changes afterwards, so a refused call leaves no trace; it returns what must now be done.
It knows no clock, no task and no transport: whoever runs the effects owns those.

Invariant: of one binding at most one callback runs at a time, except that a client's attach
callback contains the provider's; nothing is ever asked of a lost owner.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from ebpfd.nmr.binding import DetachEvent, Event
from ebpfd.nmr.book import Book
from ebpfd.nmr.effects import Effect
from ebpfd.nmr.errors import InvalidValueError, LateCallError, OutOfTurnError, RegistrarError
from ebpfd.nmr.identity import (
    ANYONE,
    BindingHandle,
    ModuleId,
    Owner,
    RegistrationHandle,
    RegistrationInstance,
    Role,
)
from ebpfd.nmr.life import Life
from ebpfd.nmr.snapshots import BindingSnapshot, Observer, RegistrationSnapshot
from ebpfd_api.ntstatus import NtStatus

_RETURN: Final = {
    NtStatus.SUCCESS: DetachEvent.RETURN_SUCCESS,
    NtStatus.PENDING: DetachEvent.RETURN_PENDING,
}


class Registrar:
    """Introduces clients to providers of the same contract, and parts them in order.

    Every method that a module can reach takes *by*, the caller; with it the registrar refuses the
    handles of others.
    """

    def __init__(self) -> None:
        """Begin with nobody registered."""
        self._book = Book()
        self._life = Life(self._book)

    # Calls of modules.

    def register(
        self,
        role: Role,
        instance: RegistrationInstance,
        *,
        owner: Owner,
        has_cleanup: bool = True,
        wants: frozenset[ModuleId] | None = None,
    ) -> tuple[RegistrationHandle, list[Effect]]:
        """Register a module and offer it to its opposites, one after the other in handle order.

        A client that *wants* certain modules is offered no others, as if it had declined them.
        """
        if wants is not None and role is Role.PROVIDER:
            raise InvalidValueError("wants", wants)
        registration = self._book.enter(
            role, instance, owner=owner, has_cleanup=has_cleanup, wants=wants
        )
        opposites = self._book.opposites(registration)
        if role is Role.CLIENT:
            pairs = [self._book.pair(registration, each) for each in opposites]
        else:
            pairs = [self._book.pair(each, registration) for each in opposites]
        self._life.attach_all(pairs, registered=registration)
        return registration.handle, self._life.take()

    def client_attach_provider(
        self,
        binding: BindingHandle,
        client_context: object,
        client_dispatch: object,
        *,
        by: Owner = ANYONE,
    ) -> list[Effect]:
        """Pass the client's yes on to the provider; legal once, inside the attach callback."""
        bound = self._book.binding(binding, Role.CLIENT, by=by)
        bound.require(Event.NEST)
        bound.client_side.context = client_context
        bound.client_side.dispatch = client_dispatch
        self._life.ask_provider(bound)
        return self._life.take()

    def deregister(self, registration: RegistrationHandle, *, by: Owner = ANYONE) -> list[Effect]:
        """Let nothing new bind to *registration*, and part it from its peers."""
        leaving = self._book.registration(registration, by=by)
        if leaving.deregistering:
            raise OutOfTurnError(registration, "DEREGISTERING", "DEREGISTER")
        leaving.answer_due = True
        self._life.retire([leaving])
        return self._life.take()

    def wait(self, registration: RegistrationHandle, *, by: Owner = ANYONE) -> NtStatus:
        """Say whether ``DeregisterCompleted`` is past (SUCCESS) or will come (PENDING)."""
        try:
            waited = self._book.registration(registration, by=by)
        except LateCallError:
            return NtStatus.SUCCESS
        except RegistrarError:
            return NtStatus.INVALID_PARAMETER
        return NtStatus.PENDING if waited.deregistering else NtStatus.INVALID_PARAMETER

    # Ends of callbacks.

    def provider_attach_returned(
        self,
        binding: BindingHandle,
        status: int,
        provider_context: object = None,
        provider_dispatch: object = None,
        *,
        by: Owner = ANYONE,
    ) -> list[Effect]:
        """Take the provider's answer; its context and dispatch count only with SUCCESS."""
        bound = self._book.binding(binding, Role.PROVIDER, by=by)
        bound.require(Event.ANSWER)
        if status == NtStatus.SUCCESS:
            bound.accepted = True
            bound.provider_side.context = provider_context
            bound.provider_side.dispatch = provider_dispatch
        self._life.provider_answered(bound, status)
        return self._life.take()

    def client_attach_returned(
        self, binding: BindingHandle, status: int, *, by: Owner = ANYONE
    ) -> list[Effect]:
        """Take the client's answer; SUCCESS counts only after the provider's."""
        bound = self._book.binding(binding, Role.CLIENT, by=by)
        agreed = status == NtStatus.SUCCESS and bound.accepted
        self._life.client_answered(bound, Event.ACCEPT if agreed else Event.FAIL)
        return self._life.take()

    def detach_returned(
        self, binding: BindingHandle, role: Role, status: int, *, by: Owner = ANYONE
    ) -> list[Effect]:
        """Take the end of a detach callback: SUCCESS, or PENDING if calls are still in flight."""
        bound = self._book.binding(binding, role, by=by)
        if status not in _RETURN:
            raise InvalidValueError("status", status)
        self._life.detach_ended(bound, role, _RETURN[NtStatus(status)])
        return self._life.take()

    def detach_complete(
        self, binding: BindingHandle, role: Role, *, by: Owner = ANYONE
    ) -> list[Effect]:
        """Take the end of the calls that were in flight when the detach callback ran."""
        bound = self._book.binding(binding, role, by=by)
        self._life.detach_completed(bound, role)
        return self._life.take()

    def cleanup_returned(
        self, binding: BindingHandle, role: Role, *, by: Owner = ANYONE
    ) -> list[Effect]:
        """Take the end of a cleanup callback."""
        self._life.cleaned(self._book.binding(binding, role, by=by), role)
        return self._life.take()

    def lost(self, owner: Owner) -> list[Effect]:
        """Deregister all that a vanished *owner* had; whatever it was doing is taken as done."""
        registrations = self._book.owned(owner)
        for registration in registrations:
            registration.lost = True
        self._life.retire([each for each in registrations if not each.deregistering])
        for registration in registrations:
            for binding in list(registration.bindings.values()):
                self._life.lose(binding, registration.role)
        return self._life.take()

    # Beyond NMR.

    def describe(
        self, registration: RegistrationHandle, characteristics: object, *, by: Owner = ANYONE
    ) -> None:
        """Let those who are to attach see other characteristics; who is bound learns nothing."""
        described = self._book.registration(registration, by=by)
        described.instance = replace(described.instance, characteristics=characteristics)

    # Listing.

    def observe(self, observer: Observer | None) -> None:
        """Tell *observer* of every change from now on; None: nobody."""
        self._book.observer = observer

    @property
    def registration_count(self) -> int:
        """How many registrations there are, those that are leaving included."""
        return self._book.registration_count

    @property
    def binding_count(self) -> int:
        """How many bindings there are, in whatever phase."""
        return self._book.binding_count

    def owned(self, owner: Owner) -> tuple[RegistrationSnapshot, ...]:
        """Picture all registrations of *owner*, in handle order."""
        return tuple(map(RegistrationSnapshot.of, self._book.owned(owner)))

    def clients(self, npi_id: UUID | None = None) -> tuple[RegistrationSnapshot, ...]:
        """Picture every client, or those of one contract, in handle order."""
        return tuple(map(RegistrationSnapshot.of, self._book.registrations(Role.CLIENT, npi_id)))

    def providers(self, npi_id: UUID | None = None) -> tuple[RegistrationSnapshot, ...]:
        """Picture every provider, or those of one contract, in handle order."""
        return tuple(map(RegistrationSnapshot.of, self._book.registrations(Role.PROVIDER, npi_id)))

    def bindings(self) -> tuple[BindingSnapshot, ...]:
        """Picture every binding, in handle order."""
        return tuple(map(BindingSnapshot.of, self._book.bindings()))

    def bindings_of(self, handle: RegistrationHandle) -> tuple[BindingSnapshot, ...]:
        """Picture the bindings of one registration, in the order of their beginning."""
        found = self._book.any_registration(handle).bindings.values()
        return tuple(map(BindingSnapshot.of, found))

    def registration(self, handle: RegistrationHandle) -> RegistrationSnapshot:
        """Picture one registration."""
        return RegistrationSnapshot.of(self._book.any_registration(handle))

    def binding(self, handle: BindingHandle) -> BindingSnapshot:
        """Picture one binding."""
        return BindingSnapshot.of(self._book.any_binding(handle))
