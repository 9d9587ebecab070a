"""What programs, maps and links have in common: pins, ids and owners."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TypeAlias

import grpc

from ebpfd_api.result import Result
from ebpfd_api.v1 import access_pb2, objects_pb2, pins_pb2
from ebpfd_sdk._access import Me, me_of
from ebpfd_sdk._answer import result_of
from ebpfd_sdk._daemon import LONG_CALL_S, Daemon
from ebpfd_sdk._decode import check, peer_of
from ebpfd_sdk._errors import DaemonUnavailable, EbpfdError
from ebpfd_sdk._map import Map, map_of
from ebpfd_sdk._program import AttachedLink, Program, link_of, program_of
from ebpfd_sdk._values import Peer

PinnedThing: TypeAlias = Program | Map | AttachedLink
_HoldCall: TypeAlias = "grpc.aio.UnaryStreamCall[objects_pb2.HoldRequest, objects_pb2.HoldResponse]"


class ObjectType(Enum):
    """What has an id, and can be pinned."""

    UNKNOWN = objects_pb2.OBJECT_TYPE_UNSPECIFIED
    """Something that this version does not know."""

    PROGRAM = objects_pb2.OBJECT_TYPE_PROGRAM
    MAP = objects_pb2.OBJECT_TYPE_MAP
    LINK = objects_pb2.OBJECT_TYPE_LINK


@dataclass(frozen=True, slots=True)
class Pin:
    """A path that keeps an object."""

    path: str
    id: int
    type: ObjectType
    name: str
    """A link's is that of its program."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A client that holds, and the ids of what it has."""

    name: str
    ids: tuple[int, ...]
    peer: Peer = field(default_factory=Peer)


