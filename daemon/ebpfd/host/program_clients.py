"""A program's registrations as a client of program information, and of functions if it imports any.

The general one comes first and must be bound before the type-specific one may be.  What the
type-specific provider offers is compared with what the program was verified against, so that
verified code never runs under another contract.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import cast
from uuid import UUID, uuid4

from ebpfd import nmr
from ebpfd.contracts import (
    BtfResolvedFunction,
    ProgramData,
    contract_digest,
    differences_in_use,
    summary,
)
from ebpfd.contracts.values import FIRST_TYPE_SPECIFIC_HELPER
from ebpfd.host.function_client import FunctionClient
from ebpfd.host.modules import ExtensionModule, LocalModule
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.run_contexts import run_contexts
from ebpfd.host.run_down import run_down
from ebpfd.objects import Rundown, TypeProvider
from ebpfd_api.npi import BTF_RESOLVED_FUNCTIONS, GENERAL_HELPERS_MODULE, PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_vm import ProgramSpec


class ProgramClients:
    """The registrations of one program, and the state that they share.

    *imports* are the functions of other modules, (module, name), in the order of its table.
    *relocatable* are programs whose instructions come from the types of their context.
    """

    def __init__(
        self,
        registrar: RegistrarHost,
        program_type: UUID,
        used_helpers: Collection[int],
        imports: Sequence[tuple[str, str]] = (),
        *,
        relocatable: bool = False,
        label: str,
    ) -> None:
        self.provider = TypeProvider()
        self.functions = FunctionClient(registrar, imports, self.provider, self._open)
        self.extension: ExtensionModule | None = None
        self.deadlines: Mapping[int, float] = {}
        """What helpers may take, in seconds, by their ids: those whose author says so."""

        self.calls = Rundown()
        """Of its helpers: a run that another program has led here does not use the provider."""

        self.data: ProgramData | None = None
        self.when_changed: Callable[[], object] | None = None
        """Called once, when the provider came back with another contract than the sealed one."""

        self._registrar = registrar
        self._program_type = program_type
        self._used_helpers = used_helpers
        self._relocatable = relocatable
        self._sealed: ProgramData | None = None
        self._attaching = False
        self._leaving = False
        self._handles: list[nmr.RegistrationHandle] = []
        self._general = _GeneralClient(registrar)
        self._label = label
        self._module_id = nmr.ModuleId.guid(uuid4())

    async def register(self) -> ProgramData | None:
        """Register all; the type's contract if every provider is bound now."""
        await self._register(PROGRAM_INFORMATION, self._general, [GENERAL_HELPERS_MODULE])
        await self._register(PROGRAM_INFORMATION, _TypeClient(self), [self._program_type])
        if missing := self.functions.missing:
            await self._register(BTF_RESOLVED_FUNCTIONS, self.functions, missing)
            missing = self.functions.missing
        if missing and self.data is not None:
            absent = f"no extension provides the functions of module {missing[0]}"
            self.provider.reason = self.functions.refusal or absent
        return self.data if self._general.bound and not missing else None

    async def withdraw(self) -> None:
        """Deregister all, the general one last."""
        while self._handles:
            await self._registrar.withdraw(self._handles.pop())

    def seal(self, data: ProgramData) -> bytes:
        """The program is verified against *data*: from now on nothing else will do."""
        self._sealed = data
        return contract_digest(
            data, self._used_helpers, self.functions.seal(), relocatable=self._relocatable
        )

    def seal_again(self, data: ProgramData, functions: tuple[BtfResolvedFunction, ...]) -> bytes:
        """As ``seal``, with what a program was verified against before the daemon restarted."""
        self._sealed = data
        self.functions.sealed = functions
        self.provider.reason = "its extension has not come back since the daemon was restarted"
        return contract_digest(data, self._used_helpers, functions, relocatable=self._relocatable)

    async def _register(self, npi: UUID, module: LocalModule, wants: Iterable[UUID]) -> None:
        module.label = self._label
        instance = nmr.RegistrationInstance(npi, self._module_id)
        handle = await self._registrar.register(nmr.Role.CLIENT, instance, module, wants=wants)
        self._handles.append(handle)

    def _open(self) -> None:
        """Let invocations in if everything that the program uses is there."""
        if self.data is not None and not self._leaving and not self.functions.missing:
            self.provider.reason = ""
            self.provider.rundown.reopen()

    def judge(self, instance: nmr.RegistrationInstance) -> tuple[int, str]:
        """Whether a provider will do; a status, and why not."""
        data = instance.characteristics
        if instance.module_id.value != self._program_type or not isinstance(data, ProgramData):
            return NtStatus.INVALID_PARAMETER, ""
        if data.capabilities != 0:
            reason = f"its provider sets reserved bits: capabilities is {data.capabilities}, not 0"
            return NtStatus.INVALID_PARAMETER, reason
        if not self._general.bound:
            return NtStatus.INVALID_PARAMETER, "the general helpers have no provider"
        if self.data is not None or self._attaching:
            return NtStatus.INVALID_PARAMETER, ""
        if self._sealed is not None and (reason := self._why_not_again(self._sealed, data)):
            return NtStatus.INVALID_PARAMETER, reason
        return NtStatus.SUCCESS, ""

    def _why_not_again(self, sealed: ProgramData, data: ProgramData) -> str:
        """Why a program that was verified against *sealed* cannot run with *data*, if so."""
        used, relocatable = self._used_helpers, self._relocatable
        before = contract_digest(sealed, used, relocatable=relocatable)
        if contract_digest(data, used, relocatable=relocatable) != before:
            if self.when_changed is not None:
                changed_now, self.when_changed = self.when_changed, None
                changed_now()
            found = differences_in_use(sealed, data, used, relocatable=relocatable)
            changed = summary(found)
            return f"its provider came back with another contract: {changed}; load it anew"
        if missing := missing_helpers(data, used):
            return f"its provider no longer serves helper {helper_label(data, missing[0])}"
        return ""

    async def attach(self, call: nmr.ClientAttachProvider) -> int:
        """Take the provider if it will do."""
        status, reason = self.judge(call.provider_instance)
        if status != NtStatus.SUCCESS:
            self.provider.reason = reason or self.provider.reason
            return status
        context = self._module_id.value
        assert isinstance(context, UUID), "made in __init__"
        # Two providers may offer themselves at once; each attach takes a while, and one will do.
        self._attaching = True
        try:
            side = await self._registrar.attach_provider(call.binding, context.bytes, None)
        finally:
            self._attaching = False
        if side.status == NtStatus.SUCCESS:
            owner = self._registrar.module_of(self._registrar.provider_of(call.binding))
            # The daemon itself may provide a type, but serves none of its helpers.
            self.extension = owner if isinstance(owner, ExtensionModule) else None
            self.data = cast("ProgramData", call.provider_instance.characteristics)
            self.provider.name, self.provider.owner = owner.name, owner
            functions = side.dispatch.functions if side.dispatch else ()
            self.deadlines = dict(side.dispatch.deadlines) if side.dispatch else {}
            self.provider.run_contexts = run_contexts(self._program_type, owner, functions)
            self._open()
        else:
            refusal = side.message or f"it refused with status {side.status:#x}"
            self.provider.reason = f"its extension does not take it: {refusal}"
        return side.status

    def detach(self, binding: nmr.BindingHandle) -> int:
        """The provider goes when what is in flight has ended: PENDING until then."""
        self._leaving = True
        leaves = f"the extension {self.provider.name} has gone"
        ours = "the daemon provides its program type no more"

        def gone() -> None:
            self.extension = None
            self.data = None
            self.provider.run_contexts = None
            self.provider.owner = None
            self._leaving = False

        return run_down(
            self.provider,
            ours if self.extension is None else leaves,
            calls=self.calls,
            gone=gone,
            complete=lambda: self._registrar.detach_complete(binding, nmr.Role.CLIENT),
        )


