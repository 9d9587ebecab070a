"""State directories as an operator handles them."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.e2e.world import command, world


async def run_on(state: Path) -> tuple[int, str]:
    """How a daemon ends that cannot use *state*, and what it says."""
    ran = await command(
        "ebpfd", "run", "--listen", f"unix:{state.parent}/other.sock", "--state", str(state)
    )
    return ran.code, ran.err


async def test_a_backup_of_a_running_daemon_can_be_run_on(tmp_path: Path) -> None:
    """It is checked, restored under another name, and has what was there."""
    state, backup, new = tmp_path / "state", tmp_path / "backup", tmp_path / "new"
    new.mkdir()
    async with world(tmp_path) as w:
        await w.ctl_json("contract", "import", "xdp")
        done = await w.ctl_json("state", "backup", str(state), str(backup))
        assert (done["running"], done["left_empty"]) == (True, [])
        await w.ctl_json("contract", "forget", "xdp")
    found = await command("ebpfctl", "-o", "json", "state", "check", str(backup))
    assert (found.code, found.json()["contracts"], found.json()["problems"]) == (0, 1, [])
    restored = await command("ebpfctl", "state", "restore", str(backup), str(new / "state"))
    assert restored.code == 0, restored.err
    async with world(new) as w:
        assert [each["name"] for each in await w.ctl_json("contract", "list")] == ["xdp"]


async def test_what_cannot_be_used_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Newer tables, damaged ones, none at all: with what can be done."""
    async with world(tmp_path):
        pass
    state = tmp_path / "state"
    database = state / "state.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    code, said = await run_on(state)
    assert (code, "written by a newer ebpfd" in said) == (1, True)
    assert (await command("ebpfctl", "state", "check", str(state))).code == 1

    database.write_bytes(b"no database " * 1000)
    code, said = await run_on(state)
    assert (code, "ebpfctl state restore" in said) == (1, True)
    ran = await command("ebpfctl", "-o", "json", "state", "check", str(state))
    assert "is damaged" in ran.error()["message"]
    assert database.read_bytes() == b"no database " * 1000

    database.unlink()
    (state / "maps" / "7").write_bytes(b"contents")
    code, said = await run_on(state)
    assert (code, "there are maps, but no state.sqlite" in said) == (1, True)
    assert (state / "maps" / "7").read_bytes() == b"contents"


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither a backup nor a state directory."""
    async with world(tmp_path):
        pass
    state, backup = str(tmp_path / "state"), str(tmp_path / "backup")
    assert (await command("ebpfctl", "state", "backup", state, backup)).code == 0
    for words in (("backup", state, backup), ("restore", backup, state)):
        ran = await command("ebpfctl", "state", *words)
        assert (ran.code, "nothing is overwritten" in ran.err) == (1, True)
    ran = await command("ebpfctl", "state", "backup", str(tmp_path), backup)
    assert (ran.code, "is no state directory" in ran.err) == (1, True)
    assert not (tmp_path / "lock").exists()
