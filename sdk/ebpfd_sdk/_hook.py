"""Hooks: where an extension's events meet the programs that users attached.

``invoke`` is a plain function that returns a future: all invocations of one turn of the event
loop travel as one message.  Cancelling one future touches nothing but that future.
"""

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.result import Result
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._attachments import Attachments, Filter
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._bulk import Numbers, packed_batch, size_of
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._context import Context
from ebpfd_sdk._data_streams import DataStreams
from ebpfd_sdk._deadline import check_deadline_s
from ebpfd_sdk._errors import DeclarationError, EbpfdError
from ebpfd_sdk._event_bytes import check_data, event_bytes
from ebpfd_sdk._guid import guid_of
from ebpfd_sdk._hook_provider import HookProvider
from ebpfd_sdk._hook_state import HookState, OnFire, OnLink, OnParameter
from ebpfd_sdk._hosted_hook import create
from ebpfd_sdk._invocation_batch import STATE_SIZE, InvocationBatch
from ebpfd_sdk._lane import Lane, check_size
from ebpfd_sdk._links import Link
from ebpfd_sdk._local import LocalProgram
from ebpfd_sdk._origin import Origin
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._provider import Declaration, Provider
from ebpfd_sdk._traffic import Counters
from ebpfd_sdk._u32 import check_u32

if TYPE_CHECKING:
    from typing_extensions import Buffer

P = TypeVar("P", bound=OnParameter)
L = TypeVar("L", bound=OnLink)
E = TypeVar("E", bound=OnFire)


