"""What each method needs: one line for each, and a test that none is missing.

A method without a line here is refused to everybody.  Of streams of requests only the first moment
is asked about: what their messages need is up to their servicers, ``Registrar`` and ``Hook``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from ebpfd.access import (
    ANY,
    Action,
    Caller,
    Need,
    guid_label,
    holding,
    hook_need,
    map_labels,
    type_need,
)
from ebpfd.contracts import ContractLookupError, KnownContracts
from ebpfd.errors import RequestError
from ebpfd.host.owners import Owners
from ebpfd.objects import Link, MapObject, Object, Objects, Program
from ebpfd.rpc.attach_type import decode_attach_type
from ebpfd.rpc.callers import subjects_of
from ebpfd_api.npi import HOOK
from ebpfd_api.v1 import hook_pb2, links_pb2, maps_pb2, pins_pb2

Needs: TypeAlias = tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is about to begin; *holds*: it is made for an owner."""

    request: Any
    caller: Caller
    holds: bool


class Things:
    """What requests name, and what a caller needs for it; for what is not there, any right."""

    def __init__(self, *, objects: Objects, owners: Owners, contracts: KnownContracts) -> None:
        self._objects = objects
        self._owners = owners
        self._contracts = contracts

    def program(self, program_id: int) -> Need:
        """To do something to a program."""
        try:
            return self.of(self._objects.program(program_id))
        except RequestError:
            return ANY[Action.LOAD]

    def link(self, link_id: int) -> Need:
        """To do something to a link."""
        try:
            return self.of(self._objects.link(link_id))
        except RequestError:
            return ANY[Action.ATTACH]

    def map(self, action: Action, map_id: int) -> Need:
        """To read or write a map."""
        try:
            return self.of(self._objects.map(map_id), action)
        except RequestError:
            return ANY[action]

    def hook(self, action: Action, named: hook_pb2.AttachType) -> Need:
        """To attach to a hook or to fire it."""
        try:
            wanted = decode_attach_type(named)
        except RequestError:
            return ANY[action]
        try:
            attach_type = self._contracts.find_attach_type(wanted)
        except ContractLookupError:
            # Its hook may come before it is looked for.
            return hook_need(action, wanted, "") if isinstance(wanted, UUID) else ANY[action]
        data = self._contracts.attach_type(attach_type)
        return hook_need(action, attach_type, data.name if data else "")

    def hosting(self, named: hook_pb2.AttachType) -> Need:
        """To change a hook that the daemon provides."""
        hook = self.hook(Action.REGISTER, named)
        guids = tuple(each for each in hook.labels if each.startswith("guid:"))
        return Need(Action.REGISTER, (*guids, guid_label(HOOK)), hook.what)

    def opened(self, request: pins_pb2.OpenRequest) -> Need:
        """To have an object, which then stays."""
        try:
            if request.HasField("id"):
                return self.of(self._objects.object(request.id))
            return self.of(self._objects.pinned(request.path))
        except RequestError:
            return ANY[Action.OBSERVE]

    def of(self, found: Object, action: Action = Action.READ) -> Need:
        """To use an object; *action* is of maps."""
        match found:
            case Program():
                return type_need(found.program_type, found.contract.name)
            case Link():
                data = self._contracts.attach_type(found.attach_type)
                return hook_need(Action.ATTACH, found.attach_type, data.name if data else "")
            case MapObject():
                return Need(action, self.labels(found), f"map {found.id}")

    def labels(self, found: MapObject) -> tuple[str, ...]:
        """By which rights mean a map; who holds a program that it came with holds it as well."""
        owners = set(found.users.owners).union(*(each.users.owners for each in found.loaders))
        holders = {
            holder
            for peer in map(self._owners.peer_of, owners)
            for holder in holding(subjects_of(peer))
        }
        return map_labels(found.name, found.users.paths, holders)


Rule: TypeAlias = Callable[[Things, Asked], Needs]


def _any(action: Action) -> Rule:
    return lambda _things, _asked: (ANY[action],)


def _program(things: Things, asked: Asked) -> Needs:
    return (things.program(asked.request.id),)


def _link(things: Things, asked: Asked) -> Needs:
    return (things.link(asked.request.id),)


def _map(*actions: Action) -> Rule:
    return lambda things, asked: tuple(things.map(each, asked.request.id) for each in actions)


def _attach(things: Things, asked: Asked) -> Needs:
    request: links_pb2.AttachRequest = asked.request
    policy = (ANY[Action.ADMIN],) if request.policy.ListFields() else ()
    return (things.hook(Action.ATTACH, request.attach_type), *policy)


def _unlink(things: Things, asked: Asked) -> Needs:
    return (things.hook(Action.ATTACH, asked.request.attach_type),)


def _create_hook(_things: Things, asked: Asked) -> Needs:
    """A GUID of one's own, or the right to provide any hook."""
    request: links_pb2.CreateHookRequest = asked.request
    given = (f"guid:{UUID(bytes=request.attach_type)}",) if len(request.attach_type) == 16 else ()
    return (Need(Action.REGISTER, (*given, guid_label(HOOK)), f"hook {request.name}"),)


def _remove_hook(things: Things, asked: Asked) -> Needs:
    return (things.hosting(asked.request.attach_type),)


