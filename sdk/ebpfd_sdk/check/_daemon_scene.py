"""A daemon, the extension under check, and load on its hooks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from ebpfd_api.result import Result
from ebpfd_sdk._client import Client
from ebpfd_sdk._program import AttachedLink, Program
from ebpfd_sdk._values import LinkState
from ebpfd_sdk.check._options import Options
from ebpfd_sdk.check._report import within
from ebpfd_sdk.testing import DaemonProcess, ExtensionProcess, until

FIRERS: Final = 4
"""Fires in flight when something happens under load."""

WARM_RUNS: Final = 100
"""Runs after which load counts as load."""


@dataclass(slots=True)
class OfferedHook:
    """A hook of the extension's, as it registered it."""

    guid: UUID
    name: str
    program_type: UUID
    program: Program | None = None
    link: AttachedLink | None = None
    takes_links: bool = False
    fires: bool = False


@dataclass(slots=True)
class DaemonScene:
    """A daemon and the extension under check."""

    options: Options
    daemon: DaemonProcess
    client: Client
    child: ExtensionProcess
    hooks: list[OfferedHook] = field(default_factory=list[OfferedHook])
    registrations: set[int] = field(default_factory=set[int])
    """Those that its first process made."""

    modules: set[tuple[UUID, UUID | int | None]] = field(
        default_factory=set[tuple[UUID, UUID | int | None]]
    )
    """What they offer: contract and module id."""

    map_types: list[int] = field(default_factory=list[int])
    types: list[UUID] = field(default_factory=list[UUID])

    async def until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a change at the daemon."""
        await within(self.options.timeout_s, what, until(condition))

    async def is_gone(self) -> bool:
        """Whether nothing is left of what its first process registered."""
        there = {each.registration for each in await self.client.providers()}
        return not there & self.registrations

    async def fire(self, hook: OfferedHook) -> Result:
        """Fire a hook once; return the code.

        Without a deadline, or it would wait for an extension that has been killed.
        """
        options = self.options
        answer = await self.client.fire(
            hook.guid,
            context=options.context,
            data=options.data,
            parameter=options.parameters[0],
        )
        return answer.code

    async def runs(self, hook: OfferedHook) -> int:
        """How often the hook's program has run."""
        assert hook.program is not None, "it is loaded"
        return (await self.client.program(hook.program.id)).counters.runs

    async def state(self, link: AttachedLink) -> LinkState | None:
        """The state of a link; None: it is gone."""
        for each in await self.client.links():
            if each.id == link.id:
                return each.state
        return None

    async def attach(self, hook: OfferedHook, parameter: bytes) -> AttachedLink:
        """Attach the hook's program."""
        assert hook.program is not None, "it is loaded"
        return await hook.program.attach(hook.guid, parameter=parameter)

    async def attach_all(self) -> None:
        """Attach the program of each hook that takes links, if it is not."""
        for hook in self.attachable:
            if hook.link is None or await self.state(hook.link) is None:
                hook.link = await self.attach(hook, self.options.parameters[0])

    @property
    def loaded(self) -> list[OfferedHook]:
        """Hooks with a program."""
        return [hook for hook in self.hooks if hook.program is not None]

    @property
    def attachable(self) -> list[OfferedHook]:
        """Hooks that have taken a link."""
        return [hook for hook in self.hooks if hook.takes_links]

    @property
    def fired(self) -> list[OfferedHook]:
        """Hooks that clients can fire."""
        return [hook for hook in self.hooks if hook.fires]

    @asynccontextmanager
    async def load(self) -> AsyncGenerator["Load"]:
        """Fires without pause at all hooks that clients can fire."""
        load = Load()
        async with asyncio.TaskGroup() as group:
            for hook in self.fired:
                for _ in range(FIRERS):
                    group.create_task(load.fire(self, hook))
            try:
                for hook in self.fired:
                    start = await self.runs(hook)

                    async def warm(hook: OfferedHook = hook, start: int = start) -> bool:
                        return await self.runs(hook) >= start + WARM_RUNS

                    await self.until(f"{WARM_RUNS} runs of hook {hook.name}", warm)
                yield load
            finally:
                load.over = True


@dataclass(slots=True)
class Load:
    """Who fires, until it is over."""

    over: bool = False
    codes: dict[Result, int] = field(default_factory=dict[Result, int])

    async def fire(self, scene: DaemonScene, hook: OfferedHook) -> None:
        """Fire again when the last fire is answered."""
        while not self.over:
            code = await scene.fire(hook)
            self.codes[code] = self.codes.get(code, 0) + 1
            if code is not Result.SUCCESS:
                await asyncio.sleep(0.01)  # there is nobody now: no reason to hurry
