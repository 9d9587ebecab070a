"""Objects against a naive model that works out from scratch who is kept by whom."""

from dataclasses import dataclass, field
from typing import TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ebpfd.objects import DAEMON, Link, LinkState, MapObject, Objects, Owner, Program
from ebpfd_api.map_type import MapType
from ebpfd_vm import Map
from tests.daemon.objects.makers import make_link, make_map, make_program

AnyObject: TypeAlias = Program | MapObject | Link


@dataclass(slots=True)
class Node:
    """What the model knows of an object."""

    kind: str
    owners: set[int] = field(default_factory=set[int])
    pins: set[str] = field(default_factory=set[str])
    uses: tuple[int, ...] = ()
    file_maps: tuple[int, ...] = ()
    held: dict[bytes, int] = field(default_factory=dict[bytes, int])
    container: bool = False


class Model:
    """Every node, and after each change those that are kept."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}

    def is_used(self, number: int) -> bool:
        """Whether a user has it, itself or with its file."""
        node = self.nodes[number]
        with_file = any(number in each.file_maps and each.owners for each in self.nodes.values())
        return bool(node.owners or node.pins or with_file)

    def sweep(self) -> None:
        """Empty containers without a user, drop what nothing leads to; until nothing changes."""
        swept = -1
        while swept != len(self.nodes):
            swept = len(self.nodes)
            kept = {number for number in self.nodes if self.is_used(number)}
            for number, node in self.nodes.items():
                if node.container and number not in kept:
                    node.held.clear()
            for node in self.nodes.values():
                kept.update(node.uses, node.held.values())
            self.nodes = {number: self.nodes[number] for number in self.nodes if number in kept}


class Lives(RuleBasedStateMachine):
    """Loads, attaches, pins, puts into containers, ends of owners, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.objects, self.model = Objects(), Model()
        self.owners = [DAEMON, Owner("first"), Owner("second")]
        self.given: list[int] = []
        self.paths = 0

    def pick(self, data: st.DataObject, kind: str, *, container: bool | None = None) -> int:
        """The id of one that is there; 0 if there is none."""
        ids = [
            number for number, node in self.model.nodes.items()
            if node.kind == kind and container in (None, node.container)
        ]  # fmt: skip
        return data.draw(st.sampled_from(ids)) if ids else 0

    def find(self, number: int) -> AnyObject:
        """The live object."""
        kind = self.model.nodes[number].kind
        found: AnyObject = getattr(self.objects, kind)(number)
        return found

    def new_id(self) -> int:
        """An id, which nobody had before."""
        number = self.objects.next_id()
        assert number == (self.given[-1] + 1 if self.given else 2)
        self.given.append(number)
        return number

    def end(self, left: "list[Program] | list[Link] | list[Link | Program]") -> None:
        """Do what the host does with what nobody keeps."""
        for each in left:
            if isinstance(each, Link):
                each.state = LinkState.DETACHING
                if self.objects.remove_link(each):
                    self.objects.remove_program(each.program)
            else:
                assert not each.kept
                self.objects.remove_program(each)
        self.model.sweep()

    @rule(data=st.data(), owner=st.integers(0, 2), container=st.booleans())
    def create(self, data: st.DataObject, owner: int, container: bool) -> None:
        """An owner makes a map."""
        number = self.new_id()
        made = self.make_map(number, container)
        self.objects.add_map(made, (self.owners[owner],))
        self.model.nodes[number] = Node("map", {owner}, container=container)

    def make_map(self, number: int, container: bool) -> MapObject:
        """A program array, or a plain map."""
        return (
            MapObject(number, Map(MapType.PROG_ARRAY, 4, 4, 2)) if container else make_map(number)
        )

    @rule(owner=st.integers(0, 2), container=st.booleans())
    def load(self, owner: int, container: bool) -> None:
        """An owner loads a file with two programs, which share its maps; one uses all of them."""
        first, second = self.new_id(), self.new_id()
        counted, other = make_map(self.new_id()), self.make_map(self.new_id(), container)
        for number in (first, second):
            program = make_program(number, counted)
            program.maps = (counted, other) if number == first else (counted,)
            program.file_maps = (counted, other)
            self.objects.add_program(program, (self.owners[owner],))
            uses = tuple(each.id for each in program.maps)
            self.model.nodes[number] = Node("program", {owner}, set(), uses, (counted.id, other.id))
        self.model.nodes[counted.id] = Node("map")
        self.model.nodes[other.id] = Node("map", container=container)

    @rule(data=st.data(), owner=st.integers(0, 2))
    def attach(self, data: st.DataObject, owner: int) -> None:
        """An owner attaches a program."""
        if program_id := self.pick(data, "program"):
            link = make_link(self.objects.program(program_id), self.new_id())
            link.state = LinkState.ATTACHED
            self.objects.add_link(link, (self.owners[owner],))
            self.model.nodes[link.id] = Node("link", {owner}, uses=(program_id,))

    @rule(data=st.data())
    def detach(self, data: st.DataObject) -> None:
        """Somebody detaches a link, whoever has it."""
        if link_id := self.pick(data, "link"):
            link = self.objects.link(link_id)
            del self.model.nodes[link_id]
            self.end([link])

    @precondition(lambda self: any(node.owners for node in self.model.nodes.values()))
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        """An owner gives up an object."""
        had = [
            (number, owner)
            for number, node in self.model.nodes.items()
            for owner in sorted(node.owners)
        ]
        number, owner = data.draw(st.sampled_from(had))
        self.model.nodes[number].owners.discard(owner)
        match self.find(number):
            case Program() as program:
                self.end(self.objects.unload(program, self.owners[owner]))
            case MapObject() as map_object:
                self.end(self.objects.remove_map(map_object, self.owners[owner]))
            case Link() as link:
                self.end(self.objects.close_link(link, self.owners[owner]))

    @precondition(lambda self: self.model.nodes)
    @rule(data=st.data(), owner=st.integers(0, 2))
    def open(self, data: st.DataObject, owner: int) -> None:
        """An owner gets a reference of its own."""
        number = data.draw(st.sampled_from(sorted(self.model.nodes)))
        self.objects.open(self.find(number), self.owners[owner])
        node = self.model.nodes[number]
        node.owners.add(owner)
        node.file_maps = tuple(each for each in node.file_maps if each in self.model.nodes)

    @precondition(lambda self: self.model.nodes)
    @rule(data=st.data())
    def pin(self, data: st.DataObject) -> None:
        """Somebody pins an object to one more path."""
        number = data.draw(st.sampled_from(sorted(self.model.nodes)))
        self.paths += 1
        self.objects.pin(f"{self.paths}", self.find(number))
        self.model.nodes[number].pins.add(f"{self.paths}")

    @precondition(lambda self: any(node.pins for node in self.model.nodes.values()))
    @rule(data=st.data())
    def unpin(self, data: st.DataObject) -> None:
        """Somebody unpins a path."""
        pinned = [(path, node) for node in self.model.nodes.values() for path in sorted(node.pins)]
        path, node = data.draw(st.sampled_from(pinned))
        node.pins.discard(path)
        self.end(self.objects.unpin(path))

    @rule(data=st.data(), place=st.integers(0, 1))
    def put(self, data: st.DataObject, place: int) -> None:
        """Somebody puts a program into a program array that has a user."""
        container_id, held_id = self.pick(data, "map", container=True), self.pick(data, "program")
        if container_id and held_id and self.model.is_used(container_id):
            container, held = self.objects.map(container_id), self.objects.program(held_id)
            key = place.to_bytes(4, "little")
            container.map.set_program(key, held.engine, held.id)
            self.model.nodes[container_id].held[key] = held_id
            self.end(self.objects.hold(container, key, held))

    @rule(data=st.data(), place=st.integers(0, 1))
    def take(self, data: st.DataObject, place: int) -> None:
        """A program or a user deletes a key."""
        if container_id := self.pick(data, "map", container=True):
            container, key = self.objects.map(container_id), place.to_bytes(4, "little")
            container.map.delete(key)
            self.model.nodes[container_id].held.pop(key, None)
            self.end(self.objects.settle(container))

    @precondition(lambda self: len(self.model.nodes) > 6)
    @rule(number=st.integers(1, 2))
    def process_dies(self, number: int) -> None:
        """An owner ends; another one takes its place."""
        owner, self.owners[number] = self.owners[number], Owner("next")
        for node in self.model.nodes.values():
            node.owners.discard(number)
        self.end(self.objects.end(owner))
        assert list(self.objects.owned(owner)) == []

    @invariant()
    def agrees(self) -> None:
        """The same objects are there, with the same entries and users; ids go up."""
        nodes = self.model.nodes
        programs = [each.id for each in self.objects.programs()]
        maps = [each.id for each in self.objects.maps()]
        links = [each.id for each in self.objects.links()]
        for kind, ids in (("program", programs), ("map", maps), ("link", links)):
            assert ids == sorted(number for number, node in nodes.items() if node.kind == kind)
        for one in self.objects.maps():
            assert {key: held.id for key, held in one.held.items()} == nodes[one.id].held
            assert one.in_use is self.model.is_used(one.id)
        for number, node in nodes.items():
            assert self.find(number).users.count == len(node.owners) + len(node.pins)
        for number, owner in enumerate(self.owners):
            owned = sorted(each.id for each in self.objects.owned(owner))
            assert owned == sorted(key for key, node in nodes.items() if number in node.owners)


Lives.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestLives = Lives.TestCase
