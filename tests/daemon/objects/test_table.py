"""Who keeps whom alive, and ids that are never given twice."""

from collections.abc import Callable
from uuid import UUID

import pytest

from ebpfd.contracts import engine_information
from ebpfd.errors import RequestError
from ebpfd.objects import DAEMON, Kind, MapObject, Objects, Program, ProgramState
from ebpfd_api.map_type import MapType
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, Map
from ebpfd_vm import Program as EngineProgram
from tests.daemon.contracts.samples import SAMPLE, with_descriptor
from tests.daemon.objects.makers import make_link, make_map, make_program


def test_ids_begin_at_2_and_grow() -> None:
    """One counter for all kinds, as in eBPF for Windows."""
    objects = Objects()
    assert [objects.next_id() for _ in range(3)] == [2, 3, 4]


@pytest.mark.parametrize("kind", ["program", "map", "link"])
def test_an_absent_id_is_key_not_found(kind: str) -> None:
    """The message names the kind, the id, and the command that lists those there are."""
    objects = Objects()
    find: Callable[[int], object] = getattr(objects, kind)
    with pytest.raises(RequestError, match=f"no {kind} with id 7: `ebpfctl {kind} list`") as caught:
        find(7)
    assert caught.value.code is Result.KEY_NOT_FOUND
    for never in (0, 1):
        with pytest.raises(RequestError) as caught:
            find(never)
        assert caught.value.code is Result.KEY_NOT_FOUND


@pytest.mark.parametrize("kind", ["program", "map", "link"])
def test_an_id_of_the_past_is_stale(kind: str) -> None:
    """Also one of an earlier life; one that has another kind of object is KEY_NOT_FOUND."""
    objects, program = Objects(), make_program(2)
    find: Callable[[int], object] = getattr(objects, kind)
    objects.skip_ids(6)
    objects.skip_ids(5)
    assert objects.next_id() == 7
    for wanted, code in ((6, Result.STALE_ID), (7, Result.STALE_ID), (8, Result.KEY_NOT_FOUND)):
        with pytest.raises(RequestError) as caught:
            find(wanted)
        assert caught.value.code is code
    objects.add_program(program)
    objects.add_link(make_link(program, 4))
    other = {"program": 3, "map": 4, "link": 2}[kind]
    with pytest.raises(
        RequestError, match=f"{other} is a .*'s id: `ebpfctl {kind} list`"
    ) as caught:
        find(other)
    assert caught.value.code is Result.KEY_NOT_FOUND


def test_ids_follow_one_another_by_kind() -> None:
    """Ascending whatever the order of adding was; NO_MORE_KEYS at the end."""
    objects = Objects()
    for map_id in (9, 4, 6):
        objects.add_map(make_map(map_id))
    objects.remove_map(objects.map(6))
    assert [objects.id_after("map", number) for number in (0, 3, 4, 8)] == [4, 4, 9, 9]
    ends: list[tuple[Kind, int]] = [("map", 9), ("program", 0), ("link", 0)]
    for kind, number in ends:
        with pytest.raises(RequestError, match=f"no {kind} with an id above {number}") as caught:
            objects.id_after(kind, number)
        assert caught.value.code is Result.NO_MORE_KEYS


def test_a_program_brings_and_takes_its_maps() -> None:
    """A map is listed while a program uses it."""
    objects, program = Objects(), make_program()
    objects.add_program(program)
    (counted,) = program.maps
    assert (objects.program(2), objects.map(3)) == (program, counted)
    assert (tuple(objects.programs()), tuple(objects.maps())) == ((program,), (counted,))
    assert counted.program_ids == {2}
    assert counted.name == "by_protocol"
    objects.remove_program(program)
    assert (tuple(objects.programs()), tuple(objects.maps())) == ((), ())


def test_a_shared_map_goes_with_its_last_program() -> None:
    """Whichever that is."""
    objects, shared = Objects(), make_map(9)
    first, second = make_program(2, shared), make_program(3, shared)
    objects.add_program(first)
    objects.add_program(second)
    objects.remove_program(first)
    assert (objects.map(9), shared.program_ids) == (shared, {3})
    objects.remove_program(second)
    assert tuple(objects.maps()) == ()


def test_a_link_keeps_an_unloaded_program() -> None:
    """The daemon's reference ends at once, the program with its last link."""
    objects, program = Objects(), make_program()
    objects.add_program(program)
    first, second = make_link(program, 4), make_link(program, 5)
    objects.add_link(first)
    objects.add_link(second)
    assert (objects.link(4), tuple(objects.links())) == (first, (first, second))
    assert not objects.unload(program)
    assert not objects.unload(program)
    assert not program.loaded
    assert not objects.remove_link(first)
    assert program.link_ids == {5}
    assert objects.remove_link(second)


