"""What a hook and the registrar's view of it share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeAlias
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_sdk._answer import C
from ebpfd_sdk._batch import Columns
from ebpfd_sdk._fire import FireEvent
from ebpfd_sdk._lane import Lane, Traffic
from ebpfd_sdk._links import Link, LinkTable
from ebpfd_sdk._program_type import ProgramType

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
    attach_policy: OnLink | None = None
    detach_notice: OnLink | None = None
    fire_policy: OnFire | None = None
    closed: str = "it is not connected"
    """Why invocations are answered with CANCELED; empty: they are not."""

    table: LinkTable[C] = field(default_factory=LinkTable[C])
    traffic: Traffic = field(default_factory=Traffic)
    arrivals: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])

    def find(self, parameter: bytes | None) -> Lane[C] | tuple[Result, str]:
        """Find whom an invocation reaches, or say why nobody."""
        if self.closed:
            return Result.CANCELED, f"hook {self.name}: {self.closed}"
        found = self.table.find(parameter)
        if isinstance(found, Lane):
            return found
        if found is Result.OBJECT_NOT_FOUND:
            return found, f"hook {self.name}: nothing is attached"
        return found, f"hook {self.name}: nothing is attached with this parameter"

    async def arrival(self) -> None:
        """Wait until the next link is attached."""
        arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.arrivals.append(arrival)
        await arrival

    def note_arrival(self) -> None:
        """Wake those who wait for a link."""
        arrivals, self.arrivals = self.arrivals, []
        for arrival in arrivals:
            if not arrival.done():
                arrival.set_result(None)
