"""The same program run by the daemon, and by its hook's process: nobody can tell which it was."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from ebpfd_sdk import Map, Result
from tests.e2e.twins import LOCAL, contents, extension, outcomes, printed, ran, twins
from tests.e2e.world import PROGRAMS, STATES, world

OWN: Final = Path(__file__).with_name("programs")
SUCCESS: Final = Result.SUCCESS
NUMBERS: Final = [3, 1, 4, 1, 5, 9, 2, 6]
REPLACED: Final = [
    int.from_bytes(each, "big")
    for each in (b"cX", b"Yd", b"cd", b"Yd", b"cd", b"\xff" * 4, b"XY", b"cd")
]
"""Third and fourth letter of abcdefg with XY written at each of NUMBERS; -1 beyond its end."""


@pytest.mark.parametrize("state", STATES)
async def test_maps_of_all_kinds_hold_the_same(tmp_path: Path, state: str) -> None:
    """Per-CPU array, LRU hash, LPM trie, queue, in memory and in files."""
    async with world(tmp_path, "--local", *STATES[state]) as w, extension(w) as its:
        both = await twins(w, OWN / "kinds.o")
        for each in both:
            key = (32).to_bytes(4, "little") + (4).to_bytes(4, "little")
            await each.program.maps["routes"].set(key, (17).to_bytes(4, "little"))
        remote, local = [await ran(its, each.parameter, NUMBERS) for each in both]
        assert local == remote
        assert [result for _, result, _ in remote] == [17 * (each == 4) for each in NUMBERS]
        for name in both[0].program.maps:
            remote, local = [await contents(each.program.maps[name]) for each in both]
            assert local == remote != []
        assert await outcomes(w, both[0]) == await outcomes(w, both[1])
        (_, run, _), *_ = await ran(its, LOCAL, [4], now=True)
        assert run == 17


@pytest.mark.parametrize("file", ["records.o", "perf.o"])
async def test_records_are_read_as_they_are_written(tmp_path: Path, file: str) -> None:
    """All of them, and with the same counts of those that were lost."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        both = await twins(w, OWN / file)
        read: list[list[bytes]] = []
        lost: list[int] = []
        for each in both:
            (records,) = each.program.maps.values()
            waiting = asyncio.ensure_future(_first(records, len(NUMBERS)))
            answers = await ran(its, each.parameter, NUMBERS)
            assert {(code, result) for code, result, _ in answers} == {(0, 0)}
            async with asyncio.timeout(30):
                read.append(await waiting)
            full = await ran(its, each.parameter, list(range(2000)))
            lost.append(sum(result != 0 for _, result, _ in full))
            shown = await w.ctl_json("map", "show", str(records.id))
            assert shown["lost"] == lost[-1]
        assert read[0] == read[1]
        assert len(read[0]) == len(NUMBERS)
        assert lost[0] == lost[1] > 0


async def _first(of: Map, count: int) -> list[bytes]:
    found: list[bytes] = []
    async for batch in of.events(count=count):
        found += [record.data for record in batch.records]
    return found


async def test_lines_are_printed_the_same(tmp_path: Path) -> None:
    """In their order, with the program that printed them."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        both = await twins(w, PROGRAMS / "trace.o")
        for each in both:
            await ran(its, each.parameter, NUMBERS)
        lines = [await printed(w.client, each.program) for each in both]
        assert lines[0] == lines[1] == [f"got {number}" for number in NUMBERS]


@pytest.mark.parametrize(
    ("file", "results"),
    [
        ("helper_function1.o", [42] * len(NUMBERS)),
        ("helper_find.o", [3] * len(NUMBERS)),
        ("helper_replace.o", REPLACED),
    ],
)
async def test_helpers_are_called_the_same(tmp_path: Path, file: str, results: list[int]) -> None:
    """With context, numbers, and memory that they read and write."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        both = await twins(w, PROGRAMS / file)
        remote, local = [await ran(its, each.parameter, NUMBERS) for each in both]
        assert local == remote
        assert [each[:2] for each in remote] == [[SUCCESS, result] for result in results]
        now = await ran(its, LOCAL, NUMBERS, now=True)
        assert [each[:2] for each in now] == [each[:2] for each in remote]


async def test_helpers_that_go_wrong_end_the_run_the_same(tmp_path: Path) -> None:
    """With the same codes, outcomes, and lines in the trace; a late one is TIMEOUT here too."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        both = await twins(w, PROGRAMS / "helper_implicit_2.o")
        faults = list(range(7))
        remote, local = [await ran(its, each.parameter, faults) for each in both]
        assert local == remote
        codes = [SUCCESS] * 2 + [Result.FAILED] * 5
        assert [code for code, _, _ in remote] == codes
        assert [result for _, result, _ in remote] == [7, 2**32 - 3, 0, 0, 0, 0, 0]
        assert await outcomes(w, both[0]) == await outcomes(w, both[1])
        lines = [await printed(w.client, each.program) for each in both]
        assert len(lines[0]) == 5
        assert lines[0] == lines[1]
        late = await ran(its, LOCAL, [7] * 8)
        assert [code for code, _, _ in late] == [Result.TIMEOUT] * 8
        now = await ran(its, LOCAL, [*faults, 7], now=True)
        assert [code for code, _, _ in now] == [*codes, Result.TIMEOUT]


async def test_a_helper_that_needs_the_loop_keeps_its_program_in_the_daemon(
    tmp_path: Path,
) -> None:
    """Which says so."""
    async with world(tmp_path, "--local") as w, extension(w) as its:
        program = next(iter((await w.client.load(PROGRAMS / "helper_implicit_1.o")).values()))
        link = await program.attach("sample_ext")
        shown = await w.ctl_json("link", "show", str(link.id))
        assert shown["where"].startswith("remote: its helper waits is an async def")
        assert (await ran(its, "", [5]))[0][:2] == [SUCCESS, 5]
