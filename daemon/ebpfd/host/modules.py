"""What a module is to its host: the callbacks of NMR, and for extensions two services more.

Modules inside the daemon and modules at the far end of a session stand behind one interface.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable
from uuid import UUID

from ebpfd.nmr import (
    BindingHandle,
    ClientAttachProvider,
    ProviderAttachClient,
    RegistrationInstance,
    Role,
)
from ebpfd.objects import MapShape
from ebpfd.objects.chains import Batch
from ebpfd.objects.custom_maps import ProviderCall, ProviderReturn
from ebpfd.objects.origin import Origin
from ebpfd.objects.programs import RunContext
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result


@dataclass(frozen=True, slots=True)
class DispatchTable:
    """An NPI-defined function table, by the names of its functions.

    ``deadlines`` are of helpers and of functions that programs import: (id, seconds).
    """

    version: int
    functions: tuple[str, ...]
    deadlines: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class AttachAnswer:
    """How a provider answers a client: context and dispatch count on SUCCESS only."""

    status: int
    context: bytes = b""
    dispatch: DispatchTable | None = None
    message: str = ""


class Module(Hashable, Protocol):
    """The callbacks of one module.  Calls for one binding never overlap."""

    @property
    def name(self) -> str:
        """What people call the module."""
        ...

    async def client_attach_provider(self, call: ClientAttachProvider) -> int:
        """A provider is there: take it by a nested attach, or decline with NOINTERFACE."""
        ...

    async def provider_attach_client(self, call: ProviderAttachClient) -> AttachAnswer:
        """A client wants to attach."""
        ...

    async def detach(self, binding: BindingHandle, role: Role) -> int:
        """Make no new calls to the peer; SUCCESS when none is in flight, else PENDING."""
        ...

    async def cleanup(self, binding: BindingHandle, role: Role) -> None:
        """Both sides have detached: free what belongs to the binding."""
        ...


class LocalModule:
    """A module in the daemon that says no to everything: a base to start from.

    ``label`` is what listings call it.
    """

    label: str = ""

    @property
    def name(self) -> str:
        """Owner of all local modules."""
        return "daemon"

    async def client_attach_provider(self, call: ClientAttachProvider) -> int:
        """Decline."""
        del call
        return NtStatus.NOINTERFACE

    async def provider_attach_client(self, call: ProviderAttachClient) -> AttachAnswer:
        """Decline."""
        del call
        return AttachAnswer(NtStatus.NOINTERFACE)

    async def detach(self, binding: BindingHandle, role: Role) -> int:
        """Agree: a local module's calls do not outlive the turn they are made in."""
        del binding, role
        return NtStatus.SUCCESS

    async def cleanup(self, binding: BindingHandle, role: Role) -> None:
        """Free nothing."""
        del binding, role


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a batch came to: ``code`` for the whole, or columns for each context.

    ``failure_result`` is for every event if ``code`` is an error.
    """

    code: int = Result.SUCCESS
    message: str = ""
    codes: bytes = b""
    results: bytes = b""
    contexts: bytes = b""
    data: bytes = b""
    failure_result: int = 0


@dataclass(frozen=True, slots=True)
class MapArgument:
    """A helper argument that is a map: its id."""

    map_id: int


HelperArgument: TypeAlias = int | bytes | MapArgument | None
"""An integer, a copy of memory, a map, or nothing (the context, a null pointer)."""


@dataclass(frozen=True, slots=True)
class HelperCall:
    """A program calls a helper that an extension serves."""

    program_type: UUID
    helper_id: int
    arguments: Sequence[HelperArgument]
    context: bytes
    program_id: int


@dataclass(frozen=True, slots=True)
class HelperOutcome:
    """A helper's r0 and its writable arguments; ``error`` instead if it failed."""

    result: int = 0
    outputs: tuple[tuple[int, bytes], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class MapCall:
    """A function of a custom map's provider is called, for the map ``map_id`` of this shape."""

    binding: BindingHandle
    binding_context: bytes
    map_context: bytes
    map_id: int
    shape: MapShape
    call: ProviderCall
    deadline_s: float
    """When whoever asked gives up; what succeeds after that is taken back."""


@dataclass(frozen=True, slots=True)
class FireCall:
    """A client fires a hook; ``parameter`` None leaves the choice to the provider."""

    attach_type: UUID
    parameter: bytes | None
    batch: Batch = field(default_factory=Batch)
    origin: Origin | None = None
    """Who caused the events; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class ContextCall:
    """A test run needs a context from the program's type, or is through with one."""

    program_type: UUID
    creates: bool
    flat: RunContext


@dataclass(frozen=True, slots=True)
class ContextOutcome:
    """What came of it: an ``ebpf_result``, and the context if that is SUCCESS."""

    result: int
    message: str = ""
    made: RunContext = field(default_factory=RunContext)


class ModuleGoneError(Exception):
    """The module's process ended before it answered."""


class NotReadyError(ModuleGoneError):
    """The module has no data stream: nothing has reached it."""


class DeclinedError(Exception):
    """The module is leaving and has begun nothing of it: another one may."""


@runtime_checkable
class HookModule(Module, Protocol):
    """A module that provides hooks."""

    async def fire(
        self, call: FireCall, deadline_s: float, handed: Callable[[], None]
    ) -> BatchOutcome:
        """Run what is attached to a hook of this extension's.

        *handed* is called when no later fire can come before this one any more.
        ``ModuleGoneError``, ``DeclinedError``, TimeoutError.
        """
        ...


@runtime_checkable
class ExtensionModule(HookModule, Protocol):
    """A module that provides hooks or helpers."""

    async def call_helper(self, call: HelperCall, deadline_s: float) -> HelperOutcome:
        """Run a helper; ``ModuleGoneError``, TimeoutError."""
        ...


@runtime_checkable
class AttentiveModule(Module, Protocol):
    """A module that hears of what changes of its clients."""

    def described(self, binding: BindingHandle, client: RegistrationInstance) -> None:
        """The client of *binding* says something else of itself than when it attached."""
        ...

    def offered(self, binding: BindingHandle) -> None:
        """The module's process may run the program of *binding* itself, if it can."""
        ...


@runtime_checkable
class ContextModule(Module, Protocol):
    """A module that makes the contexts of test runs."""

    async def call_context(self, call: ContextCall, deadline_s: float) -> ContextOutcome:
        """Make or end one; ``ModuleGoneError``, TimeoutError."""
        ...


@runtime_checkable
class MapModule(Module, Protocol):
    """A module that provides custom map types."""

    gone: asyncio.Event
    """Its process has ended."""

    async def call_map(self, call: MapCall, patience_s: float) -> ProviderReturn:
        """Call one of its functions; ``ModuleGoneError``, TimeoutError after *patience_s*."""
        ...