class Hook(Declaration, Generic[C]):
    """An attach type: its GUID, the type of its programs, and who is attached.

    *capability* says how many links it takes.  With one other than ONE_PER_PARAMETER, *wildcards*
    are the parameters of links that are for every event; they run after those of its parameter.
    Left out: a link without parameter is for every event.  *closed_result* is what stops an event:
    a link's user may want that for events that find something in their way ("closed").  A *hosted*
    one the daemon provides, also when no extension runs: any client fires it, and this ``invoke``
    answers CANCELED.
    """

    def __init__(
        self,
        guid: str | UUID,
        program_type: ProgramType[C],
        *,
        name: str | None = None,
        bpf_attach_type: int = 0,
        link_type: int = 0,
        capability: AttachCapability = AttachCapability.ONE_PER_PARAMETER,
        wildcards: Collection[bytes] | None = None,
        closed_result: int | None = None,
        hosted: bool = False,
    ) -> None:
        _check_type(program_type)
        self.name = name or program_type.name
        self.guid = guid_of(f"hook {self.name}", guid)
        self.program_type = program_type
        self.bpf_attach_type = bpf_attach_type
        self.link_type = link_type
        self._layout = program_type.context.layout
        self._state = HookState(
            self.guid,
            self.name,
            program_type,
            bpf_attach_type,
            link_type,
            _attachments(self.name, capability, wildcards),
            _u32(self.name, closed_result),
        )
        self._state.stand_in = self._stand_in
        self.hosted = hosted
        if hosted:
            self._state.closed = "the daemon hosts it: fire it with a Client"

    def provider(self, streams: DataStreams) -> Provider:
        """Make the registrar's view of the hook; for the extension, not for authors."""
        return HookProvider(self._state, streams)

    async def host(self, address: str, certificates: Certificates | None) -> None:
        """Let the daemon provide it; for the extension, not for authors."""
        await create(self._state, address, certificates)

    def missing(self, declared: Collection[Declaration]) -> str:
        """Name its program type if that is not *declared* beside it; for ``run``."""
        return "" if self.program_type in declared else self.program_type.name

    @property
    def links(self) -> tuple[Link, ...]:
        """What is attached now, in invocation order."""
        return self._state.attachments.links

    @property
    def counters(self) -> Counters:
        """What went through this hook so far."""
        return self._state.traffic.counters()

    def on_parameter(self, rule: P) -> P:
        """Let the decorated function look at an attach parameter; it raises if that is malformed.

        The link then gets INVALID_PARAMETER, before anybody else is asked.
        """
        self._state.parameter_rule = rule
        return rule

    def on_attach(self, policy: L) -> L:
        """Ask the decorated function whether a link may attach; it raises Refused if not.

        The hook's capability has let the link in already, so here is the place to prepare for
        it; what else it raises is ACCESS_DENIED.
        """
        self._state.attach_policy = policy
        return policy

    def on_detach(self, notice: L) -> L:
        """Tell the decorated function that a link is gone and nothing of it is in flight."""
        self._state.detach_notice = notice
        return notice

    def on_fire(self, policy: E) -> E:
        """Let the decorated function decide what a client's fire does."""
        self._state.fire_policy = policy
        return policy

    def invoke(
        self,
        context: C | bytes | None = None,
        *,
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
        only: Filter | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> asyncio.Future[Answer[C]]:
        """Run the links of *parameter* and the wildcards on one event, in their order.

        Each gets the context and the data as the one before it left them; the first result that
        stops the chain, or the last, is the answer, and so is an error.  *only* says which links
        the event concerns.  No parameter: wildcards, or with ONE_PER_PARAMETER the first link.
        The first *meta_length* bytes of *data* are metadata, to which ``DataMeta`` points.
        Without an answer in *deadline_s* it is TIMEOUT; what has left by then may still run.
        *origin* is who caused the event, for helpers that ask; None: this process.
        """
        raw = self._packed(context)
        data, parameter = event_bytes(data, parameter)
        if data or meta_length:
            check_data(self._layout, data, meta_length)
        if deadline_s is not None:
            check_deadline_s(deadline_s)
        lane = self._state.find(parameter, only)
        if isinstance(lane, Lane):
            if deadline_s == 0:
                return self._state.turns.settled(lane.late(0, raw, data))
            if lane.local is not None:
                answer = lane.run_here(raw, data, origin, meta_length)
                if answer is not None:
                    return self._state.turns.settled(answer)
            if deadline_s is None:
                return lane.invoke(raw, data, origin, meta_length)
            return lane.invoke_within(deadline_s, raw, data, origin, meta_length)
        return self._state.turns.settled(self._state.unanswered(lane, raw, data))

    def invoke_now(
        self,
        context: C | bytes | bytearray | memoryview | None = None,
        *,
        data: bytes = b"",
        meta_length: int = 0,
        parameter: bytes | None = None,
    ) -> int:
        """Run the link of an event in this process, at once, and return its result.

        A bytearray or a memoryview gets back what the program may write of the context.  A run
        that fails raises EbpfdError with its code.  Where the daemon runs the link, or several are
        attached, it is OPERATION_NOT_SUPPORTED, and says why: then ``await`` ``invoke``.
        """
        # While a program here is all that an event can reach, the engine's own function stands in
        # for this method: ``_stand_in``.  It comes back here with all that is not so simple.
        data, parameter = event_bytes(data, parameter)
        if meta_length:
            check_data(self._layout, data, meta_length)
        lane = self._state.find(parameter)
        if not isinstance(lane, Lane):
            raise EbpfdError(lane.code, lane.message)
        view = None
        if isinstance(context, bytearray | memoryview):
            view = memoryview(context).cast("B")
            context = bytes(view)
        answer = lane.run_here(self._packed(context), data, None, meta_length)
        if answer is None:
            self._state.note_taken_back()
            raise EbpfdError(Result.OPERATION_NOT_SUPPORTED, self._why_not_now(parameter))
        if view is not None and not view.readonly:
            view[:] = answer.context_bytes
        if answer.code is not Result.SUCCESS:
            raise EbpfdError(answer.code, answer.message)
        return answer.result

    def invoke_batch(
        self,
        contexts: "Buffer" = b"",
        *,
        count: int | None = None,
        data: "Buffer" = b"",
        data_lengths: Numbers = b"",
        meta_lengths: Numbers = b"",
        parameter: bytes | None = None,
        only: Filter | None = None,
        deadline_s: float | None = None,
        origin: Origin | None = None,
    ) -> asyncio.Future[Columns]:
        """Run a batch that is packed already, and answer in columns.

        Columns are whatever holds bytes without gaps: bytes, a memoryview, a NumPy array of
        ``numpy.dtype(MyContext.dtype())`` or of two dimensions of bytes.  They are copied once,
        when the message is made: leave them alone until the answer is here.  *count* is how many
        contexts there are, if their bytes do not say it; *meta_lengths* is for each what
        *meta_length* is for ``invoke``, and so are *deadline_s* and *origin* for all.
        """
        batch = packed_batch(
            self._layout, contexts, count, data, data_lengths, meta_lengths, origin
        )
        check_size(size_of(batch.contexts) + size_of(batch.data))
        _, parameter = event_bytes(b"", parameter)
        if deadline_s is not None:
            check_deadline_s(deadline_s)
        lane = self._state.find(parameter, only)
        if isinstance(lane, Lane):
            if deadline_s == 0:
                return self._state.turns.settled(lane.late_batch(0))
            here = lane.run_batch_here(batch)
            if here is None:
                return lane.submit(batch, deadline_s)
            return self._state.turns.settled(here)
        return self._state.turns.settled(self._state.unanswered_batch(lane))

    def batch_begin(
        self, state_size: int = STATE_SIZE, *, origin: Origin | None = None
    ) -> InvocationBatch[C]:
        """Begin a batch: what is invoked on it runs at its end, in one message for its links.

        *origin* is who caused all of it, as for ``invoke``: what several have caused are several
        batches, since the daemon runs other things between two messages.
        *state_size* is there for those who port a hook; less than 64 is INVALID_ARGUMENT.
        """
        if state_size < STATE_SIZE:
            problem = f"state_size is {state_size}: the execution state takes {STATE_SIZE} bytes"
            raise EbpfdError(Result.INVALID_ARGUMENT, problem)
        return InvocationBatch(self._state, self._packed, origin)

    async def attached(self) -> Link:
        """Wait until something is attached, and return what an event reaches first."""
        while not self.links:
            await self._state.arrival()
        return self.links[0]

    def _stand_in(self, local: LocalProgram[C] | None) -> None:
        """Let the engine's function be ``invoke_now``, or the method again."""
        vars(self).pop("invoke_now", None)
        if local is not None and type(self).invoke_now is Hook[C].invoke_now:
            vars(self)["invoke_now"] = local.opened(self.invoke_now)

    def _why_not_now(self, parameter: bytes | None) -> str:
        links = self._state.attachments.matching(parameter)
        why = "several links are attached: the daemon runs them in their order"
        if len(links) == 1:
            why = f"link {links[0].link_id}: {self._state.why_remote(links[0].binding)}"
        return f"hook {self.name}: invoke_now: {why}; await invoke instead"

    def _packed(self, context: C | bytes | None) -> bytes:
        layout = self._layout
        if not isinstance(context, bytes):
            if context is None:
                return layout.zeros
            # Another class would be read as this one, or break the message that it shares.
            if getattr(context, "layout", None) is not layout:
                _refuse_other(self.program_type.context, context)
            return context.pack()
        if len(context) != layout.size:
            raise ValueError(f"{layout.owner} takes {layout.size} bytes, not {len(context)}")
        return context


def _refuse_other(wanted: type[Context], given: object) -> None:
    """Refuse what is no context of *wanted*; a class of it that has just more methods is one."""
    if not isinstance(given, wanted) or given.layout.size != wanted.layout.size:
        wrong = type(given).__name__
        raise TypeError(f"{wanted.layout.owner} or bytes must be given, not {wrong}")


def _check_type(given: object) -> None:
    if not isinstance(given, ProgramType):
        named = given.__name__ if isinstance(given, type) else type(given).__name__
        raise DeclarationError(f"Hook(GUID, PROGRAM_TYPE): a ProgramType is wanted, not {named}")


def _u32(hook: str, closed_result: int | None) -> int | None:
    if closed_result is not None:
        check_u32(f"hook {hook}: closed_result", closed_result)
    return closed_result


def _attachments(
    hook: str, capability: AttachCapability, wildcards: Collection[bytes] | None
) -> Attachments:
    if capability is AttachCapability.UNSPECIFIED:
        raise DeclarationError(f"hook {hook}: a capability must be one that says whom it takes")
    if capability is AttachCapability.ONE_PER_PARAMETER:
        if wildcards:
            raise DeclarationError(f"hook {hook}: with ONE_PER_PARAMETER there are no wildcards")
        return Attachments(capability, ())
    return Attachments(capability, (b"",) if wildcards is None else wildcards)
