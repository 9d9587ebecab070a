"""What a hook and the registrar's view of it share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeAlias
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_sdk._answer import Answer, C
from ebpfd_sdk._attachments import Attachments, Filter
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._fire import FireEvent
from ebpfd_sdk._lane import Lane, Traffic
from ebpfd_sdk._lanes import Lanes
from ebpfd_sdk._links import Link
from ebpfd_sdk._program_type import ProgramType

MOST_REMEMBERED: Final = 1024
"""Events may have any number of parameters."""

OnParameter: TypeAlias = Callable[[bytes], None]
OnLink: TypeAlias = Callable[[Link], Awaitable[None] | None]
OnFire: TypeAlias = Callable[[FireEvent], Awaitable[Columns]]


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

    lanes: Lanes[C] | None = None
    """None before the first connection."""

    found: dict[bytes | None, Lane[C]] = field(default_factory=dict[bytes | None, Lane[C]])
    """Where the events of a parameter went lately; whoever changes the links empties it."""

    traffic: Traffic = field(default_factory=Traffic)
    arrivals: set[asyncio.Future[None]] = field(default_factory=set[asyncio.Future[None]])

    def find(
        self, parameter: bytes | None, only: Filter | None = None
    ) -> Lane[C] | tuple[Result, str]:
        """Find whom an invocation reaches, or say why nobody."""
        if self.closed or self.lanes is None:
            return Result.CANCELED, f"hook {self.name}: {self.closed}"
        if only is None and (lane := self.found.get(parameter)):
            return lane
        if links := self.attachments.matching(parameter, only):
            lane = self.lanes.to(links)
            if only is None:
                self._remember(parameter, lane)
            return lane
        code = self.attachments.nobody(parameter)
        if only is not None and self.attachments.matching(parameter):
            return Result.OBJECT_NOT_FOUND, f"hook {self.name}: the event concerns no link"
        with_it = " with this parameter" if parameter is not None and self.attachments.links else ""
        why = f": {self.away}" if self.away else ""
        return code, f"hook {self.name}: nothing is attached{with_it}{why}"

    def unanswered(self, nobody: tuple[Result, str], context: bytes, data: bytes) -> Answer[C]:
        """Make the answer to an event that reaches nobody."""
        kind, (code, message) = self.program_type, nobody
        return Answer(code, kind.default_result, context, data, message, kind.context)

    def unanswered_batch(self, nobody: tuple[Result, str]) -> Columns:
        """Make the answer to a batch that reaches nobody."""
        code, message = nobody
        return Columns(code, message, failure_result=self.program_type.default_result)

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
