"""What survives the daemon."""

from ebpfd.objects import Durable, Link, LinkState, MapObject, Objects, Owner
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map
from tests.daemon.objects.makers import make_link, make_map, make_program

KEY = bytes(4)


def attached(link: Link) -> Link:
    """A link whose hook has taken it."""
    link.state = LinkState.ATTACHED
    return link


def array_with(objects: Objects, array_id: int = 6, program_id: int = 2) -> MapObject:
    """A program array that holds a program."""
    array, held = MapObject(array_id, Map(MapType.PROG_ARRAY, 4, 4, 2)), make_program(program_id)
    objects.add_program(held, [])
    objects.add_map(array, [])
    array.map.set_program(KEY, held.engine, held.id)
    objects.hold(array, KEY, held)
    return array


def test_at_first_nothing() -> None:
    """And what the daemon has without a pin or legacy link dies with it."""
    objects = Objects()
    assert objects.durable() == Durable()
    objects.add_program(make_program(2))
    assert objects.durable() == Durable()


def test_a_legacy_link_with_all_that_it_reaches() -> None:
    """Its program, and that one's maps; those of its file only while the daemon has it."""
    objects, program, unused = Objects(), make_program(2), make_map(9)
    program.file_maps = (*program.maps, unused)
    link = make_link(program, 4)
    objects.add_program(program)
    objects.add_link(link)
    assert objects.durable() == Durable()
    attached(link)
    found = objects.durable()
    assert (set(found.programs), set(found.maps), set(found.links)) == ({2}, {3, 9}, {4})
    objects.unload(program)
    assert set(objects.durable().maps) == {3}
    link.state = LinkState.DETACHING
    assert objects.durable() == Durable()


def test_a_link_of_an_owner_only_when_it_is_pinned() -> None:
    """Then also without its owner."""
    objects, program, owner = Objects(), make_program(2), Owner("a client")
    link = attached(make_link(program, 4))
    objects.add_program(program, [owner])
    objects.add_link(link, [owner])
    assert objects.durable() == Durable()
    objects.pin("/link", link)
    assert (objects.durable().links, objects.durable().pins) == ({4: link}, {"BPF:\\link": 4})
    objects.end(owner)
    assert set(objects.durable().programs) == {2}


def test_what_a_pinned_container_holds() -> None:
    """Its entries too, and the ids that were given."""
    objects = Objects()
    array = array_with(objects)
    objects.pin("/array", array)
    objects.skip_ids(20)
    found = objects.durable()
    assert (set(found.programs), set(found.maps)) == ({2}, {3, 6})
    assert (found.entries, found.pins, found.last_id) == ({(6, KEY): 2}, {"BPF:\\array": 6}, 20)


def test_a_container_without_a_lasting_user_comes_back_empty() -> None:
    """Its owner ends with the daemon, and it would be emptied then."""
    objects, owner, caller = Objects(), Owner("a client"), make_program(7)
    array = array_with(objects)
    objects.open(array, owner)
    caller.maps = (*caller.maps, array)
    objects.add_program(caller, [owner])
    objects.pin("/caller", caller)
    found = objects.durable()
    assert (set(found.programs), 6 in found.maps, found.entries) == ({7}, True, {})


def test_programs_that_keep_a_container_filled_survive_with_it() -> None:
    """Being loaded for the daemon, they are users of their file's program array."""
    objects, caller, sibling = Objects(), make_program(7), make_program(8)
    array = array_with(objects)
    caller.maps = (*caller.maps, array)
    for each in (caller, sibling):
        each.file_maps = (array,)
        objects.add_program(each)
    objects.add_link(attached(make_link(caller, 9)))
    objects.unload(caller)
    found = objects.durable()
    assert (set(found.programs), found.entries) == ({2, 7, 8}, {(6, KEY): 2})
    objects.unload(sibling)
    assert set(objects.durable().programs) == {7}


def test_an_observer_is_told_within_each_change() -> None:
    """It sees what has become of it when it is told."""
    objects, program, told = Objects(), make_program(2), list[tuple[int, int]]()

    def look() -> None:
        found = objects.durable()
        told.append((len(found.programs), len(found.pins)))

    objects.when_changed.add(look)
    objects.add_program(program)
    objects.pin("/one", program)
    objects.unload(program)
    objects.unpin("/one")
    assert told == [(0, 0), (1, 1), (1, 1), (0, 0)]
