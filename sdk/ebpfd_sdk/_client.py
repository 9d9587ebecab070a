"""The client: load programs, attach them, fire hooks, look around."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, overload
from uuid import UUID

from ebpfd_api.address import default_address
from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.map_type import MapType
from ebpfd_api.v1 import (
    contract_pb2,
    contracts_pb2,
    daemon_pb2,
    extensions_pb2,
    hook_pb2,
    links_pb2,
    maps_pb2,
    programs_pb2,
    recordings_pb2,
    registrar_pb2,
    shadows_pb2,
    stats_pb2,
)
from ebpfd_sdk._answer import Answer
from ebpfd_sdk._batch import Columns, answer_of
from ebpfd_sdk._bulk import Numbers, packed_numbers
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._context import Context
from ebpfd_sdk._contracts import (
    Contract,
    ContractFormat,
    contract_name,
    contract_of,
    wire_format,
)
from ebpfd_sdk._daemon import LONG_CALL_S, Daemon
from ebpfd_sdk._deadline import deadline_ms
from ebpfd_sdk._decode import (
    binding,
    check,
    instruction,
    registrar_events,
    registration,
    trace_line,
    verdict,
)
from ebpfd_sdk._extension_info import ExtensionInfo, OutputLine, extension_of, output_line_of
from ebpfd_sdk._fire_stream import FireStream
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._hook_info import HookInfo, hook_of, named_result
from ebpfd_sdk._map import Map, map_of
from ebpfd_sdk._objects import Holding, ObjectCalls
from ebpfd_sdk._origin import Origin, message_of
from ebpfd_sdk._policy import Breaker, Choices, policy_change
from ebpfd_sdk._program import (
    AttachedLink,
    HookName,
    Program,
    attach_type,
    link_of,
    program_of,
    set_policy,
)
from ebpfd_sdk._recording import Recorded, write_recording
from ebpfd_sdk._shadow import Shadow, shadow_of
from ebpfd_sdk._stats import Stats, stats_of
from ebpfd_sdk._status import DaemonStatus, status_of
from ebpfd_sdk._values import (
    Binding,
    Disassembly,
    Execution,
    Instruction,
    Judge,
    RegistrarChange,
    RegistrarSnapshot,
    Registration,
    TraceLine,
    Verdict,
)

K = TypeVar("K", bound=Context)


class Client(ObjectCalls):
    """A connection to a daemon: ``async with Client() as ebpfd``.

    What it loads, creates and attaches stays when it leaves.  With *hold*, that is the client's
    own: it goes when the block is left or the process dies, but for what is pinned.  *name* is what
    listings call such a client.  *certificates* are for an address ``tls:HOST:PORT``.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        certificates: Certificates | None = None,
        hold: bool = False,
        name: str = "",
    ) -> None:
        self.address = address or default_address()
        """Where the daemon is, or is expected."""

        self._certificates = certificates
        self._hold = hold
        self._name = name
        self._holding: Holding | None = None
        self._opened: tuple[Daemon, FireStream] | None = None

    async def __aenter__(self) -> Self:
        # Not before: a channel belongs to the loop that runs when it is made.
        daemon = Daemon(self.address, self._certificates)
        if self._hold:
            self._holding = Holding(daemon)
            try:
                await self._holding.begin(self._name)
            except BaseException:
                await daemon.connection.close()
                raise
        self._opened = daemon, FireStream(daemon)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            daemon, fires = self._opened
            self._opened = None
            try:
                await fires.close()
                if self._holding is not None:
                    await self._holding.end()
            finally:
                await daemon.connection.close()

    async def load(
        self,
        source: str | Path | bytes,
        *,
        programs: Sequence[str] = (),
        execution: Execution | None = None,
        follow_contract: bool = False,
        flags: int = 0,
        file_name: str = "",
    ) -> dict[str, Program]:
        """Load an object file, by path or as bytes; return its programs by name.

        With *follow_contract* they are reloaded by themselves when their contract changes.  *flags*
        are for the hooks that they will be attached to, which define what they mean: 64 bits,
        which the programs keep.
        """
        content, name = await _read(source, file_name)
        request = programs_pb2.LoadRequest(
            object=content,
            file_name=name,
            programs=programs,
            execution=_execution(execution),
            follow_contract=follow_contract,
            flags=flags,
        )
        reply = await self._daemon.ask(self._daemon.programs.Load, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return {each.name: each for each in self._programs(reply.programs, reply.maps)}

    async def verify(
        self,
        source: str | Path | bytes,
        *,
        programs: Sequence[str] = (),
        judge: Judge = Judge.ANY,
        file_name: str = "",
    ) -> tuple[Verdict, ...]:
        """Ask the verifier for its opinion of each program, without loading any.

        Of BOTH judges, each program's two verdicts come one after the other.
        """
        content, name = await _read(source, file_name)
        request = programs_pb2.VerifyRequest(
            object=content, file_name=name, programs=programs, judge=_judge(judge)
        )
        stub = self._daemon.programs
        reply = await self._daemon.ask(stub.Verify, request, timeout_s=LONG_CALL_S)
        if not reply.verdicts:
            check(reply.status)
        return tuple(map(verdict, reply.verdicts))

    async def disassemble(
        self, source: str | Path | bytes | int, *, programs: Sequence[str] = ()
    ) -> tuple[Disassembly, ...]:
        """Read instructions: of a loaded program, by its id, as they run; of a file as compiled."""
        if isinstance(source, int):
            request = programs_pb2.DisassembleRequest(id=source, programs=programs)
        else:
            content, _ = await _read(source, "")
            request = programs_pb2.DisassembleRequest(object=content, programs=programs)
        # Two programs of a file may have one name, in different sections.
        found: dict[tuple[str, str], list[Instruction]] = {}
        async for reply in self._daemon.follow(self._daemon.programs.Disassemble, request):
            check(reply.status)
            rows = found.setdefault((reply.program, reply.section), [])
            rows.extend(map(instruction, reply.instructions))
        return tuple(Disassembly(*name, tuple(rows)) for name, rows in found.items())

    async def programs(self) -> tuple[Program, ...]:
        """List the loaded programs."""
        request = programs_pb2.ProgramsListRequest()
        reply = await self._daemon.ask(self._daemon.programs.List, request)
        check(reply.status)
        return self._programs(reply.programs, await self._map_messages())

    async def program(self, id_: int) -> Program:
        """Look up one program."""
        request = programs_pb2.ProgramsGetRequest(id=id_)
        reply = await self._daemon.ask(self._daemon.programs.Get, request)
        check(reply.status)
        return self._programs([reply.program], await self._map_messages())[0]

    async def maps(self) -> tuple[Map, ...]:
        """List the maps."""
        return tuple(map_of(each, self._daemon) for each in await self._map_messages())

    async def map(self, id_: int) -> Map:
        """Look up one map."""
        reply = await self._daemon.ask(self._daemon.maps.Get, maps_pb2.MapsGetRequest(id=id_))
        check(reply.status)
        return map_of(reply.map, self._daemon)

    async def create_map(
        self,
        type: MapType | int | str,  # noqa: A002 (what it is called everywhere)
        key_size: int,
        value_size: int,
        max_entries: int,
        *,
        name: str = "",
        flags: int = 0,
        inner: Map | None = None,
    ) -> Map:
        """Create a map that stays until it is removed; maps in a map of maps must be like *inner*.

        Of a RINGBUF or PERF_EVENT_ARRAY, *max_entries* are the bytes of a ring: a power of two.
        *type* may be a name too, also one that an extension has given to a type of its own.
        """
        request = maps_pb2.CreateRequest(
            type=type if isinstance(type, int) else 0,
            type_name=type if isinstance(type, str) else "",
            key_size=key_size,
            value_size=value_size,
            max_entries=max_entries,
            flags=flags,
            name=name,
            inner_map_id=inner.id if inner else 0,
        )
        reply = await self._daemon.ask(self._daemon.maps.Create, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return map_of(reply.map, self._daemon)

    async def detach(self, link_id: int) -> None:
        """Detach a link; when it returns, nothing of the link is in flight."""
        request = links_pb2.DetachRequest(id=link_id)
        stub = self._daemon.links
        check((await self._daemon.ask(stub.Detach, request, timeout_s=LONG_CALL_S)).status)

    async def unlink(
        self, hook: HookName, *, parameter: bytes = b"", program_id: int = 0
    ) -> tuple[int, ...]:
        """Detach all links of a hook with *parameter*, or those of one program; their ids."""
        request = links_pb2.UnlinkRequest(
            attach_type=attach_type(hook), parameter=parameter, program_id=program_id
        )
        reply = await self._daemon.ask(self._daemon.links.Unlink, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return tuple(reply.ids)

    async def replace(self, link_id: int, program_id: int, *, expected_id: int = 0) -> AttachedLink:
        """Put another program into a link, as ``AttachedLink.replace`` does."""
        request = links_pb2.ReplaceRequest(
            id=link_id, program_id=program_id, expected_program_id=expected_id
        )
        reply = await self._daemon.ask(self._daemon.links.Replace, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return link_of(reply.link, self._daemon)

    async def set_policy(
        self,
        link_id: int,
        on_failure: Choices | None = None,
        *,
        breaker: Breaker | None = None,
    ) -> AttachedLink:
        """Choose what becomes of a link's events, as ``AttachedLink.set_policy`` does."""
        return await set_policy(self._daemon, link_id, policy_change(on_failure, breaker))

    async def hooks(self, hook: HookName | None = None) -> tuple[HookInfo, ...]:
        """List the hooks that the daemon knows, by name, or one; each with its links."""
        wanted = None if hook is None else attach_type(hook)
        request = links_pb2.ListHooksRequest(attach_type=wanted)
        reply = await self._daemon.ask(self._daemon.links.ListHooks, request)
        check(reply.status)
        return tuple(hook_of(each, self._daemon) for each in reply.hooks)

    async def create_hook(
        self,
        name: str,
        program_type: str | UUID,
        *,
        attach_type: UUID | None = None,
        capability: AttachCapability = AttachCapability.ONE_PER_PARAMETER,
        wildcards: Sequence[bytes] | None = None,
        default_result: int | str | None = None,
        closed_result: int | str | None = None,
    ) -> HookInfo:
        """Let the daemon itself provide a hook, to attach to and to fire with no extension.

        It is kept until ``remove_hook``; one that is there already, and is the same, will do.
        Without *attach_type* its GUID follows from *name* and *program_type*.  *default_result*, a
        number or its name in the contract, is for events that reach nobody, *closed_result* what a
        link's policy means by "closed".
        """
        request = links_pb2.CreateHookRequest(
            attach_type=attach_type.bytes if attach_type else b"",
            name=name,
            program_type=contract_name(program_type),
            capability=contract_pb2.AttachCapability.Name(capability),
            wildcards=None if wildcards is None else links_pb2.Wildcards(parameters=wildcards),
            **named_result("default_result", default_result),
            **named_result("closed_result", closed_result),
        )
        reply = await self._daemon.ask(self._daemon.links.CreateHook, request)
        check(reply.status)
        return hook_of(reply.hook, self._daemon)

    async def import_hook(self, content: bytes) -> HookInfo:
        """Take in a hook's contract as JSON, such as ``export_hook`` writes.

        If that says "hosted", the daemon provides the hook from now on, as with ``create_hook``.
        """
        request = links_pb2.ImportHookRequest(content=content)
        reply = await self._daemon.ask(self._daemon.links.ImportHook, request)
        check(reply.status)
        return hook_of(reply.hook, self._daemon)

    async def export_hook(self, hook: HookName) -> bytes:
        """Write a hook's contract as JSON."""
        request = links_pb2.ExportHookRequest(attach_type=attach_type(hook))
        reply = await self._daemon.ask(self._daemon.links.ExportHook, request)
        check(reply.status)
        return reply.content

    async def remove_hook(self, hook: HookName) -> None:
        """Remove a hook that the daemon provides; nothing may be attached to it."""
        request = links_pb2.RemoveHookRequest(attach_type=attach_type(hook))
        reply = await self._daemon.ask(self._daemon.links.RemoveHook, request)
        check(reply.status)

    async def links(self) -> tuple[AttachedLink, ...]:
        """List the links, in invocation order for each hook."""
        request = links_pb2.LinksListRequest()
        reply = await self._daemon.ask(self._daemon.links.List, request)
        check(reply.status)
        return tuple(link_of(each, self._daemon) for each in reply.links)

    async def stats(self) -> Stats:
        """Read all that the daemon has counted, in one cheap call."""
        reply = await self._daemon.ask(self._daemon.stats.Get, stats_pb2.StatsGetRequest())
        check(reply.status)
        return stats_of(reply)

    async def status(self) -> DaemonStatus:
        """Ask how the daemon is: what it has, and what somebody should do something about."""
        reply = await self._daemon.ask(self._daemon.daemon.Status, daemon_pb2.DaemonStatusRequest())
        check(reply.status)
        return status_of(reply)

    async def set_shadow(self, link_id: int, program_id: int, *, share_percent: int = 0) -> Shadow:
        """Let a loaded program see what a link's program sees, and compare what they say.

        It decides nothing, has maps of its own, and no event waits for it.  A shadow that the link
        has is replaced; none outlives the daemon.
        """
        request = shadows_pb2.ShadowsSetRequest(
            link_id=link_id, program_id=program_id, share_percent=share_percent
        )
        reply = await self._daemon.ask(self._daemon.shadows.Set, request)
        check(reply.status)
        return shadow_of(reply.shadow)

    async def clear_shadow(self, link_id: int) -> Shadow:
        """Take a link's shadow away; what it has come to."""
        request = shadows_pb2.ShadowsClearRequest(link_id=link_id)
        reply = await self._daemon.ask(self._daemon.shadows.Clear, request)
        check(reply.status)
        return shadow_of(reply.shadow)

    async def shadow(self, link_id: int) -> Shadow:
        """Look at a link's shadow."""
        request = shadows_pb2.ShadowsGetRequest(link_id=link_id)
        reply = await self._daemon.ask(self._daemon.shadows.Get, request)
        check(reply.status)
        return shadow_of(reply.shadow)

    async def record(
        self,
        what: HookName | int,
        file: str | Path,
        *,
        limit: int = 0,
        within_s: float | None = None,
        overwrite: bool = False,
    ) -> Recorded:
        """Write what runs on a hook, or through the link with this id, to a file.

        It returns after *limit* events or *within_s*; cancelled, it leaves a file that is whole up
        to then.  ``ebpfctl replay`` runs such a file again.  One that is there is FileExistsError,
        unless it is to be overwritten.
        """
        request = recordings_pb2.RecordRequest(
            hook=None if isinstance(what, int) else attach_type(what),
            link_id=what if isinstance(what, int) else None,
            limit=limit,
            within_ms=_ms(within_s),
        )
        return await write_recording(self._daemon, request, Path(file), overwrite=overwrite)

    async def contracts(self) -> tuple[Contract, ...]:
        """List the contracts of program types that the daemon knows, by name."""
        request = contracts_pb2.ContractsListRequest()
        reply = await self._daemon.ask(self._daemon.contracts.List, request)
        check(reply.status)
        return tuple(map(contract_of, reply.contracts))

    async def contract(self, program_type: str | UUID) -> Contract:
        """Look up the contract of one program type, by name or GUID."""
        request = contracts_pb2.ContractsGetRequest(program_type=contract_name(program_type))
        reply = await self._daemon.ask(self._daemon.contracts.Get, request)
        check(reply.status)
        return contract_of(reply.contract)

    async def export_contract(
        self,
        program_type: str | UUID,
        format: ContractFormat = ContractFormat.PROTOBUF,  # noqa: A002 (what it is called everywhere)
    ) -> bytes:
        """Write a program type's contract as bytes, or say which field the form cannot hold."""
        request = contracts_pb2.ContractsExportRequest(
            program_type=contract_name(program_type), format=wire_format(format)
        )
        reply = await self._daemon.ask(self._daemon.contracts.Export, request)
        check(reply.status)
        return reply.content

    async def convert_contract(
        self, content: bytes, from_: ContractFormat, to: ContractFormat
    ) -> bytes:
        """Write a contract in another form; the daemon keeps nothing of it."""
        request = contracts_pb2.ContractsConvertRequest(
            content=content, to=wire_format(to), **{"from": wire_format(from_)}
        )
        reply = await self._daemon.ask(self._daemon.contracts.Convert, request)
        check(reply.status)
        return reply.content

    async def import_contract(
        self,
        source: str | Path | bytes,
        format: ContractFormat = ContractFormat.PROTOBUF,  # noqa: A002 (what it is called everywhere)
        *,
        provide: bool = False,
        file_name: str = "",
    ) -> Contract:
        """Let programs of a type be verified while no extension provides it.

        With *provide*, the daemon provides the type itself: programs load and run, as long as they
        call none of the type's own helpers.
        """
        content, name = await _read(source, file_name)
        request = contracts_pb2.ContractsImportRequest(
            content=content, format=wire_format(format), file_name=name, provide=provide
        )
        reply = await self._daemon.ask(self._daemon.contracts.Import, request)
        check(reply.status)
        return contract_of(reply.contract)

    async def forget_contract(self, program_type: str | UUID) -> None:
        """Let the daemon know nothing of a program type any more; loaded programs stay."""
        request = contracts_pb2.ContractsForgetRequest(program_type=contract_name(program_type))
        check((await self._daemon.ask(self._daemon.contracts.Forget, request)).status)

    async def providers(self, npi: UUID | None = None) -> tuple[Registration, ...]:
        """List the registered providers, of one contract or of all."""
        request = registrar_pb2.ListProvidersRequest(npi_id=npi.bytes if npi else b"")
        reply = await self._daemon.ask(self._daemon.registrar.ListProviders, request)
        check(reply.status)
        return tuple(map(registration, reply.registrations))

    async def clients(self, npi: UUID | None = None) -> tuple[Registration, ...]:
        """List the registered clients, of one contract or of all."""
        request = registrar_pb2.ListClientsRequest(npi_id=npi.bytes if npi else b"")
        reply = await self._daemon.ask(self._daemon.registrar.ListClients, request)
        check(reply.status)
        return tuple(map(registration, reply.registrations))

    async def bindings(self) -> tuple[Binding, ...]:
        """List which client is bound to which provider."""
        request = registrar_pb2.ListBindingsRequest()
        reply = await self._daemon.ask(self._daemon.registrar.ListBindings, request)
        check(reply.status)
        return tuple(map(binding, reply.bindings))

    async def disconnect(self, registration_: int) -> tuple[Registration, ...]:
        """End the session of a registration's module as if its process had vanished.

        All that it had registered goes, and is returned.  Nobody waits for its callbacks; calls
        that it has not answered fail.  The way out when an extension cannot leave by itself.
        """
        request = registrar_pb2.DisconnectRequest(registration=registration_)
        reply = await self._daemon.ask(self._daemon.registrar.Disconnect, request)
        check(reply.status)
        return tuple(map(registration, reply.registrations))

    async def watch_registrar(
        self, npi: UUID | None = None
    ) -> AsyncGenerator[RegistrarSnapshot | RegistrarChange]:
        """Follow the registrar, for one contract or for all: first a snapshot, then changes.

        A reader that is too slow gets another snapshot in place of the changes that it missed.
        """
        request = registrar_pb2.WatchRequest(npi_id=npi.bytes if npi else b"")
        watch = self._daemon.follow(self._daemon.registrar.Watch, request)
        async with aclosing(watch) as parts, aclosing(registrar_events(parts)) as events:
            async for event in events:
                yield event

    async def extensions(self) -> tuple[ExtensionInfo, ...]:
        """List extensions: hosted ones in the order in which they start, then all others."""
        request = extensions_pb2.ExtensionsListRequest()
        reply = await self._daemon.ask(self._daemon.extensions.List, request)
        check(reply.status)
        return tuple(map(extension_of, reply.extensions))

    async def start_extension(self, name: str) -> ExtensionInfo:
        """Start a hosted extension; when it returns, the extension has registered."""
        request = extensions_pb2.ExtensionsStartRequest(name=name)
        stub = self._daemon.extensions
        reply = await self._daemon.ask(stub.Start, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return extension_of(reply.extension)

    async def stop_extension(self, name: str, *, within_s: float | None = None) -> ExtensionInfo:
        """Let a hosted extension leave, and kill it after *within_s*; it has ended then.

        None: after the time that it is configured with.
        """
        request = extensions_pb2.ExtensionsStopRequest(name=name, within_ms=_ms(within_s))
        reply = await self._daemon.ask(self._daemon.extensions.Stop, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return extension_of(reply.extension)

    async def restart_extension(self, name: str, *, within_s: float | None = None) -> ExtensionInfo:
        """Stop a hosted extension as ``stop_extension`` does, if it runs, and start it."""
        request = extensions_pb2.ExtensionsRestartRequest(name=name, within_ms=_ms(within_s))
        stub = self._daemon.extensions
        reply = await self._daemon.ask(stub.Restart, request, timeout_s=LONG_CALL_S)
        check(reply.status)
        return extension_of(reply.extension)

    async def extension_output(
        self, name: str, *, follow: bool = False
    ) -> AsyncGenerator[OutputLine]:
        """Read what a hosted extension wrote: the recent lines, then new ones as they come."""
        request = extensions_pb2.ExtensionsLogsRequest(name=name, follow=follow)
        async for reply in self._daemon.follow(self._daemon.extensions.Logs, request):
            check(reply.status)
            yield output_line_of(reply)

    @overload
    async def fire(
        self,
        hook: Hook[K],
        *,
        context: K | bytes = b"",
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> Answer[K]: ...
    @overload
    async def fire(
        self,
        hook: str | UUID,
        *,
        context: Context | bytes = b"",
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> Answer[Context]: ...
    async def fire(
        self,
        hook: Hook[K] | str | UUID,
        *,
        context: Context | bytes = b"",
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> Answer[K] | Answer[Context]:
        """Fire a hook once, as if its event had happened; its provider decides what runs.

        The first *meta_length* bytes of *data* are metadata, as for ``Hook.invoke``.
        With *deadline_s* the event waits until then for a provider, also for one that takes over.
        *origin* is who caused it, for helpers that ask; None: this process.
        """
        raw = context if isinstance(context, bytes) else context.pack()
        columns = await self.fire_batch(
            hook,
            contexts=raw,
            data=data,
            meta_lengths=[meta_length] if meta_length else b"",
            parameter=parameter,
            deadline_s=deadline_s,
            origin=origin,
        )
        type_ = hook.program_type.context if isinstance(hook, Hook) else None
        return answer_of(columns, raw, data, type_)

    async def fire_batch(
        self,
        hook: HookName,
        *,
        contexts: bytes = b"",
        count: int = 1,
        data: bytes = b"",
        data_lengths: Numbers = b"",
        meta_lengths: Numbers = b"",
        parameter: bytes | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> Columns:
        """Fire a hook for a batch that is packed already, and return the columns."""
        request = hook_pb2.FireRequest(
            hook=attach_type(hook),
            parameter=parameter,
            batch=hook_pb2.Batch(
                count=count,
                contexts=contexts,
                data=data,
                data_lengths=packed_numbers(data_lengths),
                meta_lengths=packed_numbers(meta_lengths),
            ),
            deadline_ms=deadline_ms(deadline_s),
            origin=message_of(origin),
        )
        return await self._open[1].fire(request)

    async def trace(self, *, follow: bool = True, program_id: int = 0) -> AsyncGenerator[TraceLine]:
        """Read the lines that programs print: the recent ones, then new ones as they come."""
        request = programs_pb2.TraceRequest(program_id=program_id, no_follow=not follow)
        async for reply in self._daemon.follow(self._daemon.programs.Trace, request):
            yield trace_line(reply)

    @property
    def _open(self) -> tuple[Daemon, FireStream]:
        if self._opened is None:
            raise RuntimeError("the client is not open: use `async with Client() as ebpfd`")
        return self._opened

    @property
    def _daemon(self) -> Daemon:
        return self._open[0]

    async def _map_messages(self) -> Sequence[maps_pb2.Map]:
        reply = await self._daemon.ask(self._daemon.maps.List, maps_pb2.MapsListRequest())
        check(reply.status)
        return reply.maps

    def _programs(
        self, programs: Sequence[programs_pb2.Program], maps: Sequence[maps_pb2.Map]
    ) -> tuple[Program, ...]:
        known = {each.id: map_of(each, self._daemon) for each in maps}
        return tuple(program_of(each, known, self._daemon) for each in programs)


def _ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


async def _read(source: str | Path | bytes, file_name: str) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, file_name
    return await asyncio.to_thread(Path(source).read_bytes), file_name or Path(source).name


def _execution(execution: Execution | None) -> programs_pb2.ExecutionType:
    match execution:
        case None:
            return programs_pb2.EXECUTION_TYPE_UNSPECIFIED
        case Execution.JIT:
            return programs_pb2.EXECUTION_TYPE_JIT
        case Execution.INTERPRET:
            return programs_pb2.EXECUTION_TYPE_INTERPRET


def _judge(judge: Judge) -> programs_pb2.Judge:
    match judge:
        case Judge.ANY:
            return programs_pb2.JUDGE_UNSPECIFIED
        case Judge.OURS:
            return programs_pb2.JUDGE_OURS
        case Judge.PREVAIL:
            return programs_pb2.JUDGE_PREVAIL
        case Judge.BOTH:
            return programs_pb2.JUDGE_BOTH
