"""``ebpfctl status`` of real daemons: that all is well, and each trouble with what to do."""

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ebpfd_sdk import Breaker, Client, EbpfdError, MapType, Result
from ebpfd_sdk.testing import until
from tests.certificates import DAY, Authority
from tests.e2e.hosting import hosting, reach, shell
from tests.e2e.net import net
from tests.e2e.test_durable import fill, small_disk
from tests.e2e.test_metrics import scraped
from tests.e2e.test_policy import attached
from tests.e2e.test_roles import CONFIG, refused
from tests.e2e.world import PROGRAMS, World, command, sample, world

MIB = 1 << 20


async def troubles(w: World) -> dict[str, Any]:
    """What ``status`` finds, by kind; its exit code says whether it is anything."""
    ran = await w.ctl("status", "-o", "json")
    found = {each["kind"]: each for each in ran.json()["troubles"]}
    assert (ran.code, len(found)) == (1 if found else 0, len(ran.json()["troubles"]))
    assert all(each["told"] and each["advice"] for each in found.values())
    assert "\n" not in "".join(each["told"] + each["advice"] for each in found.values())
    return found


async def test_a_daemon_without_troubles_says_what_it_is_and_has(tmp_path: Path) -> None:
    """To people and to programs, with exit code 0."""
    async with world(tmp_path) as w, sample(w), Client(w.address, hold=True) as holding:
        program = (await holding.load(PROGRAMS / "count.o"))["count_by_protocol"]
        await program.attach("sample_ext")
        await w.client.pin("/kept", program)
        shown = await w.ctl_json("status")
        assert shown["troubles"] == []
        assert (shown["pid"], shown["addresses"]) == (w.daemon.pid, [w.address])
        assert shown["uptime_s"] > 0
        assert (shown["state"], shown["certificate_expires_ns"]) == (f"{tmp_path}/state", None)
        assert shown["state_free_bytes"] > 0
        counts = ("extensions", "hooks", "programs", "links", "maps", "pins", "owners")
        assert [shown[name] for name in counts] == [1, 1, 1, 1, 1, 1, 1]
        text = await w.ctl("status")
        assert (text.code, text.out.splitlines()[-1]) == (0, "all is well")
        assert f"pid {w.daemon.pid}, up 0:00:" in text.out
        assert f"{tmp_path}/state, " in text.out


async def test_without_a_state_directory_it_says_so(tmp_path: Path) -> None:
    """Nothing outlives such a daemon, which is no trouble if that is wanted."""
    async with world(tmp_path, "--state", "") as w:
        shown = await w.ctl_json("status")
        assert (shown["state"], shown["state_free_bytes"]) == (None, None)
        assert "none: nothing outlives the daemon" in (await w.ctl("status")).out


async def test_without_a_daemon_it_fails_as_every_command_does(tmp_path: Path) -> None:
    """With the same exit code as for a trouble, and an error that says what to do."""
    ran = await command("ebpfctl", "--address", f"unix:{tmp_path}/none", "-o", "json", "status")
    assert (ran.code, ran.out) == (1, "")
    assert "start it with `ebpfd run`" in ran.error()["message"]


async def test_what_waits_for_an_extension_is_told_until_it_is_back(tmp_path: Path) -> None:
    """Programs and links, in a line for each type and each hook."""
    async with world(tmp_path) as w:
        async with sample(w):
            program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            first = await program.attach("sample_ext", parameter=b"a")
            second = await program.attach("sample_ext", parameter=b"b")
            assert await troubles(w) == {}

        async def waits() -> bool:
            return set(await troubles(w)) == {"programs", "links"}

        await until(waits)
        found = await troubles(w)
        ids = f"({first.id}, {second.id})"
        assert found["links"]["told"] == f"2 links wait {ids} for hook sample_ext"
        assert found["links"]["ids"] == [first.id, second.id]
        assert found["programs"]["told"].startswith(f"program {program.id} waits for program type")
        text = await w.ctl("status")
        assert text.code == 1
        assert f"TROUBLE 2 links wait {ids} for hook sample_ext\n    do: start its" in text.out
        async with sample(w):
            assert await troubles(w) == {}


