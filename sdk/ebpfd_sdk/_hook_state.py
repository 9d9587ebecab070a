"""What a hook and the registrar's view of it share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeAlias
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._attachments import Attachments, Filter
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._fire import FireEvent
from ebpfd_sdk._lane import Lane
from ebpfd_sdk._lanes import Lanes
from ebpfd_sdk._links import Link
from ebpfd_sdk._local import LocalProgram
from ebpfd_sdk._program_type import ProgramType
from ebpfd_sdk._traffic import Traffic
from ebpfd_sdk._turns import Turns

MOST_REMEMBERED: Final = 1024
"""Events may have any number of parameters."""

OnParameter: TypeAlias = Callable[[bytes], None]
OnLink: TypeAlias = Callable[[Link], Awaitable[None] | None]
OnFire: TypeAlias = Callable[[FireEvent], Awaitable[Columns]]


class Nobody(NamedTuple):
    """Why an event reaches nobody, and what becomes of it."""

    code: Result
    message: str
    result: int


@dataclass(slots=True)
class HookState(Generic[C]):
    """A hook's declaration, its links, and whether invocations may pass."""

    guid: UUID
    name: str
    program_type: ProgramType[C]
    bpf_attach_type: int
    link_type: int
    attachments: Attachments
    closed_result: int | None = None
    parameter_rule: OnParameter | None = None
    attach_policy: OnLink | None = None
    detach_notice: OnLink | None = None
    fire_policy: OnFire | None = None
    closed: str = "it is not connected"
    """Why invocations are answered with CANCELED; empty: they are not."""

    away: str = ""
    """Why nothing can be attached for now."""

    before: Attachments | None = None
    """Who was attached when the daemon was lost, until those that it still has are back."""

    lanes: Lanes[C] | None = None
    """None before the first connection."""

    local: LocalProgram[C] | None = None
    """What an event without parameter reaches, if that is one program in this process."""

    stand_in: Callable[[LocalProgram[C] | None], None] = lambda _: None
    """Lets the hook run events by the program, or by none."""

    found: dict[bytes | None, Lane[C]] = field(default_factory=dict[bytes | None, Lane[C]])
    """Where the events of a parameter went lately; whoever changes the links empties it."""

    traffic: Traffic = field(default_factory=Traffic)
    turns: Turns = field(default_factory=Turns)
    arrivals: set[asyncio.Future[None]] = field(default_factory=set[asyncio.Future[None]])

    def find(self, parameter: bytes | None, only: Filter | None = None) -> Lane[C] | Nobody:
        """Find whom an invocation reaches, or say why nobody."""
        if self.closed or self.lanes is None:
            result = self._lost(self.before or self.attachments, parameter, only)
            return Nobody(Result.CANCELED, f"hook {self.name}: {self.closed}", result)
        if only is None and (lane := self.found.get(parameter)):
            return lane
        if links := self.attachments.matching(parameter, only):
            lane = self.lanes.to(links)
            if only is None:
                self._remember(parameter, lane)
            return lane
        result = self._lost(self.before, parameter, only)
        code = self.attachments.nobody(parameter)
        if only is not None and self.attachments.matching(parameter):
            message = f"hook {self.name}: the event concerns no link"
            return Nobody(Result.OBJECT_NOT_FOUND, message, result)
        with_it = " with this parameter" if parameter is not None and self.attachments.links else ""
        why = f": {self.away}" if self.away else ""
        return Nobody(code, f"hook {self.name}: nothing is attached{with_it}{why}", result)

    def run_by(self, local: LocalProgram[C] | None) -> None:
        """Let events without parameter be run by *local* alone; None: each finds its way."""
        if self.local is not None:
            self.local.shut()
        self.local = local
        self.stand_in(local)

    def note_taken_back(self) -> None:
        """Look whether the daemon runs again what was run here."""
        if self.local is not None and self.local.taken_back:
            self.run_by(None)

    def why_remote(self, binding: int) -> str:
        """Say why a link's program does not run in this process."""
        taken = self.lanes.taken(binding) if self.lanes is not None else "it is gone"
        return taken if isinstance(taken, str) else "the daemon has taken it back"

    def unanswered(self, nobody: Nobody, context: bytes, data: bytes) -> Answer[C]:
        """Make the answer to an event that reaches nobody."""
        code, message, result = nobody
        return Answer(code, result, context, data, message, self.program_type.context)

    def unanswered_batch(self, nobody: Nobody) -> Columns:
        """Make the answer to a batch that reaches nobody."""
        return Columns(nobody.code, nobody.message, failure_result=nobody.result)

    def _lost(
        self, attachments: Attachments | None, parameter: bytes | None, only: Filter | None
    ) -> int:
        """Say what becomes of an event that would have reached *attachments*."""
        links = attachments.matching(parameter, only) if attachments else ()
        default = self.program_type.default_result
        return links[0].policy.result(Result.CANCELED, default) if links else default

    async def arrival(self) -> None:
        """Wait until the next link is attached."""
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.arrivals.add(arrival)
        try:
            await arrival
        finally:
            self.arrivals.discard(arrival)

    def note_arrival(self) -> None:
        """Wake those who wait for a link."""
        arrivals, self.arrivals = self.arrivals, set()
        for arrival in arrivals:
            if not arrival.done():
                arrival.set_result(None)

    def _remember(self, parameter: bytes | None, lane: Lane[C]) -> None:
        if len(self.found) >= MOST_REMEMBERED:
            self.found.clear()
        self.found[parameter] = lane