class Holding:
    """An owner of this client's own, for as long as its stream is open."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._call: _HoldCall | None = None

    async def begin(self, name: str) -> None:
        """From now on, what calls make belongs to the owner."""
        request = objects_pb2.HoldRequest(name=name or _process_name())
        identity = await self._daemon.connection.identity()
        self._call = self._daemon.objects.Hold(request, metadata=identity)
        async with self._daemon.connection.translated():
            reply = await self._call.read()
        if not isinstance(reply, objects_pb2.HoldResponse):
            raise self._daemon.connection.unavailable("it gave no owner")
        check(reply.status)
        self._daemon.owner = reply.token

    async def end(self) -> None:
        """End the owner; returns when what goes with it has gone."""
        stub = self._daemon.objects
        try:
            request = objects_pb2.EndRequest()
            check((await self._daemon.ask(stub.End, request, timeout_s=LONG_CALL_S)).status)
        except DaemonUnavailable:
            pass  # then it has ended already
        except EbpfdError as error:
            if error.code is not Result.INVALID_STATE:
                raise
        finally:
            if self._call is not None:
                self._call.cancel()


class ObjectCalls:
    """The part of a client that is about pins, ids and owners, and about itself."""

    @property
    def _daemon(self) -> Daemon:
        raise NotImplementedError

    async def pin(self, path: str, what: PinnedThing | int) -> Pin:
        """Pin an object, or the one with this id: it is kept until it is unpinned.

        OBJECT_ALREADY_EXISTS if the path is taken.  An object may have several pins.
        """
        number = what if isinstance(what, int) else what.id
        request = pins_pb2.PinRequest(path=path, id=number)
        reply = await self._daemon.ask(self._daemon.pins.Pin, request)
        check(reply.status)
        return _pin_of(reply.pin)

    async def unpin(self, path: str) -> None:
        """Remove a pin; returns when what nobody keeps any more has gone."""
        request = pins_pb2.UnpinRequest(path=path)
        stub = self._daemon.pins
        check((await self._daemon.ask(stub.Unpin, request, timeout_s=LONG_CALL_S)).status)

    async def pins(self, *types: ObjectType) -> tuple[Pin, ...]:
        """List the pins by path, of all types of objects or of some."""
        request = pins_pb2.PinsListRequest(types=_numbers(types))
        reply = await self._daemon.ask(self._daemon.pins.List, request)
        check(reply.status)
        return tuple(map(_pin_of, reply.pins))

    async def next_pin(self, after: str = "", *types: ObjectType) -> Pin | None:
        """Find the first pin behind a path, which need not be there; None: there is none."""
        request = pins_pb2.PinsNextRequest(after=after, types=_numbers(types))
        reply = await self._daemon.ask(self._daemon.pins.Next, request)
        if result_of(reply.status.code) is Result.NO_MORE_KEYS:
            return None
        check(reply.status)
        return _pin_of(reply.pin)

    async def open(self, what: str | int) -> PinnedThing:
        """Look up what is pinned there, or has that id; a client that holds has it from now on."""
        path, number = (what, None) if isinstance(what, str) else (None, what)
        request = pins_pb2.OpenRequest(path=path, id=number)
        reply = await self._daemon.ask(self._daemon.pins.Open, request)
        check(reply.status)
        if reply.HasField("program"):
            maps = {each.id: map_of(each, self._daemon) for each in reply.maps}
            return program_of(reply.program, maps, self._daemon)
        if reply.HasField("map"):
            return map_of(reply.map, self._daemon)
        return link_of(reply.link, self._daemon)

    async def open_program(self, what: str | int) -> Program:
        """Open the program that is pinned there, or has that id."""
        found = await self.open(what)
        if not isinstance(found, Program):
            raise _other(what, found, "program")
        return found

    async def open_map(self, what: str | int) -> Map:
        """Open the map that is pinned there, or has that id."""
        found = await self.open(what)
        if not isinstance(found, Map):
            raise _other(what, found, "map")
        return found

    async def open_link(self, what: str | int) -> AttachedLink:
        """Open the link that is pinned there, or has that id."""
        found = await self.open(what)
        if not isinstance(found, AttachedLink):
            raise _other(what, found, "link")
        return found

    async def next_id(self, type: ObjectType, after: int = 0) -> int | None:  # noqa: A002 (its name)
        """Find the smallest id above *after* of a type; None: there is none."""
        request = objects_pb2.NextIdRequest(type=_numbers([type])[0], after=after)
        reply = await self._daemon.ask(self._daemon.objects.NextId, request)
        if result_of(reply.status.code) is Result.NO_MORE_KEYS:
            return None
        check(reply.status)
        return reply.id

    async def owners(self) -> tuple[Owner, ...]:
        """List the clients that hold, and what they have."""
        request = objects_pb2.ListOwnersRequest()
        reply = await self._daemon.ask(self._daemon.objects.ListOwners, request)
        check(reply.status)
        return tuple(Owner(each.name, tuple(each.ids), peer_of(each.peer)) for each in reply.owners)

    async def who_am_i(self) -> Me:
        """Ask who this client is to the daemon, and what it may do there."""
        reply = await self._daemon.ask(self._daemon.access.WhoAmI, access_pb2.WhoAmIRequest())
        check(reply.status)
        return me_of(reply)


def _numbers(types: Sequence[ObjectType]) -> "list[objects_pb2.ObjectType]":
    return [each.value for each in types]


def _pin_of(message: pins_pb2.PinnedObject) -> Pin:
    known = ObjectType._value2member_map_
    type_ = ObjectType(message.type) if message.type in known else ObjectType.UNKNOWN
    return Pin(message.path, message.id, type_, message.name)


def _other(what: str | int, found: PinnedThing, wanted: str) -> EbpfdError:
    kinds = {Program: "program", Map: "map", AttachedLink: "link"}
    message = f"{what} leads to {kinds[type(found)]} {found.id}: it is no {wanted}"
    return EbpfdError(Result.INVALID_OBJECT, message)


def _process_name() -> str:
    """What people call this process."""
    return f"{Path(sys.argv[0]).name or 'python'} (pid {os.getpid()})"
