"""What programs do with elements of custom maps: their providers are asked as for users' calls.

The engine carries a program's update or deletion here as it carries a call of an extension's
helper, and the run waits: so the key's other writers, users and programs alike, come before or
after it, and the provider sees each of them with its undo.  Lookups need nobody.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from ebpfd.errors import RequestError
from ebpfd.host.custom_maps import CustomMaps
from ebpfd.host.map_uses import helper_calls
from ebpfd.host.modules import MapModule
from ebpfd.host.services import Services
from ebpfd.objects import MapObject
from ebpfd.objects.custom_maps import RefusalError
from ebpfd_api.result import Result
from ebpfd_vm import EngineError, HelperError, ProgramSpec

LOOKUP: Final = 1
UPDATE: Final = 2
DELETE: Final = 3
LOOKUP_AND_DELETE: Final = 4

ELEMENT_HELPERS: Final[Mapping[int, str]] = {
    LOOKUP: "bpf_map_lookup_elem",
    UPDATE: "bpf_map_update_elem",
    DELETE: "bpf_map_delete_elem",
    LOOKUP_AND_DELETE: "bpf_map_lookup_and_delete_elem",
}
WRITING: Final = frozenset({UPDATE, DELETE, LOOKUP_AND_DELETE})

_ENDING: Final = frozenset({Result.TIMEOUT, Result.EXTENSION_FAILED_TO_LOAD, Result.NO_MEMORY})
"""Codes of ours for an answer that did not come: the run ends with them, as with a helper's."""


class ProgramElements:
    """Writes elements for programs; no call takes longer than *deadline_s*."""

    def __init__(self, maps: CustomMaps, services: Services, deadline_s: float) -> None:
        self.deadline_s: Final = deadline_s
        self._maps = maps
        self._services = services

    def provider(self, map_id: int) -> MapModule | None:
        """Who is waited for."""
        return self._maps.owner(map_id)

    async def write(
        self, helper_id: int, map_id: int, arguments: Sequence[object], deadline_s: float
    ) -> int:
        """What the helper returns; ``HelperError`` if nobody has answered or can.

        *arguments* are those after the map.  What has begun is done to its end, also late.
        """
        until = asyncio.get_running_loop().time() + deadline_s
        match helper_id, arguments:
            case 2, (bytes() as key, bytes() as value, int() as flags):
                work = self._maps.update_by_program(map_id, key, value, flags, until)
            case 3, (bytes() as key,):
                work = self._maps.delete_by_program(map_id, key, until)
            case _:
                raise HelperError(Result.FAILED, f"helper {helper_id} writes no element")
        try:
            async with asyncio.timeout(deadline_s):
                await self._services.finish(work, name=f"{ELEMENT_HELPERS[helper_id]} of a program")
        except TimeoutError:
            message = f"the map's provider took longer than {deadline_s:.3g} s"
            raise HelperError(Result.TIMEOUT, message) from None
        except (EngineError, RefusalError) as error:
            return -error.code
        except RequestError as error:
            if error.code in _ENDING:
                raise HelperError(error.code, error.message) from None
            return -error.code
        return Result.SUCCESS


def check_uses(map_object: MapObject, spec: ProgramSpec, index: int) -> None:
    """Refuse what a program cannot do with elements of a custom map, which is its *index*-th.

    Where values are stored otherwise than users see them, that is everything.
    """
    custom = map_object.custom
    if custom is None:
        return
    for helper_id, used in helper_calls(spec.instructions):
        # Of a call whose map is not plain nobody knows that it is for another one.
        if used not in {index, None} or helper_id not in ELEMENT_HELPERS:
            continue
        which = "map" if used == index else "what may be map"
        helper = ELEMENT_HELPERS[helper_id]
        calls = f"program {spec.name} calls {helper} for {which} {map_object.name}"
        if custom.data.updates_original_value:
            message = (
                f"{calls}: {custom.provider} stores its values otherwise than users see them, so "
                "programs can only pass it to helpers of extensions"
            )
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)
        if helper_id == LOOKUP_AND_DELETE:
            message = (
                f"{calls}, whose type is a custom one; look the element up, and delete it then"
            )
            raise RequestError(Result.OPERATION_NOT_SUPPORTED, message)


def provided(
    maps: Mapping[int, MapObject], spec: ProgramSpec, overridden: Collection[int]
) -> tuple[int, ...]:
    """Which of *maps*, by their places, the program may write with its provider's consent alone.

    None if it plainly writes elements of others only.  General helpers that are *overridden* by
    the program's type are that extension's business.
    """
    asked = {
        place
        for place in spec.map_indices
        if (used := maps.get(place)) is not None
        and used.custom is not None
        and used.custom.data.hears_of_programs
    }
    if not asked:
        return ()
    writing = WRITING.difference(overridden)
    writes = any(
        helper_id in writing and (place is None or place in asked)
        for helper_id, place in helper_calls(spec.instructions)
    )
    return tuple(sorted(asked)) if writes else ()