def missing_helpers(data: ProgramData, used: Collection[int]) -> list[int]:
    """Helpers in use that the type's provider must serve, and does not."""
    overridden = data.program_info.overridden()
    own = {each for each in used if each >= FIRST_TYPE_SPECIFIC_HELPER or each in overridden}
    come_along = {helper.helper_id for helper in data.program_info.shipped()}
    return sorted(own - data.helper_addresses - come_along)


def helper_label(data: ProgramData, helper_id: int) -> str:
    """What people call a helper that *data* declares, with its id."""
    names = {helper.helper_id: helper.name for helper in data.program_info.helpers()}
    return f"{names[helper_id]} ({helper_id})"


class _GeneralClient(LocalModule):
    """Binds to the provider of the general helpers and no other."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self.bound = False
        self._registrar = registrar

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take the general helpers, once."""
        if call.provider_instance.module_id.value != GENERAL_HELPERS_MODULE:
            return NtStatus.NOINTERFACE
        if self.bound:
            return NtStatus.INVALID_PARAMETER
        side = await self._registrar.attach_provider(call.binding, b"general", None)
        self.bound = side.status == NtStatus.SUCCESS
        return side.status

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """The engine's helpers stay callable: they live as long as the daemon."""
        del binding, role
        self.bound = False
        return NtStatus.SUCCESS


class _TypeClient(LocalModule):
    """The type-specific registration's callbacks."""

    def __init__(self, clients: ProgramClients) -> None:
        self._clients = clients

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take the program type's provider."""
        return await self._clients.attach(call)

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """Run down."""
        del role
        return self._clients.detach(binding)


def clients_of(
    registrar: RegistrarHost, program_type: UUID, spec: ProgramSpec, program_id: int
) -> ProgramClients:
    """The registrations that a program of an object file needs."""
    return ProgramClients(
        registrar,
        program_type,
        spec.helper_ids,
        spec.imports,
        relocatable=spec.relocatable,
        label=f"program {program_id} ({spec.name})",
    )
