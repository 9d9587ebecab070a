"""What of a file a caller may load."""

from ebpfd.access import Action, Caller, Need, map_labels, type_need
from ebpfd.contracts import ProgramData
from ebpfd.objects import MapObject
from ebpfd.objects.pin_paths import path_by_name
from ebpfd.rpc.rules import Things
from ebpfd_vm import MapSpec


class CallerPermit:
    """A caller's roles, asked about what is in his file."""

    def __init__(self, caller: Caller, things: Things) -> None:
        self._caller = caller
        self._things = things

    def program(self, contract: ProgramData) -> None:
        """A program of this type."""
        self._caller.check(type_need(contract.program_type, contract.name))

    def pinned_map(self, spec: MapSpec, there: MapObject | None) -> None:
        """A map that is pinned by its name: with it, his program reads and writes it."""
        if there is None:
            labels = map_labels(spec.name, (path_by_name(spec.name),), ())
        else:
            labels = self._things.labels(there)
        what = f"map {spec.name}, which is pinned by its name"
        self._caller.check(Need(Action.READ, labels, what))
        self._caller.check(Need(Action.WRITE, labels, what))
