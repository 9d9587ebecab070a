"""Pins keep what they lead to."""

import pytest

from ebpfd.errors import RequestError
from ebpfd.objects import DAEMON, LinkState, MapObject, Objects, Owner, kind_of
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map
from tests.daemon.objects.makers import make_link, make_map, make_program


def test_each_kind_can_be_pinned_and_is_kept() -> None:
    """Until it is unpinned, whoever else has let go."""
    objects, program, made = Objects(), make_program(2), make_map(9)
    link = make_link(program, 4)
    link.state = LinkState.ATTACHED
    objects.add_program(program)
    objects.add_map(made)
    objects.add_link(link)
    paths = [objects.pin(f"/{kind_of(each)}", each) for each in (program, made, link)]
    assert paths == ["BPF:\\program", "BPF:\\map", "BPF:\\link"]
    assert [objects.pinned(f"{kind}") for kind in ("program", "map", "link")] == [
        program, made, link,
    ]  # fmt: skip
    assert (objects.close_link(link), objects.unload(program), objects.remove_map(made)) == (
        [], [], [],
    )  # fmt: skip
    assert (objects.map(9), made.users.count) == (made, 1)
    assert objects.unpin("map") == []
    assert objects.unpin("program") == []
    assert objects.unpin("link") == [link]
    assert objects.remove_link(link)
    assert made not in objects.maps()


def test_an_object_may_have_several_pins() -> None:
    """It is kept by the last one; each is a user reference."""
    objects, made = Objects(), make_map(9)
    objects.add_map(made)
    for path in ("/one", "/two"):
        objects.pin(path, made)
    assert (made.users.count, sorted(made.users.paths)) == (3, ["BPF:\\one", "BPF:\\two"])
    objects.remove_map(made)
    objects.unpin("one")
    assert objects.pinned("two") is made
    objects.unpin("two")
    assert made not in objects.maps()


def test_a_path_is_taken_once() -> None:
    """However it is written: OBJECT_ALREADY_EXISTS, and nothing has changed."""
    objects, first, second = Objects(), make_map(8), make_map(9)
    for each in (first, second):
        objects.add_map(each)
    objects.pin("/my/pin", first)
    for path in ("/my/pin", "BPF:\\my\\.\\pin"):
        with pytest.raises(RequestError, match="has map 8 already") as caught:
            objects.pin(path, second)
        assert caught.value.code is Result.OBJECT_ALREADY_EXISTS
    assert (objects.pinned("/my/pin"), second.users.count) == (first, 1)


def test_nothing_there_is_key_not_found() -> None:
    """To unpin and to open."""
    objects = Objects()
    for ask in (objects.unpin, objects.pinned):
        with pytest.raises(RequestError, match=r"nothing is pinned to BPF:\\gone") as caught:
            ask("/gone")
        assert caught.value.code is Result.KEY_NOT_FOUND


@pytest.mark.parametrize("state", set(LinkState) - {LinkState.ATTACHED})
def test_only_an_attached_link_is_pinned(state: LinkState) -> None:
    """INVALID_STATE: one that comes or goes is not kept."""
    objects, link = Objects(), make_link(make_program())
    link.state = state
    objects.add_link(link)
    with pytest.raises(RequestError, match=state.value) as caught:
        objects.pin("/link", link)
    assert caught.value.code is Result.INVALID_STATE


def test_a_removed_link_takes_its_pins_along() -> None:
    """Detaching is its end, whoever has it."""
    objects, link = Objects(), make_link(make_program())
    link.state = LinkState.ATTACHED
    objects.add_link(link)
    objects.pin("/link", link)
    objects.remove_link(link)
    assert (list(objects.pins()), link.users.count) == ([], 0)


def test_pins_are_listed_bytewise() -> None:
    """Shorter first; from a path that need not be there, and of some kinds."""
    objects, program, made = Objects(), make_program(2), make_map(9)
    objects.add_program(program)
    objects.add_map(made)
    for path in ("b", "ab", "a", "é", "Z", "a/b"):
        objects.pin(path, made)
    objects.pin("aa", program)
    names = [path.removeprefix("BPF:\\") for path, _ in objects.pins()]
    assert names == ["Z", "a", "a\\b", "aa", "ab", "b", "é"]
    assert names == sorted(names, key=str.encode)
    assert [path for path, _ in objects.pins("/a/c", ["map"])][:2] == ["BPF:\\ab", "BPF:\\b"]
    assert [path for path, _ in objects.pins("/a", ["program", "link"])] == ["BPF:\\aa"]
    assert list(objects.pins("/é")) == []


def test_a_program_array_is_emptied_with_its_last_user() -> None:
    """The user references of eBPF for Windows: handles and pins, whatever programs use it."""
    objects, program = Objects(), make_program(2)
    array = MapObject(6, Map(MapType.PROG_ARRAY, 4, 4, 2))
    program.maps = (*program.maps, array)
    objects.add_program(program, [])
    objects.add_map(array)
    objects.pin("/array", array)
    array.map.set_program(bytes(4), program.engine, program.id)
    objects.hold(array, bytes(4), program)
    objects.remove_map(array)
    assert (array.held, program.kept) == ({bytes(4): program}, True)
    assert objects.unpin("/array") == [program]
    assert array.held == {}
    with pytest.raises(EngineError):
        array.map.lookup(bytes(4))
    objects.remove_program(program)
    assert (tuple(objects.maps()), tuple(objects.programs())) == ((), ())


def test_a_reloaded_program_keeps_pins_and_owners() -> None:
    """The new one is in the old one's place."""
    objects, old, new, owner = Objects(), make_program(2), make_program(7), Owner("a client")
    objects.add_program(old, [owner])
    objects.pin("/program", old)
    assert objects.replace_program(old, new) == [old]
    assert objects.pinned("/program") is new
    assert (new.users.count, old.users.count, list(objects.owned(owner))) == (2, 0, [new])


def test_whoever_asks_for_a_replaced_program_is_told_by_which() -> None:
    """The last one of several; one whose replacement was undone has none."""
    objects, first, second, third = Objects(), make_program(2), make_program(3), make_program(4)
    objects.skip_ids(4)
    for old, new in ((first, second), (second, third), (third, second)):
        objects.add_program(new, old.users.owners or [DAEMON])
        objects.replace_program(old, new)
        objects.remove_program(old)
    with pytest.raises(RequestError, match="2 any more, it was replaced by program 3:") as caught:
        objects.program(2)
    assert caught.value.code is Result.STALE_ID
    with pytest.raises(RequestError, match="4 any more, it was replaced by program 3:"):
        objects.program(4)
    objects.remove_program(second)
    with pytest.raises(RequestError, match="3 any more: "):
        objects.program(3)
