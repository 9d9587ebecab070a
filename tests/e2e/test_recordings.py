"""Recording a hook and replaying it, with real processes and the commands that users have.

``EBPFD_CASES=100000`` records as many events of the demo; else it is a few.
"""

import asyncio
import os
import shlex
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from ebpfd.cli import children
from ebpfd_api.recording_file import HEADER
from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import EbpfdError, Result
from tests.e2e.world import PATIENCE_S, PROGRAMS, SAMPLE, Ran, command, sample, world

EVENTS: Final = max(2000, int(os.environ.get("EBPFD_CASES", "0")))
MOODS: Final = Path(__file__).parent / "programs" / "moods.o"
NOT_IPV4: Final = 42
DIFFERS: Final = 3


def changed_count(folder: Path) -> Path:
    """The demo's program, but it says 43 of packets that are not IPv4."""
    verdict, other = (number.to_bytes(4, "little") for number in (NOT_IPV4, 43))
    content = (PROGRAMS / "count.o").read_bytes()
    set_verdict = content.index(b"\0\0" + verdict)
    changed = bytearray(content)
    changed[set_verdict + 2 : set_verdict + 6] = other
    (folder / "changed.o").write_bytes(changed)
    return folder / "changed.o"


async def begun(file: Path) -> None:
    """Wait until a recording is under way, which is when its file has a head."""
    await asyncio.to_thread(_grown, file)


def _grown(file: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not file.is_file() or file.stat().st_size <= len(HEADER):
        assert time.monotonic() < deadline, "nothing is recorded"
        time.sleep(0.01)


async def replay(file: Path, *options: str) -> Ran:
    """Run ``ebpfctl replay``: it needs no daemon."""
    nowhere = f"unix:{file.parent / 'nowhere.sock'}"
    return await command(
        "ebpfctl", "--address", nowhere, "-o", "json", "replay", str(file), *options
    )


async def test_a_recording_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    """By the command or a client, unless that is asked for."""
    file = tmp_path / "events.rec"
    file.write_bytes(b"of last week")
    async with world(tmp_path, "--extension", SAMPLE) as w:
        words = ("hook", "record", "sample_ext", "-f", str(file), "--seconds", "0.1")
        ran = await w.ctl(*words)
        assert ran.code != 0
        assert "is there already: choose another file, or --force" in ran.err
        with pytest.raises(FileExistsError):
            await w.client.record("sample_ext", file, within_s=0.1)
        assert file.read_bytes() == b"of last week"
        assert (await w.ctl(*words, "--force")).code == 0
        assert file.read_bytes().startswith(HEADER)


async def test_the_demos_events_come_to_the_same_and_a_changed_program_to_its_own(
    tmp_path: Path,
) -> None:
    """Of the same program nothing differs; of a changed one exactly the events that must."""
    capture, file = tmp_path / "packets.pcap", tmp_path / "events.rec"
    await children.finished("-m", f"{SAMPLE}.capture", str(capture), "--packets", str(EVENTS))
    replaying = shlex.join([SAMPLE, "--replay", str(capture)])
    async with world(tmp_path, "--extension", replaying) as w:
        (program,) = (await w.client.load(PROGRAMS / "count.o")).values()
        recording = asyncio.create_task(w.client.record("sample_ext", file, limit=EVENTS))
        await begun(file)
        link = await program.attach("sample_ext")
        recorded = await recording
        assert (recorded.events, recorded.lost, recorded.reason) == (EVENTS, 0, "")
        runs = (await w.client.program(program.id)).counters.runs
        assert runs == EVENTS
    same = await replay(file)
    assert same.code == 0, same.err
    assert (same.json()["events"], same.json()["differing"]) == (EVENTS, 0)
    changed = changed_count(tmp_path)
    other = await replay(file, "--program", str(changed), "--show", str(EVENTS))
    assert other.code == DIFFERS, other.err
    report = other.json()
    verdicts = Counter((each["was"]["result"], each["now"]["result"]) for each in report["first"])
    assert verdicts == {(NOT_IPV4, 43): report["differing"]}
    assert report["differing"] == len(report["first"]) > 0
    for each in report["first"]:
        assert each["data"][24:28] != "0800"
        assert each["link"] == link.id
    text = await command("ebpfctl", "replay", str(file), "--program", str(changed), "--show", "1")
    assert text.code == DIFFERS
    assert text.out.startswith(f"{report['differing']} of {EVENTS} events differ\nevent ")
    assert "\n  was     result 42\n  now     result 43\n" in text.out


async def test_a_hook_is_recorded_by_command(tmp_path: Path) -> None:
    """A link too, for a time; what cannot be recorded leaves no file."""
    file = tmp_path / "events.rec"
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(PROGRAMS / "helper_implicit_2.o")).values()
        link = await program.attach("sample_ext")
        record = ("hook", "record", str(link.id), "-f", str(file), "--limit", "2")
        recording = asyncio.create_task(w.ctl_json(*record))
        await begun(file)
        refused = await w.ctl("-o", "json", "hook", "record", "sample_ext", "-f", str(file) + "2")
        assert refused.error()["name"] == "INVALID_STATE"
        for number in (1, 2):
            await w.client.fire("sample_ext", context=bytes(16) + bytes([number]) + bytes(15))
        assert not await asyncio.to_thread(Path(f"{file}2").exists)
        expected = {"file": str(file), "events": 2, "lost": 0, "reason": ""}
        assert await recording == expected
        short = await w.ctl_json(
            "hook", "record", "sample_ext", "-f", str(file) + "3", "--seconds", "0.01"
        )
        assert short["events"] == 0
        with pytest.raises(EbpfdError) as caught:
            await w.client.record("nothing", file)
        assert caught.value.code is Result.OBJECT_NOT_FOUND
    report = (await replay(file)).json()
    assert (report["events"], report["differing"], report["unknown"]) == (2, 0, 0)
    assert not report["broken_off"]
    cut = tmp_path / "cut.rec"
    cut.write_bytes(file.read_bytes()[:-5])
    assert (await replay(cut)).json()["broken_off"]
    for nothing in (file.read_bytes()[:20], file.read_bytes()[:12] + bytes(100)):
        cut.write_bytes(nothing)
        ran = await replay(cut)
        assert ran.code == 1
        assert "cut or damaged before its first event" in ran.error()["message"]


