"""Who may attach, and whom an event reaches: the table of hook capabilities, row by row."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.attachments import MOST_FOR_ONE_PARAMETER
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_sdk import Link, Refused
from ebpfd_sdk._attachments import Attachments

MULTI = AttachCapability.MULTI_ATTACH_WITH_WILDCARD
SINGLE = AttachCapability.SINGLE_ATTACH
PER_HOOK = AttachCapability.SINGLE_ATTACH_PER_HOOK
SAMPLE = AttachCapability.ONE_PER_PARAMETER
DENIED, BAD, WELCOME = NtStatus.ACCESS_DENIED, NtStatus.INVALID_PARAMETER, NtStatus.SUCCESS

EVERY = b""  # a link without parameter is for every event
EVERY_TOO = bytes(4)  # and so is one with compartment 0
ONE, TWO = b"\1\0\0\0", b"\2\0\0\0"
WILDCARDS = (EVERY, EVERY_TOO)
FULL = [ONE] * MOST_FOR_ONE_PARAMETER


def link(number: int, parameter: bytes, priority: int = 0) -> Link:
    """A link whose binding, id and program have one number."""
    return Link(number, parameter, 0, number, number, f"p{number}", priority)


def attachments(capability: AttachCapability, parameters: Sequence[bytes] = ()) -> Attachments:
    """A hook to which links with *parameters* are attached in that order."""
    hook = Attachments(capability, () if capability is SAMPLE else WILDCARDS)
    for number, parameter in enumerate(parameters, start=1):
        each = link(number, parameter)
        hook.check(each)
        hook.add(each)
    return hook


def status_of(hook: Attachments, parameter: bytes) -> NtStatus:
    """What an attach with *parameter* comes to."""
    try:
        hook.check(link(99, parameter))
    except Refused as refusal:
        return refusal.status
    return NtStatus.SUCCESS


@pytest.mark.parametrize(
    ("capability", "attached", "parameter", "status"),
    [
        (SINGLE, [], ONE, WELCOME),
        (SINGLE, [], EVERY, WELCOME),
        (SINGLE, [ONE], ONE, DENIED),
        (SINGLE, [ONE], TWO, DENIED),
        (SINGLE, [EVERY], ONE, DENIED),
        (SINGLE, [ONE], EVERY, DENIED),
        (MULTI, [], EVERY, WELCOME),
        (MULTI, [ONE], ONE, WELCOME),
        (MULTI, [ONE], TWO, WELCOME),
        (MULTI, [EVERY], ONE, WELCOME),
        (MULTI, [EVERY], EVERY, WELCOME),
        (MULTI, FULL[:-1], ONE, WELCOME),
        (MULTI, FULL, ONE, DENIED),
        (MULTI, FULL, TWO, WELCOME),
        (MULTI, FULL, EVERY, WELCOME),
        (MULTI, [EVERY, EVERY_TOO] * 8, EVERY, DENIED),
        (PER_HOOK, [], EVERY, WELCOME),
        (PER_HOOK, [], ONE, WELCOME),
        (PER_HOOK, [ONE], EVERY, DENIED),
        (PER_HOOK, [EVERY], EVERY, DENIED),
        (PER_HOOK, [EVERY], EVERY_TOO, DENIED),
        (PER_HOOK, [ONE], ONE, DENIED),
        (PER_HOOK, [ONE], TWO, WELCOME),
        (PER_HOOK, [EVERY], ONE, WELCOME),
        (PER_HOOK, [EVERY, ONE], ONE, DENIED),
        (SAMPLE, [], EVERY, WELCOME),
        (SAMPLE, [EVERY], EVERY, BAD),
        (SAMPLE, [ONE], ONE, BAD),
        (SAMPLE, [ONE], TWO, WELCOME),
        (SAMPLE, [ONE], EVERY, WELCOME),
        (SAMPLE, [EVERY], EVERY_TOO, WELCOME),
    ],
)
def test_the_capability_lets_in(
    capability: AttachCapability, attached: list[bytes], parameter: bytes, status: NtStatus
) -> None:
    """SINGLE, MULTI, SINGLE_PER_HOOK, and the sample's rule: the exact NTSTATUS of each case."""
    assert status is status_of(attachments(capability, attached), parameter)


@pytest.mark.parametrize("capability", [SINGLE, PER_HOOK, SAMPLE])
def test_what_has_left_makes_room(capability: AttachCapability) -> None:
    """After a detach the same parameter is welcome again."""
    hook = attachments(capability, [ONE])
    assert status_of(hook, ONE) is not NtStatus.SUCCESS
    assert hook.remove(1) == link(1, ONE)
    assert hook.remove(1) is None
    assert status_of(hook, ONE) is NtStatus.SUCCESS


def test_a_refusal_names_who_is_there() -> None:
    """And says what to do."""
    with pytest.raises(Refused, match="link 1 of program p1 is attached with no parameter already"):
        attachments(PER_HOOK, [EVERY]).check(link(2, EVERY))
    with pytest.raises(Refused, match="p1 and 15 others are attached with parameter 01000000 alr"):
        attachments(MULTI, FULL).check(link(17, ONE))


