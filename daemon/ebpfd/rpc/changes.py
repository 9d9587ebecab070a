"""Which calls change something, and what the audit log says of each.

A method is in one of both tables, and a test finds those that are in none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from ebpfd.rpc.registration_codec import ROLES
from ebpfd_api.npi import NAMES
from ebpfd_api.v1 import links_pb2, registrar_pb2

MAX_BYTES: Final = 64
"""Of a field of bytes that is shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of change, and the fields of request and answer that tell which one it was."""

    what: str
    asked: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    """``programs.id`` are the ids of all programs in the answer, and called ``programs``."""

    often: str = ""
    """The field of the request that names the thing to which this may be done very often."""

    def facts(self, request: Message, response: Message) -> dict[str, Any]:
        """What is told of one change."""
        told: dict[str, Any] = {}
        for message, paths in ((request, self.asked), (response, self.made)):
            for path in paths:
                name, _, field = path.partition(".")
                if (value := _value(message, name, field)) not in (None, "", []):
                    told[name] = value
        return told


def registration_facts(register: registrar_pb2.Register) -> dict[str, Any]:
    """What a module wants to be, as it says it: it may have been refused for that."""
    instance = register.instance
    npi = _plain(instance.npi_id)
    name = NAMES.get(UUID(npi), npi) if len(instance.npi_id) == 16 else npi
    role = {role: registered.value for role, registered in ROLES.items()}.get(register.role)
    return {"role": role, "npi": name, "module": _plain(instance.module_id)}


def _value(message: Any, name: str, field: str) -> Any:
    """A field of a message, or that *field* of the message or messages in it, as JSON has it."""
    value: Any = getattr(message, name)
    if message.DESCRIPTOR.fields_by_name[name].has_presence and not message.HasField(name):
        return None
    if field and isinstance(value, Message):
        return _plain(getattr(value, field))
    if field:
        return [_plain(getattr(each, field)) for each in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case bool() | int() | float() | str():
            return value
        case bytes():
            return str(UUID(bytes=value)) if len(value) == 16 else value[:MAX_BYTES].hex()
        case Message():
            return _named(value)
        case _:  # a field that is repeated
            return [_plain(each) for each in value]


def _named(message: Message) -> Any:
    """A message that is one of several names, by that; else all of it."""
    if isinstance(message, links_pb2.PolicyChange):
        return MessageToDict(message, preserving_proto_field_name=True)
    said = [_plain(value) for _, value in message.ListFields()]
    return said[0] if said else None


CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "Contracts/Import": Change(
            "contract.import", ("file_name", "provide"), ("contract.digest",)
        ),
        "Contracts/Forget": Change("contract.forget", ("program_type",)),
        "Extensions/Start": Change("extension.start", ("name",)),
        "Extensions/Stop": Change("extension.stop", ("name",)),
        "Extensions/Restart": Change("extension.restart", ("name",)),
        "Links/Attach": Change(
            "link.attach",
            ("program_id", "attach_type", "parameter", "priority", "policy"),
            ("link.id",),
        ),
        "Links/Detach": Change("link.detach", ("id",)),
        "Links/Unlink": Change("link.unlink", ("attach_type", "parameter", "program_id"), ("ids",)),
        "Links/Replace": Change("link.replace", ("id", "program_id", "expected_program_id")),
        "Links/SetPolicy": Change("link.policy", ("id", "policy")),
        "Links/CreateHook": Change("hook.create", ("name", "program_type"), ("hook.attach_type",)),
        "Links/RemoveHook": Change("hook.remove", ("attach_type",)),
        "Links/ImportHook": Change("hook.import", made=("hook.attach_type",)),
        "Maps/Create": Change("map.create", ("name", "type", "type_name"), ("map.id",)),
        "Maps/Remove": Change("map.remove", ("id",)),
        "Maps/Update": Change("map.update", ("id", "program_id", "map_id"), often="id"),
        "Maps/Delete": Change("map.delete", often="id"),
        "Maps/Take": Change("map.take", often="id"),
        "Maps/TakeBatch": Change("map.take", often="id"),
        "Maps/UpdateBatch": Change("map.update", often="id"),
        "Maps/DeleteBatch": Change("map.delete", often="id"),
        "Pins/Pin": Change("pin", ("id",), ("pin.path",)),
        "Pins/Unpin": Change("unpin", ("path",)),
        # It keeps what it opens, if it is for an owner.
        "Pins/Open": Change("open", ("path", "id"), ("program.id", "map.id", "link.id")),
        "Programs/Load": Change(
            "program.load",
            ("file_name", "programs", "flags"),
            ("programs.id", "maps.id"),
        ),
        "Programs/Reload": Change("program.reload", ("id",), ("program.id",)),
        "Programs/Unload": Change("program.unload", ("id",)),
        "Registrar/Disconnect": Change(
            "extension.disconnect", ("registration",), ("registrations.registration",)
        ),
        "Shadows/Set": Change("shadow.set", ("link_id", "program_id")),
        "Shadows/Clear": Change("shadow.clear", ("link_id",)),
    }
)
"""By service and method."""

NO_CHANGES: Final = frozenset(
    {
        "Access/WhoAmI",
        "Contracts/List",
        "Contracts/Get",
        "Contracts/Export",
        "Contracts/Convert",
        "Daemon/Status",
        "Extensions/List",
        "Extensions/Logs",
        "Hook/Invoke",
        "Hook/Fire",
        "Links/List",
        "Links/ListHooks",
        "Links/ExportHook",
        "Maps/List",
        "Maps/Get",
        "Maps/Lookup",
        "Maps/Next",
        "Maps/LookupBatch",
        "Maps/Dump",
        "Maps/Events",
        # Owners that begin have nothing yet; what they lose at their end is told by themselves.
        "Objects/Hold",
        "Objects/End",
        "Objects/ListOwners",
        "Objects/NextId",
        "Pins/List",
        "Pins/Next",
        "Programs/Verify",
        "Programs/List",
        "Programs/Get",
        "Programs/TestRun",
        "Programs/Disassemble",
        "Programs/Trace",
        "Recordings/Record",
        # Sessions, and what is registered in them, are told by themselves.
        "Registrar/Session",
        "Registrar/ListProviders",
        "Registrar/ListClients",
        "Registrar/ListBindings",
        "Registrar/Watch",
        "Shadows/Get",
        "Stats/Get",
    }
)
"""Refusals of these are told as well."""
