"""Workers that die, hang or are killed cost a rejection, and nobody else anything."""

import asyncio
import dataclasses
import os
import signal
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from ebpfd.contracts import BtfResolvedFunction, engine_information
from ebpfd.host import verification_frames as frames
from ebpfd.host import verification_pool
from ebpfd.host.verification_pool import VerificationLimits, VerificationPool
from ebpfd.host.worker_process import WorkerProcess
from ebpfd_api.prototype import ArgumentType, ReturnType
from tests.daemon.contracts.samples import SAMPLE
from tests.daemon.host.world import object_file, soon, until

INFORMATION = engine_information(SAMPLE)
GOOD, BAD = object_file("count.o"), object_file("unsafe/null_map_value.o")
_ENGINE_PROGRAMS = Path(__file__).parents[3] / "daemon" / "vm" / "tests" / "programs"
IMPORTS = (_ENGINE_PROGRAMS / "imports.o").read_bytes()


def process_of(worker: WorkerProcess) -> "subprocess.Popen[bytes]":
    """The process behind a worker."""
    return worker._process  # pyright: ignore[reportPrivateUsage]


def idle(pool: VerificationPool) -> list[WorkerProcess]:
    """Its workers that wait for work."""
    return pool._idle  # pyright: ignore[reportPrivateUsage]


async def test_a_verdict_says_what_is_wrong_and_where() -> None:
    """Reason, hint, instruction and source line come through the process boundary."""
    async with VerificationPool() as pool:
        accepted = await pool.verify(GOOD, 0, INFORMATION)
        assert accepted.rejection is None
        assert accepted.instruction_count > 0
        refused = (await pool.verify(BAD, 0, INFORMATION)).rejection
        assert refused is not None
        assert refused.reason
        assert refused.source is not None
        assert refused.source.file.endswith("null_map_value.c")
        assert len(idle(pool)) == 1, "one after the other needs one worker"


async def test_offered_functions_reach_the_worker() -> None:
    """A program with imports is judged by the functions that its contract offers."""
    first, second = UUID("12345678-1234-1234-1234-123456789abc"), UUID(int=2)
    number, room, size = (
        ArgumentType.ANYTHING,
        ArgumentType.PTR_TO_WRITABLE_MEM,
        ArgumentType.CONST_SIZE,
    )
    functions = tuple(
        BtfResolvedFunction(
            module=module, name=name, return_type=ReturnType.INTEGER, arguments=arguments
        )
        for module, name, arguments in (
            (first, "first_lookup", (number, room, size)),
            (first, "first_add", (number, number)),
            (second, "second_add", (number, number)),
        )
    )
    offering = dataclasses.replace(INFORMATION, functions=functions)
    async with VerificationPool() as pool:
        assert (await pool.verify(IMPORTS, 0, offering)).rejection is None
        refused = (await pool.verify(IMPORTS, 0, INFORMATION)).rejection
    assert refused is not None
    assert refused.reason == (
        f"function first_lookup of module {first} is not offered: no module offers functions"
    )


async def test_no_more_workers_than_allowed() -> None:
    """What is beyond waits its turn."""
    async with VerificationPool(VerificationLimits(workers=2)) as pool:
        verdicts = await asyncio.gather(*(pool.verify(GOOD, 0, INFORMATION) for _ in range(6)))
        assert [each.rejection for each in verdicts] == [None] * 6
        assert len(idle(pool)) <= 2


async def test_a_late_worker_is_killed_and_its_program_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in its tracks, it misses the limit; the next program gets a new one."""
    async with VerificationPool() as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        monkeypatch.setattr(pool, "_limits", VerificationLimits(seconds=0.2))
        (worker,) = idle(pool)
        os.kill(process_of(worker).pid, signal.SIGSTOP)
        verdict = await soon(pool.verify(GOOD, 0, INFORMATION))
        assert verdict.rejection is not None
        assert verdict.rejection.reason == "the verifier gave up: it took longer than 0.2 s"
        assert verdict.judge == "prevail"
        assert verdict.duration_ns >= 0.2e9
        assert process_of(worker).returncode == -signal.SIGKILL
        assert idle(pool) == []


async def test_a_worker_that_dies_at_work_is_a_rejection() -> None:
    """As when it overflows its stack or exhausts its memory."""
    async with VerificationPool() as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        (worker,) = idle(pool)
        os.kill(process_of(worker).pid, signal.SIGSTOP)
        judging = asyncio.ensure_future(pool.verify(GOOD, 0, INFORMATION))
        await until(lambda: not idle(pool))
        os.kill(process_of(worker).pid, signal.SIGKILL)
        verdict = await soon(judging)
        assert verdict.rejection is not None
        assert "ran out of memory or stack" in verdict.rejection.reason
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None


async def test_a_worker_that_died_idle_costs_nothing() -> None:
    """It is replaced before anybody asks it."""
    async with VerificationPool() as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        (worker,) = idle(pool)
        worker.kill()
        await asyncio.to_thread(process_of(worker).wait)
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None


async def test_too_little_memory_is_a_rejection() -> None:
    """The limit is the process's own."""
    async with VerificationPool(VerificationLimits(memory_bytes=16 << 20)) as pool:
        verdict = await soon(pool.verify(GOOD, 0, INFORMATION))
        assert verdict.rejection is not None


async def test_a_cancelled_verification_kills_its_worker() -> None:
    """Nothing goes on judging for somebody who hung up."""
    async with VerificationPool() as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        (worker,) = idle(pool)
        os.kill(process_of(worker).pid, signal.SIGSTOP)
        judging = asyncio.ensure_future(pool.verify(GOOD, 0, INFORMATION))
        await until(lambda: not idle(pool))
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(judging)
        assert process_of(worker).returncode == -signal.SIGKILL
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None


async def test_a_worker_that_starts_too_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wanted it is gone, but it has been started: it must not be lost."""
    started: list[WorkerProcess] = []

    def start(memory_bytes: int) -> WorkerProcess:
        worker = WorkerProcess(memory_bytes)
        started.append(worker)
        return worker

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    async with VerificationPool() as pool:
        judging = asyncio.ensure_future(pool.verify(GOOD, 0, INFORMATION))
        await until(lambda: bool(started) or judging.done())
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(judging)
        (worker,) = started
        assert process_of(worker).returncode is not None
        assert idle(pool) == []


async def test_a_worker_that_cannot_be_started_is_a_rejection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Out of processes or descriptors: the caller gets an answer."""

    def start(memory_bytes: int) -> WorkerProcess:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    async with VerificationPool() as pool:
        verdict = await pool.verify(GOOD, 0, INFORMATION)
        assert verdict.rejection is not None
        assert "Cannot allocate memory" in verdict.rejection.reason


async def test_leaving_ends_the_workers() -> None:
    """No process is left, and none is a zombie."""
    async with VerificationPool() as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        (worker,) = idle(pool)
    assert process_of(worker).returncode is not None
    assert not worker.alive


def test_a_worker_refuses_a_program_that_the_engine_cannot_read() -> None:
    """An error of the loader is a verdict, not a crash."""
    from ebpfd.host.verification_worker import answer  # noqa: PLC0415

    information = frames.Information(
        name="sample",
        context=frames.Context(size=-1, data=90, end=-1, meta=-1),
        is_privileged=False,
        helpers=[],
        writable=[],
    )
    verdict = answer(frames.Request(GOOD, 0, information))
    assert verdict.rejection is not None
