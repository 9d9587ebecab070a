"""Programs, maps, links and pins: ids, references and life-cycles, without I/O."""

from ebpfd.objects.custom_maps import CustomMap, MapShape
from ebpfd.objects.durable import NOTHING, Durable, Without
from ebpfd.objects.links import IllegalTransitionError, Link, LinkState
from ebpfd.objects.maps import MapObject
from ebpfd.objects.pins import Kind, Object, kind_of
from ebpfd.objects.programs import Execution, Program, ProgramSource, ProgramState, TypeProvider
from ebpfd.objects.rundown import Rundown
from ebpfd.objects.table import Objects
from ebpfd.objects.users import DAEMON, Owner, Users

__all__ = [
    "DAEMON",
    "NOTHING",
    "CustomMap",
    "Durable",
    "Execution",
    "IllegalTransitionError",
    "Kind",
    "Link",
    "LinkState",
    "MapObject",
    "MapShape",
    "Object",
    "Objects",
    "Owner",
    "Program",
    "ProgramSource",
    "ProgramState",
    "Rundown",
    "TypeProvider",
    "Users",
    "Without",
    "kind_of",
]