async def test_events_that_fail_and_a_breaker_that_broke_are_told(tmp_path: Path) -> None:
    """A link is told once: as left alone, if it is; with what its events came to, if not."""
    async with world(tmp_path) as w, attached(w) as scene:
        link = scene.link.id
        assert (await scene.error()).code is Result.FAILED
        found = await troubles(w)
        assert set(found) == {"events"}
        assert "1 of 1 events of link " in found["events"]["told"]
        assert found["events"]["told"].endswith("failed within 2 minutes: 1 error")
        assert (found["events"]["ids"], f"link show {link}" in found["events"]["advice"]) == (
            [link],
            True,
        )
        await scene.link.set_policy(breaker=Breaker(failures=1, retry_s=3600))
        assert (await scene.error()).code is Result.FAILED
        found = await troubles(w)
        assert set(found) == {"breaker"}
        assert found["breaker"]["told"].endswith("is left alone after FAILED")
        assert "after 3600 s" in found["breaker"]["advice"]


async def test_a_quota_that_is_nearly_used_up_is_told(tmp_path: Path) -> None:
    """And what was refused lately."""
    config = tmp_path / "ebpfd.toml"
    config.write_text("[quotas]\nmaps = 10\n")
    async with world(tmp_path, "--config", str(config)) as w:
        for _ in range(9):
            await w.client.create_map(MapType.HASH, 4, 4, 1)
        assert await troubles(w) == {}
        await w.client.create_map(MapType.HASH, 4, 4, 1)
        assert (await troubles(w))["quota"]["told"] == "quota maps (maps) is used to 100%"
        with pytest.raises(EbpfdError):
            await w.client.create_map(MapType.HASH, 4, 4, 1)
        found = await troubles(w)
        assert "more was refused 1 times within 2 minutes" in found["quota"]["told"]
        assert "[quotas] maps" in found["quota"]["advice"]


async def test_a_hosted_extension_that_failed_is_told(tmp_path: Path) -> None:
    """With why, and where to read more."""
    bad = shell("bad", "exit 3", restart_limit=0)
    async with hosting(tmp_path, bad) as w:
        await reach(w, "bad", lambda each: each.state.name == "FAILED")
        (found,) = (await troubles(w)).values()
        assert found["kind"] == "extension"
        assert found["told"].startswith("extension bad has failed: ")
        assert "`ebpfctl extension logs bad`" in found["advice"]


async def test_a_full_disk_is_told_by_status_the_log_and_metrics(tmp_path: Path) -> None:
    """Who wrote to a map hears of it anyway; what a program writes is refused to it alone."""
    state, metrics = tmp_path / "state", tmp_path / "metrics.sock"
    options = ("--metrics", f"unix:{metrics}")
    async with small_disk(state, "64m"), world(tmp_path, *options) as w:
        made = await w.client.create_map(MapType.HASH, 4, 4096, 4096)
        assert await troubles(w) == {}
        await asyncio.to_thread(fill, state / "filler")
        found = await troubles(w)
        assert set(found) == {"disk"}, "before anybody was refused"
        assert found["disk"]["told"] == f"{state}/maps has 0.0 MiB left for maps"
        entries = [(key.to_bytes(4, "little"), bytes(4096)) for key in range(2048)]
        with pytest.raises(EbpfdError) as caught:
            await made.set_many(entries)
        assert caught.value.code is Result.NO_MEMORY
        for _ in range(2):
            with pytest.raises(EbpfdError):
                await w.client.create_map(MapType.ARRAY, 4, 4096, 1024)
        told = (await troubles(w))["disk"]["told"]
        assert "3 refused within 2 minutes: " in told
        assert "No space left on device" in told
        lines = [each for each in w.log() if each["event"] == "no room for maps"]
        assert (lines[0]["level"], lines[0]["folder"]) == ("error", f"{state}/maps")
        assert len(lines) <= 3
        assert len([each for each in w.log() if each["event"].startswith("little room")]) == 1
        page = await scraped(metrics)
        assert page["ebpfd_map_file_refusals_total", ""] == 3
        assert page["ebpfd_state_free_bytes", ""] < MIB
        await asyncio.to_thread((state / "filler").unlink)
        told = (await troubles(w))["disk"]["told"]
        assert told.startswith(f"maps find no room in {state}/maps; 3 refused within 2 minutes")
        await made.set_many(entries[:64])
        assert [each["event"] for each in w.log()].count("room for maps again") == 1


