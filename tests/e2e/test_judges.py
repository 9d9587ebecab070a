"""Who judges a program, and what that means for its runs, as an operator sees it."""

import struct
from pathlib import Path
from typing import Any

from ebpfd_sdk import Judge
from tests.e2e.world import sample, world

PROGRAMS = Path(__file__).parent / "programs"
LOOP, DIVISOR, LONG = (str(PROGRAMS / f"{name}.o") for name in ("fnv", "divisor", "long_loop"))
PACKET = bytes(range(250)) * 6


def fnv(data: bytes) -> int:
    """32-bit FNV-1a, as the program computes it."""
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 % 2**32
    return value


def by_judge(verdicts: list[Any]) -> dict[str, Any]:
    """Verdicts by the first word of their judges' names."""
    return {each["judge"].split()[0]: each for each in verdicts}


async def test_a_loop_over_packet_bytes_runs_without_a_budget(tmp_path: Path) -> None:
    """Prevail refuses it; it loads, is not metered, and shows how long a run can be."""
    async with world(tmp_path) as w, sample(w):
        refused = await w.ctl("program", "verify", LOOP, "--judge", "prevail")
        assert refused.code == 1
        assert "past the end of the packet" in refused.out
        again = await w.ctl("program", "verify", LOOP, "--judge", "prevail")
        assert "past the end of the packet" in again.out
        titles, said = again.out.splitlines()[:2]
        assert (titles.split()[-1], said.split()[-1]) == ("CACHED", "yes")
        (program,) = await w.ctl_json("program", "load", LOOP)
        assert (program["metered"], program["worst_case"]) == (False, 10_509)
        assert program["judge"].startswith("ebpfd ")
        (verdict,) = await w.ctl_json("program", "verify", LOOP)
        assert (verdict["judge"], verdict["cached"]) == (program["judge"], True)
        ran = await w.ctl_json("program", "test-run", str(program["id"]), "--data", PACKET.hex())
        assert ran["result"] == fnv(PACKET)
        shown = await w.ctl("program", "show", str(program["id"]))
        assert (
            f"runs without a budget: at most 10,509 instructions, proved by {program['judge']}"
            in shown.out
        )


async def test_a_loop_that_only_prevail_accepts_is_metered(tmp_path: Path) -> None:
    """It runs, within a budget, for nobody has proved that it ends."""
    async with world(tmp_path) as w, sample(w):
        (program,) = await w.ctl_json("program", "load", DIVISOR)
        assert (program["metered"], program["worst_case"]) == (True, None)
        assert program["judge"].startswith("prevail ")
        assert program["metering"] == (
            f"metered: accepted by {program['judge']}, which proves no end"
        )
        context = struct.pack("<16xIHxxII", 2 * 1_836_311_903, 0, 2 * 1_134_903_170, 0)
        ran = await w.ctl_json(
            "program", "test-run", str(program["id"]), "--context", context.hex()
        )
        assert ran["result"] == 2


async def test_a_proved_end_beyond_the_budget_is_metered(tmp_path: Path) -> None:
    """And says so; a run is ended by its budget."""
    async with world(tmp_path) as w, sample(w):
        (program,) = await w.ctl_json("program", "load", LONG)
        assert program["metered"]
        assert program["metering"] == (
            f"metered: worst case {program['worst_case']:,} is above "
            f"the budget of {program['budget']:,}"
        )
        ran = await w.ctl("-o", "json", "program", "test-run", str(program["id"]))
        assert (ran.code, ran.error()["name"]) == (1, "TIMEOUT")


async def test_both_judges_can_be_compared(tmp_path: Path) -> None:
    """One line each, with what it took; what one of them accepts is no failure."""
    async with world(tmp_path) as w, sample(w):
        loop = by_judge(await w.ctl_json("program", "verify", LOOP, "--judge", "both"))
        assert {name: each["verdict"] for name, each in loop.items()} == {
            "ebpfd": "accepted",
            "prevail": "refused",
        }
        assert (loop["ebpfd"]["worst_case"], loop["prevail"]["worst_case"]) == (10_509, None)
        assert loop["ebpfd"]["steps"] > 0
        divisor = by_judge(await w.ctl_json("program", "verify", DIVISOR, "--judge", "both"))
        assert {name: each["verdict"] for name, each in divisor.items()} == {
            "ebpfd": "undecided",
            "prevail": "accepted",
        }
        table = (await w.ctl("program", "verify", LOOP, "--judge", "both")).out.splitlines()
        assert table[0].split() == [
            "PROGRAM", "TYPE", "JUDGE", "VERDICT", "INSTRUCTIONS", "STEPS", "STATES", "WORST",
            "CASE", "MILLISECONDS", "CACHED",
        ]  # fmt: skip
        assert [line.split()[2] for line in table[1:3]] == ["ebpfd", "prevail"]


async def test_our_judge_alone_may_be_undecided(tmp_path: Path) -> None:
    """Then it is no acceptance, and its reason is shown."""
    async with world(tmp_path) as w, sample(w):
        alone = await w.ctl("program", "verify", DIVISOR, "--judge", "ours")
        assert alone.code == 1
        assert "undecided" in alone.out
        assert "not shown to end" in alone.out
        (verdict,) = await w.client.verify(DIVISOR, judge=Judge.OURS)
        assert (verdict.accepted, verdict.decided) == (False, False)
        (verdict,) = await w.client.verify(DIVISOR)
        assert (verdict.accepted, verdict.decided) == (True, True)