def test_a_loaded_program_survives_its_links() -> None:
    """Then unloading is its end."""
    objects, program = Objects(), make_program()
    objects.add_program(program)
    link = make_link(program)
    objects.add_link(link)
    assert not objects.remove_link(link)
    assert objects.unload(program) == [program]


def test_removing_twice_is_once() -> None:
    """What ends two ways at once ends once."""
    objects, program = Objects(), make_program()
    objects.add_program(program)
    link = make_link(program)
    objects.add_link(link)
    objects.remove_link(link)
    objects.remove_link(link)
    objects.remove_program(program)
    objects.remove_program(program)
    assert tuple(objects.links()) == ()


def test_a_program_waits_while_its_provider_is_away() -> None:
    """Its state is its provider's rundown."""
    program = make_program()
    states = [program.state]
    program.provider.rundown.reopen()
    states.append(program.state)
    assert states == [ProgramState.WAITING, ProgramState.READY]
    assert (program.name, program.program_type) == (
        "count_by_protocol",
        program.contract.program_type,
    )


def make_container(map_id: int = 6) -> MapObject:
    """An empty program array of a user's own."""
    return MapObject(map_id, Map(MapType.PROG_ARRAY, 4, 4, 2))


def put(objects: Objects, container: MapObject, index: int, program: Program) -> list[Program]:
    """Put *program* under an index; programs that nobody keeps now."""
    key = index.to_bytes(4, "little")
    container.map.set_program(key, program.engine, program.id)
    return objects.hold(container, key, program)


def test_a_file_gives_its_maps_to_its_user() -> None:
    """Also those that no program uses; they go when the last program of the file is unloaded."""
    objects, unused = Objects(), make_map(9)
    first, second = make_program(2), make_program(3)
    for each in (first, second):
        each.file_maps = (*each.maps, unused)
        objects.add_program(each)
    assert (unused.loaders, unused.program_ids, unused.in_use) == ({first, second}, set(), True)
    assert objects.unload(first) == [first]
    assert objects.map(9) is unused
    assert objects.unload(second) == [second]
    assert unused not in objects.maps()


def test_a_held_program_is_left_when_it_is_let_go() -> None:
    """By each way there is: replaced, deleted, its array removed; and from its last place only."""
    objects, container = Objects(), make_container()
    held, other = make_program(2), make_program(3)
    objects.add_map(container)
    for each in (held, other):
        objects.add_program(each)
    assert [put(objects, container, index, held) for index in (0, 1)] == [[], []]
    assert objects.unload(held) == []
    assert held.holder_ids == {container.id: 2}
    assert put(objects, container, 0, other) == []
    container.map.delete(bytes([1, 0, 0, 0]))
    assert objects.settle(container) == [held]
    assert objects.settle(container) == []
    assert objects.unload(other) == []
    assert objects.remove_map(container) == [other]
    assert container not in objects.maps()


def test_a_program_is_replaced_everywhere_or_nowhere() -> None:
    """An array that does not take the new one leaves the others with the old one."""
    objects, old, new, strange = Objects(), make_program(2), make_program(7), make_program(8)
    other_type = with_descriptor(SAMPLE, program_type=UUID(int=9))
    maps = [each.map for each in strange.maps]
    strange.engine = EngineProgram(strange.spec, maps, engine_information(other_type))
    first, second = make_container(), make_container(9)
    objects.add_program(old)
    for each in (first, second):
        objects.add_map(each)
    put(objects, first, 0, old)
    put(objects, second, 0, strange)
    objects.hold(second, bytes(4), old)
    with pytest.raises(EngineError, match="another program type"):
        objects.replace_program(old, new)
    assert int.from_bytes(first.map.lookup(bytes(4)), "little") == old.id
    assert (old.holder_ids, new.holder_ids) == ({first.id: 1, second.id: 1}, {})
    assert (list(objects.programs()), list(objects.owned(DAEMON))) == ([old], [old, first, second])
    assert not new.users.owners


def test_a_held_program_stays_when_its_link_ends() -> None:
    """A link is one of its keepers only."""
    objects, container, program = Objects(), make_container(), make_program()
    objects.add_map(container)
    objects.add_program(program)
    link = make_link(program)
    objects.add_link(link)
    put(objects, container, 0, program)
    assert objects.unload(program) == []
    assert not objects.remove_link(link)
    assert objects.remove_map(container) == [program]


def test_who_waits_for_a_maps_end_is_told_once() -> None:
    """When nobody keeps it any more, not when its user goes."""
    objects, program, told = Objects(), make_program(), list[str]()
    (counted,) = program.maps
    program.file_maps = program.maps
    counted.when_gone.add(lambda: told.append("gone"))
    objects.add_program(program)
    link = make_link(program)
    objects.add_link(link)
    objects.unload(program)
    assert (told, counted.in_use, counted.kept) == ([], False, True)
    objects.remove_link(link)
    objects.remove_program(program)
    objects.remove_program(program)
    assert told == ["gone"]
