"""The register itself: every registration and binding, indexed by whatever the registrar asks for.

Invariant: all indices agree.  Only listings of all walk the whole book, so what one registration
or binding costs does not grow with the number of others.
"""

from collections.abc import Iterable
from itertools import chain
from typing import TypeAlias
from uuid import UUID

from ebpfd.nmr.binding import Binding
from ebpfd.nmr.errors import ForeignHandleError, LateCallError, UnknownHandleError
from ebpfd.nmr.identity import (
    ANYONE,
    BindingHandle,
    ModuleId,
    Owner,
    RegistrationHandle,
    RegistrationInstance,
    Role,
)
from ebpfd.nmr.registration import Registration
from ebpfd.nmr.snapshots import BindingSnapshot, Change, Observer, RegistrationSnapshot

_Name: TypeAlias = tuple[UUID, Role, ModuleId | None]
_ByName: TypeAlias = dict[_Name, dict[RegistrationHandle, Registration]]
"""Providers by their module ids; clients by those that they want, or by ``None`` for any."""

_ByContract: TypeAlias = dict[tuple[UUID, Role], dict[RegistrationHandle, Registration]]


class Book:
    """Holds registrations and bindings, and gives out their handles."""

    def __init__(self) -> None:
        """Open an empty book."""
        self._registrations: dict[RegistrationHandle, Registration] = {}
        self._bindings: dict[BindingHandle, Binding] = {}
        self._live: _ByContract = {}
        self._leaving: _ByContract = {}
        self._named: _ByName = {}
        self._owned: dict[Owner, dict[RegistrationHandle, Registration]] = {}
        self._last_registration = 0
        self._last_binding = 0
        self.observer: Observer | None = None

    def note(self, change: Change, subject: Registration | Binding) -> None:
        """Tell the observer, if there is one, what became of *subject*."""
        if self.observer is None:
            return
        if isinstance(subject, Binding):
            self.observer(change, BindingSnapshot.of(subject))
        else:
            self.observer(change, RegistrationSnapshot.of(subject))

    def enter(
        self,
        role: Role,
        instance: RegistrationInstance,
        *,
        owner: Owner,
        has_cleanup: bool,
        wants: frozenset[ModuleId] | None,
    ) -> Registration:
        """Add a registration that others may bind to from now on."""
        self._last_registration += 1
        handle = RegistrationHandle(self._last_registration)
        registration = Registration(handle, role, instance, owner, has_cleanup, wants)
        self._registrations[handle] = registration
        self._owned.setdefault(owner, {})[handle] = registration
        _add(self._live, registration)
        for name in _names(registration):
            self._named.setdefault(name, {})[handle] = registration
        self.note(Change.ADDED, registration)
        return registration

    def close(self, registration: Registration) -> None:
        """Let nothing bind to *registration* any more."""
        _drop(self._live, registration)
        for name in _names(registration):
            del self._named[name][registration.handle]
            if not self._named[name]:
                del self._named[name]
        _add(self._leaving, registration)

    def strike(self, registration: Registration) -> None:
        """Remove a closed registration."""
        del self._registrations[registration.handle]
        _drop(self._leaving, registration)
        owned = self._owned[registration.owner]
        del owned[registration.handle]
        if not owned:
            del self._owned[registration.owner]
        self.note(Change.GONE, registration)

    def opposites(self, registration: Registration) -> list[Registration]:
        """Return the live registrations that match *registration*, in handle order."""
        npi_id, role = registration.instance.npi_id, registration.role.opposite
        if npi_id is None:
            return []
        if registration.role is Role.PROVIDER:
            wanted: Iterable[ModuleId | None] = (None, registration.instance.module_id)
        elif registration.wants is not None:
            wanted = registration.wants
        else:
            return list(self._live.get((npi_id, role), {}).values())
        found = [each for name in wanted if (each := self._named.get((npi_id, role, name)))]
        if len(found) == 1:
            return list(found[0].values())
        return [each for _, each in sorted(chain.from_iterable(one.items() for one in found))]

    def owned(self, owner: Owner) -> list[Registration]:
        """Return the registrations of *owner*, in handle order."""
        return list(self._owned.get(owner, {}).values())

    def pair(self, client: Registration, provider: Registration) -> Binding:
        """Add the binding of two live registrations."""
        self._last_binding += 1
        binding = Binding(BindingHandle(self._last_binding), client, provider)
        self._bindings[binding.handle] = binding
        client.bindings[provider.handle] = provider.bindings[client.handle] = binding
        self.note(Change.ADDED, binding)
        return binding

    def unpair(self, binding: Binding) -> None:
        """Remove *binding*."""
        del self._bindings[binding.handle]
        del binding.client.bindings[binding.provider.handle]
        del binding.provider.bindings[binding.client.handle]
        self.note(Change.GONE, binding)

    def registration(self, handle: RegistrationHandle, *, by: Owner = ANYONE) -> Registration:
        """Return the registration that *handle* names, if *by* may use it."""
        registration = self._registrations.get(handle)
        if registration is None:
            raise _missing(handle, self._last_registration)
        _check(registration, handle, by)
        return registration

    def binding(self, handle: BindingHandle, role: Role, *, by: Owner = ANYONE) -> Binding:
        """Return the binding that *handle* names, if *by* may speak for its side of *role*."""
        binding = self.any_binding(handle)
        _check(binding.registration(role), handle, by)
        return binding

    def any_binding(self, handle: BindingHandle) -> Binding:
        """Return the binding that *handle* names."""
        binding = self._bindings.get(handle)
        if binding is None:
            raise _missing(handle, self._last_binding)
        return binding

    def any_registration(self, handle: RegistrationHandle) -> Registration:
        """Return the registration that *handle* names, its owner lost or not."""
        registration = self._registrations.get(handle)
        if registration is None:
            raise _missing(handle, self._last_registration)
        return registration

    def registrations(self, role: Role, npi_id: UUID | None = None) -> list[Registration]:
        """Return every registration of *role*, or those of one contract, in handle order."""
        if npi_id is None:
            return [each for each in self._registrations.values() if each.role is role]
        live, leaving = (each.get((npi_id, role), {}) for each in (self._live, self._leaving))
        return (
            [each for _, each in sorted((live | leaving).items())] if leaving else [*live.values()]
        )

    @property
    def registration_count(self) -> int:
        """How many registrations there are, those that are leaving included."""
        return len(self._registrations)

    @property
    def binding_count(self) -> int:
        """How many bindings there are."""
        return len(self._bindings)

    def bindings(self) -> list[Binding]:
        """Return every binding, in handle order."""
        return list(self._bindings.values())


def _add(index: _ByContract, registration: Registration) -> None:
    if registration.instance.npi_id is not None:
        key = registration.instance.npi_id, registration.role
        index.setdefault(key, {})[registration.handle] = registration


def _drop(index: _ByContract, registration: Registration) -> None:
    if registration.instance.npi_id is not None:
        key = registration.instance.npi_id, registration.role
        del index[key][registration.handle]
        if not index[key]:
            del index[key]


def _names(registration: Registration) -> list[_Name]:
    instance = registration.instance
    if instance.npi_id is None:
        return []
    if registration.role is Role.PROVIDER:
        return [(instance.npi_id, Role.PROVIDER, instance.module_id)]
    wants: Iterable[ModuleId | None] = (None,) if registration.wants is None else registration.wants
    return [(instance.npi_id, Role.CLIENT, each) for each in wants]


def _missing(handle: int, last: int) -> LateCallError | UnknownHandleError:
    return LateCallError(handle) if 1 <= handle <= last else UnknownHandleError(handle)


def _check(registration: Registration, handle: int, by: Owner) -> None:
    if by is not ANYONE and by != registration.owner:
        raise ForeignHandleError(handle, by)
    if registration.lost:
        raise LateCallError(handle)