async def test_a_state_that_takes_no_changes_is_told_until_it_does(tmp_path: Path) -> None:
    """Room alone is enough: nobody need try a change."""
    state, metrics = tmp_path / "state", tmp_path / "metrics.sock"
    options = ("--metrics", f"unix:{metrics}")
    async with small_disk(state, "64m"), world(tmp_path, *options) as w, sample(w):
        await w.client.load(PROGRAMS / "count.o")
        assert await troubles(w) == {}
        await asyncio.to_thread(fill, state / "filler")
        refused = await w.ctl("link", "attach", "2", "--attach-type", "sample_ext")
        assert "OUT_OF_SPACE" in refused.err
        found = await troubles(w)
        assert set(found) == {"state", "disk"}
        assert "state.sqlite" in found["state"]["told"]
        assert (await scraped(metrics))["ebpfd_state_refusals_total", ""] >= 1
        await asyncio.to_thread((state / "filler").unlink)
        assert await troubles(w) == {}


async def test_a_certificate_near_its_end_is_told_until_there_is_a_new_one(tmp_path: Path) -> None:
    """At once, not when the daemon looks the next time; text says until when it is good."""
    ca = Authority(tmp_path)
    used, good = (ca.issue(name, "localhost", valid=40 * DAY) for name in ("used", "good"))
    soon = ca.issue("soon", "localhost", valid=20 * DAY)
    listen = ("--listen", "tls:localhost:0", *used.serving(ca.path))
    async with world(tmp_path, *listen) as w:
        shown = await w.ctl_json("status")
        assert [each.partition(":")[0] for each in shown["addresses"]] == ["unix", "tls"]
        assert shown["certificate_expires_ns"] == int(used.until.timestamp() * 1e9)
        assert f"good until {used.until:%Y-%m-%d %H:%M} UTC" in (await w.ctl("status")).out
        await asyncio.to_thread(soon.cert.replace, used.cert)
        found = await troubles(w)
        assert set(found) == {"certificate"}
        assert f"on {soon.until:%Y-%m-%d %H:%M} UTC" in found["certificate"]["told"]
        await asyncio.to_thread(good.cert.replace, used.cert)
        assert await troubles(w) == {}


async def test_a_certificate_that_is_good_for_ever_is_told_with_the_last_moment_there_is(
    tmp_path: Path,
) -> None:
    """RFC 5280 ends such a one in the year 9999, which no nanoseconds of 64 bits reach."""
    ca = Authority(tmp_path)
    ever = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - datetime.now(UTC)
    issued = ca.issue("ever", "localhost", valid=ever)
    async with world(tmp_path, "--listen", "tls:localhost:0", *issued.serving(ca.path)) as w:
        assert await troubles(w) == {}
        assert (await w.ctl_json("status"))["certificate_expires_ns"] == (1 << 64) - 1
        assert "good until 2554-07-21 23:34 UTC" in (await w.ctl("status")).out


async def test_a_daemon_that_does_not_listen_over_tls_though_it_was_to_says_so(
    tmp_path: Path,
) -> None:
    """Its certificate had expired when it started."""
    ca = Authority(tmp_path)
    late = ca.issue("late", "localhost", valid=-DAY)
    listen = ("--listen", "tls:localhost:0", *late.serving(ca.path))
    async with world(tmp_path, *listen) as w:
        found = await troubles(w)
        assert set(found) == {"tls", "certificate"}
        assert "has expired on" in found["certificate"]["told"]


async def test_an_audit_log_that_loses_lines_is_told(tmp_path: Path) -> None:
    """Its folder is gone, and with it the file, when it is to be opened anew."""
    folder = tmp_path / "audit"
    folder.mkdir()
    async with world(tmp_path, "--audit", str(folder / "audit.jsonl")) as w:
        await asyncio.to_thread((folder / "audit.jsonl").rename, tmp_path / "old")
        folder.rmdir()
        w.daemon.send_signal(signal.SIGHUP)

        async def lost() -> bool:
            await w.client.create_map(MapType.HASH, 4, 4, 1)
            return "audit" in await troubles(w)

        await until(lost)
        assert "of the audit log could not be written" in (await troubles(w))["audit"]["told"]


async def test_a_role_that_may_only_look_may_ask(tmp_path: Path) -> None:
    """And whoever has none is refused."""
    config = tmp_path / "ebpfd.toml"
    config.write_text(CONFIG)
    async with net(tmp_path, "--config", str(config)) as n:
        bob, carol = (
            Client(n.address, certificates=n.ca.issue(name, name).known_by(n.ca.path))
            for name in ("bob", "carol")
        )
        async with bob, carol:
            assert (await bob.status()).process_id == n.world.daemon.pid
            assert "may not observe" in await refused(carol.status())
