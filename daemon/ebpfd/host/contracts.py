"""What the daemon knows of program types and hooks, kept on disk, and provided where asked for."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from ebpfd import nmr
from ebpfd.contracts import (
    AttachProviderData,
    BtfFunctionsData,
    ContractError,
    KnownContracts,
    KnownProgramType,
    ProgramData,
)
from ebpfd.contracts.json_codec import decode_json, encode_json
from ebpfd.errors import RequestError
from ebpfd.host.helper_code import check_code
from ebpfd.host.looked_up import looked_up
from ebpfd.host.modules import AttachAnswer, LocalModule
from ebpfd.host.registrar import RegistrarHost
from ebpfd.store import KeptContract, KeptContracts, StoreError
from ebpfd.store.kept_contracts import Kind
from ebpfd.store.kept_hooks import decode_hook, encode_hook
from ebpfd_api.npi import PROGRAM_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ProvidedType(LocalModule):
    """The daemon as the provider of a program type: any program is welcome, no helper is served."""

    def __init__(self, name: str) -> None:
        self.label = f"program type {name}"

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Accept."""
        return AttachAnswer(NtStatus.SUCCESS, context=call.registration.to_bytes(8, "little"))


@dataclass(frozen=True, slots=True)
class _Provided:
    """A program type that the daemon provides, and the contract by which it does."""

    handle: nmr.RegistrationHandle
    known: KnownProgramType


