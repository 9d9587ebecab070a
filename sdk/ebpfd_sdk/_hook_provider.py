"""The registrar's view of a hook; each link is a client."""

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Final, Generic

from ebpfd_api.npi import HOOK
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_api.v1 import contract_pb2, hook_pb2, registrar_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._attachments import Attachments
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._fire import FireEvent, event_of, fire_return
from ebpfd_sdk._hook_state import HookState
from ebpfd_sdk._lane import Lane
from ebpfd_sdk._lanes import Lanes
from ebpfd_sdk._links import Link, link_of
from ebpfd_sdk._policy import policy_of
from ebpfd_sdk._provider import Provider
from ebpfd_sdk._tasks import logger

RUN_SHARE: Final = 0.9
"""Of a fire's time: its answer, with what the link's user wants then, has to be on its way."""


class HookProvider(Provider, Generic[C]):
    """Attaches and detaches links, and answers clients' fires."""

    def __init__(self, hook: HookState[C], streams: DataStreams) -> None:
        self.guid = hook.guid
        self.label = f"hook {hook.name}"
        self._hook = hook
        self._lanes = Lanes(hook.program_type, hook.traffic, streams)
        self._detaching: set[Lane[C]] = set()
        self._attaching = asyncio.Lock()

    def open(self) -> None:
        """Let invocations through, with no link of an earlier connection."""
        hook = self._hook
        hook.attachments = Attachments(hook.attachments.capability, hook.attachments.wildcards)
        if hook.lanes is not None:
            hook.lanes.leave_all()
        hook.lanes = self._lanes
        self._links_changed()
        hook.closed = hook.away = ""

    def lost(self, reason: str) -> None:
        """Say so to whoever reaches nobody; what was chosen for the links still holds."""
        hook = self._hook
        hook.away = reason
        hook.before = hook.before or hook.attachments.copy()

    def registered(self) -> None:
        """Forget links that the daemon has no more."""
        self._hook.before = None

    def close(self, reason: str) -> None:
        """Answer every further invocation with CANCELED."""
        self._hook.closed = reason
        self._hook.run_by(None)

    async def drained(self) -> None:
        """Wait until every invocation that was started is answered."""
        for lane in {*self._lanes.all(), *self._detaching}:
            await lane.drained()

    def instance(self) -> registrar_pb2.RegistrationInstance:
        """Offer the hook under its attach type's GUID."""
        hook = self._hook
        return registrar_pb2.RegistrationInstance(
            npi_id=HOOK.bytes,
            module_id=registrar_pb2.ModuleId(guid=hook.guid.bytes),
            characteristics=registrar_pb2.Characteristics(
                attach_provider_data=contract_pb2.AttachProviderData(
                    supported_program_type=hook.program_type.guid.bytes,
                    bpf_attach_type=hook.bpf_attach_type,
                    link_type=hook.link_type,
                    name=hook.name,
                    capability=contract_pb2.AttachCapability.Name(hook.attachments.capability),
                    wildcards=hook.attachments.wildcards,
                    closed_result=hook.closed_result,
                )
            ),
        )

    async def attach(self, callback: registrar_pb2.AttachCallback) -> registrar_pb2.BindingSide:
        """Take a link, if neither the capability nor the extension has something against it.

        Its programs can be invoked as soon as this returns, before their user hears of it.
        """
        hook = self._hook
        if not callback.peer.characteristics.HasField("extension_data"):
            raise _bad("the client has no extension data")
        link = link_of(callback)
        self._check_parameter(link.parameter)
        if not callback.client.HasField("dispatch"):
            raise _bad("the client has no dispatch table: nothing can be invoked")
        async with self._attaching:  # or two could pass where one may
            hook.attachments.check(link)
            await self._ask_policy(link)
            await self._lanes.take(link.binding)
            hook.attachments.add(link)
            self._links_changed()
        hook.note_arrival()
        return registrar_pb2.BindingSide(binding_context=link.binding.to_bytes(8, "little"))

    async def detach(self, binding: int) -> None:
        """Let go of a link once nothing of it is in flight."""
        link = self._hook.attachments.remove(binding)
        if link is None:
            return
        self._links_changed()
        left = self._lanes.leave(binding)
        self._detaching.update(left)
        try:
            for lane in left:
                await lane.drained()
        finally:
            self._detaching.difference_update(left)
        if self._hook.detach_notice is not None:
            await _maybe_await(self._hook.detach_notice(link))

    def described(self, binding: int, client: registrar_pb2.RegistrationInstance) -> None:
        """Follow what a link's user wants now."""
        said = client.characteristics.extension_data
        policy = policy_of(said.policy)
        self._hook.attachments.describe(binding, policy, said.program_id, said.program_name)
        self._lanes.set_policy(binding, policy)

    async def offered(self, binding: int) -> None:
        """Run a link's program here from now on, if it can be."""
        async with self._attaching:  # or an attach and this could both take it
            if not self._hook.attachments.has(binding):
                return
            await self._lanes.take(binding)
            if self._hook.attachments.has(binding):
                self._links_changed()
            else:  # it has been detached meanwhile
                self._lanes.leave(binding)

    async def answer(self, fire: hook_pb2.Fire) -> hook_pb2.FireReturn:
        """Run a client's fire, the extension's own way if it has one."""
        policy = self._hook.fire_policy or self._run
        try:
            return fire_return(fire.fire_id, await policy(event_of(fire)))
        except Exception as error:  # noqa: BLE001 (the extension's own code may do anything)
            failure = f"{self.label}: {type(error).__name__}: {error}"
            return fire_return(fire.fire_id, Columns(Result.FAILED, failure))

    def _links_changed(self) -> None:
        """Forget whom events reached until now."""
        hook = self._hook
        hook.found.clear()
        links = hook.attachments.matching(None)
        taken = self._lanes.taken(links[0].binding) if len(links) == 1 else ""
        hook.run_by(None if isinstance(taken, str) else taken)

    def _check_parameter(self, parameter: bytes) -> None:
        rule = self._hook.parameter_rule
        if rule is None:
            return
        try:
            rule(parameter)
        except Exception as error:
            raise _bad(str(error) or f"{self.label}: bad parameter") from error

    async def _ask_policy(self, link: Link) -> None:
        """Let the extension prepare for the link: where it fails, the link does not attach."""
        policy = self._hook.attach_policy
        if policy is None:
            return
        try:
            await _maybe_await(policy(link))
        except Refused:
            raise
        except Exception as error:
            logger.exception("%s: attaching failed", self.label)
            raise Refused(f"{self.label}: {type(error).__name__}: {error}") from error

    async def _run(self, event: FireEvent) -> Columns:
        lane = self._hook.find(event.parameter)
        if isinstance(lane, Lane):
            within_s = None if event.deadline_s is None else RUN_SHARE * event.deadline_s
            return await lane.submit(event.packed(), within_s)
        return self._hook.unanswered_batch(lane)


def _bad(message: str) -> Refused:
    return Refused(message, status=NtStatus.INVALID_PARAMETER)


async def _maybe_await(outcome: Awaitable[None] | None) -> None:
    if inspect.isawaitable(outcome):
        await outcome
