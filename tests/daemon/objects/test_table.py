"""Who keeps whom alive, and ids that are never given twice."""

from collections.abc import Callable

import pytest

from ebpfd.errors import RequestError
from ebpfd.objects import Objects, ProgramState
from ebpfd_api.result import Result
from tests.daemon.objects.makers import make_link, make_map, make_program


def test_ids_begin_at_2_and_grow() -> None:
    """One counter for all kinds, as in eBPF for Windows."""
    objects = Objects()
    assert [objects.next_id() for _ in range(3)] == [2, 3, 4]


@pytest.mark.parametrize("kind", ["program", "map", "link"])
def test_an_absent_id_is_key_not_found(kind: str) -> None:
    """The message names the kind, the id, and the command that lists those there are."""
    find: Callable[[int], object] = getattr(Objects(), kind)
    with pytest.raises(RequestError, match=f"no {kind} with id 7: `ebpfctl {kind} list`") as caught:
        find(7)
    assert caught.value.code is Result.KEY_NOT_FOUND


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
