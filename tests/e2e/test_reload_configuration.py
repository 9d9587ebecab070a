"""SIGHUP: a daemon that goes on by what its configuration file says now."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import Client, EbpfdError, Result
from ebpfd_sdk.testing import until
from tests.e2e.test_audit import lines
from tests.e2e.world import PROGRAMS, World, sample, world

ADMIN = '[roles.admin]\nwho = ["owner"]\n'
OBSERVER = '[roles.observer]\nwho = ["owner"]\n'
OUTCOMES = ("configuration taken", "configuration not taken")


@dataclass
class Scene:
    """A daemon, and the file that it was started with."""

    w: World
    file: Path
    audit: Path

    async def says(self, text: str) -> dict[str, Any]:
        """Write the file anew and send the signal; the line of the log about that."""
        before = len(self._told())
        self.file.write_text(text)
        self.w.daemon.send_signal(signal.SIGHUP)

        async def told() -> bool:
            return len(self._told()) > before

        await until(told)
        return self._told()[-1]

    def _told(self) -> list[dict[str, Any]]:
        return [line for line in self.w.log() if line["event"] in OUTCOMES]


@asynccontextmanager
async def scene(folder: Path, text: str, *options: str) -> AsyncGenerator[Scene]:
    """A daemon whose file says *text*."""
    file, audit = folder / "ebpfd.toml", folder / "audit.jsonl"
    file.write_text(text)
    async with world(folder, "--config", str(file), "--audit", str(audit), *options) as w:
        yield Scene(w, file, audit)


async def create(client: Client) -> int:
    """Make a map; its id."""
    return (await client.create_map("hash", 4, 8, 1)).id


async def refused(client: Client) -> Result:
    """Why no map can be made."""
    with pytest.raises(EbpfdError) as caught:
        await create(client)
    return caught.value.code


async def test_quotas_follow_and_what_is_there_stays(tmp_path: Path) -> None:
    """More is let in at once; with fewer than there are, nothing new is, and nothing goes."""
    async with scene(tmp_path, "[quotas]\nmaps = 1\n") as s:
        client = s.w.client
        await create(client)
        assert await refused(client) is Result.NO_MEMORY
        line = await s.says('[quotas]\nmaps = 2\nmap_memory = "1 GiB"\n')
        assert (line["quotas"], line["roles"]) == ({"maps": 2, "map_memory": 1 << 30}, [])
        await create(client)
        listed = {each["quota"]: each for each in await s.w.ctl_json("quota", "list")}
        assert (listed["maps"]["limit"], listed["map_memory"]["limit"]) == (2, 1 << 30)
        assert (await s.says("[quotas]\nmaps = 1\n"))["quotas"]["maps"] == 1
        assert len(await client.maps()) == 2
        assert await refused(client) is Result.NO_MEMORY
        (first, *_) = [each for each in lines(s.audit) if each["what"] == "daemon.reload"]
        assert (first["outcome"], first["quotas"]["maps"]) == ("SUCCESS", 2)


async def test_less_memory_for_maps_holds_for_what_comes(tmp_path: Path) -> None:
    """The engine, which keeps this quota, is told."""
    async with scene(tmp_path, "") as s:
        await s.says('[quotas]\nmap_memory = "1 MiB"\n')
        with pytest.raises(EbpfdError) as caught:
            await s.w.client.create_map("array", 4, 4096, 1024)
        assert caught.value.code is Result.NO_MEMORY


async def test_roles_follow_for_calls_that_are_open_too(tmp_path: Path) -> None:
    """A client's stream of fires asks for each of them."""
    async with scene(tmp_path, ADMIN) as s, sample(s.w):
        client = s.w.client
        await (await client.load(PROGRAMS / "count.o"))["count_by_protocol"].attach("sample_ext")
        assert (await client.fire("sample_ext")).code is not Result.ACCESS_DENIED
        assert (await s.says(OBSERVER))["roles"] == ["admin", "observer"]
        assert [role.name for role in (await client.who_am_i()).roles] == ["observer"]
        assert (await client.fire("sample_ext")).code is Result.ACCESS_DENIED
        assert await refused(client) is Result.ACCESS_DENIED
        assert len(await client.programs()) == 1
        await s.says(ADMIN)
        await create(client)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[quotas]\nmaps = 0\n", "quotas, maps"),
        ('[roles.admin]\nwho = ["owner"]\nsing = ["*"]\n', "sing"),
        ("[quotas\n", "this is no TOML"),
        ("listen = []\nstat = 1\n", "stat"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(
    tmp_path: Path, text: str, named: str
) -> None:
    """The log names the key, at level error, and so does the audit log."""
    async with scene(tmp_path, f"{ADMIN}[quotas]\nmaps = 1\n") as s:
        line = await s.says(text)
        assert (line["event"], line["level"]) == ("configuration not taken", "error")
        assert named in line["reason"]
        await create(s.w.client)
        assert await refused(s.w.client) is Result.NO_MEMORY

        async def audited() -> bool:
            return bool(lines(s.audit)[-1]["outcome"] == "NO_MEMORY")

        await until(audited)
        (told,) = [each for each in lines(s.audit) if each["what"] == "daemon.reload"]
        assert told["outcome"] == "INVALID_ARGUMENT"
        assert named in told["message"]


async def test_what_needs_a_restart_is_named(tmp_path: Path) -> None:
    """Whether it is of the file's own tables, or of those of which only a part follows."""
    async with scene(tmp_path, "") as s:
        text = "[quotas]\nhelper_threads = 7\nmaps = 9\n[deadlines]\ncallback_s = 7\n"
        line = await s.says(text + ADMIN)
        assert (line["quotas"], line["roles"]) == ({"maps": 9}, [])
        (warning,) = [each for each in s.w.log() if each["event"] == "a restart is needed"]
        assert warning["changed"] == ["deadlines", "roles", "quotas.helper_threads"]
        listed = {each["quota"]: each for each in await s.w.ctl_json("quota", "list")}
        assert listed["helper_threads"]["limit"] == 512
        assert (await s.w.client.who_am_i()).restricted is False


async def test_what_the_command_line_says_goes_before_the_file_then_too(tmp_path: Path) -> None:
    """As at the start: the file is read with the same words beside it."""
    async with scene(tmp_path, "", "--callback-deadline", "9") as s:
        await s.says("[deadlines]\ncallback_s = 7\n")
        assert not [each for each in s.w.log() if each["event"] == "a restart is needed"]
