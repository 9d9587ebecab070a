"""Flags of programs, as an operator gives them and a hook is shown them (facts 5.9)."""

from pathlib import Path

from ebpfd_sdk import LinkState
from tests.e2e.test_durable import kill
from tests.e2e.world import PROGRAMS, script, world

EXTENSION = Path(__file__).parent / "flag_extension.py"


async def test_program_flag_test(tmp_path: Path) -> None:
    """From ``program load --flags`` to the hook, and to it again after a crash of the daemon."""
    journal = tmp_path / "flags"

    def shown() -> list[str]:
        """What the hook was shown so far."""
        return journal.read_text().split()

    async with world(tmp_path) as w, script(w, EXTENSION, str(journal)):
        (loaded,) = await w.ctl_json(
            "program", "load", "--flags", "0xCCCCCCCC", str(PROGRAMS / "count.o")
        )
        id_ = str(loaded["id"])
        assert loaded["flags"] == 0xCCCCCCCC
        assert "3435973836" in (await w.ctl("program", "show", id_)).out
        attach = ("link", "attach", id_, "--attach-type", "sample_ext")
        (link,) = await w.ctl_json(*attach)
        assert (link["flags"], shown()) == (0xCCCCCCCC, ["0xcccccccc"])
        (own,) = await w.ctl_json(*attach, "--param", "01", "--flags", "0")
        assert (own["flags"], shown()) == (0, ["0xcccccccc", "0x0"])
        await kill(w)
    async with world(tmp_path) as w:
        assert (await w.client.program(loaded["id"])).flags == 0xCCCCCCCC
        async with script(w, EXTENSION, str(journal)):
            links = await w.client.links()
            assert {each.state for each in links} == {LinkState.ATTACHED}
            assert {each.id: each.flags for each in links} == {link["id"]: 0xCCCCCCCC, own["id"]: 0}
            assert sorted(shown()[2:]) == ["0x0", "0xcccccccc"]
