"""Deregistration: detach, drain, cleanup, and who is told what when."""

import itertools
from uuid import UUID

import pytest

from ebpfd.nmr import BindingHandle, RegistrationHandle, Role, Stage
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, NPI, PROVIDER, Desk, desk_at

DETACH = {CLIENT: "ClientDetachProvider 1 c", PROVIDER: "ProviderDetachClient 1 p"}
CLEANUP = {
    CLIENT: "ClientCleanupBindingContext 1 c",
    PROVIDER: "ProviderCleanupBindingContext 1 p",
}
HANDLE, OWNER = {PROVIDER: 1, CLIENT: 2}, {PROVIDER: "p", CLIENT: "c"}


@pytest.mark.parametrize("role", list(Role))
def test_client_comes_first_in_detach_and_in_cleanup(role: Role) -> None:
    """Whoever deregisters, the order is the same, and SUCCESS comes when all is gone."""
    desk, handle, owner = desk_at(Stage.READY), HANDLE[role], OWNER[role]
    assert desk.deregister(handle) == [DETACH[CLIENT]]
    assert desk.detached(1, CLIENT) == [DETACH[PROVIDER]]
    assert desk.detached(1, PROVIDER) == [CLEANUP[CLIENT]]
    assert desk.cleaned(1, CLIENT) == [CLEANUP[PROVIDER]]
    assert desk.cleaned(1, PROVIDER) == [
        "BindingGone 1",
        f"DeregisterReturned {handle} {owner} SUCCESS",
        f"DeregisterCompleted {handle} {owner}",
    ]
    assert [each.owner for snapshots in desk.picture()[:2] for each in snapshots] == [
        OWNER[role.opposite]
    ]


@pytest.mark.parametrize(
    "slow", [{CLIENT}, {PROVIDER}, {CLIENT, PROVIDER}], ids=lambda s: "+".join(r.value for r in s)
)
def test_cleanup_waits_for_both_sides_to_complete(slow: set[Role]) -> None:
    """PENDING answers the deregistration; the last completion starts the cleanup."""
    desk = desk_at(Stage.READY)
    desk.deregister(1)
    says = {role: NtStatus.PENDING if role in slow else NtStatus.SUCCESS for role in Role}
    desk.detached(1, CLIENT, says[CLIENT])
    assert desk.detached(1, PROVIDER, says[PROVIDER]) == ["DeregisterReturned 1 p PENDING"]
    assert desk.stage(1) is Stage.DRAINING
    completions = [desk.complete(1, role) for role in sorted(slow, key=lambda role: role.value)]
    assert completions == [[]] * (len(slow) - 1) + [[CLEANUP[CLIENT]]]
    desk.cleaned(1, CLIENT)
    assert desk.cleaned(1, PROVIDER) == ["BindingGone 1", "DeregisterCompleted 1 p"]


@pytest.mark.parametrize(("role", "says"), list(itertools.product(Role, [0, NtStatus.PENDING])))
def test_a_completion_that_overtakes_its_callback_is_not_lost(role: Role, says: int) -> None:
    """The binding goes on when the callback returns, whatever that says."""
    desk = desk_at(Stage.READY)
    desk.deregister(1)
    if role is PROVIDER:
        desk.detached(1, CLIENT)
    assert desk.complete(1, role) == []
    said = desk.detached(1, role, says)
    assert said == ([DETACH[PROVIDER]] if role is CLIENT else [CLEANUP[CLIENT]])
    if role is CLIENT:
        assert desk.detached(1, PROVIDER) == [CLEANUP[CLIENT]]


def test_a_client_may_complete_while_the_provider_detaches() -> None:
    """The completion counts, and the provider's callback is still waited for."""
    desk = desk_at(Stage.PROVIDER_DETACHING)
    assert desk.complete(1, CLIENT) == []
    assert desk.detached(1, PROVIDER) == [CLEANUP[CLIENT]]


