"""Roles as a table: who may do what, and what he is told if he may not."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.access import (
    ANY,
    ANYBODY,
    BUILT_IN,
    Action,
    Caller,
    Need,
    Role,
    Roles,
    guid_label,
    hook_need,
    map_labels,
    type_need,
)
from ebpfd.errors import AccessDeniedError

XDP = UUID("f788ef4a-207d-4dc3-85cf-0f2ea107213c")
OTHER = UUID("f788ef4b-207d-4dc3-85cf-0f2ea107213c")


def read_need(*labels: str) -> Need:
    """Of whoever reads a map with these labels."""
    return Need(Action.READ, labels, "map 7")


@pytest.mark.parametrize(
    ("pattern", "need", "allowed"),
    [
        (guid_label(XDP), hook_need(Action.ATTACH, XDP, "xdp"), True),
        (guid_label(OTHER), hook_need(Action.ATTACH, XDP, "xdp"), False),
        ("name:xdp", hook_need(Action.ATTACH, XDP, "xdp"), True),
        ("name:xdp", hook_need(Action.ATTACH, XDP, "xdp2"), False),
        ("name:xdp", hook_need(Action.FIRE, XDP, "xdp"), False),
        ("*", hook_need(Action.ATTACH, XDP, ""), True),
        ("name:*", hook_need(Action.ATTACH, XDP, ""), False),
        # A name that somebody gave to his own hook is a name, whatever it looks like.
        (guid_label(XDP), hook_need(Action.ATTACH, OTHER, guid_label(XDP)), False),
        (guid_label(XDP), hook_need(Action.ATTACH, OTHER, str(XDP)), False),
        ("*", ANY[Action.ATTACH], True),
        ("name:xdp", ANY[Action.ATTACH], True),
        ("name:xdp", ANY[Action.LOAD], False),
    ],
)
def test_a_right_is_for_things_by_their_labels(pattern: str, need: Need, *, allowed: bool) -> None:
    """A GUID is not taken for a name, nor one action for another."""
    role = Role("attacher", may={Action.ATTACH: (pattern,)})
    assert role.allows(need) is allowed


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        ("name:count*", True),
        ("name:*rs", True),
        ("name:c*n*s", True),
        ("name:count", False),
        ("name:[c]*", False),
        ("path:BPF:\\my\\*", True),
        ("path:BPF:\\mine\\*", False),
        ("path:BPF:\\my", False),
        ("of:uid:7", True),
        ("of:uid:8", False),
        ("own", True),
    ],
)
def test_maps_are_meant_by_name_path_or_holder(pattern: str, *, allowed: bool) -> None:
    """A star is any text; nothing else is more than itself."""
    labels = map_labels("counters", ["BPF:\\my\\pin"], ["uid:7"])
    role = Role("reader", frozenset({"*"}), {Action.READ: (pattern,)})
    caller = Caller("uid 7", frozenset({"uid:7", "gid:7", "*"}), Roles([role]))
    assert caller.may(read_need(*labels)) is allowed


def test_own_maps_are_one_s_own_alone() -> None:
    """By user or certificate; who shares a group, or is not known, has none of them."""
    roles = Roles([Role("self", frozenset({"*"}), {Action.READ: ("own",)})])
    labels = map_labels("own", ["BPF:\\own"], ["uid:7", "cert:alice"])
    for subjects, allowed in (
        ({"uid:7", "gid:7", "*"}, True),
        ({"cert:alice", "*"}, True),
        ({"uid:8", "gid:7", "*"}, False),
        ({"*"}, False),
    ):
        caller = Caller("somebody", frozenset(subjects), roles)
        assert caller.may(read_need(*labels)) is allowed


def test_who_has_several_roles_may_what_any_of_them_allows() -> None:
    """Also by another one of his subjects."""
    roles = Roles(
        [
            Role("watching", frozenset({"*"}), BUILT_IN["observer"].may),
            Role("loading", frozenset({"gid:5"}), {Action.LOAD: ("name:xdp",)}),
        ]
    )
    member = Caller("uid 9", frozenset({"uid:9", "gid:5", "*"}), roles)
    assert member.role_names == ("loading", "watching")
    assert member.may(ANY[Action.OBSERVE])
    assert member.may(type_need(XDP, "xdp"))
    assert not member.may(type_need(XDP, "bind"))
    stranger = Caller("uid 8", frozenset({"uid:8", "gid:6", "*"}), roles)
    assert stranger.role_names == ("watching",)
    assert not stranger.may(type_need(XDP, "xdp"))


def test_roles_become_others_for_all_who_ask_them() -> None:
    """A caller who was there before asks the new ones; the names are of those that differ."""
    same = Role("same", frozenset({"*"}), {Action.FIRE: ("name:xdp",)})
    less, more = (
        Role("some", frozenset({"*"}), BUILT_IN[name].may) for name in ("observer", "operator")
    )
    roles = Roles([same, less, Role("gone")])
    caller = Caller("uid 9", frozenset({"uid:9", "*"}), roles)
    assert not caller.may(ANY[Action.LOAD])
    assert roles.become(Roles([more, same, Role("new")])) == ["gone", "new", "some"]
    assert caller.may(ANY[Action.LOAD])
    assert caller.role_names == ("same", "some")
    assert roles.become(Roles([more, same, Role("new")])) == []


def test_without_roles_everybody_may_everything() -> None:
    """As a daemon that was told nothing of them."""
    for need in (*ANY.values(), type_need(XDP, "xdp")):
        ANYBODY.check(need)


def test_a_refusal_says_who_what_and_which_role_would_do() -> None:
    """In one sentence; the role that allows least is named, also one that is built in."""
    loader = Role("loader", frozenset({"uid:1"}), {Action.LOAD: ("name:xdp",)})
    nobody = Caller("uid 7 (pid 12)", frozenset({"uid:7", "*"}), Roles([loader]))
    for need, said in (
        (
            type_need(XDP, "xdp"),
            "load xdp programs and has no role: the role loader would allow it",
        ),
        (ANY[Action.OBSERVE], "observe and has no role: the role observer would allow it"),
        (ANY[Action.ADMIN], "admin and has no role: the role admin would allow it"),
    ):
        with pytest.raises(AccessDeniedError) as caught:
            nobody.check(need)
        assert str(caught.value) == f"uid 7 (pid 12) may not {said}"
    some = Caller("uid 1", frozenset({"uid:1", "*"}), Roles([loader]))
    with pytest.raises(AccessDeniedError, match="may not load bind programs and has only the role"):
        some.check(type_need(XDP, "bind"))


PATTERNS = st.sampled_from(
    ["*", "own", "name:a", "name:a*", guid_label(XDP), "path:BPF:\\a\\*", "of:uid:1", "of:cert:b"]
)
RIGHTS = st.dictionaries(st.sampled_from(Action), st.sets(PATTERNS, min_size=1).map(tuple))
LABELS = st.sampled_from(
    ["name:a", "name:ab", "name:b", guid_label(XDP), "path:BPF:\\a\\b", "of:uid:1", "of:uid:2"]
)
NEEDS = st.builds(Need, st.sampled_from(Action), st.sets(LABELS).map(tuple))
SUBJECTS = st.frozensets(st.sampled_from(["uid:1", "uid:2", "gid:1", "cert:b", "*"]))


@given(RIGHTS, st.data(), NEEDS, SUBJECTS)
def test_a_role_that_allows_less_never_allows_more(
    rights: dict[Action, tuple[str, ...]], data: st.DataObject, need: Need, subjects: frozenset[str]
) -> None:
    """Fewer patterns, fewer actions or fewer holders: what it allows then, the whole one does."""
    fewer: dict[Action, tuple[str, ...]] = {}
    for action, patterns in rights.items():
        if left := data.draw(st.sets(st.sampled_from(patterns)).map(tuple)):
            fewer[action] = left
    who = frozenset({"uid:1", "*"})
    whole = Roles([Role("whole", who, rights)])
    for less in (Role("less", who, fewer), Role("less", frozenset({"uid:1"}), rights)):
        assert whole.allow(need, subjects) >= Roles([less]).allow(need, subjects)


@given(RIGHTS, NEEDS, SUBJECTS, SUBJECTS)
def test_a_further_role_or_subject_takes_nothing_away(
    rights: dict[Action, tuple[str, ...]],
    need: Need,
    subjects: frozenset[str],
    further: frozenset[str],
) -> None:
    """Roles only allow."""
    one = Role("one", frozenset({"uid:1", "*"}), rights)
    two = Role("two", frozenset({"uid:2"}), {Action.FIRE: ("name:a",)})
    allowed = Roles([one]).allow(need, subjects)
    assert Roles([one, two]).allow(need, subjects) >= allowed
    assert Roles([one]).allow(need, subjects | further) >= allowed


@given(RIGHTS, NEEDS)
def test_what_is_allowed_for_a_thing_is_allowed_for_some(
    rights: dict[Action, tuple[str, ...]], need: Need
) -> None:
    """So a call that is let in for anything at all loses nobody who has a right to one thing."""
    role = Role("one", may=rights)
    assert role.allows(ANY[need.action]) >= role.allows(need, ("uid:1",))