async def test_what_a_user_writes_meanwhile_is_in_the_file_and_replayed(tmp_path: Path) -> None:
    """By ``ebpfctl``, between events whose results hang on it; links beside are named."""
    file = tmp_path / "events.rec"
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(MOODS, programs=["mood"])).values()
        link = await program.attach("sample_ext")
        beside = await program.attach("sample_ext", parameter=b"\5")
        seen = str(program.maps["seen"].id)
        recording = asyncio.create_task(w.client.record(link.id, file, limit=6))
        await begun(file)
        for number in range(3):
            await w.client.fire("sample_ext", context=SampleContext(uint32_data=number))
            await w.ctl_json("map", "set", seen, str(number), str(1 << 40))
            await w.client.fire("sample_ext", context=SampleContext(uint32_data=number))
            await w.ctl_json("map", "delete", seen, str(number))
        assert (await recording).events == 6
    report = (await replay(file)).json()
    assert (report["events"], report["differing"], report["lost_writes"]) == (6, 0, 0)
    through = f"through link {beside.id}, which is not recorded"
    assert report["notes"]
    assert all(each.endswith(through) for each in report["notes"])


async def test_a_recording_ends_with_its_daemon(tmp_path: Path) -> None:
    """Its file is whole, and says why."""
    file = tmp_path / "events.rec"
    async with world(tmp_path) as w, sample(w):
        (program,) = (await w.client.load(PROGRAMS / "count.o")).values()
        await program.attach("sample_ext")
        recording = asyncio.create_task(w.client.record("sample_ext", file))
        await begun(file)
        await w.client.fire("sample_ext")
        await children.stop("daemon", w.daemon)
        assert (await recording).reason == "the daemon stopped"
    report = (await replay(file)).json()
    assert (report["events"], report["reason"]) == (1, "the daemon stopped")


async def test_files_that_are_no_recordings_are_refused(tmp_path: Path) -> None:
    """With the file's name."""
    refused = await replay(PROGRAMS / "count.o")
    assert refused.code == 1
    assert refused.error()["name"] == "INVALID_ARGUMENT"
    assert "count.o: it is no recording" in refused.error()["message"]
    assert (await replay(tmp_path / "missing")).code == 2
