"""What must hold once everybody is back and quiet; each broken rule is one line."""

from collections.abc import AsyncGenerator, Collection, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ebpfd_sdk import AttachedLink, Client, LinkState, Result
from tests.e2e.faults.client import FIRST_KEY
from tests.e2e.faults.extension import WINDOW, Tally
from tests.e2e.faults.journal import Kept, piece_of

UDP: Final = 17

DEFINITE: Final = frozenset(
    {
        Result.SUCCESS,
        Result.CANCELED,
        Result.KEY_NOT_FOUND,
        Result.OBJECT_NOT_FOUND,
        Result.EXTENSION_FAILED_TO_LOAD,
        Result.NO_MEMORY,
    }
)
"""What an invocation may come to when somebody dies under it."""


@dataclass(frozen=True, slots=True)
class Main:
    """The link that the extension invokes; it was attached for good, and nobody pinned it."""

    program: int
    link: int
    map: int


async def broken(
    client: Client, kept: Kept, main: Main, state: Path, daemon: int
) -> AsyncGenerator[str]:
    """Rules that the daemon's state breaks, in words."""
    pins = {pin.path: pin.id for pin in await client.pins()}
    for line in _differing_pins(pins, kept):
        yield line
    for path in pins.keys() & kept.values.keys():
        for line in _differing_values(path, await values(client, pins[path]), kept):
            yield line
    pinned = {piece: {pins[path] for path in pins if piece_of(path) == piece} for piece in "pml"}
    links = await client.links()
    for name, found, durable in (
        ("links", {link.id for link in links}, pinned["l"] | {main.link}),
        ("programs", {each.id for each in await client.programs()}, _programs(pinned, main, links)),
        ("maps", {each.id for each in await client.maps()}, pinned["m"] | {main.map}),
    ):
        missing, left = durable - found, found - durable
        if missing:
            yield f"{name} {sorted(missing)} are gone"
        if left and not kept.doubt:
            yield f"{name} {sorted(left)} were left behind"
    for link in links:
        if link.state is not LinkState.ATTACHED:
            yield f"link {link.id} is {link.state.name}"
    bindings = len(await client.bindings())
    wanted = len(links) + 2 * len(await client.programs())
    if bindings != wanted:
        yield f"{bindings} bindings of {len(links)} links, {wanted} are right"
    files = {int(file.name) for file in (state / "maps").iterdir()}
    if files != {each.id for each in await client.maps()}:
        yield f"files {sorted(files)} of maps {sorted(each.id for each in await client.maps())}"
    for line in _open_files_left(daemon):
        yield line


def miscounted(before: Tally, counted: int, after: Tally, ended: int) -> Generator[str]:
    """Rules that the invocations break, of which *ended* extensions took some with them.

    *counted* are the runs that the program has counted, some time between *before* and *after*.
    """
    # What was answered with success has run once; what was given up may have; nothing else has.
    least = before.codes.get(Result.SUCCESS, 0)
    most = after.codes.get(Result.SUCCESS, 0) + after.codes.get(Result.CANCELED, 0) + after.silent
    if not least <= counted <= most:
        yield f"{counted} runs are counted, at least {least} and at most {most} are right"
    if after.silent > WINDOW * (ended + 1):
        yield f"{after.silent} invocations have no code, {ended} extensions have ended"
    if other := {code for code in after.codes if code not in DEFINITE}:
        yield f"codes {sorted(other)} among the answers"


def processes(marker: str) -> dict[int, int]:
    """Living processes that have *marker* in their environment, and their parents."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if marker.encode() in (entry / "environ").read_bytes():
                    status = (entry / "stat").read_text().rpartition(")")[2].split()
                    if status[0] != "Z":
                        found[int(entry.name)] = int(status[1])
            except (OSError, IndexError):
                continue  # it ended meanwhile
    return found


async def values(client: Client, map_id: int) -> dict[int, int]:
    """What the client has put into a map."""
    entries = await (await client.map(map_id)).items()
    numbers = ((int.from_bytes(k, "little"), int.from_bytes(v, "little")) for k, v in entries)
    return {key - FIRST_KEY: value for key, value in numbers if FIRST_KEY <= key < 1 << 31}


def _differing_pins(pins: dict[str, int], kept: Kept) -> Generator[str]:
    doubtful = kept.doubt[1] if kept.doubt else None
    for path in sorted(pins.keys() | kept.pins.keys()):
        if path != doubtful and pins.get(path) != kept.pins.get(path):
            yield f"{path} is {pins.get(path)}, acknowledged was {kept.pins.get(path)}"


def _differing_values(path: str, found: dict[int, int], kept: Kept) -> Generator[str]:
    expected = kept.values[path]
    key, value = kept.doubt[2:] if kept.doubt[:2] == ["set", path] else (None, None)
    for each in sorted(found.keys() | expected.keys()):
        if found.get(each) != expected.get(each) and (each != key or found.get(each) != value):
            yield f"{path}[{each}] is {found.get(each)}, acknowledged was {expected.get(each)}"


def _programs(pinned: dict[str, set[int]], main: Main, links: Collection[AttachedLink]) -> set[int]:
    return pinned["p"] | {main.program} | {link.program_id for link in links}


def _open_files_left(daemon: int) -> Generator[str]:
    """Files of maps that have no name: of maps that were not to survive, and are gone."""
    for descriptor in Path(f"/proc/{daemon}/fd").iterdir():
        try:
            target, links = str(descriptor.readlink()), descriptor.stat().st_nlink
        except OSError:
            continue
        if "/maps/" in target and not links:
            yield f"the daemon keeps {target} open"
