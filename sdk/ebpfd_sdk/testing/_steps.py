"""What most tests of programs do: load and attach, collect records, wait for a change."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd_sdk._client import Client
from ebpfd_sdk._map import Map
from ebpfd_sdk._program import AttachedLink, HookName, Program
from ebpfd_sdk._records import Record
from ebpfd_sdk.testing._process import PATIENCE_S

LOOKS_S: Final = 0.02
"""Between two questions about something that changes by itself."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A program and its link."""

    program: Program
    link: AttachedLink


@asynccontextmanager
async def attached(
    client: Client,
    source: str | Path | bytes,
    hook: HookName,
    *,
    program: str = "",
    parameter: bytes = b"",
) -> AsyncGenerator[Attached]:
    """Load a program and attach it to a hook for as long as the block lasts.

    Of a file with several programs, *program* names the one.
    """
    loaded = await client.load(source, programs=(program,) if program else ())
    try:
        if len(loaded) != 1:
            raise ValueError(f"program: the file has several, name one of {', '.join(loaded)}")
        (only,) = loaded.values()
        link = await only.attach(hook, parameter=parameter)
        try:
            yield Attached(only, link)
        finally:
            if any(each.id == link.id for each in await client.links()):
                await link.detach()
    finally:
        for each in loaded.values():
            await each.unload()


async def collect(records: Map, count: int, *, timeout_s: float = PATIENCE_S) -> tuple[Record, ...]:
    """Read *count* records of a ring buffer or perf event array, waiting for those to come."""
    found: list[Record] = []
    try:
        async with asyncio.timeout(timeout_s), aclosing(records.events(count=count)) as events:
            async for some in events:
                found += some
                if len(found) >= count:
                    break
    except TimeoutError:
        raise AssertionError(
            f"map {records.name}: {len(found)} of {count} records in {timeout_s:g} s"
        ) from None
    return tuple(found[:count])


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_s: float = PATIENCE_S) -> None:
    """Ask again and again until *condition* holds; TimeoutError if it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110 (what changes is in another process)
            await asyncio.sleep(LOOKS_S)