class Contracts:
    """Contracts as they are registered, imported, exported and forgotten.

    Without ``kept`` nothing survives the daemon.
    """

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        known: KnownContracts,
        kept: KeptContracts | None = None,
    ) -> None:
        self._registrar = registrar
        self._known = known
        self._kept = kept
        self._provided: dict[UUID, _Provided] = {}
        self._changing = asyncio.Lock()

    async def restore(self) -> None:
        """Know again what was kept; a row that makes no sense any more is reported and left."""
        if self._kept is None:
            return
        for row in await self._kept.all():
            try:
                await self._restore(row)
            except (ContractError, ValueError) as error:
                _log.error("kept contract unusable", contract=str(row.guid), reason=str(error))

    async def remember_program_type(self, data: ProgramData, origin: str) -> None:
        """An extension registers *data*; it is kept before the extension is told.

        ``ContractError`` if it comes with code that is not safe.
        """
        if self._known.program_type(data.program_type) == data:
            return
        await check_code(data)
        async with self._changing:
            for other in self._providers(data.program_type):
                _log.warning(
                    "another contract of a program type that is provided: the latest counts",
                    type=data.name,
                    extension=origin,
                    provider=self._registrar.module_of(other).name,
                )
            await self._keep(KnownProgramType(data, origin))

    async def provider_left(self, program_type: UUID) -> None:
        """A provider has gone: what is known of its type is what one that remains promises.

        Of a type that nobody provides any more the latest contract stays known.
        """
        async with self._changing:
            remaining = [self._known_of(each) for each in self._providers(program_type)]
            latest = self._known.program_type(program_type)
            if not remaining or latest in [each.data for each in remaining]:
                return
            known = remaining[-1]
            self._known.remember_program_type(known.data, known.origin, imported=known.imported)
            _log.info("contract of the remaining provider", type=known.data.name, of=known.origin)
            with suppress(RequestError):  # it is logged; whoever provides it says it again
                await self._keep(known, provide=known.imported)

    async def remember_attach_type(self, attach_type: UUID, data: AttachProviderData) -> None:
        """An extension registers a hook; ``ContractError`` if it is one of the daemon's own."""
        known = self._known.attach_type(attach_type)
        if data.hosted or (known is not None and known.hosted):
            problem = "the daemon hosts it: `ebpfctl hook remove` it, or take another GUID"
            raise ContractError("attach_type", problem)
        if known != data:
            await self.keep_attach_type(attach_type, data)

    async def keep_attach_type(self, attach_type: UUID, data: AttachProviderData) -> None:
        """Know a hook, also after a restart."""
        text = encode_hook(data)
        await self._put(KeptContract("attach_type", attach_type, text, "", provided=data.hosted))
        self._known.remember_attach_type(attach_type, data)

    async def forget_attach_type(self, attach_type: UUID) -> None:
        """Know nothing of a hook any more: nobody finds it from the moment of the call."""
        data = self._known.attach_type(attach_type)
        assert data is not None, "whoever calls this knows"
        self._known.forget_attach_type(attach_type)
        try:
            await self._remove("attach_type", attach_type)
        except RequestError:
            self._known.remember_attach_type(attach_type, data)
            raise

    def remember_functions(self, module: UUID, data: BtfFunctionsData) -> None:
        """A module registers functions; they are not kept: who imports them needs the module."""
        self._known.remember_functions(module, data)

    async def add(self, data: ProgramData, origin: str, *, provide: bool) -> KnownProgramType:
        """Take in a contract; with *provide*, the daemon becomes the type's provider.

        ``ContractError`` if it comes with code that is not safe.
        """
        await check_code(data)
        async with self._changing:
            known = await self._keep(KnownProgramType(data, origin, imported=True), provide=provide)
            await self._withdraw(data.program_type)
            if provide:
                await self._provide(known)
        _log.info("contract imported", type=data.name, origin=origin, provided=provide)
        return known

    async def forget(self, wanted: UUID | str) -> None:
        """Know nothing of a type any more; loaded programs stay, and wait if we provided it.

        Of a type that an extension provides, too, that one's contract is what is known then.
        ``RequestError`` INVALID_STATE if an extension is all that provides it.
        """
        data = self.find(wanted).data
        program_type = data.program_type
        async with self._changing:
            others = [each for each in self._providers(program_type) if not self._is_ours(each)]
            if not others:
                await self._remove("program_type", program_type)
                self._known.forget_program_type(program_type)
            elif program_type in self._provided:
                await self._keep(self._known_of(others[-1]))
            else:
                extension = self._registrar.module_of(others[-1]).name
                message = f'the extension {extension} provides "{data.name}": stop it first'
                raise RequestError(Result.INVALID_STATE, message)
            await self._withdraw(program_type)

    def find(self, wanted: UUID | str) -> KnownProgramType:
        """A program type by GUID or name, or ``RequestError``: see ``looked_up``."""
        with looked_up():
            return self._known.find_program_type(wanted)

    def all(self) -> list[KnownProgramType]:
        """All program types, by name."""
        return self._known.program_types()

    def is_provided(self, program_type: UUID) -> bool:
        """Whether anybody provides the type now."""
        return self._registrar.is_provided(PROGRAM_INFORMATION, program_type)

    async def close(self) -> None:
        """Provide nothing any more."""
        for program_type in list(self._provided):
            await self._withdraw(program_type)

    async def _restore(self, row: KeptContract) -> None:
        if row.kind == "attach_type":
            self._known.remember_attach_type(row.guid, decode_hook(row.content))
            return
        program_data = decode_json(row.content.encode())
        known = self._known.remember_program_type(program_data, row.origin, imported=row.imported)
        if row.provided:
            await self._provide(known)

    async def _keep(self, known: KnownProgramType, *, provide: bool = False) -> KnownProgramType:
        data = known.data
        content = encode_json(data).decode()
        guid, origin = data.program_type, known.origin
        row = KeptContract("program_type", guid, content, origin, known.imported, provide)
        await self._put(row)
        return self._known.remember_program_type(data, known.origin, imported=known.imported)

    async def _put(self, row: KeptContract) -> None:
        if self._kept is not None:
            with _written():
                await self._kept.put(row)

    async def _remove(self, kind: Kind, guid: UUID) -> None:
        if self._kept is not None:
            with _written():
                await self._kept.remove(kind, guid)

    def _providers(self, program_type: UUID) -> list[nmr.RegistrationSnapshot]:
        """Who provides a type and is not leaving."""
        everybody = self._registrar.providers_of(PROGRAM_INFORMATION, program_type)
        return [each for each in everybody if not each.deregistering]

    def _is_ours(self, provider: nmr.RegistrationSnapshot) -> bool:
        return provider.handle in [each.handle for each in self._provided.values()]

    def _known_of(self, provider: nmr.RegistrationSnapshot) -> KnownProgramType:
        """What *provider* promises, and where that comes from."""
        data = provider.instance.characteristics
        assert isinstance(data, ProgramData), "the registrar takes no others"
        if self._is_ours(provider):
            return self._provided[data.program_type].known
        return KnownProgramType(data, self._registrar.module_of(provider).name)

    async def _provide(self, known: KnownProgramType) -> None:
        data = known.data
        instance = nmr.RegistrationInstance(
            npi_id=PROGRAM_INFORMATION,
            module_id=nmr.ModuleId.guid(data.program_type),
            # Whoever serves helpers is an extension; those that come as code need nobody.
            characteristics=replace(data, helper_addresses=frozenset()),
        )
        handle = await self._registrar.register(
            nmr.Role.PROVIDER, instance, ProvidedType(data.name)
        )
        self._provided[data.program_type] = _Provided(handle, known)

    async def _withdraw(self, program_type: UUID) -> None:
        provided = self._provided.pop(program_type, None)
        if provided is not None:
            await self._registrar.withdraw(provided.handle)


@contextmanager
def _written() -> Generator[None]:
    """What cannot be kept is refused, so that nobody relies on it."""
    try:
        yield
    except StoreError as error:
        _log.error("state not written", reason=str(error))
        message = f"the state cannot be written, so nothing has changed: {error}"
        raise RequestError(Result.OUT_OF_SPACE, message) from None
