"""What the README about services shows works as it stands there."""

import asyncio
import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from ebpfd.access import BUILT_IN, Action
from ebpfd.app.config import Config, read_config
from ebpfd.host.audit import MAX_KINDS, SPAN_S
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.extensions import Policy
from tests.e2e.world import command, world

README = (Path(__file__).parents[2] / "deploy" / "README.md").read_text()


def test_the_configuration_file_is_one(tmp_path: Path) -> None:
    """Its policy and its deadlines are those that hold when nothing is said."""
    found = re.search(r"<!-- ebpfd.toml -->\n```toml\n(.*?)```", README, re.DOTALL)
    assert found
    file = tmp_path / "ebpfd.toml"
    file.write_text(found[1])
    read = read_config(file)
    usual = Deadlines()
    said = read.callback_s, read.drain_s, read.lease_s
    assert said == (usual.callback_s, usual.drain_s, usual.lease_s)
    (extension,) = read.extensions
    assert extension.policy == Policy()
    assert read != Config()


async def test_the_roles_are_taken_as_they_stand_there(tmp_path: Path) -> None:
    """The daemon starts with them, its owner is the admin, and the first line is written."""
    found = re.search(r"<!-- roles.toml -->\n```toml\n(.*?)```", README, re.DOTALL)
    assert found
    file, log = tmp_path / "ebpfd.toml", tmp_path / "audit.jsonl"
    file.write_text(found[1].replace("/var/log/ebpfd/audit.jsonl", str(log)))
    async with world(tmp_path, "--config", str(file)) as w:
        roles = [each["name"] for each in (await w.ctl_json("whoami"))["roles"]]
        assert roles == ["admin", "watcher"]
        line = json.loads(log.read_text().splitlines()[0])
        assert (line["what"], line["who"]["uid"]) == ("daemon.start", os.getuid())


def test_every_right_and_every_role_that_is_built_in_is_told() -> None:
    """In the table, and before it; and the kinds of an audit line that stands there."""
    rows = re.findall(r"^\| (`.*?) \|", README, re.MULTILINE)
    rights = {right for row in rows for right in re.findall(r"`(\w+)`", row)}
    assert rights >= {action.value for action in Action}
    for name in BUILT_IN:
        assert f"`{name}`" in README
    (line,) = re.findall(r'^    (\{"time".*\})$', README, re.MULTILINE)
    assert set(json.loads(line)) >= {"time", "who", "what", "outcome"}
    assert f"every {SPAN_S:.0f} seconds" in README
    assert f"More than {MAX_KINDS} different" in README


@pytest.mark.skipif(not shutil.which("openssl"), reason="the commands are openssl's")
async def test_five_commands_set_up_tls(tmp_path: Path) -> None:
    """On another port and for another host, as they stand there."""
    found = re.search(r"<!-- tls -->\n```sh\n(.*?)```", README, re.DOTALL)
    assert found
    lines = found[1].replace("ebpfd.example", "localhost").splitlines()
    *certificates, daemon, client = (shlex.split(line) for line in lines)
    assert len(certificates) == 3
    for name, *arguments in certificates:
        child = await asyncio.create_subprocess_exec(name, *arguments, cwd=tmp_path)
        assert await child.wait() == 0
    names = ("ca.pem", "daemon.pem", "daemon.key", "alice.pem", "alice.key")
    files = {name: str(tmp_path / name) for name in names}
    assert daemon[:4] == ["ebpfd", "run", "--listen", "unix:/run/ebpfd/ebpfd.sock"]
    port_of_ours = {"tls:0.0.0.0:50051": "tls:localhost:0"}
    options = [files.get(each, port_of_ours.get(each, each)) for each in daemon[4:]]
    async with world(tmp_path, *options) as w:
        (serving,) = [line for line in w.log() if line["event"] == "serving"]
        ours: dict[str, str] = {"tls:localhost:50051": serving["listen"][1]}
        name, *arguments = [(files | ours).get(each, each) for each in client]
        ran = await command(name, *arguments)
        assert ran.code == 0, ran.err


def test_the_unit_reloads_the_daemon_alone_and_starts_it_again() -> None:
    """A signal to the whole unit would end the extensions that the daemon hosts."""
    unit = (Path(__file__).parents[2] / "deploy" / "systemd" / "ebpfd.service").read_text()
    lines = unit.splitlines()
    assert "ExecReload=/bin/kill -HUP $MAINPID" in lines
    assert "postrotate systemctl reload ebpfd" in README
    for setting in ("RestartSec=5", "StartLimitIntervalSec=0", "RestartPreventExitStatus=2"):
        assert setting in lines
    assert {"OOMPolicy=continue", "WatchdogSec=60"} <= set(lines)
