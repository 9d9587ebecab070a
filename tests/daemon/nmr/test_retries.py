"""Beyond NMR: a pair that failed because the client was bound elsewhere is offered again."""

from ebpfd.nmr import Stage
from ebpfd_api.ntstatus import NtStatus
from tests.daemon.nmr.harness import CLIENT, PROVIDER, Desk

DECLINE = NtStatus.NOINTERFACE


def _desk(*providers: str) -> Desk:
    """Return a client 1 of 'c' that is bound to the first provider and has declined the others."""
    desk = Desk()
    desk.register(CLIENT, "c")
    for binding, owner in enumerate(providers, 1):
        desk.register(PROVIDER, owner)
        if binding == 1:
            desk.bind(binding)
        else:
            desk.attached(binding, DECLINE)
    return desk


def _end(desk: Desk, binding: int, provider: int) -> list[str]:
    """Deregister *provider* and return what the end of its binding causes."""
    desk.deregister(provider)
    for role in (CLIENT, PROVIDER):
        desk.detached(binding, role)
    desk.cleaned(binding, CLIENT)
    return desk.cleaned(binding, PROVIDER)[3:]


def test_a_refused_provider_takes_over_when_the_bound_one_ends() -> None:
    """The offer comes by itself, after the old binding is gone."""
    desk = _desk("old", "new")
    assert _end(desk, 1, 2) == ["ClientAttachProvider 3 c"]
    assert desk.bind(3) == ["BindingReady 3"]


def test_several_refused_providers_are_offered_one_after_the_other() -> None:
    """In handle order; the one declined again waits for the one that now is bound."""
    desk = _desk("a", "b", "d")
    assert _end(desk, 1, 2) == ["ClientAttachProvider 4 c"]
    assert desk.bind(4) == ["BindingReady 4", "ClientAttachProvider 5 c"]
    assert desk.attached(5, DECLINE) == ["BindingGone 5"]
    assert _end(desk, 4, 3) == ["ClientAttachProvider 6 c"]


def test_a_provider_that_refuses_a_bound_client_gets_a_second_offer_too() -> None:
    """It does not matter who said no."""
    desk = _desk("old")
    desk.register(PROVIDER, "new")
    desk.nest(2)
    desk.answer(2, NtStatus.ACCESS_DENIED)
    desk.attached(2, NtStatus.ACCESS_DENIED)
    desk.cleaned(2, CLIENT)
    assert _end(desk, 1, 2) == ["ClientAttachProvider 3 c"]


def test_a_lost_provider_frees_its_client() -> None:
    """As an orderly end does."""
    desk = _desk("old", "new")
    desk.lost("old")
    desk.detached(1, CLIENT)
    assert desk.cleaned(1, CLIENT)[-1] == "ClientAttachProvider 3 c"


def test_a_provider_lost_while_attaching_frees_its_client() -> None:
    """The client refused the other one because it was about to bind to this one."""
    desk = Desk()
    desk.register(CLIENT, "c")
    desk.register(PROVIDER, "old")
    desk.register(PROVIDER, "new")
    desk.attached(2, DECLINE)
    desk.lost("old")
    assert desk.attached(1, DECLINE)[-1] == "ClientAttachProvider 3 c"


def test_a_refusal_during_an_attach_that_succeeds_waits_for_that_binding() -> None:
    """The attach in progress counts as the client's other binding."""
    desk = Desk()
    desk.register(CLIENT, "c")
    desk.register(PROVIDER, "old")
    desk.register(PROVIDER, "new")
    desk.attached(2, DECLINE)
    desk.bind(1)
    assert _end(desk, 1, 2) == ["ClientAttachProvider 3 c"]


def test_a_refusal_that_crosses_the_end_of_the_other_binding_is_offered_again() -> None:
    """The client may have refused before it saw that end."""
    desk = _desk("old")
    desk.register(PROVIDER, "new")
    assert _end(desk, 1, 2) == []
    assert desk.attached(2, DECLINE) == [
        "BindingGone 2",
        "RegisterReturned 3 new SUCCESS",
        "ClientAttachProvider 3 c",
    ]
    assert desk.attached(3, DECLINE) == ["BindingGone 3"]


def test_a_failed_attach_frees_nobody() -> None:
    """A client that declines everything is not asked for ever."""
    desk = Desk()
    desk.register(CLIENT, "c")
    for owner in ("a", "b", "d"):
        desk.register(PROVIDER, owner)
    for binding in (1, 2, 3):
        told = desk.attached(binding, DECLINE)
        assert told == [f"BindingGone {binding}", told[1]]
        assert told[1].startswith("RegisterReturned")


def test_a_refusal_while_the_client_had_nothing_else_is_final() -> None:
    """A later binding and its end change nothing about it."""
    desk = Desk()
    desk.register(CLIENT, "c")
    desk.register(PROVIDER, "unwanted")
    desk.attached(1, DECLINE)
    desk.register(PROVIDER, "wanted")
    desk.bind(2)
    assert _end(desk, 2, 3) == []


def test_an_attach_that_begins_after_a_refusal_was_no_reason_for_it() -> None:
    """Of two offers that one register call queued, the second had not begun when the first failed.

    So its end, be it by the loss of its provider, offers nothing again.
    """
    desk = Desk()
    desk.register(PROVIDER, "unwanted")
    desk.register(PROVIDER, "lost")
    desk.register(CLIENT, "c")
    assert desk.attached(1, DECLINE) == ["BindingGone 1", "ClientAttachProvider 2 c"]
    desk.lost("lost")
    assert not [each for each in desk.attached(2, DECLINE) if "Attach" in each]


def test_a_refusal_older_than_the_binding_that_ends_is_kept_for_the_other() -> None:
    """Only a binding that was there when the pair failed offers it again."""
    desk = _desk("first", "refused")
    desk.register(PROVIDER, "later")
    desk.bind(3)
    assert _end(desk, 3, 4) == []
    assert _end(desk, 1, 2) == ["ClientAttachProvider 4 c"]


def test_a_refused_provider_that_left_is_not_offered() -> None:
    """Both must still be live."""
    desk = _desk("old", "new")
    desk.deregister(3)
    assert _end(desk, 1, 2) == []


def test_a_provider_that_leaves_while_it_is_refused_is_not_offered() -> None:
    """The refusal of one that leaves is not remembered."""
    desk = _desk("old")
    desk.register(PROVIDER, "new")
    desk.deregister(3)
    desk.attached(2, DECLINE)
    assert _end(desk, 1, 2) == []


def test_a_client_that_leaves_is_offered_nothing() -> None:
    """Its refusals go with it, and those of others stay."""
    desk = _desk("old", "new")
    desk.register(CLIENT, "d")
    desk.bind(3)
    desk.attached(4, DECLINE)
    desk.deregister(1)
    for role in (CLIENT, PROVIDER):
        desk.detached(1, role)
    desk.cleaned(1, CLIENT)
    told = desk.cleaned(1, PROVIDER)
    assert told[-1] == "DeregisterCompleted 1 c"
    assert _end(desk, 3, 2) == ["ClientAttachProvider 5 d"]
    assert desk.stage(5) is Stage.CLIENT_ATTACHING
