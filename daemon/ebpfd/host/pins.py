"""Pinning, opening and unpinning: objects that are kept by paths."""

from functools import partial

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.keeper import Keeper
from ebpfd.host.links import Links
from ebpfd.objects import (
    DAEMON,
    Link,
    LinkState,
    MapObject,
    Object,
    Objects,
    Owner,
    Program,
    Without,
    kind_of,
)
from ebpfd_api.result import Result

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Pins:
    """What changes pins, or who has objects by them."""

    def __init__(
        self, *, objects: Objects, links: Links, custom_maps: CustomMaps, keeper: Keeper
    ) -> None:
        self._keeper = keeper
        self._objects = objects
        self._links = links
        self._custom_maps = custom_maps

    async def pin(self, path: str, object_id: int) -> tuple[str, Object]:
        """Pin an object; the path in its one form, and the object."""
        pinned = self._objects.object(object_id)
        whole = self._objects.pin(path, pinned)
        await self._keeper.kept(partial(self._take_out, whole, pinned))
        _log.info("pinned", path=whole, kind=kind_of(pinned), id=pinned.id)
        return whole, pinned

    async def unpin(self, path: str) -> None:
        """Remove a pin; returns when what nobody keeps any more has gone."""
        whole, pinned = self._objects.pin_at(path)
        async with self._keeper.gone(Without(paths=frozenset({whole}))):
            whole, pinned = self._objects.pin_at(path)  # somebody else may have been faster
            left = self._objects.take_out(whole)
        _log.info("unpinned", path=whole, kind=kind_of(pinned), id=pinned.id)
        await self._gone(pinned, left)

    def open(self, what: str | int, owner: Owner) -> Object:
        """What is pinned there or has that id; *owner* has it now, unless it is the daemon.

        ``RequestError`` INVALID_STATE if it is a link that is about to go.
        """
        objects = self._objects
        found = objects.pinned(what) if isinstance(what, str) else objects.object(what)
        if owner is DAEMON:
            return found
        if isinstance(found, Link) and found.state is not LinkState.ATTACHED:
            message = f"link {found.id} is {found.state.value}: nobody can have it now"
            raise RequestError(Result.INVALID_STATE, message)
        objects.open(found, owner)
        return found

    async def close(self) -> None:
        """Remove every pin, at the daemon's end; on disk they stay."""
        for whole, pinned in tuple(self._objects.pins()):
            await self._gone(pinned, self._objects.take_out(whole))

    async def _take_out(self, whole: str, pinned: Object) -> None:
        """Undo a pin that could not be kept."""
        if whole in pinned.users.paths:
            await self._gone(pinned, self._objects.take_out(whole))

    async def _gone(self, pinned: Object, left: list[Link | Program]) -> None:
        await self._links.end_unkept(left)
        if isinstance(pinned, MapObject) and not pinned.kept:
            await self._custom_maps.end(pinned)
