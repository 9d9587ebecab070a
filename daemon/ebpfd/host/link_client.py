"""A link as the registrar sees it: a client of the hook's contract."""

from uuid import UUID, uuid4

import structlog

from ebpfd import nmr
from ebpfd.contracts import AttachProviderData, ExtensionData, KnownContracts
from ebpfd.host.invocation import Executor, Target
from ebpfd.host.modules import AttentiveModule, DispatchTable, LocalModule, Module
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.targets import Targets
from ebpfd.objects import Link, LinkState
from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus

PROGRAM_DISPATCH = DispatchTable(1, ("invoke", "batch_begin", "batch_invoke", "batch_end"))
"""What a hook may do with what is attached to it."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class LinkClient(LocalModule):
    """A link's registration: binds to the one provider of its attach type."""

    def __init__(
        self,
        link: Link,
        registrar: RegistrarHost,
        targets: Targets,
        executor: Executor,
        contracts: KnownContracts,
    ) -> None:
        self.label = f"link {link.id}"
        self.refusal = ""
        self.handle: nmr.RegistrationHandle | None = None
        self._link = link
        self._registrar = registrar
        self._targets = targets
        self._executor = executor
        self._contracts = contracts
        self._told: ExtensionData | None = None
        """What the hook that has taken the link knows of it."""

    def is_attached_to(self, attach_type: UUID) -> bool:
        """Whether its user has it attached there, be it bound or not."""
        return self._link.state is LinkState.ATTACHED and self._link.attach_type == attach_type

    async def register(self) -> None:
        """Register; afterwards ``link.binding`` says whether it was taken."""
        module = nmr.ModuleId.guid(uuid4())
        instance = nmr.RegistrationInstance(HOOK, module, characteristics=self._data())
        self.handle = await self._registrar.register(
            nmr.Role.CLIENT, instance, self, wants=[self._link.attach_type]
        )

    def describe(self) -> None:
        """Let the hook know what has changed of the link."""
        if self.handle is None:
            return
        data = self._data()
        self._registrar.describe(self.handle, data)
        if self._told not in (None, data):
            self._told = data
            binding = nmr.BindingHandle(self._link.binding)
            hook = self._registrar.module_of(self._registrar.provider_of(binding))
            if isinstance(hook, AttentiveModule):
                hook.described(binding, self._registrar.registration(self.handle).instance)

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take the provider of this attach type and program type."""
        link, data = self._link, call.provider_instance.characteristics
        if call.provider_instance.module_id.value != link.attach_type:
            return NtStatus.NOINTERFACE
        if not isinstance(data, AttachProviderData):
            return NtStatus.INVALID_PARAMETER
        if data.supported_program_type != link.program.program_type:
            takes = self._type(data.supported_program_type)
            self.refusal = f"the hook takes programs of type {takes} only"
            return NtStatus.NOINTERFACE
        if link.binding:
            return NtStatus.INVALID_PARAMETER
        return await self._attach(call.binding, data)

    def _type(self, guid: UUID) -> str:
        known = self._contracts.program_type(guid)
        return f'"{known.name}" ({guid})' if known else str(guid)

    def _data(self) -> ExtensionData:
        """What its hook sees of the link."""
        link = self._link
        return ExtensionData(
            data=link.parameter,
            prog_attach_flags=link.prog_attach_flags,
            link_id=link.id,
            program_id=link.program.id,
            program_name=link.program.name,
            priority=link.priority,
            policy=link.policy,
        )

    async def _attach(self, binding: nmr.BindingHandle, data: AttachProviderData) -> int:
        link = self._link
        owner: Module = self._registrar.module_of(self._registrar.provider_of(binding))
        link.binding, link.provider = binding, owner.name
        link.link_type, link.bpf_attach_type = data.link_type, data.bpf_attach_type
        link.wildcard = link.parameter in data.wildcards
        known = self._data()
        if self.handle is not None:  # it may have another program by now
            self._registrar.describe(self.handle, known)
        # The provider may invoke as soon as its callback returns, before we hear of it.
        self._targets.add(binding, Target(link, owner, self._executor))
        context = binding.to_bytes(8, "little")
        side = await self._registrar.attach_provider(binding, context, PROGRAM_DISPATCH)
        if side.status != NtStatus.SUCCESS:
            link.binding, link.provider = 0, ""
            self.refusal = side.message or f"its provider refused with status {side.status:#x}"
            await self._targets.remove(binding)
            return side.status
        if link.state is LinkState.ATTACHED:
            _log.info("link bound again", link=link.id, provider=link.provider)
        self._told, link.taken = known, True
        self.describe()  # it may have changed meanwhile
        return side.status

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """A link makes no calls; the hook's own may still come until both sides have detached."""
        del role
        link = self._link
        if link.binding == binding:
            if link.state is LinkState.ATTACHED:
                _log.debug("link waits for its hook", link=link.id, provider=link.provider)
            link.binding, link.provider, link.taken = 0, "", False
            self._told = None
        return NtStatus.SUCCESS

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """Nothing invokes the link any more: wait for what still runs."""
        del role
        await self._targets.remove(binding)
