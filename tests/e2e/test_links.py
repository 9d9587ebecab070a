"""Links with real processes: parameters, the order that is shown, replaced programs."""

from pathlib import Path

import pytest

from ebpfd_sdk import EbpfdError, Failure, Program, Result
from tests.e2e.replacing import replaced_under_load
from tests.e2e.world import PROGRAMS, World, sample, world

OURS = Path(__file__).parent / "programs"


async def test_multi_attach_sample_extension(tmp_path: Path) -> None:
    """Facts 7.2: programs with parameters 0 and 1; each fire runs its own, and 2 has none."""
    async with world(tmp_path) as w, sample(w):
        programs: list[Program] = []
        for parameter in (b"\0", b"\1"):
            program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            await program.attach("sample_ext", parameter=parameter)
            programs.append(program)

        async def runs() -> list[int]:
            return [(await w.client.program(each.id)).counters.runs for each in programs]

        not_ip = bytes(20)
        answer = await w.client.fire("sample_ext", data=not_ip, parameter=b"\0")
        assert (answer.code, answer.result, await runs()) == (Result.SUCCESS, 42, [1, 0])
        answer = await w.client.fire("sample_ext", data=not_ip, parameter=b"\1")
        assert (answer.code, answer.result, await runs()) == (Result.SUCCESS, 42, [1, 1])
        answer = await w.client.fire("sample_ext", data=not_ip, parameter=b"\2")
        assert (answer.code, await runs()) == (Result.KEY_NOT_FOUND, [1, 1])


async def loaded(w: World) -> tuple[str, str]:
    """Load two programs by ``ebpfctl``; their ids."""
    programs = await w.ctl_json("program", "load", str(OURS / "chain.o"))
    ids = {each["name"]: str(each["id"]) for each in programs}
    return ids["add_one"], ids["twice"]


async def test_commands_attach_show_replace_and_unlink(tmp_path: Path) -> None:
    """What an operator does with links, and what is refused."""
    async with world(tmp_path) as w, sample(w):
        add_one, twice = await loaded(w)
        attach = ("link", "attach", "--attach-type", "sample_ext")
        (late,) = await w.ctl_json(
            *attach, add_one, "--param", "02", "--priority", "5", "--on-failure", "7"
        )
        assert (late["priority"], late["policy"]) == (5, dict.fromkeys(Failure, 7))
        (first,) = await w.ctl_json(*attach, add_one, "--param", "01", "--priority", "-5")
        refused = await w.ctl("-o", "json", *attach, twice, "--param", "01")
        assert refused.error()["name"] == "EXTENSION_FAILED_TO_LOAD"
        assert "is attached with parameter 01 already" in refused.error()["message"]
        (listed,) = await w.ctl_json("hook", "list")
        shown = await w.ctl_json("hook", "show", "sample_ext")
        assert shown == listed
        assert (shown["takes"], shown["provider"]) == ("one_per_parameter", "sample")
        assert [each["id"] for each in shown["links"]] == [first["id"], late["id"]]
        text = (await w.ctl("hook", "show", "sample_ext")).out
        assert "\nORDER  LINK  PARAMETER  WILDCARD  PRIORITY  PROGRAM" in text
        assert f"\n1      {first['id']} " in text

        link = str(first["id"])
        (replaced,) = await w.ctl_json("link", "replace", link, twice, "--expect", add_one)
        assert (replaced["id"], str(replaced["program"])) == (first["id"], twice)
        context = "00" * 16 + "05000000" + "00" * 12
        fire = ("hook", "fire", "sample_ext", "--param", "01", "--context", context)
        fired = await w.ctl_json(*fire)
        assert fired["results"] == {"10": 1}
        refused = await w.ctl("-o", "json", "link", "replace", link, twice, "--expect", add_one)
        assert f"has program {twice} (twice), not {add_one}" in refused.error()["message"]
        unlink = ("link", "unlink", "--attach-type", "sample_ext", "--param", "01")
        assert await w.ctl_json(*unlink) == {"ids": [first["id"]]}
        assert (await w.ctl("-o", "json", *unlink)).error()["name"] == "OBJECT_NOT_FOUND"


async def test_a_thousand_replacements_lose_and_double_no_event(tmp_path: Path) -> None:
    """Under 10,000 events a second, in batches: each event meets the one or the other."""
    async with world(tmp_path) as w:
        outcome = await replaced_under_load(
            w.address, replacements=1000, replacements_per_s=500, events_per_s=10_000, batch=20
        )
        assert (outcome.lost, outcome.doubled) == (0, 0)
        assert (outcome.unanswered, outcome.stale) == (0, 0)
        assert min(outcome.by_program.values()) > 0
        with_errors = [each.counters.failures for each in await w.client.programs()]
        assert with_errors == [{}, {}]


async def test_a_link_that_is_held_is_detached_once(tmp_path: Path) -> None:
    """A second detach is a no-op; its id names nothing any more."""
    async with world(tmp_path) as w, sample(w):
        program = (await w.client.load(OURS / "chain.o"))["twice"]
        link = await program.attach("sample_ext")
        await link.detach()
        await link.detach()
        with pytest.raises(EbpfdError) as caught:
            await w.client.detach(link.id)
        assert caught.value.code is Result.STALE_ID
