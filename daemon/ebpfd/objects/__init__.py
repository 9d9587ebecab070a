"""Programs, maps and links: ids, references and life-cycles, without I/O."""

from ebpfd.objects.custom_maps import CustomMap, MapShape
from ebpfd.objects.links import IllegalTransitionError, Link, LinkState
from ebpfd.objects.maps import MapObject
from ebpfd.objects.programs import Execution, Program, ProgramSource, ProgramState, TypeProvider
from ebpfd.objects.rundown import Rundown
from ebpfd.objects.table import Objects

__all__ = [
    "CustomMap",
    "Execution",
    "IllegalTransitionError",
    "Link",
    "LinkState",
    "MapObject",
    "MapShape",
    "Objects",
    "Program",
    "ProgramSource",
    "ProgramState",
    "Rundown",
    "TypeProvider",
]