@pytest.mark.parametrize(
    ("contexts", "cleanups", "steps"),
    [
        ((None, None), (True, True), []),
        (("C", None), (True, True), [DETACH[CLIENT], CLEANUP[CLIENT]]),
        ((None, "P"), (True, True), [DETACH[PROVIDER], CLEANUP[PROVIDER]]),
        (("C", "P"), (False, False), [DETACH[CLIENT], DETACH[PROVIDER]]),
        (("C", "P"), (False, True), [DETACH[CLIENT], DETACH[PROVIDER], CLEANUP[PROVIDER]]),
        (("C", "P"), (True, False), [DETACH[CLIENT], DETACH[PROVIDER], CLEANUP[CLIENT]]),
    ],
)
def test_callbacks_without_a_context_or_a_function_are_skipped(
    contexts: tuple[object, object], cleanups: tuple[bool, bool], steps: list[str]
) -> None:
    """A skipped detach counts as SUCCESS, a skipped cleanup as returned."""
    desk = Desk()
    desk.register(PROVIDER, "p", has_cleanup=cleanups[1])
    desk.register(CLIENT, "c", has_cleanup=cleanups[0])
    desk.bind(1, *contexts)
    told, seen = desk.deregister(1), list[str]()
    while len(told) == 1:
        seen += told
        role = CLIENT if told[0].startswith("Client") else PROVIDER
        told = desk.detached(1, role) if "Detach" in told[0] else desk.cleaned(1, role)
    assert seen == steps
    assert told[1] == "DeregisterReturned 1 p SUCCESS"


@pytest.mark.parametrize("npi_id", [NPI, None])
def test_deregistering_without_bindings_succeeds_at_once(npi_id: UUID | None) -> None:
    """Nothing to part from, nothing to wait for."""
    desk = Desk()
    desk.register(CLIENT, "c", npi_id=npi_id)
    assert desk.deregister(1) == ["DeregisterReturned 1 c SUCCESS", "DeregisterCompleted 1 c"]
    assert desk.picture() == ((), (), ())


def test_a_deregistration_is_answered_when_all_its_detach_callbacks_have_returned() -> None:
    """One slow binding makes it PENDING, but only after the others' callbacks."""
    desk = Desk()
    for role in (PROVIDER, CLIENT, CLIENT):
        desk.register(role, "m")
    for binding in (1, 2):
        desk.bind(binding)
    assert desk.deregister(1) == ["ClientDetachProvider 1 m", "ClientDetachProvider 2 m"]
    desk.detached(1, CLIENT, NtStatus.PENDING)
    assert desk.detached(1, PROVIDER) == []
    desk.detached(2, CLIENT)
    desk.detached(2, PROVIDER)
    desk.cleaned(2, CLIENT)
    assert desk.cleaned(2, PROVIDER) == ["BindingGone 2", "DeregisterReturned 1 m PENDING"]
    desk.complete(1, CLIENT)
    desk.cleaned(1, CLIENT)
    assert desk.cleaned(1, PROVIDER) == ["BindingGone 1", "DeregisterCompleted 1 m"]


def test_deregistration_leaves_other_bindings_alone() -> None:
    """Only the bindings of who leaves are parted."""
    desk = Desk()
    for role in (PROVIDER, PROVIDER, CLIENT):
        desk.register(role, "m")
    for binding in (1, 2):
        desk.bind(binding)
    assert desk.deregister(1) == ["ClientDetachProvider 1 m"]
    assert desk.stage(2) is Stage.READY


@pytest.mark.parametrize("first", list(Role))
@pytest.mark.parametrize(
    "stage",
    [
        Stage.READY,
        Stage.CLIENT_ATTACHING,
        Stage.PROVIDER_ATTACHING,
        Stage.DESERTED,
        Stage.ANSWERED,
    ],
)
def test_the_second_of_two_deregistrations_finds_it_unbinding_already(
    first: Role, stage: Stage
) -> None:
    """It is PENDING at once, causes no second detach, and completes with the binding."""
    desk, second = desk_at(stage), first.opposite
    desk.deregister(HANDLE[first])
    told = desk.deregister(HANDLE[second])
    assert told == [f"DeregisterReturned {HANDLE[second]} {OWNER[second]} PENDING"]
    assert desk.registrar.wait(RegistrationHandle(HANDLE[second])) == NtStatus.PENDING


