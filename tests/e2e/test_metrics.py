"""Metrics of a daemon that is at work, as Prometheus scrapes them."""

import asyncio
import http.client
import resource
import socket
import stat
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.world import PROGRAMS, World, script, world

BUSY: Final = Path(__file__).parent / "busy_extension.py"
EVENTS: Final = "ebpfd_link_events_total"
RUNS: Final = "ebpfd_program_run_duration_seconds"
REQUEST: Final = b"GET /metrics HTTP/1.1\r\n\r\n"
TELLING: Final = ("outcome", "le", "code", "quota")
"""Labels that tell the samples of a metric apart."""

Page = dict[tuple[str, str], float]
"""Values by their metric and what tells its samples apart."""


class _SocketConnection(http.client.HTTPConnection):
    """HTTP on a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _read(connection: http.client.HTTPConnection) -> str:
    connection.request("GET", "/metrics")
    with connection.getresponse() as answer:
        assert answer.status == 200
        assert answer.getheader("Content-Type", "").startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    connection.close()
    return text


def _samples(text: str) -> Iterator[tuple[tuple[str, str], float]]:
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            labels = each.labels
            told = next((labels[name] for name in TELLING if name in labels), "")
            yield (each.name, told), each.value


async def page_text(path: Path) -> str:
    """The page on a socket, as it is written."""
    return await asyncio.to_thread(_read, _SocketConnection(str(path)))


async def scraped(path: Path) -> Page:
    """The metrics on a socket."""
    return dict(_samples(await page_text(path)))


async def _attached(w: World) -> None:
    program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
    await program.attach("sample_ext")


async def test_a_scrape_while_events_run(tmp_path: Path) -> None:
    """Counts only grow, are never more than the daemon's own, and say the same in the end."""
    path = tmp_path / "metrics.sock"
    async with world(tmp_path, "--metrics", f"unix:{path}") as w:
        async with asyncio.timeout(60), script(w, BUSY):
            await _attached(w)
            pages = [await scraped(path)]
            while len(pages) < 10 or pages[-1][EVENTS, "success"] < 1000:
                pages.append(await scraped(path))
            assert pages[-1]["ebpfd_sessions", ""] == pages[-1]["ebpfd_program_ready", ""] == 1
            for name in (EVENTS, f"{RUNS}_bucket", f"{RUNS}_sum", f"{RUNS}_count"):
                for told in {told for other, told in pages[0] if other == name}:
                    values = [page[name, told] for page in pages]
                    assert values == sorted(values)
        # The extension has left: nothing is counted any more, and the last page says all.
        (link,), (program,) = (stats := await w.client.stats()).links, stats.programs
        async with asyncio.timeout(60):
            while (page := await scraped(path))[EVENTS, "success"] < link.outcomes.success:
                pass
        assert page[EVENTS, "success"] == link.counters.runs
        assert page[f"{RUNS}_bucket", "+Inf"] == page[f"{RUNS}_count", ""] == program.counters.runs
        assert round(page[f"{RUNS}_sum", ""] * 1e9) == program.counters.nanoseconds
        for name in ("link_bound", "program_ready", "sessions"):
            assert page[f"ebpfd_{name}", ""] == 0
        assert page["ebpfd_map_entries", ""] == 1


async def test_a_port_of_this_host(tmp_path: Path) -> None:
    """The log says where; a second daemon cannot have it, and says so."""
    (tmp_path / "other").mkdir(mode=0o700)
    async with world(tmp_path, "--metrics", "localhost:0") as w:
        (at,) = [line["at"] for line in w.log() if line["event"] == "showing metrics"]
        host, port = at.removeprefix("http://").removesuffix("/metrics").split(":")
        assert host == "127.0.0.1"
        connection = http.client.HTTPConnection(host, int(port))
        page = dict(_samples(await asyncio.to_thread(_read, connection)))
        assert page["ebpfd_sessions", ""] == 0
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ebpfd", "run", "--metrics", f"127.0.0.1:{port}"),
            *("--listen", f"unix:{tmp_path / 'other' / 'ebpfd.sock'}"),
            stderr=PIPE,
        )
        async with asyncio.timeout(60):
            _, said = await second.communicate()
        assert second.returncode == 1
        assert f"metrics 127.0.0.1:{port}: " in said.decode()
        assert "choose another --metrics" in said.decode()


async def test_a_daemon_that_was_killed_shows_them_again(tmp_path: Path) -> None:
    """The socket that it left is no obstacle; it is its owner's alone."""
    path = tmp_path / "metrics.sock"
    for _ in range(2):
        async with world(tmp_path, "--metrics", f"unix:{path}") as w:
            assert (await scraped(path))["ebpfd_sessions", ""] == 0
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            w.daemon.kill()
            await w.daemon.wait()
            assert path.exists()
    async with world(tmp_path, "--metrics", f"unix:{path}") as w:
        w.daemon.terminate()
        assert await w.daemon.wait() == 0
    assert not path.exists()


async def test_whoever_asks_for_them_harms_nobody(tmp_path: Path) -> None:
    """Silent, endless, deaf and countless clients: events go on, memory and descriptors stay."""
    path = tmp_path / "metrics.sock"
    async with world(tmp_path, "--metrics", f"unix:{path}") as w, script(w, BUSY):
        await _attached(w)
        await scraped(path)
        before = _resources(w)
        async with asyncio.timeout(60):
            for said in (b"", b"GET /metr", b"x" * 100_000, REQUEST * 50, bytes(range(256))):
                await _pestered(path, said)
            runs = (await w.client.stats()).programs[0].counters.runs
            while (await w.client.stats()).programs[0].counters.runs < runs + 1000:
                pass
            seen = 0.0
            while seen <= runs:
                with suppress(OSError, http.client.HTTPException):  # until there is a place
                    seen = (await scraped(path))[EVENTS, "success"]
        after = _resources(w)
        assert after[0] < before[0] + (32 << 20)
        assert after[1] < before[1] + 16


async def _pestered(path: Path, said: bytes) -> None:
    """A hundred clients who say so, do not read, and all leave at once."""
    writers: list[asyncio.StreamWriter] = []
    for _ in range(100):
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(str(path))
            writers.append(writer)
            writer.write(said)
    for writer in writers:
        writer.transport.abort()
    for writer in writers:
        with suppress(OSError):
            await writer.wait_closed()


def _resources(w: World) -> tuple[int, int]:
    """Bytes in memory and open files of the daemon."""
    process = Path("/proc") / str(w.daemon.pid)
    resident = int((process / "statm").read_text().split()[1]) * resource.getpagesize()
    return resident, len(list((process / "fd").iterdir()))
