"""Hooks that the daemon provides itself: made by their users, and kept until they remove them."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid5

import structlog

from ebpfd import nmr
from ebpfd.contracts import AttachProviderData, KnownContracts, ProgramData
from ebpfd.contracts.hook_contract import HookContract
from ebpfd.errors import RequestError
from ebpfd.host.chains import Chains
from ebpfd.host.contracts import Contracts
from ebpfd.host.hosted_hook import HostedHook
from ebpfd.host.looked_up import looked_up
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.host.targets import Targets
from ebpfd.objects import Objects
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedHook:
    """What a user wants.

    Without ``attach_type`` its GUID follows from its name and its program type; ``wildcards``
    None are those of an extension's hook, ``default_result`` None is the program type's.  Results
    are numbers or names of the contract.
    """

    name: str
    program_type: UUID | str
    attach_type: UUID | None = None
    capability: AttachCapability = AttachCapability.UNSPECIFIED
    wildcards: tuple[bytes, ...] | None = None
    default_result: int | str | None = None
    closed_result: int | str | None = None
    bpf_attach_type: int = 0
    link_type: int = 0


class HostedHooks:
    """The daemon's own hooks, each with its registration as a provider."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        contracts: Contracts,
        known: KnownContracts,
        objects: Objects,
        chains: Chains,
        targets: Targets,
        services: Services,
    ) -> None:
        self._registrar = registrar
        self._contracts = contracts
        self._known = known
        self._objects = objects
        self._chains = chains
        self._targets = targets
        self._services = services
        self._hosted: dict[UUID, nmr.RegistrationHandle] = {}
        self._changing = asyncio.Lock()

    async def restore(self) -> None:
        """Host again what was kept."""
        for attach_type, data in self._known.attach_types():
            if data.hosted:
                await self._host(attach_type, data)

    async def create(self, wanted: WantedHook) -> UUID:
        """Host a hook from now on; one that is there already, and is the same, will do."""
        kind = self._contracts.find(wanted.program_type).data
        data = _described(wanted, kind)
        attach_type = wanted.attach_type or uuid5(kind.program_type, wanted.name)
        if await self._know(attach_type, data):
            _log.info("hook created", hook=data.name, type=kind.name)
        return attach_type

    async def take_in(self, contract: HookContract) -> None:
        """Know a hook by its contract, and host it from now on if that says so; twice is once."""
        attach_type, data = contract.attach_type, contract.data
        kind = self._contracts.find(data.supported_program_type).data
        if await self._know(attach_type, data):
            _log.info("hook imported", hook=data.name, type=kind.name, hosted=data.hosted)

    async def _know(self, attach_type: UUID, data: AttachProviderData) -> bool:
        """Keep what a hook promises, and host it if it says so; False: it is there already."""
        async with self._changing:
            if self._known.attach_type(attach_type) == data:
                return False
            self._check_free(attach_type, data.name)
            await self._contracts.keep_attach_type(attach_type, data)
            if data.hosted:
                await self._host(attach_type, data)
            return True

    def contract_of(self, wanted: UUID | str) -> HookContract:
        """What a hook promises, or ``RequestError``: see ``looked_up``."""
        with looked_up():
            attach_type = self._known.find_attach_type(wanted)
        data = self._known.attach_type(attach_type)
        assert data is not None, "just found"
        return HookContract(attach_type, data)

    async def remove(self, wanted: UUID | str) -> None:
        """Forget a hook of the daemon's own, or of an extension that is gone.

        Nothing may be attached to it.
        """
        async with self._changing:
            attach_type = self.contract_of(wanted).attach_type
            name = self._known.name_of(attach_type)
            ours = attach_type in self._hosted
            if not ours and self._registrar.is_provided(HOOK, attach_type):
                extension = self._extension_of(attach_type)
                message = f'the extension {extension} provides "{name}": stop it first'
                raise RequestError(Result.INVALID_STATE, message)
            links = [each.id for each in self._objects.links() if each.attach_type == attach_type]
            if links:
                message = f'link {links[0]} is attached to "{name}": detach it first'
                raise RequestError(Result.INVALID_STATE, message)
            await self._contracts.forget_attach_type(attach_type)
            if ours:
                await self._registrar.withdraw(self._hosted.pop(attach_type))
        _log.info("hook removed", hook=name)

    async def close(self) -> None:
        """Provide nothing any more, at the daemon's end."""
        while self._hosted:
            _, handle = self._hosted.popitem()
            await self._registrar.withdraw(handle)

    def _check_free(self, attach_type: UUID, name: str) -> None:
        if attach_type in self._hosted:
            message = f'hook "{name}" is there already, and is another: remove it first'
            raise RequestError(Result.OBJECT_ALREADY_EXISTS, message)
        for other, data in self._known.attach_types():
            if data.name == name and other != attach_type:
                message = f'name: "{name}" is hook {other} already: take another, or give its GUID'
                raise RequestError(Result.OBJECT_ALREADY_EXISTS, message)
        if owner := self._extension_of(attach_type):
            message = f"the extension {owner} provides hook {attach_type}: stop it first"
            raise RequestError(Result.OBJECT_ALREADY_EXISTS, message)

    def _extension_of(self, attach_type: UUID) -> str:
        """The name of the extension that provides a hook; empty if nobody does."""
        there = self._registrar.providers_of(HOOK, attach_type)
        return self._registrar.module_of(there[0]).name if there else ""

    async def _host(self, attach_type: UUID, data: AttachProviderData) -> None:
        hook = HostedHook(
            attach_type, data, chains=self._chains, targets=self._targets, services=self._services
        )
        module_id = nmr.ModuleId.guid(attach_type)
        instance = nmr.RegistrationInstance(HOOK, module_id, characteristics=data)
        self._hosted[attach_type] = await self._registrar.register(
            nmr.Role.PROVIDER, instance, hook
        )


def _described(wanted: WantedHook, kind: ProgramData) -> AttachProviderData:
    """The hook as its links see it; ``RequestError`` names what will not do."""
    if not wanted.name or not wanted.name.isprintable():
        message = "name: a hook needs one, of characters that can be seen"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    capability = wanted.capability or AttachCapability.ONE_PER_PARAMETER
    wildcards = wanted.wildcards
    if capability is AttachCapability.ONE_PER_PARAMETER:
        if wildcards:
            message = "wildcards: a hook with one link for each parameter has none"
            raise RequestError(Result.INVALID_ARGUMENT, message)
        wildcards = ()
    return AttachProviderData(
        supported_program_type=kind.program_type,
        bpf_attach_type=wanted.bpf_attach_type,
        link_type=wanted.link_type,
        name=wanted.name,
        capability=capability,
        wildcards=(b"",) if wildcards is None else wildcards,
        default_result=_result(wanted.default_result, kind, "default_result"),
        closed_result=_result(wanted.closed_result, kind, "closed_result"),
        hosted=True,
    )


def _result(wanted: int | str | None, kind: ProgramData, field: str) -> int | None:
    if not isinstance(wanted, str):
        return wanted
    named = {each.name: each.value for each in kind.results}
    if wanted not in named:
        known = ", ".join(named) or "none: give a number"
        message = f'{field}: "{kind.name}" has no result "{wanted}" (it has: {known})'
        raise RequestError(Result.INVALID_ARGUMENT, message)
    return named[wanted]
