"""Pinning, opening and unpinning: objects that are kept by paths."""

import structlog

from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.links import Links
from ebpfd.objects import DAEMON, MapObject, Object, Objects, Owner, kind_of

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Pins:
    """What changes pins, or who has objects by them."""

    def __init__(self, *, objects: Objects, links: Links, custom_maps: CustomMaps) -> None:
        self._objects = objects
        self._links = links
        self._custom_maps = custom_maps

    def pin(self, path: str, object_id: int) -> tuple[str, Object]:
        """Pin an object; the path in its one form, and the object."""
        pinned = self._objects.object(object_id)
        whole = self._objects.pin(path, pinned)
        _log.info("pinned", path=whole, kind=kind_of(pinned), id=pinned.id)
        return whole, pinned

    async def unpin(self, path: str) -> None:
        """Remove a pin; returns when what nobody keeps any more has gone."""
        pinned = self._objects.pinned(path)
        left = self._objects.unpin(path)
        _log.info("unpinned", path=path, kind=kind_of(pinned), id=pinned.id)
        await self._links.end_unkept(left)
        if isinstance(pinned, MapObject) and not pinned.kept:
            await self._custom_maps.end(pinned)

    def open(self, path: str, owner: Owner) -> Object:
        """What is pinned there; *owner* has it from now on, unless it is the daemon."""
        pinned = self._objects.pinned(path)
        if owner is not DAEMON:
            self._objects.open(pinned, owner)
        return pinned

    async def close(self) -> None:
        """Remove every pin, at the daemon's end."""
        for path, _ in tuple(self._objects.pins()):
            await self.unpin(path)
