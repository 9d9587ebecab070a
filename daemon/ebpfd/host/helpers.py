"""From a program on an engine thread to a helper in an extension, and back.

The thread waits; the event loop carries the call.  Whatever goes wrong ends the invocation with
one code: TIMEOUT for a late helper, FAILED for one that raised, EXTENSION_FAILED_TO_LOAD for one
whose extension has gone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from ebpfd.host.modules import (
    ExtensionModule,
    HelperArgument,
    HelperCall,
    HelperOutcome,
    MapArgument,
    ModuleGoneError,
)
from ebpfd_api.result import Result
from ebpfd_vm import HelperError, Map

DEADLINE_S: Final = 1.0
"""What a helper may take."""

GRACE_S: Final = 1.0
"""What the loop may take beyond a deadline, before the thread gives it up."""


Target: TypeAlias = tuple[ExtensionModule | None, UUID, int]
"""Who serves a helper at the moment, and what it is called there: by type and id."""


class HelperBridge:
    """Calls helpers of whichever extension serves them at the moment, as *target* tells."""

    def __init__(self, program_id: int, target: Callable[[int], Target]) -> None:
        self._program_id = program_id
        self._target = target
        self._map_ids: dict[int, int] = {}
        self._loop = asyncio.get_running_loop()

    def know_maps(self, maps: Sequence[tuple[Map, int]]) -> None:
        """Tell which id each engine map has; the caller keeps the maps alive."""
        self._map_ids = {id(engine_map): map_id for engine_map, map_id in maps}

    def __call__(
        self, helper_id: int, arguments: Sequence[int | bytes | Map | None], context: bytes
    ) -> tuple[int, list[tuple[int, bytes]]]:
        """Run helper *helper_id*; called on an engine thread."""
        passed = [self._argument(argument) for argument in arguments]
        calling = self._call(helper_id, passed, context)
        answer = asyncio.run_coroutine_threadsafe(calling, self._loop)
        try:
            outcome = answer.result(DEADLINE_S + GRACE_S)
        except TimeoutError:
            answer.cancel()
            message = f"helper {helper_id} took longer than {DEADLINE_S:g} s"
            raise HelperError(Result.TIMEOUT, message) from None
        except ModuleGoneError:
            message = f"the extension that serves helper {helper_id} has gone"
            raise HelperError(Result.EXTENSION_FAILED_TO_LOAD, message) from None
        if outcome.error:
            raise HelperError(Result.FAILED, f"helper {helper_id} failed: {outcome.error}")
        return outcome.result, list(outcome.outputs)

    async def _call(
        self, helper_id: int, arguments: Sequence[HelperArgument], context: bytes
    ) -> HelperOutcome:
        provider, program_type, known_as = self._target(helper_id)
        if provider is None:
            raise ModuleGoneError
        call = HelperCall(
            program_type=program_type,
            helper_id=known_as,
            arguments=arguments,
            context=context,
            program_id=self._program_id,
        )
        return await provider.call_helper(call, DEADLINE_S)

    def _argument(self, argument: int | bytes | Map | None) -> HelperArgument:
        if isinstance(argument, Map):
            return MapArgument(self._map_ids.get(id(argument), 0))
        return argument
