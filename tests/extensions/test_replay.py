"""Replays, and the sample extension as a process of its own."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ebpfd_api.v1 import hook_pb2
from ebpfd_extensions.sample import capture, pcap
from ebpfd_extensions.sample.extension import SampleContext, sample
from ebpfd_extensions.sample.replay import replay
from ebpfd_sdk import Extension, Hook, Result
from tests.sdk.fake_daemon import FakeDaemon, serving


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncGenerator[FakeDaemon]:
    """A fake daemon that serves."""
    async with serving(tmp_path) as running:
        yield running


def _drop_odd(request: hook_pb2.InvokeRequest) -> hook_pb2.InvokeResponse:
    """Fail on empty packets; else the verdict is whether the length is odd."""
    lengths = memoryview(request.data_lengths).cast("I").tolist() or [0] * request.count
    return hook_pb2.InvokeResponse(
        sequence=request.sequence,
        codes=bytes(0 if length else Result.TIMEOUT for length in lengths),
        results=b"".join((length % 2).to_bytes(4, "little") for length in lengths),
    )


@pytest.mark.parametrize("window", [1, 10, 1000])
async def test_every_packet_is_counted_once(daemon: FakeDaemon, window: int) -> None:
    """Codes and verdicts add up, and a wider window takes fewer messages."""
    daemon.reply = _drop_odd
    hook: Hook[SampleContext] = Hook("f788ef4b-207d-4dc3-85cf-0f2ea107213c", sample)
    packets = [bytes(length) for length in range(100)]
    async with Extension(sample, hook, address=daemon.address):
        await daemon.link()
        report = await replay(hook, packets, window)
    assert (report.packets, report.invocations) == (100, 100)
    assert report.codes == {"SUCCESS": 99, "TIMEOUT": 1}
    assert report.verdicts == {0: 49, 1: 50}
    assert report.messages_sent == report.messages_received == len(daemon.requests)
    assert {1: 100, 10: 10, 1000: 1}[window] == report.messages_sent
    assert list(range(100)) == sorted(
        length
        for request in daemon.requests
        for length in memoryview(request.data_lengths).cast("I").tolist() or [0]
    )


@asynccontextmanager
async def _sample(*arguments: str) -> AsyncGenerator[Process]:
    """Run the extension as its users do."""
    command = (sys.executable, "-m", "ebpfd_extensions.sample", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(30):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _line(stream: asyncio.StreamReader | None) -> str:
    assert stream is not None
    return (await stream.readline()).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_replays_serves_and_leaves(
    daemon: FakeDaemon, tmp_path: Path, number: signal.Signals
) -> None:
    """It waits for a link, prints one line of JSON, serves on, and leaves with 0 on a signal."""
    file = tmp_path / "packets.pcap"
    file.write_bytes(pcap.write(capture.packets(50, 1)))
    async with _sample("--address", daemon.address, "--replay", str(file)) as process:
        assert (
            f"sample: connected to {daemon.address}, "
            "offering program type sample, hook sample_ext\n"
        ) == await _line(process.stderr)
        binding = await daemon.link()
        report = json.loads(await _line(process.stdout))
        assert (
            report["packets"],
            report["invocations"],
            report["codes"],
        ) == (50, 50, {"SUCCESS": 50})
        assert report["messages_sent"] == report["messages_received"] == len(daemon.requests)
        process.send_signal(number)
        assert await process.wait() == 0
        assert await _line(process.stderr) == ""
    assert [each for each in daemon.journal if "tach" in each or "deregistered" in each] == [
        f"detach {binding}",
        f"detached {binding}",
        "deregistered hook",
        "deregistered program type",
    ]


async def test_the_process_waits_for_its_answers(daemon: FakeDaemon, tmp_path: Path) -> None:
    """A signal with invocations in flight: they are answered, and then it leaves."""
    file = tmp_path / "packets.pcap"
    file.write_bytes(pcap.write(capture.packets(50, 1)))
    arguments = ("--address", daemon.address, "--replay", str(file), "--window", "8")
    async with _sample(*arguments) as process:
        await _line(process.stderr)
        daemon.gate.clear()
        await daemon.link()
        while not daemon.requests:
            daemon.noted.clear()
            await daemon.noted.wait()
        process.send_signal(signal.SIGTERM)
        daemon.gate.set()
        assert await process.wait() == 0
    assert len(daemon.requests) == sum(each.startswith("answer") for each in daemon.journal)


async def test_a_lost_daemon_is_two_lines(daemon: FakeDaemon) -> None:
    """When the daemon goes, the process says so; when it is back, everything is registered."""
    async with _sample("--address", daemon.address) as process:
        await _line(process.stderr)
        daemon.hang_up()
        line = await _line(process.stderr)
        assert line.startswith("sample: the daemon is gone (the daemon closed the ")
        assert await _line(process.stderr) == "sample: connected again\n"
        assert len(daemon.registered) == 2


async def test_no_daemon_is_one_line(tmp_path: Path) -> None:
    """Nobody at the address: one line that says what to do, and 1."""
    async with _sample("--address", f"unix:{tmp_path}/nobody.sock") as process:
        assert await process.wait() == 1
        assert (
            f"sample: no daemon at unix:{tmp_path}/nobody.sock (no such file or directory): "
            "start it with `ebpfd run`, or name another with --address or EBPFD_ADDRESS\n"
        ) == await _line(process.stderr)
        assert await _line(process.stderr) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--replay", "/nowhere.pcap"), "--replay /nowhere.pcap: [Errno 2] No such file"),
        (("--replay", __file__), "this is no pcap file"),
        (("--window", "0"), "argument --window: it must be 1 at least"),
    ],
)
async def test_wrong_arguments_are_refused(arguments: tuple[str, ...], message: str) -> None:
    """A wrong file or number is said before any daemon is asked."""
    async with _sample(*arguments) as process:
        _, said = await process.communicate()
        assert process.returncode == 2
        assert message in said.decode()
