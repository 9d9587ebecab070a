"""Firing a hook from outside: handed to the extension that provides it."""

from uuid import UUID

from ebpfd import nmr
from ebpfd.errors import RequestError
from ebpfd.host.modules import BatchOutcome, ExtensionModule, FireCall, ModuleGoneError
from ebpfd.host.registrar import RegistrarHost
from ebpfd_api.npi import HOOK
from ebpfd_api.result import Result


class Hooks:
    """The hooks that are there to be fired."""

    def __init__(self, registrar: RegistrarHost) -> None:
        self._registrar = registrar

    async def fire(self, call: FireCall, deadline_s: float) -> BatchOutcome:
        """Let the hook's provider run what is attached."""
        provider = self._provider(call.attach_type)
        if provider is None:
            message = "the hook's extension is not connected: start it and fire again"
            raise RequestError(Result.OBJECT_NOT_FOUND, message)
        try:
            return await provider.fire(call, deadline_s)
        except TimeoutError:
            message = f"the hook's extension {provider.name} did not answer in {deadline_s:g} s"
            raise RequestError(Result.TIMEOUT, message) from None
        except ModuleGoneError:
            message = f"the hook's extension {provider.name} went away before it answered"
            raise RequestError(Result.OBJECT_NOT_FOUND, message) from None

    def provider_name(self, attach_type: UUID) -> str:
        """Who provides a hook now; empty: nobody does."""
        provider = self._provider(attach_type)
        return provider.name if provider else ""

    def _provider(self, attach_type: UUID) -> ExtensionModule | None:
        wanted = nmr.ModuleId.guid(attach_type)
        for provider in self._registrar.providers(HOOK):
            if provider.instance.module_id == wanted and not provider.deregistering:
                module = self._registrar.module_of(provider)
                return module if isinstance(module, ExtensionModule) else None
        return None
