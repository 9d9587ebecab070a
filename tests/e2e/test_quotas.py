"""Quotas of a daemon's configuration file, as operators set and see them."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from ebpfd_extensions.sample.extension import events
from ebpfd_sdk import EbpfdError, Extension, Result
from ebpfd_sdk.testing import until
from tests.e2e.test_metrics import scraped
from tests.e2e.world import PATIENCE_S, PROGRAMS, SAMPLE, World, command, sample, world

MIB = 1 << 20


async def shown(w: World) -> dict[str, Any]:
    """What ``ebpfctl quota list`` says, by quota."""
    return {each["quota"]: each for each in await w.ctl_json("quota", "list")}


def config(tmp_path: Path, text: str) -> tuple[str, str]:
    """A file with these quotas."""
    path = tmp_path / "ebpfd.toml"
    path.write_text(f"[quotas]\n{text}\n")
    return "--config", str(path)


async def test_quotas_are_listed_with_what_is_used(tmp_path: Path) -> None:
    """By a daemon that was told nothing, with their defaults."""
    async with world(tmp_path) as w, sample(w):
        await w.client.load(PROGRAMS / "count.o")
        quotas = await shown(w)
        assert quotas["programs"] | {"of": ""} == {
            "quota": "programs",
            "used": 1,
            "limit": 16384,
            "refused": 0,
            "in_bytes": False,
            "of": "",
        }
        assert (quotas["sessions"]["used"], quotas["maps"]["used"]) == (1, 1)
        assert 0 < quotas["map_memory"]["used"] < MIB < quotas["map_memory"]["limit"]
        text = await w.ctl("quota", "list")
        assert text.out.splitlines()[0].split() == ["QUOTA", "USED", "LIMIT", "REFUSED", "OF"]


async def test_one_program_more_than_the_file_says(tmp_path: Path) -> None:
    """NO_MEMORY, with the name of the key; it is counted, logged, and shown to Prometheus."""
    metrics = tmp_path / "metrics.sock"
    options = (*config(tmp_path, "programs = 1"), "--metrics", f"unix:{metrics}")
    async with world(tmp_path, *options) as w, sample(w):
        (loaded,) = (await w.client.load(PROGRAMS / "count.o")).values()
        refused = await w.ctl("-o", "json", "program", "load", str(PROGRAMS / "trace.o"))
        assert refused.error()["code"] == Result.NO_MEMORY
        assert "[quotas] programs" in refused.error()["message"]
        assert [each.id for each in await w.client.programs()] == [loaded.id]
        assert (await shown(w))["programs"]["refused"] == 1
        page = await scraped(metrics)
        assert page["ebpfd_quota_refusals_total", "programs"] == 1
        assert page["ebpfd_quota_refusals_total", "maps"] == 0
        (line,) = [each for each in w.log() if each["event"] == "quota used up"]
        assert (line["quota"], line["refused"]) == ("programs", 1)
        await loaded.unload()
        await w.client.load(PROGRAMS / "trace.o")


async def test_maps_grow_to_their_memory_and_no_further(tmp_path: Path) -> None:
    """A hash that takes more than it was made for; removed, it makes room."""
    async with world(tmp_path, *config(tmp_path, 'map_memory = "4 MiB"')) as w:
        made = await w.client.create_map("hash", 4, 4096, 8)
        keys = [key.to_bytes(4, "little") for key in range(2048)]
        with pytest.raises(EbpfdError) as caught:
            await made.set_many([(key, bytes(4096)) for key in keys])
        assert caught.value.code is Result.NO_MEMORY
        quota = (await shown(w))["map_memory"]
        assert quota["limit"] == 4 * MIB
        assert 2 * MIB < quota["used"] <= 4 * MIB

        async def refused() -> bool:
            return bool((await shown(w))["map_memory"]["refused"])

        await until(refused)
        with pytest.raises(EbpfdError) as caught:
            await w.client.create_map("array", 4, 4096, 1024)
        assert caught.value.code is Result.NO_MEMORY
        await made.remove()
        await w.client.create_map("array", 4, 4096, 512)


async def test_what_was_kept_comes_back_whatever_the_file_says(tmp_path: Path) -> None:
    """A daemon that starts with less room has all that there was, and takes nothing new."""
    async with world(tmp_path) as w, sample(w):
        made = await w.client.create_map("array", 4, 4096, 512)
        await made.set(7, bytes(4095) + b"!")
        await w.client.pin("/large", made)
        program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
        link = await program.attach("sample_ext")
        w.daemon.kill()
        await w.daemon.wait()
    less = 'map_memory = "1 MiB"\nmaps = 1\nprograms = 1\nlinks = 1'
    async with world(tmp_path, *config(tmp_path, less)) as w, sample(w):
        kept = await w.client.map(made.id)
        assert (await kept.get(7) or b"")[-1:] == b"!"
        assert [each.id for each in await w.client.links()] == [link.id]
        kept_program = await w.client.program(program.id)
        quotas = await shown(w)
        assert quotas["map_memory"]["used"] > quotas["map_memory"]["limit"] == MIB
        assert (quotas["maps"]["used"], quotas["maps"]["limit"]) == (2, 1)
        for refused in (
            w.client.create_map("array", 4, 4, 1),
            w.client.load(PROGRAMS / "trace.o"),
            kept_program.attach("sample_ext", parameter=b"\1"),
        ):
            with pytest.raises(EbpfdError) as caught:
                await refused
            assert caught.value.code is Result.NO_MEMORY


async def test_one_session_more_than_the_file_says(tmp_path: Path) -> None:
    """The extension says why it cannot be there, and may be when another one has left."""
    async with world(tmp_path, *config(tmp_path, "sessions = 1")) as w:
        async with sample(w):
            second = await asyncio.create_subprocess_exec(
                sys.executable, "-m", SAMPLE, "--address", w.address, stderr=PIPE
            )
            assert second.stderr is not None
            async with asyncio.timeout(PATIENCE_S):
                said = (await second.stderr.readline()).decode()
            assert "there are 1 sessions, and may be 1" in said
            assert (await shown(w))["sessions"]["used"] == 1
            async with asyncio.timeout(PATIENCE_S):
                await second.communicate()
            with pytest.raises(EbpfdError) as caught:
                async with Extension(events, address=w.address):
                    pass
            assert caught.value.code is Result.NO_MEMORY
        async with sample(w):
            assert (await shown(w))["sessions"]["refused"] >= 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("program = 1", "quotas, program: there is no such key here; there are sessions, "),
        ("programs = 0", "quotas, programs: this must be a whole number from 1 to 1000000"),
        ("helper_threads = 100000", "quotas, helper_threads: this must be a whole number from 1 "),
        ("map_memory = 5", "quotas, map_memory: this must be text"),
        ('batch_memory = "5 KiB"', "quotas, batch_memory: '5 KiB' is no amount like"),
    ],
)
async def test_a_quota_that_makes_no_sense_is_named(
    tmp_path: Path, text: str, problem: str
) -> None:
    """And the daemon does not start."""
    listen = f"unix:{tmp_path / 'ebpfd.sock'}"
    ran = await command("ebpfd", "run", "--listen", listen, *config(tmp_path, text))
    assert ran.code == 2
    assert problem in ran.err
