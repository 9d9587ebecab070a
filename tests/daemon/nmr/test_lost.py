"""A process vanishes: its peers are parted from it in order, and nothing of it is called."""

from collections.abc import Callable

import pytest

from ebpfd.nmr import BindingHandle, LateCallError, RegistrationHandle, Role, Stage
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, PROVIDER, Desk, desk_at

LIVE_STAGES = [stage for stage in Stage if stage not in (Stage.QUEUED, Stage.GONE)]
ATTACH_REFUSED = "ClientAttachProviderReturned 1 c DEVICE_NOT_READY"
CLIENT_DETACH, PROVIDER_DETACH = "ClientDetachProvider 1 c", "ProviderDetachClient 1 p"
CLIENT_CLEANUP = "ClientCleanupBindingContext 1 c"
PROVIDER_CLEANUP = "ProviderCleanupBindingContext 1 p"


def _play(desk: Desk, told: list[str]) -> list[str]:
    """Let every callback of the survivor succeed, and return all that was said until the end."""
    said = list(told)
    while said and (step := _next(desk, said[-1])) is not None:
        said += step
    return said


def _next(desk: Desk, word: str) -> list[str] | None:
    role = CLIENT if word.startswith("Client") else PROVIDER
    if word.startswith("ClientAttachProviderReturned"):
        return desk.attached(1, NtStatus.DEVICE_NOT_READY)
    if "Detach" in word:
        return desk.detached(1, role)
    return desk.cleaned(1, role) if "Cleanup" in word else None


def _callbacks(said: list[str]) -> list[str]:
    return [word for word in said if word.startswith(("Client", "Provider"))]


@pytest.mark.parametrize(
    ("stage", "survivor_runs"),
    [
        (Stage.CLIENT_ATTACHING, []),
        (Stage.ANSWERED, [PROVIDER_DETACH, PROVIDER_CLEANUP]),
        (Stage.READY, [PROVIDER_DETACH, PROVIDER_CLEANUP]),
        (Stage.CLIENT_DETACHING, [PROVIDER_DETACH, PROVIDER_CLEANUP]),
        (Stage.CLIENT_CLEANUP, [PROVIDER_CLEANUP]),
    ],
)
def test_the_provider_of_a_lost_client_gets_what_is_left(
    stage: Stage, survivor_runs: list[str]
) -> None:
    """Detach if it had agreed and was not detached yet, cleanup if it had a context; then gone."""
    desk = desk_at(stage)
    said = _play(desk, desk.lost("c"))
    assert _callbacks(said) == survivor_runs
    assert "DeregisterCompleted 2 c" in said
    assert desk.picture()[::2] == ((), ())


@pytest.mark.parametrize(
    ("stage", "survivor_runs"),
    [
        (Stage.PROVIDER_ATTACHING, [ATTACH_REFUSED, CLIENT_CLEANUP]),
        (Stage.DESERTED, [CLIENT_CLEANUP]),
        (Stage.READY, [CLIENT_DETACH, CLIENT_CLEANUP]),
        (Stage.PROVIDER_DETACHING, []),
        (Stage.PROVIDER_CLEANUP, []),
    ],
)
def test_the_client_of_a_lost_provider_gets_what_is_left(
    stage: Stage, survivor_runs: list[str]
) -> None:
    """The same from the other side; a client that waits for the provider is answered."""
    desk = desk_at(stage)
    said = _play(desk, desk.lost("p"))
    if stage is Stage.PROVIDER_DETACHING:
        # The client's own detach is still pending.
        said = _play(desk, desk.complete(1, CLIENT))
        survivor_runs = [CLIENT_CLEANUP]
    assert _callbacks(said) == survivor_runs
    assert "DeregisterCompleted 1 p" in said
    assert desk.picture()[1:] == ((), ())


@pytest.mark.parametrize(
    ("stage", "owner"),
    [
        (Stage.CLIENT_ATTACHING, "p"),
        (Stage.PROVIDER_ATTACHING, "c"),
        (Stage.DESERTED, "c"),
        (Stage.ANSWERED, "p"),
        (Stage.CLIENT_DETACHING, "p"),
        (Stage.PROVIDER_DETACHING, "c"),
        (Stage.DRAINING, "c"),
        (Stage.DRAINING, "p"),
        (Stage.CLIENT_CLEANUP, "p"),
        (Stage.PROVIDER_CLEANUP, "c"),
    ],
)
def test_a_survivor_that_is_busy_is_waited_for(stage: Stage, owner: str) -> None:
    """What it runs ends in its own time, and nothing is called meanwhile."""
    desk = desk_at(stage)
    assert _callbacks(desk.lost(owner)) == []
    assert len(desk.registrar.bindings()) == 1
    assert desk.stage(1) is (Stage.DESERTED if stage is Stage.PROVIDER_ATTACHING else stage)


@pytest.mark.parametrize(
    ("status", "runs"),
    [
        (NtStatus.SUCCESS, [PROVIDER_DETACH, PROVIDER_CLEANUP]),
        (NtStatus.NOINTERFACE, []),
    ],
)
def test_a_provider_that_agrees_to_a_lost_client_is_detached(
    status: NtStatus, runs: list[str]
) -> None:
    """What it began on its yes it can end in its detach callback; after a no there is nothing."""
    desk = desk_at(Stage.PROVIDER_ATTACHING)
    assert desk.lost("c") == []
    said = _play(desk, desk.answer(1, status))
    assert _callbacks(said) == runs
    assert said[-1] == "DeregisterCompleted 2 c"
    assert "RegisterReturned 2 c SUCCESS" in said


