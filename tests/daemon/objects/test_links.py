"""The life of a link, edge by edge."""

import itertools

import pytest

from ebpfd.objects import IllegalTransitionError, LinkState
from ebpfd.objects.links import TRANSITIONS, LinkEvent
from tests.daemon.objects.makers import make_link, make_program


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product(LinkState, LinkEvent)), ids=lambda each: each.value
)
def test_every_pair_moves_or_refuses(state: LinkState, event: LinkEvent) -> None:
    """A pair in the table moves; any other raises and changes nothing."""
    link = make_link(make_program())
    link.state = state
    wanted = TRANSITIONS.get((state, event))
    if wanted is None:
        with pytest.raises(IllegalTransitionError) as caught:
            link.apply(event)
        assert (caught.value.state, caught.value.event) == (state, event)
        assert link.state is state
    else:
        assert link.apply(event) is wanted
        assert link.state is wanted


def test_a_detached_link_stays_detached() -> None:
    """A link that failed or ended once cannot be used again."""
    assert not [event for state, event in TRANSITIONS if state is LinkState.DETACHED]
