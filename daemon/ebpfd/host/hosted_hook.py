"""The daemon as the provider of a hook: what an extension does for its own, with no process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ebpfd import nmr
from ebpfd.contracts import AttachProviderData, ExtensionData
from ebpfd.errors import RequestError
from ebpfd.host.chains import Chains
from ebpfd.host.invocation import RefusalError
from ebpfd.host.modules import AttachAnswer, BatchOutcome, FireCall, LocalModule
from ebpfd.host.services import Services
from ebpfd.host.targets import Targets
from ebpfd.objects.chains import Outcome
from ebpfd_api.attachments import Attachments
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result

RUN_SHARE: Final = 0.9
"""Of an event's time, after which nothing of it is waited for any more: its answer has to leave."""


@dataclass(frozen=True, slots=True)
class HostedLink:
    """A link that is bound to the hook."""

    binding: nmr.BindingHandle
    parameter: bytes
    link_id: int
    program_name: str
    priority: int


class HostedHook(LocalModule):
    """Takes links as its capability says, and runs the chain of an event for whoever fires."""

    def __init__(
        self,
        attach_type: UUID,
        data: AttachProviderData,
        *,
        chains: Chains,
        targets: Targets,
        services: Services,
    ) -> None:
        self.label = f"hook {data.name}"
        self.attach_type = attach_type
        self._name = data.name
        self._chains = chains
        self._targets = targets
        self._services = services
        self._attachments = Attachments[HostedLink](data.capability, data.wildcards)

    async def provider_attach_client(self, call: nmr.ProviderAttachClient) -> AttachAnswer:
        """Take a link if the capability lets it in."""
        said = call.client_instance.characteristics
        if not isinstance(said, ExtensionData):
            return AttachAnswer(NtStatus.INVALID_PARAMETER, message="it has no extension data")
        if call.client_dispatch is None or not self._is_target(call.binding):
            # It would hold a link's place, and end every event that it is to run.
            return AttachAnswer(NtStatus.INVALID_PARAMETER, message="it is nothing that can be run")
        link = HostedLink(call.binding, said.data, said.link_id, said.program_name, said.priority)
        if refusal := self._attachments.refusal(link):
            return AttachAnswer(refusal.status, message=refusal.message)
        self._attachments.add(link)
        return AttachAnswer(NtStatus.SUCCESS, context=call.binding.to_bytes(8, "little"))

    async def detach(self, binding: nmr.BindingHandle, role: nmr.Role) -> int:
        """Reach the link no more; what of it is in flight, the link itself waits for."""
        del role
        self._attachments.remove(binding)
        return NtStatus.SUCCESS

    async def cleanup(self, binding: nmr.BindingHandle, role: nmr.Role) -> None:
        """An attach that has failed ends here without a detach."""
        del role
        self._attachments.remove(binding)

    async def fire(
        self, call: FireCall, deadline_s: float, handed: Callable[[], None]
    ) -> BatchOutcome:
        """Run the links of an event; a run that is late goes on, and its answer reaches nobody."""
        links = self._attachments.matching(call.parameter)
        if not links:
            with_it = "" if call.parameter is None else " with this parameter"
            message = f'nothing is attached to "{self._name}"{with_it}'
            raise RequestError(self._attachments.nobody(call.parameter), message)
        try:
            bindings = [each.binding for each in links]
            done = await self._run(bindings, call, deadline_s, handed)
        except RefusalError as refusal:
            return BatchOutcome(refusal.code, refusal.message, failure_result=refusal.result)
        return BatchOutcome(
            codes=done.codes, results=done.results, contexts=done.contexts, data=done.data
        )

    def _is_target(self, binding: nmr.BindingHandle) -> bool:
        try:
            self._targets.find(binding, self)
        except RequestError:
            return False
        return True

    async def _run(
        self,
        bindings: list[nmr.BindingHandle],
        call: FireCall,
        deadline_s: float,
        handed: Callable[[], None],
    ) -> Outcome:
        target = self._chains.of_bindings(bindings, self)
        done = target.run_now(call.batch, call.origin)
        if done is not None:
            return done
        first = self._targets.find(bindings[0], self)
        size_bytes = len(call.batch.contexts) + len(call.batch.data)
        target.enqueue(call.batch.count or 1, size_bytes)
        handed()  # it has its place: what comes later queues behind it
        deadline = asyncio.get_running_loop().time() + RUN_SHARE * deadline_s
        running = target.run_queued(
            call.batch, call.origin, size_bytes=size_bytes, deadline=deadline
        )
        try:
            async with asyncio.timeout(deadline_s):
                return await self._services.finish(running, name=f"fire of {self._name}")
        except TimeoutError:
            first.lose(call.batch.count or 1)
            message = f'what is attached to "{self._name}" has not ended in {deadline_s:g} s'
            late = first.link.result_of(Result.TIMEOUT)
            raise RefusalError(Result.TIMEOUT, message, late) from None
