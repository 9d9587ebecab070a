"""Roles of a daemon in a process of its own: two users of this host, and two certificates."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ebpfd_extensions.sample.extension import events, sample
from ebpfd_sdk import (
    Client,
    EbpfdError,
    Extension,
    HeldRole,
    MapType,
    PeerProcess,
    RegistrationRefused,
    Result,
)
from tests.e2e.net import net
from tests.e2e.world import PATIENCE_S, PROGRAMS, world
from tests.packets import UDP

OTHER = 65534

CONFIG = f"""
open_to = "everybody"

[roles.admin]
who = ["owner"]

[roles.loader]
who = ["uid:{OTHER}", "cert:alice"]
load = ["sample"]
attach = ["sample_ext"]
fire = ["sample_ext"]
read = ["own"]
observe = true

[roles.observer]
who = ["cert:bob"]
"""

TRY = """
import asyncio, json, os, sys
import grpc.aio
import ebpfd_sdk as sdk
from pathlib import Path

content = Path(sys.argv[2]).read_bytes()
os.setgroups([]); os.setgid(65534); os.setuid(65534)

async def code(call):
    try:
        await call
    except sdk.EbpfdError as error:
        return error.code.name
    return "SUCCESS"

async def main():
    async with sdk.Client(sys.argv[1], hold=True) as client:
        me = await client.who_am_i()
        program = (await client.load(content))["count_by_protocol"]
        link = await program.attach("sample_ext")
        counts = program.maps["by_protocol"]
        print(json.dumps({
            "uid": me.peer.process.uid,
            "roles": [role.name for role in me.roles],
            "fire": (await client.fire("sample_ext")).code.name,
            "pin": await code(client.pin("/mine", link)),
            "read": await code(counts.items()),
            "write": await code(counts.set(bytes(4), bytes(8))),
            "create": await code(client.create_map(sdk.MapType.HASH, 4, 8, 1, name="x")),
        }))

asyncio.run(main())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_another_user_may_what_his_role_allows() -> None:
    """And no more, on a socket that is open to everybody; the owner may all."""
    with TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        config = folder / "ebpfd.toml"
        config.write_text(CONFIG)
        opened(folder)
        async with (
            world(folder, "--config", str(config)) as w,
            Extension(sample, events, address=w.address),
        ):
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", TRY, w.address, str(PROGRAMS / "count.o"), stdout=PIPE
            )
            async with asyncio.timeout(PATIENCE_S):
                out, _ = await child.communicate()
            assert json.loads(out) == {
                "uid": OTHER,
                "roles": ["loader"],
                "fire": "SUCCESS",
                "pin": "ACCESS_DENIED",
                "read": "SUCCESS",
                "write": "ACCESS_DENIED",
                "create": "ACCESS_DENIED",
            }
            assert await w.client.create_map(MapType.HASH, 4, 8, 1, name="x")


async def test_two_certificates_may_different_things(tmp_path: Path) -> None:
    """Who has neither role is told so; and every refusal is told in the audit log."""
    config, log = tmp_path / "ebpfd.toml", tmp_path / "audit.jsonl"
    config.write_text(CONFIG)
    async with (
        net(tmp_path, "--config", str(config), "--audit", str(log)) as n,
        Extension(sample, events, address=n.world.address),
    ):
        alice, bob, carol = (
            Client(n.address, certificates=n.ca.issue(name, name).known_by(n.ca.path))
            for name in ("alice", "bob", "carol")
        )
        async with alice, bob, carol:
            program = (await alice.load(PROGRAMS / "count.o"))["count_by_protocol"]
            await program.attach("sample_ext")
            assert (await alice.fire("sample_ext", data=UDP)).code is Result.SUCCESS
            (link,) = await bob.links()
            assert (await bob.who_am_i()).roles == (HeldRole("observer", {"observe": ("*",)}),)
            said = await refused(bob.detach(link.id))
            assert said == (
                "the certificate of bob may not attach sample_ext and has only the role observer: "
                "the role loader would allow it"
            )
            assert "may not observe and has no role" in await refused(carol.links())
            assert "may not fire" in await refused(bob.fire("sample_ext", data=UDP))
        told = map(json.loads, log.read_text().splitlines())
        refusals = [each for each in told if each["what"] == "refused"]
        assert [(each["who"]["certificate"], each["thing"]) for each in refusals] == [
            (["bob"], "Links/Detach"),
            (["carol"], "Links/List"),
            (["bob"], "Hook/Fire"),
        ]


def opened(folder: Path) -> None:
    """Let others in who are to connect."""
    folder.chmod(0o711)


async def refused(work: Any) -> str:
    """Why *work* is refused."""
    with pytest.raises(EbpfdError) as caught:
        await work
    assert caught.value.code is Result.ACCESS_DENIED
    return str(caught.value)


async def test_whoami_shows_roles_and_what_they_allow(tmp_path: Path) -> None:
    """To people and to programs."""
    config = tmp_path / "ebpfd.toml"
    config.write_text(CONFIG)
    async with world(tmp_path, "--config", str(config)) as w:
        me = await w.ctl_json("whoami")
        assert me["peer"]["uid"] == os.getuid()
        assert me["restricted"] is True
        (role,) = me["roles"]
        assert (role["name"], role["rights"]["load"]) == ("admin", ["*"])
        assert "admin  write     *" in (await w.ctl("whoami")).out
        known = (await w.client.who_am_i()).peer.process
        assert known == PeerProcess(os.getpid(), os.getuid(), os.getgid())


async def test_an_extension_without_the_role_is_told_so(tmp_path: Path) -> None:
    """By the SDK, in the daemon's words; one that the daemon hosts is its owner's."""
    config = tmp_path / "ebpfd.toml"
    config.write_text('[roles.some]\nwho = ["owner"]\nregister = ["program-information"]\n')
    async with world(tmp_path, "--config", str(config)) as w:
        with pytest.raises(RegistrationRefused) as caught:
            async with Extension(sample, events, address=w.address):
                pass
        assert "(ACCESS_DENIED)" in str(caught.value)
        assert "may not register as a provider of hook, module" in str(caught.value)
        ran = await w.ctl("program", "list")
        assert ran.code == 1
        assert "ACCESS_DENIED" in ran.err
