"""Extensions that die, leave and come back."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ebpfd_sdk import LinkState, Result
from tests.e2e.world import PROGRAMS, World, sample, world
from tests.packets import UDP

BUSY = Path(__file__).with_name("busy_extension.py")


@asynccontextmanager
async def busy_extension(w: World) -> AsyncGenerator[Process]:
    """An extension that invokes whatever is attached, without pause."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(BUSY), w.address, stdout=PIPE, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        assert b"connected" in await process.stderr.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask the daemon again and again until it says so: each question is a round trip."""
    async with asyncio.timeout(30):
        while not await condition():
            pass


async def attach_count(w: World) -> tuple[int, int]:
    """Load and attach the counting program; ids of program and link."""
    program = (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"]
    link = await program.attach("sample_ext")
    return program.id, link.id


async def running(w: World, program_id: int) -> bool:
    """Whether the stream of invocations is under way."""
    return (await w.client.program(program_id)).counters.runs > 1000


async def waiting(w: World) -> bool:
    """Whether the link waits for its hook's provider."""
    return (await w.client.links())[0].state is LinkState.WAITING


async def test_a_killed_extension_leaves_a_waiting_link_that_binds_again(tmp_path: Path) -> None:
    """SIGKILL amid invocations: one log line, codes as they must be, and back by itself."""
    async with world(tmp_path) as w:
        async with busy_extension(w) as extension:
            program_id, link_id = await attach_count(w)
            await until(lambda: running(w, program_id))
            extension.send_signal(signal.SIGKILL)
            await extension.wait()
        await until(lambda: waiting(w))

        lost = [line for line in w.log() if line["event"] == "extension lost"]
        assert len(lost) == 1
        assert lost[0]["links_waiting"] == 1
        assert w.daemon.returncode is None

        fired = await w.ctl("-o", "json", "hook", "fire", "sample_ext", "--data", UDP.hex())
        assert (fired.code, fired.error()["name"]) == (1, "OBJECT_NOT_FOUND")
        tested = await w.ctl("-o", "json", "program", "test-run", str(program_id))
        assert (tested.code, tested.error()["name"]) == (1, "INVALID_ARGUMENT")
        listed = (await w.ctl("program", "list")).out.splitlines()
        assert listed[-1].startswith(f"{program_id}: the extension ")
        (shown,) = await w.ctl_json("link", "list")
        assert (shown["id"], shown["state"], shown["binding"]) == (link_id, "waiting", 0)
        row = (await w.ctl("link", "list")).out.splitlines()[1].split()
        assert row[-4:-1] == ["waiting", "-", "-"], "no binding, no provider"

        async with sample(w):
            (link,) = await w.client.links()
            assert (link.id, link.state) == (link_id, LinkState.ATTACHED)
            answer = await w.client.fire("sample_ext", data=UDP)
            assert (answer.code, answer.result) == (Result.SUCCESS, 0)


async def test_a_leaving_extension_answers_all_that_it_started(tmp_path: Path) -> None:
    """SIGTERM amid invocations: deregistered, every call answered, then the process ends."""
    async with world(tmp_path) as w, busy_extension(w) as extension:
        program_id, _ = await attach_count(w)
        await until(lambda: running(w, program_id))
        extension.send_signal(signal.SIGTERM)
        assert extension.stdout is not None
        report = json.loads(await extension.stdout.read())
        assert await extension.wait() == 0

        runs = (await w.client.program(program_id)).counters.runs
        assert runs == report["sent"] == report["codes"]["SUCCESS"]
        assert set(report["codes"]) <= {"SUCCESS", "CANCELED"}, "CANCELED were never sent"
        assert "extension left" in {line["event"] for line in w.log()}
        assert {each.owner for each in await w.client.providers()} == {"daemon"}
        assert await waiting(w)


async def test_a_stopping_daemon_detaches_and_answers_first(tmp_path: Path) -> None:
    """SIGTERM to the daemon amid invocations: it drains and ends with 0, within its time."""
    async with world(tmp_path) as w, busy_extension(w) as extension:
        program_id, _ = await attach_count(w)
        await until(lambda: running(w, program_id))
        w.daemon.send_signal(signal.SIGTERM)
        async with asyncio.timeout(12):
            assert await w.daemon.wait() == 0
        assert w.log()[-1]["event"] == "stopped"
        assert "an extension did not let go in time" not in {line["event"] for line in w.log()}
        extension.terminate()
        assert await extension.wait() == 0, "an extension that waits for a daemon can be stopped"
