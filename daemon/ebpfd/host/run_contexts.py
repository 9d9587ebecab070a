"""Asking an extension for the contexts of test runs."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from ebpfd.errors import RequestError
from ebpfd.host.modules import ContextCall, ContextModule, Module, ModuleGoneError
from ebpfd.objects.programs import RunContext, RunContexts
from ebpfd_api.result import Result

FUNCTIONS: Final = frozenset({"context_create", "context_destroy"})
DEADLINE_S: Final = 5.0
"""What an extension may take for each."""


def run_contexts(
    program_type: UUID, module: Module, functions: Collection[str]
) -> RunContexts | None:
    """What a provider with this dispatch table has to make contexts with; None: nothing."""
    found = FUNCTIONS.intersection(functions)
    if not found or not isinstance(module, ContextModule):
        return None
    return _ExtensionContexts(program_type, module, FUNCTIONS - found)


class _ExtensionContexts:
    """The two functions of a program type, at its extension."""

    def __init__(self, program_type: UUID, module: ContextModule, missing: Collection[str]) -> None:
        self._program_type = program_type
        self._module = module
        self._missing = missing

    async def create(self, given: RunContext) -> RunContext:
        """Make what the program sees from what the user gave."""
        if self._missing:
            (name,) = self._missing
            message = f"the extension {self._module.name} has no {name}: no test can be run"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        return await self._call(given, creates=True)

    async def destroy(self, left: RunContext) -> RunContext:
        """Make what the user gets from what the program left."""
        return await self._call(left, creates=False)

    async def _call(self, flat: RunContext, *, creates: bool) -> RunContext:
        name = self._module.name
        try:
            call = ContextCall(self._program_type, creates, flat)
            outcome = await self._module.call_context(call, DEADLINE_S)
        except TimeoutError:
            did = "make" if creates else "end"
            message = f"the extension {name} did not {did} the context in {DEADLINE_S:g} s"
            raise RequestError(Result.TIMEOUT, message) from None
        except ModuleGoneError:
            raise RequestError(Result.CANCELED, f"the extension {name} has gone") from None
        if outcome.result != Result.SUCCESS:
            code = Result.INVALID_ARGUMENT if creates else Result.FAILED
            raise RequestError(code, outcome.message or f"the extension {name} gave no reason")
        return outcome.made
