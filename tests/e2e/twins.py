"""A program that is run by the daemon, and the same one by its hook's process."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ebpfd_sdk import AttachedLink, Breaker, Client, Map, Program
from tests.e2e import told
from tests.e2e.told import Told
from tests.e2e.world import World

REMOTE: Final = "00"
LOCAL: Final = "01"


def extension(w: World) -> AbstractAsyncContextManager[Told]:
    """The extension, registered, and killed in the end."""
    return told.extension(w, "alike_extension")


async def ran(its: Told, parameter: str, numbers: list[int], *, now: bool = False) -> Any:
    """What becomes of events with these numbers: code, result, context of each."""
    asked = {"parameter": parameter, "numbers": numbers, "now": now}
    return json.loads(await its.ask(json.dumps(asked)))


@dataclass
class Twin:
    """A program that is run in one of the two ways."""

    program: Program
    link: AttachedLink
    parameter: str
    others: Mapping[str, Program]
    """Those of its file that are not attached."""


async def twins(w: World, file: Path) -> tuple[Twin, Twin]:
    """One program twice: run by the daemon, as a breaker is its own, and by the process."""
    both: list[Twin] = []
    for parameter in (REMOTE, LOCAL):
        first, *others = (await w.client.load(file)).values()
        link = await first.attach("sample_ext", parameter=bytes.fromhex(parameter))
        if parameter == REMOTE:
            await link.set_policy(breaker=Breaker(failures=1000, retry_s=1))
        both.append(Twin(first, link, parameter, {each.name: each for each in others}))
    shown = [await w.ctl_json("link", "show", str(each.link.id)) for each in both]
    assert [each["where"].partition(":")[0] for each in shown] == ["remote", "local"], shown
    return both[0], both[1]


async def outcomes(w: World, twin: Twin) -> Any:
    """What link and program have counted, but for times."""
    link = await w.ctl_json("link", "show", str(twin.link.id))
    program = await w.ctl_json("program", "show", str(twin.program.id))
    return link["runs"], link["outcomes"], program["runs"]


async def contents(of: Map) -> Any:
    """All that is in a map; of a per-CPU one the sums over its lanes."""
    if of.type in {10, 12}:  # QUEUE and STACK
        return [value async for value in _popped(of)]
    if not of.lanes:
        return sorted(await of.items())
    return sorted((key, sum(map(_number, of.per_lane(value)))) for key, value in await of.items())


async def _popped(of: Map) -> AsyncGenerator[bytes]:
    while (value := await of.pop()) is not None:
        yield value


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


async def printed(client: Client, program: Program) -> list[str]:
    """What a program has printed, and how its runs have failed."""
    return [line.text async for line in client.trace(follow=False, program_id=program.id)]
