"""Live maps as they are declared, made in files of the state directory if there is one."""

import asyncio
import os
from collections.abc import Sequence
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.host.map_room import MapRoom
from ebpfd.objects import MapObject
from ebpfd.store import KeptMap, MapFiles
from ebpfd.store.map_files import engine_map, has_file
from ebpfd_api.result import Result
from ebpfd_vm import Map, MapSpec


class NewMaps:
    """Makes maps; without *files* in memory, and so those that have no contents to survive.

    *shared* memory can be passed on to other processes.
    """

    def __init__(self, files: MapFiles | None = None, *, shared: bool = False) -> None:
        self._files = files
        self._shared = shared
        self.room: Final = MapRoom(files.folder if files else None)

    def make(self, declared: KeptMap, initial: bytes | None = None) -> Map:
        """A new map; it may block for some time.

        ``RequestError`` OUT_OF_SPACE if its file cannot be made, ``EngineError`` if the map cannot.
        """
        if self._files is None or not has_file(declared):
            return engine_map(declared, initial, shared=self._shared and has_file(declared))
        try:
            with self.room.counting():
                descriptor = self._files.new()
        except OSError as error:
            message = f"no file for a map in {self._files.folder}: {error.strerror}"
            raise RequestError(Result.OUT_OF_SPACE, message) from None
        try:
            with self.room.counting():
                return engine_map(declared, initial, descriptor)
        finally:
            os.close(descriptor)

    async def renew(self, map_object: MapObject) -> None:
        """Leave other processes behind, which have the map's memory; contents stay.

        ``EngineError`` TIMEOUT: runs of this process use it just now.  ``OSError``.
        """
        if self._files is None:
            map_object.map.renew()
            return
        with self.room.counting():
            descriptor = await asyncio.to_thread(self._files.new)
            try:
                # Here, where nobody else changes it meanwhile.
                map_object.map.renew(descriptor)
                await asyncio.to_thread(self._files.take_over, map_object.id, descriptor)
            finally:
                os.close(descriptor)

    def of_file(self, spec: MapSpec, specs: Sequence[MapSpec]) -> Map:
        """A map as an object file with *specs* declares it."""
        like = None if spec.inner is None else specs[spec.inner]
        inner = like and (like.type, like.key_size, like.value_size, like.max_entries)
        declared = KeptMap(
            spec.type,
            spec.key_size,
            spec.value_size,
            spec.max_entries,
            name=spec.name,
            flags=spec.flags,
            read_only=spec.read_only,
            inner=inner,
        )
        return self.make(declared, spec.initial)