def _create_map(_things: Things, asked: Asked) -> Needs:
    request: maps_pb2.CreateRequest = asked.request
    labels = map_labels(request.name, (), asked.caller.holder if asked.holds else ())
    return (Need(Action.WRITE, labels, f"a map {request.name!r}"),)


def _update(things: Things, asked: Asked) -> Needs:
    """What is put into a map of programs or maps can be used by who uses that."""
    request: maps_pb2.UpdateRequest = asked.request
    needs = [things.map(Action.WRITE, request.id)]
    match request.WhichOneof("object"):
        case "program_id":
            needs.append(things.program(request.program_id))
        case "map_id":
            inner = (
                things.map(Action.READ, request.map_id),
                things.map(Action.WRITE, request.map_id),
            )
            needs += inner
        case _:
            pass
    return tuple(needs)


def _open(things: Things, asked: Asked) -> Needs:
    return (things.opened(asked.request) if asked.holds else ANY[Action.OBSERVE],)


def free(_things: Things, _asked: Asked) -> Needs:
    """Nobody needs a role for it."""
    return ()


_OBSERVE, _ADMIN = _any(Action.OBSERVE), _any(Action.ADMIN)
_READ, _WRITE = _map(Action.READ), _map(Action.WRITE)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "Access/WhoAmI": free,
        "Contracts/List": _OBSERVE,
        "Contracts/Get": _OBSERVE,
        "Contracts/Export": _OBSERVE,
        "Contracts/Convert": _OBSERVE,
        "Contracts/Import": _ADMIN,
        "Contracts/Forget": _ADMIN,
        "Daemon/Status": _OBSERVE,
        "Extensions/List": _OBSERVE,
        "Extensions/Start": _ADMIN,
        "Extensions/Stop": _ADMIN,
        "Extensions/Restart": _ADMIN,
        "Extensions/Logs": _OBSERVE,
        # It shows the id of a session, and reaches what that session has registered.
        "Hook/Invoke": free,
        "Hook/Fire": _any(Action.FIRE),
        "Links/Attach": _attach,
        "Links/Detach": _link,
        "Links/Unlink": _unlink,
        "Links/Replace": _link,
        "Links/SetPolicy": _ADMIN,
        "Links/List": _OBSERVE,
        "Links/ListHooks": _OBSERVE,
        "Links/CreateHook": _create_hook,
        "Links/RemoveHook": _remove_hook,
        "Links/ImportHook": _ADMIN,
        "Links/ExportHook": _OBSERVE,
        "Maps/List": _OBSERVE,
        "Maps/Get": _OBSERVE,
        "Maps/Create": _create_map,
        "Maps/Remove": _WRITE,
        "Maps/Lookup": _READ,
        "Maps/Update": _update,
        "Maps/Delete": _WRITE,
        "Maps/Take": _map(Action.READ, Action.WRITE),
        "Maps/Next": _READ,
        "Maps/LookupBatch": _READ,
        "Maps/TakeBatch": _map(Action.READ, Action.WRITE),
        "Maps/UpdateBatch": _WRITE,
        "Maps/DeleteBatch": _WRITE,
        "Maps/Dump": _READ,
        "Maps/Events": _READ,
        # An owner is nobody but for what he has, and that needs rights.
        "Objects/Hold": free,
        "Objects/End": free,
        "Objects/ListOwners": _OBSERVE,
        "Objects/NextId": _OBSERVE,
        "Pins/Pin": _ADMIN,
        "Pins/Unpin": _ADMIN,
        "Pins/List": _OBSERVE,
        "Pins/Next": _OBSERVE,
        "Pins/Open": _open,
        # Of which types is known when the file has been read: see ``host.programs``.
        "Programs/Load": _any(Action.LOAD),
        "Programs/Verify": _any(Action.LOAD),
        "Programs/List": _OBSERVE,
        "Programs/Get": _OBSERVE,
        "Programs/TestRun": _program,
        "Programs/Reload": _program,
        "Programs/Unload": _program,
        "Programs/Disassemble": _OBSERVE,
        "Programs/Trace": _OBSERVE,
        "Recordings/Record": _ADMIN,
        # What is registered then is asked about one by one.
        "Registrar/Session": _any(Action.REGISTER),
        "Registrar/ListProviders": _OBSERVE,
        "Registrar/ListClients": _OBSERVE,
        "Registrar/ListBindings": _OBSERVE,
        "Registrar/Watch": _OBSERVE,
        "Registrar/Disconnect": _ADMIN,
        # They show contents of events.
        "Shadows/Set": _ADMIN,
        "Shadows/Clear": _ADMIN,
        "Shadows/Get": _ADMIN,
        "Stats/Get": _OBSERVE,
    }
)
"""By service and method of this API."""

OF_OTHERS: Final = frozenset(
    {
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    }
)
"""Methods of services that every gRPC server may have: they tell nothing of what is going on."""

OURS: Final = "/ebpfd_api.v1."
"""With what the whole names of this API's methods begin."""


def rule_of(method: str) -> Rule | None:
    """What the method of this whole name needs; None: nobody may call it."""
    if method.startswith(OURS):
        return RULES.get(method.removeprefix(OURS))
    return free if method in OF_OTHERS else None