def test_a_client_lost_after_a_refusal_leaves_nothing_to_do() -> None:
    """The provider declined, so it has nothing to detach."""
    desk = desk_at(Stage.PROVIDER_ATTACHING)
    desk.answer(1, NtStatus.NOINTERFACE)
    assert _callbacks(desk.lost("c")) == []
    assert desk.registrar.bindings() == ()


def test_a_client_that_calls_a_lost_provider_is_refused() -> None:
    """Its nested call is answered at once, and its context cleaned up."""
    desk = desk_at(Stage.CLIENT_ATTACHING)
    assert desk.lost("p") == []
    assert desk.nest(1) == [ATTACH_REFUSED]
    assert desk.attached(1) == [CLIENT_CLEANUP]
    assert "DeregisterCompleted 1 p" in desk.cleaned(1, CLIENT)


def test_a_client_is_detached_from_a_provider_lost_after_it_agreed() -> None:
    """The attach ends well and the detach follows."""
    desk = desk_at(Stage.ANSWERED)
    assert desk.lost("p") == []
    assert desk.attached(1) == ["BindingReady 1", "RegisterReturned 2 c SUCCESS", CLIENT_DETACH]


def test_a_completion_that_overtook_its_callback_counts_when_the_callback_is_lost() -> None:
    """The side is done either way."""
    desk = desk_at(Stage.CLIENT_DETACHING)
    desk.complete(1, CLIENT)
    assert desk.lost("c") == [PROVIDER_DETACH]


@pytest.mark.parametrize("order", [(CLIENT, PROVIDER), (PROVIDER, CLIENT)])
@pytest.mark.parametrize("stage", LIVE_STAGES)
def test_an_owner_of_both_sides_is_lost_without_a_call(
    stage: Stage, order: tuple[Role, Role]
) -> None:
    """Whatever ran, all is gone at once, and every question is answered."""
    desk = Desk()
    for role in order:
        desk.register(role, "both")
    client, provider = (order.index(role) + 1 for role in (CLIENT, PROVIDER))
    steps: list[Callable[[], object]] = [
        lambda: desk.nest(1),
        lambda: desk.attached(1, NtStatus.NOINTERFACE) if stage is Stage.DESERTED else None,
        lambda: desk.answer(1),
        lambda: desk.attached(1),
        lambda: desk.deregister(client),
        lambda: desk.detached(1, CLIENT, NtStatus.PENDING),
        lambda: desk.detached(1, PROVIDER),
        lambda: desk.complete(1, CLIENT),
        lambda: desk.cleaned(1, CLIENT),
    ]
    for step in steps:
        if desk.stage(1) is not stage:
            step()
    assert desk.stage(1) is stage
    said = desk.lost("both")
    assert _callbacks(said) == []
    assert {f"DeregisterCompleted {handle} both" for handle in (client, provider)} < set(said)
    assert desk.picture() == ((), (), ())


def test_all_that_an_owner_had_is_withdrawn_before_anything_begins() -> None:
    """The end of one attach does not begin another for the same lost owner."""
    desk = Desk()
    for owner in ("lost", "lost", "lives"):
        desk.register(PROVIDER, owner)
    desk.register(CLIENT, "c")
    desk.nest(1)
    assert desk.lost("lost") == [
        "BindingGone 2",
        "DeregisterCompleted 2 lost",
        "ClientAttachProviderReturned 1 c DEVICE_NOT_READY",
    ]
    assert desk.attached(1) == ["ClientCleanupBindingContext 1 c"]
    assert "ClientAttachProvider 3 c" in desk.cleaned(1, CLIENT)


def test_a_deregistration_that_was_under_way_is_answered() -> None:
    """Whoever waits for the answer is released, though nobody may be left to hear it."""
    desk = desk_at(Stage.READY)
    desk.deregister(1)
    said = desk.lost("p")
    assert said == []
    assert _play(desk, desk.detached(1, CLIENT))[-2:] == [
        "DeregisterReturned 1 p SUCCESS",
        "DeregisterCompleted 1 p",
    ]


def test_what_a_lost_owner_still_says_is_late() -> None:
    """Its calls and completions can be told from mistakes, and change nothing."""
    desk = desk_at(Stage.READY)
    registrar, binding = desk.registrar, BindingHandle(1)
    desk.lost("c")
    before = desk.picture()
    calls: list[Callable[[], object]] = [
        lambda: registrar.client_attach_provider(binding, None, None),
        lambda: registrar.client_attach_returned(binding, NtStatus.SUCCESS),
        lambda: registrar.detach_returned(binding, CLIENT, NtStatus.SUCCESS),
        lambda: registrar.detach_complete(binding, CLIENT),
        lambda: registrar.cleanup_returned(binding, CLIENT),
        lambda: registrar.deregister(RegistrationHandle(2)),
    ]
    for call in calls:
        with pytest.raises(LateCallError) as caught:
            call()
        assert caught.value.handle in (1, 2)
    assert desk.picture() == before


def test_an_unknown_owner_loses_nothing() -> None:
    """A process that never registered may vanish too."""
    assert Desk().lost("nobody") == []


def test_the_same_owner_may_begin_again() -> None:
    """What is lost is what was registered, not the name."""
    desk = desk_at(Stage.READY)
    desk.lost("p")
    assert desk.register(PROVIDER, "p")[1] == ["ClientAttachProvider 2 c"]


def test_the_next_attach_does_not_wait_for_the_detach_of_a_lost_client() -> None:
    """The attach of the lost one has ended, so the queue goes on at once."""
    desk = Desk()
    desk.register(CLIENT, "lost")
    desk.register(CLIENT, "c")
    desk.register(PROVIDER, "p")
    desk.nest(1)
    desk.answer(1)
    assert desk.lost("lost") == ["ClientAttachProvider 2 c", PROVIDER_DETACH]
