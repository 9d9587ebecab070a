"""Registration and attach: who meets whom, in what order, and what a refusal costs."""

from uuid import UUID

import pytest

from ebpfd.nmr import (
    BindingHandle,
    ClientAttachProvider,
    ClientAttachProviderReturned,
    InvalidValueError,
    ModuleId,
    ProviderAttachClient,
    Registrar,
    RegistrarError,
    RegistrationHandle,
    Stage,
)
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, NPI, OTHER_NPI, PROVIDER, Desk, desk_at, instance

DECLINES = [NtStatus.NOINTERFACE, NtStatus.ACCESS_DENIED, NtStatus.PENDING, 0xC0000001]


def test_attach_exchanges_instances_contexts_and_dispatches() -> None:
    """Each side sees the other's registration, context and dispatch, and both the same handle."""
    registrar = Registrar()
    provided, wanted = instance(module=5), instance(module=6)
    provider, _ = registrar.register(PROVIDER, provided, owner="p")
    client, effects = registrar.register(CLIENT, wanted, owner="c")
    binding = BindingHandle(1)
    assert effects == [ClientAttachProvider(binding, client, "c", provided)]
    effects = registrar.client_attach_provider(binding, "C", "cd")
    assert effects == [ProviderAttachClient(binding, provider, "p", wanted, "C", "cd")]
    effects = registrar.provider_attach_returned(binding, NtStatus.SUCCESS, "P", "pd")
    assert effects == [ClientAttachProviderReturned(binding, "c", NtStatus.SUCCESS, "P", "pd")]
    registrar.client_attach_returned(binding, NtStatus.SUCCESS)
    bound = registrar.binding(binding)
    assert (bound.client, bound.provider, bound.stage) == (client, provider, Stage.READY)
    assert (bound.client_context, bound.client_dispatch) == ("C", "cd")
    assert (bound.provider_context, bound.provider_dispatch) == ("P", "pd")


def test_whoever_attaches_later_sees_what_a_module_says_of_itself_now() -> None:
    """Beyond NMR; who is not its owner may say nothing."""
    registrar = Registrar()
    client, _ = registrar.register(CLIENT, instance(module=6), owner="c")
    with pytest.raises(RegistrarError):
        registrar.describe(client, b"theirs", by="p")
    registrar.describe(client, b"new", by="c")
    registrar.register(PROVIDER, instance(module=5), owner="p")
    (asked,) = registrar.client_attach_provider(BindingHandle(1), "C", "cd")
    assert isinstance(asked, ProviderAttachClient)
    assert asked.client_instance.characteristics == b"new"


def test_register_answers_when_its_attaches_have_ended() -> None:
    """The answer comes with the end of the last attach, after the binding is ready."""
    desk = Desk()
    assert desk.register(PROVIDER, "p") == (1, ["RegisterReturned 1 p SUCCESS"])
    assert desk.register(CLIENT, "c") == (2, ["ClientAttachProvider 1 c"])
    assert desk.nest(1) == ["ProviderAttachClient 1 p"]
    assert desk.answer(1) == ["ClientAttachProviderReturned 1 c SUCCESS"]
    assert desk.attached(1) == ["BindingReady 1", "RegisterReturned 2 c SUCCESS"]


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [(NPI, NPI, True), (NPI, OTHER_NPI, False), (NPI, None, False), (None, None, False)],
)
@pytest.mark.parametrize("role", [CLIENT, PROVIDER])
def test_only_equal_contract_ids_meet(
    one: UUID | None, other: UUID | None, *, meets: bool, role: object
) -> None:
    """Two modules meet when their contract is the same one; no contract equals nothing."""
    desk, first = Desk(), CLIENT if role is PROVIDER else PROVIDER
    desk.register(first, "first", npi_id=one)
    desk.register(first.opposite, "second", npi_id=other)
    assert len(desk.registrar.bindings()) == meets


@pytest.mark.parametrize("wants", [None, (), (1,), (2,), (1, 3), (2, 1)])
@pytest.mark.parametrize("client_first", [True, False])
def test_a_client_meets_whom_it_wants(wants: tuple[int, ...] | None, client_first: bool) -> None:
    """Whoever came first, in handle order; whom it does not want it is not asked about."""
    registrar = Registrar()
    ids = None if wants is None else frozenset(ModuleId.guid(UUID(int=each)) for each in wants)

    def client() -> RegistrationHandle:
        return registrar.register(CLIENT, instance(module=9), owner="c", wants=ids)[0]

    first = [client()] if client_first else []
    providers = {
        module: registrar.register(PROVIDER, instance(module=module), owner="p")[0]
        for module in (1, 2, 3)
    }
    (handle,) = first or [client()]
    met = [each.provider for each in registrar.bindings() if each.client == handle]
    assert met == [providers[each] for each in providers if wants is None or each in wants]
    registrar.deregister(handle)
    late = registrar.register(PROVIDER, instance(module=1), owner="p")[0]
    assert registrar.registration(late).binding_count == 0


def test_a_provider_takes_whoever_comes() -> None:
    """It has nothing to want."""
    with pytest.raises(InvalidValueError, match="wants"):
        Registrar().register(PROVIDER, instance(), owner="p", wants=frozenset())


def test_two_of_one_role_never_meet() -> None:
    """Clients meet providers only."""
    desk = Desk()
    for role in (CLIENT, CLIENT):
        desk.register(role, "m")
    assert desk.registrar.bindings() == ()


