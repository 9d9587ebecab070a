"""Owners have objects until they end."""

from collections.abc import Callable

import pytest

from ebpfd.errors import RequestError
from ebpfd.objects import DAEMON, LinkState, Objects, Owner
from ebpfd_api.result import Result
from tests.daemon.objects.makers import make_link, make_map, make_program


def test_what_an_owner_has_goes_with_it() -> None:
    """Links are to be detached first; programs without a link go at once."""
    objects, owner = Objects(), Owner("a client")
    alone, linked, made = make_program(2), make_program(7), make_map(9)
    link = make_link(linked, 8)
    objects.add_program(linked, [owner])
    objects.add_link(link, [owner])
    objects.add_program(alone, [owner])
    objects.add_map(made, [owner])
    assert objects.end(owner) == [link, alone]
    assert (made in objects.maps(), linked.kept, owner.ended) == (False, True, True)
    assert objects.remove_link(link)
    assert list(objects.owned(owner)) == []


def test_pins_legacy_links_and_other_owners_keep() -> None:
    """The end of an owner is the end of its own references only."""
    objects, owner, other = Objects(), Owner("a client"), Owner("another")
    program, pinned, opened, legacy = (
        make_program(2),
        make_map(8),
        make_map(9),
        make_program(5, make_map(7)),
    )
    link, old_link = make_link(program, 4), make_link(legacy, 6)
    link.state = LinkState.ATTACHED
    objects.add_program(program, [owner])
    objects.add_program(legacy, [owner])
    objects.add_map(pinned, [owner])
    objects.add_map(opened, [owner])
    objects.add_link(link, [owner])
    objects.add_link(old_link, [DAEMON])
    objects.pin("/link", link)
    objects.pin("/map", pinned)
    objects.open(opened, other)
    assert objects.end(owner) == []
    assert tuple(objects.maps()) == (*program.maps, *legacy.maps, pinned, opened)
    assert tuple(objects.programs()) == (program, legacy)
    assert objects.end(other) == []
    assert opened not in objects.maps()


def test_an_opened_program_has_the_maps_of_its_file() -> None:
    """As for whoever has loaded it, as far as they are still there."""
    objects, owner, program, gone = Objects(), Owner("a client"), make_program(2), make_map(9)
    program.file_maps = (*program.maps, gone)
    objects.add_program(program)
    objects.pin("/program", program)
    objects.unload(program)
    (counted,) = program.maps
    assert (counted.in_use, gone in objects.maps()) == (False, False)
    objects.open(program, owner)
    assert (counted.in_use, gone.in_use) == (True, False)
    objects.unpin("/program")
    assert objects.end(owner) == [program]


def test_an_owner_that_has_ended_gets_nothing() -> None:
    """What was on its way for it meanwhile is refused, and nothing has changed."""
    objects, owner = Objects(), Owner("client 7")
    assert objects.end(owner) == []
    program = make_program(2)
    adding: list[Callable[[], None]] = [
        lambda: objects.add_program(program, [DAEMON, owner]),
        lambda: objects.add_map(make_map(9), [owner]),
        lambda: objects.add_link(make_link(program), [owner]),
    ]
    for add in adding:
        with pytest.raises(RequestError, match="client 7 has ended") as caught:
            add()
        assert caught.value.code is Result.INVALID_STATE
    assert (program.users.count, *objects.programs(), *objects.maps(), *objects.links()) == (0,)