def test_specific_before_wildcard_then_priority_then_age() -> None:
    """Whatever the order of their coming; of equals the older link is first."""
    hook = Attachments(MULTI, WILDCARDS)
    for each in (
        link(5, EVERY, -9),
        link(2, ONE, 3),
        link(6, EVERY_TOO),
        link(4, ONE),
        link(3, ONE),
        link(1, TWO, 1),
    ):
        hook.add(each)
    assert [each.binding for each in hook.matching(ONE)] == [3, 4, 2, 5, 6]
    assert [each.binding for each in hook.matching(TWO)] == [1, 5, 6]
    assert [each.binding for each in hook.matching(b"?")] == [5, 6]
    assert [each.binding for each in hook.matching(None)] == [5, 6]
    assert [each.binding for each in hook.matching(ONE, lambda each: each.binding != 3)] == [
        4,
        2,
        5,
        6,
    ]


def test_a_detach_closes_the_gap() -> None:
    """The others keep their order."""
    hook = attachments(MULTI, [ONE, ONE, ONE])
    hook.remove(2)
    assert [each.binding for each in hook.matching(ONE)] == [1, 3]


def test_the_sample_has_one_link_for_an_event() -> None:
    """That of its parameter, to the byte; without one the first."""
    hook = attachments(SAMPLE, [ONE, EVERY])
    assert [each.binding for each in hook.matching(ONE)] == [1]
    assert [each.binding for each in hook.matching(EVERY)] == [2]
    assert [each.binding for each in hook.matching(None)] == [1]
    assert hook.matching(TWO) == ()


@pytest.mark.parametrize(
    ("capability", "attached", "parameter", "code"),
    [
        (SAMPLE, [], None, Result.OBJECT_NOT_FOUND),
        (SAMPLE, [], ONE, Result.OBJECT_NOT_FOUND),
        (SAMPLE, [ONE], TWO, Result.KEY_NOT_FOUND),
        (MULTI, [], ONE, Result.OBJECT_NOT_FOUND),
        (MULTI, [ONE], TWO, Result.OBJECT_NOT_FOUND),
        (SINGLE, [ONE], None, Result.OBJECT_NOT_FOUND),
    ],
)
def test_nobody_has_a_code(
    capability: AttachCapability, attached: list[bytes], parameter: bytes | None, code: Result
) -> None:
    """OBJECT_NOT_FOUND, but for a parameter without a link in the sample."""
    assert code is attachments(capability, attached).nobody(parameter)


Attach = tuple[bytes, int]
"""Parameter and priority."""


@given(
    st.sampled_from([MULTI, SINGLE, PER_HOOK, SAMPLE]),
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from([EVERY, EVERY_TOO, ONE, TWO]), st.integers(-2, 2)),
            st.integers(1, 12),  # detach
        ),
        max_size=40,
    ),
)
def test_it_is_as_the_reference_says(
    capability: AttachCapability, steps: list[Attach | int]
) -> None:
    """Attaches and detaches in any order: never more than the capability allows, always in order.

    The reference keeps filter contexts as netebpfext does: specific ones, then the wildcard's.
    """
    hook = attachments(capability)
    contexts: dict[bytes, list[Link]] = {}
    ids = count(1)

    def key(parameter: bytes) -> bytes:
        return EVERY if capability is not SAMPLE and parameter in WILDCARDS else parameter

    for step in steps:
        if isinstance(step, int):
            hook.remove(step)
            for parameter, links in list(contexts.items()):
                contexts[parameter] = [each for each in links if each.binding != step]
                if not contexts[parameter]:
                    del contexts[parameter]
            continue
        parameter, priority = step
        each, at = link(next(ids), parameter, priority), key(parameter)
        wildcard = capability is not SAMPLE and at == EVERY
        match capability:
            case AttachCapability.SINGLE_ATTACH:
                welcome = not contexts
            case AttachCapability.MULTI_ATTACH_WITH_WILDCARD:
                welcome = len(contexts.get(at, [])) < 16
            case AttachCapability.SINGLE_ATTACH_PER_HOOK:
                welcome = not contexts if wildcard else at not in contexts
            case _:
                welcome = at not in contexts
        if not welcome:
            with pytest.raises(Refused):
                hook.check(each)
            continue
        hook.check(each)
        hook.add(each)
        contexts.setdefault(at, []).append(each)
        contexts[at].sort(key=lambda one: one.priority)
    for parameter in (ONE, TWO, EVERY, EVERY_TOO, b"other"):
        expected = list(contexts.get(key(parameter), []))
        if capability is not SAMPLE and key(parameter) != EVERY:
            expected += contexts.get(EVERY, [])
        assert list(hook.matching(parameter)) == expected
    assert {each.binding for each in hook.links} == {
        each.binding for links in contexts.values() for each in links
    }