@pytest.mark.parametrize("role", [CLIENT, PROVIDER])
def test_queued_attaches_run_one_after_the_other_in_handle_order(role: object) -> None:
    """The next begins when the one before has ended, whatever its end."""
    desk, last = Desk(), CLIENT if role is CLIENT else PROVIDER
    for name in ("a", "b", "c"):
        desk.register(last.opposite, name)
    owners = ["z"] * 3 if last is CLIENT else ["a", "b", "c"]
    assert desk.register(last, "z")[1] == [f"ClientAttachProvider 1 {owners[0]}"]
    assert [each.stage for each in desk.registrar.bindings()][1:] == [Stage.QUEUED] * 2
    declined = desk.attached(1, NtStatus.NOINTERFACE)
    assert declined == ["BindingGone 1", f"ClientAttachProvider 2 {owners[1]}"]
    assert desk.bind(2) == ["BindingReady 2", f"ClientAttachProvider 3 {owners[2]}"]
    assert desk.bind(3) == ["BindingReady 3", "RegisterReturned 4 z SUCCESS"]


def test_many_bind_to_many_once_each() -> None:
    """Every client gets every provider, and each pair one binding."""
    desk = Desk()
    for role in (CLIENT, PROVIDER, PROVIDER, CLIENT):
        desk.register(role, "m")
        for bound in desk.registrar.bindings():
            if bound.stage is not Stage.READY:
                desk.bind(bound.handle)
    pairs = [(each.client, each.provider) for each in desk.registrar.bindings()]
    assert pairs == [(1, 2), (1, 3), (4, 2), (4, 3)]


def test_attaches_of_different_register_calls_overlap() -> None:
    """Only the attaches of one call wait for each other."""
    desk = Desk()
    desk.register(CLIENT, "c")
    assert desk.register(PROVIDER, "p")[1] == ["ClientAttachProvider 1 c"]
    assert desk.register(PROVIDER, "q")[1] == ["ClientAttachProvider 2 c"]


@pytest.mark.parametrize("status", DECLINES)
def test_a_declining_client_costs_nothing(status: int) -> None:
    """Nothing but SUCCESS is a yes, and the registration succeeds all the same."""
    desk = desk_at(Stage.CLIENT_ATTACHING)
    assert desk.attached(1, status) == ["BindingGone 1", "RegisterReturned 2 c SUCCESS"]
    assert [each.binding_count for each in desk.picture()[0] + desk.picture()[1]] == [0, 0]


@pytest.mark.parametrize("status", DECLINES)
@pytest.mark.parametrize("client_says", [NtStatus.SUCCESS, NtStatus.NOINTERFACE])
def test_a_declining_provider_gives_nothing_and_wins_over_the_client(
    status: int, client_says: int
) -> None:
    """What it returned beside a refusal is dropped; the client's recorded context is cleaned up."""
    desk = desk_at(Stage.PROVIDER_ATTACHING)
    effects = desk.registrar.provider_attach_returned(BindingHandle(1), status, "P", "pd")
    assert effects == [ClientAttachProviderReturned(BindingHandle(1), "c", status, None, None)]
    assert desk.attached(1, client_says) == ["ClientCleanupBindingContext 1 c"]
    assert desk.cleaned(1, CLIENT) == ["BindingGone 1", "RegisterReturned 2 c SUCCESS"]


def test_success_without_the_nested_call_is_a_refusal() -> None:
    """A client cannot bind alone."""
    desk = desk_at(Stage.CLIENT_ATTACHING)
    assert desk.attached(1) == ["BindingGone 1", "RegisterReturned 2 c SUCCESS"]


def test_a_client_that_fails_after_the_provider_agreed_cleans_up_both() -> None:
    """As in usersim: both contexts are freed, client first, and no detach callback runs."""
    desk = desk_at(Stage.ANSWERED)
    assert desk.attached(1, NtStatus.NO_MEMORY) == ["ClientCleanupBindingContext 1 c"]
    assert desk.cleaned(1, CLIENT) == ["ProviderCleanupBindingContext 1 p"]
    assert desk.cleaned(1, PROVIDER) == ["BindingGone 1", "RegisterReturned 2 c SUCCESS"]


@pytest.mark.parametrize("status", [NtStatus.SUCCESS, NtStatus.NOINTERFACE])
def test_a_client_that_does_not_wait_for_the_answer_has_refused(status: int) -> None:
    """The provider's callback is waited for, its context freed, and no answer is sent."""
    desk = desk_at(Stage.PROVIDER_ATTACHING)
    assert desk.attached(1, status) == []
    assert desk.stage(1) is Stage.DESERTED
    assert desk.answer(1) == ["ClientCleanupBindingContext 1 c"]
    assert desk.cleaned(1, CLIENT) == ["ProviderCleanupBindingContext 1 p"]


@pytest.mark.parametrize(
    ("client_context", "has_cleanup", "cleanup"),
    [("C", True, True), ("C", False, False), (None, True, False)],
)
def test_a_failed_attach_cleans_up_only_what_is_there(
    client_context: object, *, has_cleanup: bool, cleanup: bool
) -> None:
    """Without a context, or without the callback, nothing is called."""
    desk = Desk()
    desk.register(PROVIDER, "p")
    desk.register(CLIENT, "c", has_cleanup=has_cleanup)
    desk.nest(1, client_context)
    desk.answer(1, NtStatus.NOINTERFACE)
    called = desk.attached(1, NtStatus.NOINTERFACE)
    assert ("ClientCleanupBindingContext 1 c" in called) == cleanup
    assert ("BindingGone 1" in called) != cleanup
