"""A program's registration as a client of the modules whose functions it imports.

One registration binds to each module that the program names.  A program whose modules are not all
there does not run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ebpfd import nmr
from ebpfd.contracts import BtfFunctionsData, BtfResolvedFunction
from ebpfd.host.helpers import Target
from ebpfd.host.modules import ExtensionModule, LocalModule
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.run_down import run_down
from ebpfd.objects import Rundown, TypeProvider
from ebpfd_api.ntstatus import NtStatus

FIRST_FUNCTION: Final = 0x8000_0000
"""The engine calls the first function of a program's table by this id, the next by the next."""


@dataclass(frozen=True, slots=True)
class BoundModule:
    """A module of functions that is there, with what it offers."""

    module: UUID
    owner: ExtensionModule
    data: BtfFunctionsData
    deadlines: Mapping[int, float]
    """In seconds, by the functions' places."""

    calls: Rundown = field(default_factory=Rundown)
    """Of its functions, in flight."""


class FunctionClient(LocalModule):
    """Binds to the modules of *imports*, (module, name); *gate* is closed while one is missing."""

    def __init__(
        self,
        registrar: RegistrarHost,
        imports: Sequence[tuple[str, str]],
        gate: TypeProvider,
        opened: Callable[[], None],
    ) -> None:
        self._registrar = registrar
        self._gate = gate
        self._opened = opened
        self._wanted: dict[UUID, list[str]] = {}
        for module, name in imports:
            self._wanted.setdefault(UUID(module), []).append(name)
        self._bound: dict[nmr.BindingHandle, BoundModule] = {}
        self._attaching: set[UUID] = set()
        self._leaving: set[nmr.BindingHandle] = set()
        """Still bound, since what is in flight may call their functions."""

        self.sealed: tuple[BtfResolvedFunction, ...] = ()
        """The imported functions in the order of the program's table, as they were verified."""

        self._imports = imports
        self.refusal = ""
        """Why a module that is there was not taken."""

    @property
    def missing(self) -> list[UUID]:
        """Modules that are not there."""
        present = {
            bound.module for binding, bound in self._bound.items() if binding not in self._leaving
        }
        return [module for module in self._wanted if module not in present]

    def target(self, helper_id: int) -> Target:
        """Who has the function that the engine calls by *helper_id*, and its place there."""
        module, name = self._imports[helper_id - FIRST_FUNCTION]
        for bound in self._bound.values():
            if bound.module == UUID(module):
                place = [each.name for each in bound.data.functions].index(name)
                deadline_s = bound.deadlines.get(place)
                return Target(bound.owner, bound.module, place, bound.calls, deadline_s)
        return Target(None, UUID(module), 0, Rundown())

    def seal(self) -> tuple[BtfResolvedFunction, ...]:
        """The program is verified against what is offered now: nothing else will do again."""
        offered = {each.module: each.data for each in self._bound.values()}
        found = (offered[UUID(module)].find(name) for module, name in self._imports)
        self.sealed = tuple(function for function in found if function is not None)
        return self.sealed

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take a module that the program names, if it has what is imported."""
        module, data = (
            call.provider_instance.module_id.value,
            call.provider_instance.characteristics,
        )
        if isinstance(module, int) or module not in self._wanted:
            return NtStatus.NOINTERFACE
        if module not in self.missing or module in self._attaching:
            return NtStatus.INVALID_DEVICE_STATE
        owner = self._registrar.module_of(self._registrar.provider_of(call.binding))
        if not isinstance(data, BtfFunctionsData) or not isinstance(owner, ExtensionModule):
            return NtStatus.INVALID_PARAMETER
        if reason := self._why_not(module, data):
            self._gate.reason = self.refusal = reason
            return NtStatus.INVALID_PARAMETER
        self._attaching.add(module)
        try:
            side = await self._registrar.attach_provider(call.binding, module.bytes, None)
        finally:
            self._attaching.discard(module)
        if side.status == NtStatus.SUCCESS:
            deadlines = dict(side.dispatch.deadlines) if side.dispatch else {}
            self._bound[call.binding] = BoundModule(module, owner, data, deadlines)
            self._opened()
        return side.status

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """A module goes when what is in flight has ended: PENDING until then."""
        bound = self._bound.get(binding)
        if bound is None:
            return NtStatus.SUCCESS
        self._leaving.add(binding)

        def gone() -> None:
            del self._bound[binding]
            self._leaving.discard(binding)

        return run_down(
            self._gate,
            f"module {bound.module} of {bound.owner.name} has gone",
            calls=bound.calls,
            gone=gone,
            complete=lambda: self._registrar.detach_complete(binding, role),
        )

    def _why_not(self, module: UUID, data: BtfFunctionsData) -> str:
        """Why a module will not do; empty if it will."""
        for name in self._wanted[module]:
            function = data.find(name)
            if function is None:
                return f"module {module} has no function {name}"
            for known in self.sealed:
                if (known.module, known.name) == (module, name) and known != function:
                    return f"module {module} came back with another {name}: load it anew"
        return ""
