"""Refused calls: who is to blame is in the type, and nothing has changed."""

from collections.abc import Callable

import pytest

from ebpfd.nmr import (
    BindingHandle,
    Effect,
    ForeignHandleError,
    InvalidValueError,
    LateCallError,
    OutOfTurnError,
    Registrar,
    RegistrarError,
    RegistrationHandle,
    Stage,
    UnknownHandleError,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, PROVIDER, Desk, desk_at

Call = Callable[[Registrar, BindingHandle, str], list[Effect]]

CALLS: dict[str, tuple[Call, str, set[Stage]]] = {
    "client_attach_provider": (
        lambda registrar, binding, by: registrar.client_attach_provider(binding, 1, 2, by=by),
        "c",
        {Stage.CLIENT_ATTACHING},
    ),
    "client_attach_returned": (
        lambda registrar, binding, by: registrar.client_attach_returned(binding, 0, by=by),
        "c",
        {Stage.CLIENT_ATTACHING, Stage.PROVIDER_ATTACHING, Stage.ANSWERED},
    ),
    "provider_attach_returned": (
        lambda registrar, binding, by: registrar.provider_attach_returned(binding, 0, by=by),
        "p",
        {Stage.PROVIDER_ATTACHING, Stage.DESERTED},
    ),
    "client_detach_returned": (
        lambda registrar, binding, by: registrar.detach_returned(binding, CLIENT, 0, by=by),
        "c",
        {Stage.CLIENT_DETACHING},
    ),
    "provider_detach_returned": (
        lambda registrar, binding, by: registrar.detach_returned(binding, PROVIDER, 0, by=by),
        "p",
        {Stage.PROVIDER_DETACHING},
    ),
    "client_detach_complete": (
        lambda registrar, binding, by: registrar.detach_complete(binding, CLIENT, by=by),
        "c",
        {Stage.CLIENT_DETACHING, Stage.PROVIDER_DETACHING, Stage.DRAINING},
    ),
    "provider_detach_complete": (
        lambda registrar, binding, by: registrar.detach_complete(binding, PROVIDER, by=by),
        "p",
        {Stage.PROVIDER_DETACHING, Stage.DRAINING},
    ),
    "client_cleanup_returned": (
        lambda registrar, binding, by: registrar.cleanup_returned(binding, CLIENT, by=by),
        "c",
        {Stage.CLIENT_CLEANUP},
    ),
    "provider_cleanup_returned": (
        lambda registrar, binding, by: registrar.cleanup_returned(binding, PROVIDER, by=by),
        "p",
        {Stage.PROVIDER_CLEANUP},
    ),
}


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.QUEUED])
@pytest.mark.parametrize("name", CALLS)
def test_a_report_is_taken_only_in_its_stage(name: str, stage: Stage) -> None:
    """Anywhere else it is out of turn, or late when all is gone, and changes nothing."""
    call, owner, legal = CALLS[name]
    desk = desk_at(stage)
    before = desk.picture()
    if stage in legal:
        call(desk.registrar, BindingHandle(1), owner)
        assert desk.picture() != before
        return
    refusal = LateCallError if stage is Stage.GONE else OutOfTurnError
    with pytest.raises(refusal, match="handle 1"):
        call(desk.registrar, BindingHandle(1), owner)
    assert desk.picture() == before


@pytest.mark.parametrize("name", CALLS)
def test_nothing_may_be_reported_of_a_queued_binding(name: str) -> None:
    """Its modules have not been asked yet."""
    desk = Desk()
    for role in (PROVIDER, PROVIDER, CLIENT):
        desk.register(role, "m")
    with pytest.raises(OutOfTurnError):
        CALLS[name][0](desk.registrar, BindingHandle(2), "m")


@pytest.mark.parametrize("name", CALLS)
def test_only_the_side_that_was_asked_may_report(name: str) -> None:
    """Neither the peer nor a stranger can speak for it."""
    call, owner, legal = CALLS[name]
    desk = desk_at(next(stage for stage in Stage if stage in legal))
    before = desk.picture()
    for caller in {"c", "p", "stranger"} - {owner}:
        with pytest.raises(ForeignHandleError) as caught:
            call(desk.registrar, BindingHandle(1), caller)
        assert (caught.value.handle, caught.value.caller) == (1, caller)
    assert desk.picture() == before


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("handle", [-1, 0, 2])
def test_a_made_up_binding_is_unknown(name: str, handle: int) -> None:
    """It was never given out, so the caller is to blame."""
    desk = desk_at(Stage.READY)
    with pytest.raises(UnknownHandleError) as caught:
        CALLS[name][0](desk.registrar, BindingHandle(handle), "c")
    assert caught.value.handle == handle


def test_deregister_refuses_what_is_not_registered_by_the_caller() -> None:
    """Twice, unknown, foreign and late are told apart, and change nothing."""
    desk = desk_at(Stage.READY)
    registrar, handle = desk.registrar, RegistrationHandle(1)
    with pytest.raises(ForeignHandleError):
        registrar.deregister(handle, by="c")
    registrar.deregister(handle, by="p")
    before = desk.picture()
    with pytest.raises(OutOfTurnError) as caught:
        registrar.deregister(handle, by="p")
    assert (caught.value.handle, caught.value.state) == (1, "DEREGISTERING")
    with pytest.raises(UnknownHandleError):
        registrar.deregister(RegistrationHandle(3))
    assert desk.picture() == before
    with pytest.raises(LateCallError):
        desk_at(Stage.GONE).deregister(1)


@pytest.mark.parametrize("status", [NtStatus.NOINTERFACE, 1, 0xC0000001])
def test_a_detach_callback_returns_success_or_pending(status: int) -> None:
    """Anything else is no answer; the callback is still to be reported."""
    desk = desk_at(Stage.CLIENT_DETACHING)
    with pytest.raises(InvalidValueError, match="status cannot be") as caught:
        desk.registrar.detach_returned(BindingHandle(1), CLIENT, status)
    assert (caught.value.field, caught.value.value) == ("status", status)
    assert desk.stage(1) is Stage.CLIENT_DETACHING


def test_a_second_nested_call_is_refused() -> None:
    """A client asks its provider once per attach, whatever the answer was."""
    desk = desk_at(Stage.PROVIDER_ATTACHING)
    desk.answer(1, NtStatus.NOINTERFACE)
    with pytest.raises(OutOfTurnError, match="NEST cannot follow ANSWERED"):
        desk.nest(1, "another")
    assert desk.registrar.binding(BindingHandle(1)).client_context == "C"


def test_every_error_has_a_status_for_the_caller() -> None:
    """Whoever understands only status codes gets one."""
    assert RegistrarError.status == NtStatus.INVALID_PARAMETER
    assert OutOfTurnError.status == NtStatus.INVALID_DEVICE_STATE