def test_both_deregistrations_complete_with_the_last_binding() -> None:
    """The first is answered SUCCESS, and both are told, client first."""
    desk = desk_at(Stage.PROVIDER_CLEANUP)
    assert desk.cleaned(1, PROVIDER) == [
        "BindingGone 1",
        "DeregisterCompleted 2 c",
        "DeregisterCompleted 1 p",
    ]
    assert desk.picture() == ((), (), ())


@pytest.mark.parametrize("role", list(Role))
def test_a_deregistration_during_attach_waits_for_its_end(role: Role) -> None:
    """The attach goes on; when it has succeeded the detach begins."""
    desk = desk_at(Stage.CLIENT_ATTACHING)
    assert desk.deregister(HANDLE[role]) == []
    assert desk.nest(1) == ["ProviderAttachClient 1 p"]
    assert desk.answer(1) == ["ClientAttachProviderReturned 1 c SUCCESS"]
    told = desk.attached(1)
    assert told == ["BindingReady 1", "RegisterReturned 2 c SUCCESS", DETACH[CLIENT]]


@pytest.mark.parametrize("role", list(Role))
def test_a_deregistration_during_an_attach_that_fails_succeeds(role: Role) -> None:
    """There is nothing to detach, so the answer is SUCCESS, after that of the registration."""
    desk, handle, owner = desk_at(Stage.CLIENT_ATTACHING), HANDLE[role], OWNER[role]
    desk.deregister(handle)
    assert desk.attached(1, NtStatus.NOINTERFACE) == [
        "BindingGone 1",
        "RegisterReturned 2 c SUCCESS",
        f"DeregisterReturned {handle} {owner} SUCCESS",
        f"DeregisterCompleted {handle} {owner}",
    ]


def test_deregistration_withdraws_what_is_queued() -> None:
    """No attach begins for a registration that leaves, and the queue goes on without it."""
    desk = Desk()
    for owner in ("a", "b", "d"):
        desk.register(PROVIDER, owner)
    desk.register(CLIENT, "c")
    assert desk.stage(2) is Stage.QUEUED
    assert desk.deregister(2) == [
        "BindingGone 2",
        "DeregisterReturned 2 b SUCCESS",
        "DeregisterCompleted 2 b",
    ]
    assert desk.attached(1, NtStatus.NOINTERFACE) == ["BindingGone 1", "ClientAttachProvider 3 c"]
    assert desk.deregister(4) == []
    assert "RegisterReturned 4 c SUCCESS" in desk.attached(3, NtStatus.NOINTERFACE)


@pytest.mark.parametrize("role", list(Role))
def test_nothing_binds_to_a_deregistering_registration(role: Role) -> None:
    """A newcomer does not meet it."""
    desk = desk_at(Stage.READY)
    desk.deregister(HANDLE[role])
    assert desk.register(role.opposite, "new")[1] == ["RegisterReturned 3 new SUCCESS"]


def test_wait_tells_before_from_during_from_after() -> None:
    """INVALID_PARAMETER before deregister and for made-up handles, then PENDING, then SUCCESS."""
    desk, handle = desk_at(Stage.READY), RegistrationHandle(1)
    registrar = desk.registrar
    assert registrar.wait(handle) == NtStatus.INVALID_PARAMETER
    assert registrar.wait(RegistrationHandle(9)) == NtStatus.INVALID_PARAMETER
    desk.deregister(1)
    assert registrar.wait(handle) == NtStatus.PENDING
    assert registrar.wait(handle, by="c") == NtStatus.INVALID_PARAMETER
    desk.detached(1, CLIENT)
    desk.detached(1, PROVIDER)
    desk.cleaned(1, CLIENT)
    desk.cleaned(1, PROVIDER)
    assert registrar.wait(handle) == NtStatus.SUCCESS


def test_handles_are_never_reused() -> None:
    """What comes later is numbered higher."""
    desk = desk_at(Stage.GONE)
    assert desk.register(PROVIDER, "p")[0] == RegistrationHandle(3)
    desk.register(CLIENT, "c")
    assert [each.handle for each in desk.registrar.bindings()] == [BindingHandle(2)]
