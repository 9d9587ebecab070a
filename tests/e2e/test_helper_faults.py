"""Helpers that sleep, raise, return garbage, or whose process is stopped or killed."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Client, EbpfdError, Program, Result
from ebpfd_sdk.testing import until
from tests.e2e.world import PATIENCE_S, PROGRAMS, World, world

FAULTY = Path(__file__).parent / "faulty_extension.py"
WAITS = SampleContext(uint32_data=100)
MOST = 32
"""Calls of one helper that may wait."""

MIB = 1 << 20
T = TypeVar("T")


async def soon(work: Awaitable[T]) -> T:
    """Wait for what must come long before a helper's deadline of half a minute, or not at all."""
    return await asyncio.wait_for(work, PATIENCE_S)


@asynccontextmanager
async def faulty(w: World, *arguments: str) -> AsyncGenerator[Process]:
    """An extension whose helpers go wrong; it may be stopped when the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(FAULTY), *arguments, w.address, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        assert b"connected" in await soon(process.stderr.readline())
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def load(w: World, name: str, *, second: bool = False) -> Program:
    """Load one of the sample's programs, for the other type if that is wanted."""
    content = (PROGRAMS / f"{name}.o").read_bytes()
    if second:
        content = content.replace(b"sample_ext", b"second_ext")
    (program,) = (await w.client.load(content, file_name=f"{name}.o")).values()
    return program


async def code_of(program: Program, context: SampleContext = SampleContext()) -> Result:  # noqa: B008 (frozen)
    """Run it once, and say how that ended."""
    try:
        await program.test_run(context=context)
    except EbpfdError as error:
        return error.code
    return Result.SUCCESS


@pytest.mark.parametrize(
    ("which", "code", "result"),
    [
        (0, Result.SUCCESS, 7),
        (1, Result.SUCCESS, 2**32 - 3),
        (2, Result.FAILED, 0),
        (3, Result.FAILED, 0),
        (4, Result.FAILED, 0),
        (5, Result.FAILED, 0),
        (6, Result.FAILED, 0),
    ],
)
async def test_what_a_helper_makes_of_a_call_is_the_invocations_code(
    tmp_path: Path, which: int, code: Result, result: int
) -> None:
    """Its own negative result is r0; an exception and what is no 64-bit number are FAILED."""
    async with world(tmp_path) as w, faulty(w):
        program = await load(w, "helper_implicit_2")
        await program.attach("sample_ext")
        answer = await w.client.fire("sample_ext", context=SampleContext(uint32_data=which))
        assert (answer.code, answer.result) == (code, result)
        assert (await program.test_run(context=SampleContext())).result == 7


async def test_a_helper_that_sleeps_ends_its_invocation_by_its_deadline(tmp_path: Path) -> None:
    """TIMEOUT; another one of the same extension is waited for longer, and its call goes on."""
    async with world(tmp_path) as w, faulty(w):
        sleeps, waits = await load(w, "helper_implicit_1"), await load(w, "helper_implicit_2")
        waiting = asyncio.ensure_future(code_of(waits, WAITS))
        assert await soon(code_of(sleeps)) is Result.TIMEOUT
        assert not waiting.done()
        waiting.cancel()


@pytest.mark.parametrize("arguments", [(), ("--hosted",)], ids=["extension", "hosted"])
async def test_who_fires_with_a_deadline_waits_for_no_helper_beyond_it(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Long before the helper's own: TIMEOUT with the link's result, counted; then all goes on."""
    async with world(tmp_path) as w, faulty(w, *arguments):
        program = await load(w, "helper_implicit_2")
        await program.attach("sample_ext", on_failure={"timeout": 9})
        waiting = w.client.fire("sample_ext", context=WAITS, deadline_s=2)
        answer = await asyncio.wait_for(waiting, 20)
        assert (answer.code, answer.result) == (Result.TIMEOUT, 9)

        async def timeouts() -> int:
            (link,) = await w.client.links()
            return link.outcomes.timeout

        async def counted() -> bool:
            return await timeouts() > 0

        await until(counted)
        assert await timeouts() == 1
        again = await soon(w.client.fire("sample_ext", context=SampleContext(), deadline_s=60))
        assert (again.code, again.result) == (Result.SUCCESS, 7)


async def test_a_stopped_process_delays_nobody_else(tmp_path: Path) -> None:
    """Beyond 32 waiting calls NO_MEMORY at once; by its deadline TIMEOUT; when killed, its end."""
    async with world(tmp_path) as w, faulty(w) as stopped, faulty(w, "--second"):
        waits, sleeps = await load(w, "helper_implicit_2"), await load(w, "helper_implicit_1")
        second = await load(w, "helper_implicit_2", second=True)
        await second.attach("second_ext")
        stopped.send_signal(signal.SIGSTOP)
        async with Client(w.address) as other:
            mine = await other.program(waits.id)
            calls = [asyncio.ensure_future(code_of(mine, WAITS)) for _ in range(MOST + 1)]
            (over,), waiting = await soon(asyncio.wait(calls, return_when="FIRST_COMPLETED"))
            assert over.result() is Result.NO_MEMORY
            assert await soon(code_of(sleeps)) is Result.TIMEOUT
            for _ in range(20):
                answer = await soon(w.client.fire("second_ext", context=SampleContext()))
                assert (answer.code, answer.result) == (Result.SUCCESS, 7)
            assert not any(each.done() for each in waiting)
            stopped.kill()
            ended = await soon(asyncio.gather(*waiting))
            assert set(ended) == {Result.EXTENSION_FAILED_TO_LOAD}


async def test_ten_thousand_calls_that_go_wrong_leave_nothing_behind(tmp_path: Path) -> None:
    """Memory of daemon and extension is flat, and both serve on."""
    async with world(tmp_path) as w, faulty(w) as extension:
        wrong, sleeps = await load(w, "helper_implicit_2"), await load(w, "helper_implicit_1")
        await wrong.attach("sample_ext")
        places = asyncio.Semaphore(MOST // 2)

        async def sleep() -> Result:
            async with places:
                return await code_of(sleeps)

        async def thousand() -> Counter[Result]:
            contexts = b"".join(SampleContext(uint32_data=n % 7).pack() for n in range(450))
            codes = Counter[Result](await asyncio.gather(*(sleep() for _ in range(100))))
            for _ in range(2):
                columns = await w.client.fire_batch(
                    "sample_ext", contexts=contexts, count=450, deadline_s=60
                )
                codes.update(map(Result, columns.codes))
            return codes

        expected = {Result.TIMEOUT: 100, Result.SUCCESS: 2 * 130, Result.FAILED: 2 * 320}
        assert await thousand() == expected
        before = [resident(each.pid) for each in (w.daemon, extension)]
        for _ in range(9):
            assert await thousand() == expected
        after = [resident(each.pid) for each in (w.daemon, extension)]
        grown = [now - then for then, now in zip(before, after, strict=True)]
        assert max(grown) < 8 * MIB, grown


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))
