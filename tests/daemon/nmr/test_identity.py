"""Values: what they refuse, what lists show, and what the package offers."""

from collections.abc import Callable
from uuid import UUID

import pytest

import ebpfd.nmr
from ebpfd.nmr import (
    BindingHandle,
    Detach,
    InvalidValueError,
    LateCallError,
    ModuleId,
    ModuleIdKind,
    RegistrationHandle,
    RegistrationInstance,
    Role,
    Stage,
    UnknownHandleError,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, NPI, PROVIDER, desk_at

GUID = UUID(int=1)


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: ModuleId(ModuleIdKind.MIT_GUID, 1), "module_id"),
        (lambda: ModuleId(ModuleIdKind.MIT_IF_LUID, GUID), "module_id"),
        (lambda: ModuleId(ModuleIdKind.MIT_IF_LUID, -1), "module_id"),
        (lambda: ModuleId(ModuleIdKind.MIT_IF_LUID, 1 << 64), "module_id"),
        (lambda: RegistrationInstance(NPI, ModuleId.guid(GUID), -1), "number"),
        (lambda: RegistrationInstance(NPI, ModuleId.guid(GUID), 1 << 32), "number"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(
    build: Callable[[], object], field: str
) -> None:
    """The error names the field."""
    with pytest.raises(InvalidValueError) as caught:
        build()
    assert caught.value.field == field


def test_both_kinds_of_module_id_exist() -> None:
    """A GUID, or the 64 bits of an interface's LUID."""
    assert ModuleId.guid(GUID) == ModuleId(ModuleIdKind.MIT_GUID, GUID)
    assert ModuleId(ModuleIdKind.MIT_IF_LUID, (1 << 64) - 1).value == (1 << 64) - 1


def test_roles_are_each_others_opposite() -> None:
    """There are two."""
    assert (CLIENT.opposite, PROVIDER.opposite) == (PROVIDER, CLIENT)


def test_status_numbers_are_those_of_windows() -> None:
    """They cross the wire unchanged."""
    assert {status.name: status.value for status in NtStatus} == {
        "SUCCESS": 0,
        "PENDING": 0x103,
        "INVALID_PARAMETER": 0xC000000D,
        "NO_MEMORY": 0xC0000017,
        "ACCESS_DENIED": 0xC0000022,
        "INSUFFICIENT_RESOURCES": 0xC000009A,
        "DEVICE_NOT_READY": 0xC00000A3,
        "IO_TIMEOUT": 0xC00000B5,
        "NOT_SUPPORTED": 0xC00000BB,
        "INVALID_DEVICE_STATE": 0xC0000184,
        "NOINTERFACE": 0xC00002B9,
    }


def test_lists_show_what_is_there() -> None:
    """Registrations with their owners and counts, bindings with how far each side has come."""
    desk = desk_at(Stage.PROVIDER_DETACHING)
    registrar = desk.registrar
    (provider,), (client,), (bound,) = (
        registrar.providers(),
        registrar.clients(),
        registrar.bindings(),
    )
    assert (provider.handle, provider.role, provider.owner) == (1, Role.PROVIDER, "p")
    assert (client.handle, client.instance.npi_id) == (2, NPI)
    assert provider.deregistering
    assert (provider.binding_count, client.binding_count) == (1, 1)
    assert (bound.client_detach, bound.provider_detach) == (Detach.PENDING, Detach.CALLED)
    assert registrar.registration(RegistrationHandle(1)) == provider
    assert registrar.binding(BindingHandle(1)) == bound


def test_what_is_gone_or_unknown_has_no_picture() -> None:
    """The two are told apart."""
    registrar = desk_at(Stage.GONE).registrar
    with pytest.raises(LateCallError):
        registrar.registration(RegistrationHandle(1))
    with pytest.raises(UnknownHandleError):
        registrar.binding(BindingHandle(2))


def test_the_package_offers_what_it_says() -> None:
    """``__all__`` has no duplicates, and all of it exists."""
    names = ebpfd.nmr.__all__
    assert len(set(names)) == len(names)
    assert all(hasattr(ebpfd.nmr, name) for name in names)
