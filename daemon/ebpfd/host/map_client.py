"""A custom map's registration as a client of its type's provider.

The provider keeps something for the map from preprocess_map_create to postprocess_map_delete, so
it does not unload meanwhile: its detach waits for the map.  One whose process has vanished waits
for nothing; the map then waits for another of the same kind, and keeps its entries.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final, TypeVar
from uuid import uuid4

import structlog

from ebpfd import nmr
from ebpfd.contracts import ContractError, MapClientData, MapProviderData, validate_map_provider
from ebpfd.errors import RequestError
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.key_locks import KeyLocks
from ebpfd.host.modules import LocalModule, MapModule
from ebpfd.host.provider_calls import BoundProvider, ProviderCalls
from ebpfd.host.quotas import QuotaGuard
from ebpfd.host.registrar import RegistrarHost
from ebpfd.host.services import Services
from ebpfd.objects import CustomMap, MapShape, Rundown
from ebpfd.objects.custom_maps import ProviderCall, Steps, restore
from ebpfd_api.custom_map import MapFunction
from ebpfd_api.map_type import MapType
from ebpfd_api.npi import MAP_INFORMATION
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result

CLEANED_AT_ONCE: Final = 64
"""Elements of a map that goes which its provider is told of together."""

_Value = TypeVar("_Value")
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class MapClient(LocalModule):
    """Binds to one provider of the map's type; after its loss, to another of the same kind."""

    def __init__(
        self,
        *,
        registrar: RegistrarHost,
        services: Services,
        deadlines: Deadlines,
        map_id: int,
        name: str,
        shape: MapShape,
        guard: QuotaGuard,
    ) -> None:
        self.label = f"map {map_id}" + (f" ({name})" if name else "")
        self.custom: CustomMap | None = None
        self.reason = "no extension that provides it is connected: start it and try again"
        self._registrar = registrar
        self._guard = guard
        self._map_id = map_id
        self._name = name
        self._shape = shape
        self._handle: nmr.RegistrationHandle | None = None
        self._attaching = False
        self._calls = ProviderCalls(services, deadlines, map_id, shape)
        self._uses = Rundown(closed=True)
        self._writing = KeyLocks()
        self._changing = asyncio.Lock()
        self._ending = False
        self._released = asyncio.Event()

    @property
    def data(self) -> MapProviderData | None:
        """What the provider promises; None while there is none."""
        return self._calls.bound.data if self._calls.bound else None

    @property
    def provider(self) -> str:
        """The extension that is bound, if any."""
        return self._calls.bound.owner.name if self._calls.bound else ""

    @property
    def owner(self) -> MapModule | None:
        """That extension itself."""
        return self._calls.bound.owner if self._calls.bound else None

    @property
    def unanswered(self) -> int:
        """Calls that the provider has not answered."""
        return self._calls.unanswered

    async def register(self) -> None:
        """Register; afterwards ``data`` says whether a provider was there."""
        shown = MapClientData(map_type=self._shape.type, map_id=self._map_id, map_name=self._name)
        instance = nmr.RegistrationInstance(
            MAP_INFORMATION, nmr.ModuleId.guid(uuid4()), characteristics=shown
        )
        self._handle = await self._registrar.register(nmr.Role.CLIENT, instance, self)

    def publish(self, custom: CustomMap) -> None:
        """The map is there: from now on it is used."""
        self.custom = custom
        self._calls.late = custom.elements.late
        self._note(self.provider, self.reason)
        if self._calls.bound:
            self._uses.reopen()

    async def run(self, steps: Steps[_Value]) -> _Value:
        """Do what *steps* say with the provider that is there, or was a moment ago."""
        try:
            call = next(steps)
            while True:
                call = steps.send(await self._calls.call(call))
        except StopIteration as end:
            value: _Value = end.value
            return value

    @asynccontextmanager
    async def using(self, key: bytes | None = None) -> AsyncGenerator[CustomMap]:
        """The map does not go within the block; nobody else writes *key*."""
        if self.custom is None or not self._uses.acquire():
            message = f"{self.label} has no provider: {self.reason}"
            raise RequestError(Result.EXTENSION_FAILED_TO_LOAD, message)
        try:
            self._check_load()
            if key is None:
                yield self.custom
            else:
                async with self._writing.holding(key):
                    self._check_doubt(key)
                    yield self.custom
        finally:
            self._uses.release()

    async def end(self, *, survives: bool = False) -> None:
        """The map goes: its provider is told of each element and of the map, and let go.

        If it *survives* the daemon, only the latter: the provider learns that the daemon goes.
        """
        self._ending = True
        await self._run_down()
        async with self._changing:
            if not survives and self.custom is not None and self._calls.bound is not None:
                await self._clean_up(self.custom)
                await self._calls.call(ProviderCall(MapFunction.POSTPROCESS_MAP_DELETE))
        self._released.set()
        if self._handle is not None:
            await self._registrar.withdraw(self._handle)

    async def client_attach_provider(self, call: nmr.ClientAttachProvider) -> int:
        """Take a provider of the map's type."""
        data = call.provider_instance.characteristics
        owner = self._registrar.module_of(self._registrar.provider_of(call.binding))
        if not isinstance(data, MapProviderData) or not isinstance(owner, MapModule):
            return NtStatus.INVALID_PARAMETER
        status, reason = self.judge(data)
        if status != NtStatus.SUCCESS:
            self._refuse(f"{owner.name}: {reason}" if reason else "")
            return status
        # Two providers may offer themselves at once; each attach takes a while, and one will do.
        self._attaching = True
        try:
            return await self._attach(call.binding, data, owner)
        finally:
            self._attaching = False

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """The provider wants to go: not before the map does, unless it has vanished."""
        del role
        bound = self._calls.bound
        if bound is not None and bound.binding == binding:
            await self._until_over(bound)
            await self._unbind(f"the extension {bound.owner.name} has gone")
        return NtStatus.SUCCESS

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """An attach that has failed ends here without a detach."""
        del role
        if self._calls.bound is not None and self._calls.bound.binding == binding:
            await self._unbind(self.reason)

    def judge(self, data: MapProviderData) -> tuple[int, str]:
        """Whether a provider will do; a status, and why not if that is worth telling."""
        ours = data.map_type == self._shape.type
        try:
            validate_map_provider(data)
        except ContractError as error:
            return NtStatus.INVALID_PARAMETER, str(error) if ours else ""
        if not ours:
            return NtStatus.NOT_SUPPORTED, ""
        if data.base_map_type != MapType.HASH:
            return NtStatus.NOT_SUPPORTED, f"base_map_type is {data.base_map_type}, not HASH (1)"
        if self._calls.bound is not None or self._attaching or self._ending:
            return NtStatus.INVALID_DEVICE_STATE, ""
        if self.custom is not None and not _alike(self.custom.data, data):
            reason = "it came back with another table: remove the map and create it anew"
            return NtStatus.INVALID_PARAMETER, reason
        return NtStatus.SUCCESS, ""

    async def _attach(
        self, binding: nmr.BindingHandle, data: MapProviderData, owner: MapModule
    ) -> int:
        side = await self._registrar.attach_provider(binding, binding.to_bytes(8, "little"), None)
        if side.status != NtStatus.SUCCESS:
            reason = side.message or f"it refused with status {side.status:#x}"
            self._refuse(f"{owner.name}: {reason}")
            return side.status
        self._calls.bound = BoundProvider(binding, side.context, owner, data)
        if self.custom is None:
            return NtStatus.SUCCESS  # whoever creates the map goes on
        async with self._changing:
            return await self._restore(self.custom)

    async def _restore(self, custom: CustomMap) -> int:
        """A provider is there again: let it know of the map before anybody uses it."""
        assert self._calls.bound is not None, "just bound"
        size = custom.stored_value_size
        try:
            await self.run(restore(size, tuple(sorted(custom.program_types))))
        except RequestError as error:
            self._refuse(f"{self.provider}: {error.message}")
            return NtStatus.INVALID_DEVICE_STATE
        if not self._ending:
            self._uses.reopen()
        self._note(self.provider, "")
        _log.info("map bound again", map=self._map_id, provider=self.provider)
        return NtStatus.SUCCESS

    def _check_load(self) -> None:
        """Refuse what is yet to begin: whatever has begun tells the provider all of it."""
        unanswered = self._calls.unanswered
        if unanswered >= self._guard.quotas.map_calls:
            message = f"the extension {self.provider} has yet to answer {unanswered} calls"
            raise self._guard.refusal("map_calls", f"{message} for {self.label}: wait for them")

    def _check_doubt(self, key: bytes) -> None:
        if key in self._calls.doubtful:
            message = f"the extension {self.provider} has yet to answer a deletion of this key"
            raise RequestError(Result.TIMEOUT, message)

    async def _until_over(self, bound: BoundProvider) -> None:
        """Until the provider has nothing of the map any more, or is no more itself."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self._released, bound.owner.gone)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()

    async def _unbind(self, reason: str) -> None:
        self._refuse(reason)
        await self._run_down()
        self._calls.bound = None
        self._note("", reason)

    async def _run_down(self) -> None:
        self._uses.close()
        idle = asyncio.Event()
        self._uses.when_idle(idle.set)
        await idle.wait()

    def _refuse(self, reason: str) -> None:
        self.reason = reason or self.reason
        if self.custom is not None and self._calls.bound is None:
            self.custom.reason = self.reason

    def _note(self, provider: str, reason: str) -> None:
        if self.custom is not None:
            self.custom.provider, self.custom.reason = provider, "" if provider else reason

    async def _clean_up(self, custom: CustomMap) -> None:
        """A provider that does not answer any more is not asked for ever."""
        calls = custom.elements.clean_up()
        while chunk := list(islice(calls, CLEANED_AT_ONCE)):
            returned = await asyncio.gather(*map(self._calls.call, chunk))
            if self._calls.bound is None:
                return
            if any(each.result == Result.TIMEOUT for each in returned):
                _log.warning("map not cleaned up", map=self._map_id, provider=self.provider)
                return


def _alike(before: MapProviderData, now: MapProviderData) -> bool:
    """Whether entries that the one has made are good for the other."""
    same = before.updates_original_value == now.updates_original_value
    return same and before.element_functions == now.element_functions
