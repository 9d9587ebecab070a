"""Programs and their links, as a client holds them: snapshots that can be acted on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2, links_pb2, programs_pb2
from ebpfd_sdk._context import Context
from ebpfd_sdk._daemon import LONG_CALL_S, Daemon
from ebpfd_sdk._decode import check, counters, guid, link_state, outcomes, program_state
from ebpfd_sdk._map import Map
from ebpfd_sdk._policy import (
    Breaker,
    Choices,
    LinkPolicy,
    breaker_of,
    policy_change,
    policy_of,
)
from ebpfd_sdk._provider import Declaration
from ebpfd_sdk._stats import Latency, latency
from ebpfd_sdk._values import (
    Execution,
    Keepers,
    LinkOutcomes,
    LinkState,
    ProgramCounters,
    ProgramState,
    TestRun,
)

HookName: TypeAlias = str | UUID | Declaration
"""A hook by its name, its GUID (also as text), or its ``Hook``."""


@dataclass(frozen=True, slots=True)
class AttachedLink:
    """A program attached to a hook, as it was when the daemon was asked."""

    id: int
    program_id: int
    program_name: str
    attach_type: UUID
    attach_type_name: str
    parameter: bytes
    state: LinkState
    binding: int
    """With the hook's provider; 0: none."""

    link_type: int
    bpf_attach_type: int
    provider: str
    flags: int
    """Its own, or those of its program; the hook is shown them when the link binds."""

    counters: ProgramCounters
    """Of runs through this link alone."""

    outcomes: LinkOutcomes
    """Of events that reached this link, whether they ran or not."""

    priority: int
    """Of links with one parameter, those with a lower one run first."""

    wildcard: bool
    """It is for events of every parameter, and runs after those of one."""

    policy: LinkPolicy
    """What its hook does with events that find something in their way."""

    breaker: Breaker | None
    """When it is left alone; None: never."""

    pin_paths: tuple[str, ...]
    """Where it is pinned."""

    owners: tuple[str, ...]
    """With whose end it is detached, unless it is pinned."""

    where: str
    """Where its events run: "local: ..." in its hook's process, or "remote: ..." and why."""

    latency: Latency
    """How long runs through this link took."""

    in_flight: int
    """Batches that wait for their turn, run on a thread, or run in the process of the hook."""

    running: int
    """Of those in flight, batches whose turn has come."""

    daemon: Daemon = field(repr=False, compare=False)

    async def detach(self) -> None:
        """Detach; when it returns, nothing of the link is in flight.  Twice is once."""
        request = links_pb2.DetachRequest(id=self.id)
        reply = await self.daemon.ask(self.daemon.links.Detach, request, timeout_s=LONG_CALL_S)
        if reply.status.code != Result.STALE_ID:  # ids are never given twice
            check(reply.status)

    async def replace(
        self, program: "Program", *, expected: "Program | None" = None
    ) -> "AttachedLink":
        """Put *program* into the link: each event meets the old one or the new one.

        When it returns, the link runs the old one no more.  With *expected*, INVALID_ARGUMENT if
        the link has another one by now.
        """
        request = links_pb2.ReplaceRequest(
            id=self.id, program_id=program.id, expected_program_id=expected.id if expected else 0
        )
        reply = await self.daemon.ask(self.daemon.links.Replace, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return link_of(reply.link, self.daemon)

    async def set_policy(
        self, on_failure: Choices | None = None, *, breaker: Breaker | None = None
    ) -> "AttachedLink":
        """Choose what the hook does with events that find something in their way.

        A result, its name in the contract, "open" or "closed": for all, or for each ``Failure``
        that is named; the others stay as they are, and so does the breaker if none is given.
        """
        return await set_policy(self.daemon, self.id, policy_change(on_failure, breaker))


@dataclass(frozen=True, slots=True)
class Program:
    """A loaded program, as it was when the daemon was asked."""

    id: int
    name: str
    section: str
    program_type: UUID
    program_type_name: str
    state: ProgramState
    state_reason: str
    maps: Mapping[str, Map]
    link_ids: tuple[int, ...]
    instruction_count: int
    instructions_sha256: bytes
    contract_digest: bytes
    executor: Execution
    executor_reason: str
    """Why it is not compiled; empty if it is."""

    metered: bool | None
    """Whether instructions are counted while it runs; None: the daemon does not say."""

    worst_case: int | None
    """Instructions that one invocation executes at most, where that is proved."""

    judge: str
    """Which verifier has accepted it."""

    follows_contract: bool
    """It is reloaded by itself when its contract changes."""

    flags: int
    """For its hooks, as they were given when it was loaded."""

    blocking: bool
    """It may wait for helpers of an extension, also through a tail call."""

    budget: int
    """Instructions that one invocation may execute; 0: no limit, termination is proved."""

    counters: ProgramCounters
    latency: Latency
    """Without tail calls, whose time is their caller's."""

    in_flight: int
    """Batches of its links that wait for their turn, or run."""

    running: int
    """Of those in flight, batches whose turn has come."""

    file_name: str
    loaded: bool
    """The daemon keeps it until it is unloaded."""

    holder_ids: tuple[int, ...]
    """Program arrays that hold it."""

    pin_paths: tuple[str, ...]
    """Where it is pinned."""

    owners: tuple[str, ...]
    """Who has it: clients that hold, or the daemon on behalf of nobody else."""

    daemon: Daemon = field(repr=False, compare=False)

    async def attach(
        self,
        hook: HookName,
        *,
        parameter: bytes = b"",
        flags: int | None = None,
        priority: int = 0,
        on_failure: Choices | None = None,
        breaker: Breaker | None = None,
    ) -> AttachedLink:
        """Attach the program to a hook; of one parameter's links, a lower *priority* runs first.

        *flags* are the link's own, for the hook, which defines what they mean; None: those of the
        program that the link has when it binds.
        *on_failure* is what the hook does with events that find something in their way: a result,
        its name in the contract, "open" or "closed", for all or for each ``Failure``; what is left
        out is open: the type's default result, as if nothing were attached.
        With a *breaker* the link is left alone for a while after so many failures in a row.
        """
        request = links_pb2.AttachRequest(
            program_id=self.id,
            attach_type=attach_type(hook),
            parameter=parameter,
            prog_attach_flags=flags,
            priority=priority,
            policy=policy_change(on_failure, breaker),
        )
        reply = await self.daemon.ask(self.daemon.links.Attach, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return link_of(reply.link, self.daemon)

    async def test_run(
        self,
        *,
        context: Context | bytes = b"",
        data: bytes = b"",
        meta_length: int = 0,
        repeat: int = 1,
    ) -> TestRun:
        """Run the program on one context, *repeat* times, without any hook.

        The first *meta_length* bytes of *data* are metadata, as for ``Hook.invoke``.
        """
        request = programs_pb2.TestRunRequest(
            id=self.id,
            context=context if isinstance(context, bytes) else context.pack(),
            data=data,
            meta_length=meta_length,
            repeat=repeat,
        )
        reply = await self.daemon.ask(self.daemon.programs.TestRun, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return TestRun(reply.result, reply.context, reply.data, reply.duration_ns)

    async def reload(self) -> "Program":
        """Verify and compile the program's file anew, against today's contract.

        The new program, with another id, takes this one's place: its maps, its links.
        """
        request = programs_pb2.ReloadRequest(id=self.id)
        stub = self.daemon.programs
        reply = await self.daemon.ask(stub.Reload, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        known = {each.id: each for each in self.maps.values()}
        return program_of(reply.program, known, self.daemon)

    async def unload(self) -> Keepers:
        """Give up this client's reference, or the daemon's; return who still holds it."""
        request = programs_pb2.UnloadRequest(id=self.id)
        reply = await self.daemon.ask(self.daemon.programs.Unload, request)
        check(reply.status)
        return Keepers(
            links=tuple(reply.link_ids),
            maps=tuple(reply.map_ids),
            pins=tuple(reply.pin_paths),
            owners=tuple(reply.owners),
        )


def attach_type(hook: HookName) -> hook_pb2.AttachType:
    """Name a hook on the wire; text that reads as a GUID is one."""
    if isinstance(hook, Declaration):
        return hook_pb2.AttachType(guid=hook.guid.bytes)
    if isinstance(hook, UUID):
        return hook_pb2.AttachType(guid=hook.bytes)
    try:
        return hook_pb2.AttachType(guid=UUID(hook).bytes)
    except ValueError:
        return hook_pb2.AttachType(name=hook)


async def set_policy(daemon: Daemon, link_id: int, change: links_pb2.PolicyChange) -> AttachedLink:
    """Choose what a link's hook does with events that find something in their way."""
    request = links_pb2.SetPolicyRequest(id=link_id, policy=change)
    reply = await daemon.ask(daemon.links.SetPolicy, request)
    check(reply.status)
    return link_of(reply.link, daemon)


def link_of(message: links_pb2.Link, daemon: Daemon) -> AttachedLink:
    """Read a link's description."""
    return AttachedLink(
        id=message.id,
        program_id=message.program_id,
        program_name=message.program_name,
        attach_type=guid(message.attach_type),
        attach_type_name=message.attach_type_name,
        parameter=message.parameter,
        state=link_state(message),
        binding=message.binding,
        link_type=message.link_type,
        bpf_attach_type=message.bpf_attach_type,
        provider=message.provider,
        flags=message.prog_attach_flags,
        counters=counters(message.counters),
        outcomes=outcomes(message.outcomes),
        priority=message.priority,
        wildcard=message.wildcard,
        policy=policy_of(message.policy),
        breaker=breaker_of(message),
        pin_paths=tuple(message.pin_paths),
        owners=tuple(message.owners),
        where=message.where,
        latency=latency(message.latency),
        in_flight=message.in_flight,
        running=message.running,
        daemon=daemon,
    )


def program_of(message: programs_pb2.Program, maps: Mapping[int, Map], daemon: Daemon) -> Program:
    """Read a program's description; *maps* are known by their ids."""
    own = (maps[id_] for id_ in message.map_ids if id_ in maps)
    interpreted = message.executor == programs_pb2.EXECUTION_TYPE_INTERPRET
    return Program(
        id=message.id,
        name=message.name,
        section=message.section,
        program_type=guid(message.program_type),
        program_type_name=message.program_type_name,
        state=program_state(message),
        state_reason=message.state_reason,
        maps=MappingProxyType({each.name: each for each in own}),
        link_ids=tuple(message.link_ids),
        instruction_count=message.instruction_count,
        instructions_sha256=message.instructions_sha256,
        contract_digest=message.contract_digest,
        executor=Execution.INTERPRET if interpreted else Execution.JIT,
        executor_reason=message.executor_reason,
        metered=message.metered if message.HasField("metered") else None,
        worst_case=message.worst_case if message.HasField("worst_case") else None,
        judge=message.judge,
        follows_contract=message.follows_contract,
        flags=message.flags,
        blocking=message.blocking,
        budget=message.budget,
        counters=counters(message.counters),
        latency=latency(message.latency),
        in_flight=message.in_flight,
        running=message.running,
        file_name=message.file_name,
        loaded=message.loaded,
        holder_ids=tuple(message.holder_map_ids),
        pin_paths=tuple(message.pin_paths),
        owners=tuple(message.owners),
        daemon=daemon,
    )
