"""Workers that die, hang or are killed cost a rejection, and nobody else anything."""

import asyncio
import dataclasses
import os
import resource
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ebpfd.contracts import BtfResolvedFunction, engine_information
from ebpfd.host import verification_frames as frames
from ebpfd.host import verification_pool
from ebpfd.host.verification_pool import VerificationLimits, VerificationPool
from ebpfd.host.worker_process import NICENESS, WorkerLimits, WorkerProcess
from ebpfd_api.prototype import ArgumentType, ReturnType
from tests.bench import verify_hostile
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


async def stopped_at_work(
    pool: VerificationPool,
) -> tuple[WorkerProcess, asyncio.Future[frames.Verdict]]:
    """A worker that is stopped, and the verification that has it."""
    await pool.verify(GOOD, 0, INFORMATION)
    (worker,) = idle(pool)
    os.kill(process_of(worker).pid, signal.SIGSTOP)
    judging = asyncio.ensure_future(pool.verify(GOOD, 0, INFORMATION))
    await until(lambda: not idle(pool))
    return worker, judging


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[WorkerProcess]:
    """All workers that are started from here on."""
    started: list[WorkerProcess] = []

    def start(limits: WorkerLimits) -> WorkerProcess:
        started.append(WorkerProcess(limits))
        return started[-1]

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    return started


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
        worker, judging = await stopped_at_work(pool)
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
        worker, judging = await stopped_at_work(pool)
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(judging)
        assert process_of(worker).returncode == -signal.SIGKILL
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None


async def test_a_worker_that_starts_too_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wanted it is gone, but it has been started: it must not be lost."""
    started: list[WorkerProcess] = []

    def start(limits: WorkerLimits) -> WorkerProcess:
        go.wait()
        worker = WorkerProcess(limits)
        started.append(worker)
        return worker

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    go = threading.Event()
    async with VerificationPool(VerificationLimits(prestarted=0)) as pool:
        judging = asyncio.ensure_future(pool.verify(GOOD, 0, INFORMATION))
        await asyncio.sleep(0)
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(judging)
        go.set()
        verdicts = [await pool.verify(GOOD, 0, INFORMATION)]
    assert [each.rejection for each in verdicts] == [None], "who comes next may have it"
    (worker,) = started
    assert process_of(worker).returncode is not None


async def test_a_worker_that_cannot_be_started_is_a_rejection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Out of processes or descriptors: the caller gets an answer."""

    def start(limits: WorkerLimits) -> WorkerProcess:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    async with VerificationPool() as pool:
        verdict = await pool.verify(GOOD, 0, INFORMATION)
        assert verdict.rejection is not None
        assert "Cannot allocate memory" in verdict.rejection.reason


async def test_workers_are_there_before_anybody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who ask first find them; leaving ends those that nobody has asked."""
    started = recorded(monkeypatch)
    async with VerificationPool(VerificationLimits(prestarted=2)) as pool:
        await until(lambda: len(started) == 2)
        both = (pool.verify(GOOD, 0, INFORMATION), pool.verify(BAD, 0, INFORMATION))
        await soon(asyncio.gather(*both))
        assert len(started) == 2
    assert [process_of(each).returncode for each in started] == [-signal.SIGKILL] * 2


async def test_a_worker_is_followed_by_another_when_it_has_judged_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it has gathered in its memory goes with it."""
    started = recorded(monkeypatch)
    limits = VerificationLimits(workers=1, prestarted=1, programs_per_worker=2)
    async with VerificationPool(limits) as pool:
        for _ in range(5):
            assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None
        assert [each.judged for each in started] == [2, 2, 1]


async def test_a_killed_worker_is_followed_by_another_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anybody asks again."""
    started = recorded(monkeypatch)
    limits = VerificationLimits(workers=1, prestarted=1, seconds=0.2)
    async with VerificationPool(limits) as pool:
        await until(lambda: len(started) == 1)
        os.kill(process_of(started[0]).pid, signal.SIGSTOP)
        assert (await soon(pool.verify(GOOD, 0, INFORMATION))).by_chance
        await until(lambda: len(started) == 2)


async def test_a_start_that_failed_while_nobody_needed_it_is_nobodys_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who asks later gets a worker, if there is one by then."""
    refusals = [OSError(12, "Cannot allocate memory")] * 2

    def start(limits: WorkerLimits) -> WorkerProcess:
        if refusals:
            raise refusals.pop()
        return WorkerProcess(limits)

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    async with VerificationPool(VerificationLimits(prestarted=2)) as pool:
        await until(lambda: not refusals)
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None


async def test_a_worker_limits_itself() -> None:
    """Memory, stack and processor time, at a low priority, and no core is dumped."""
    limits = VerificationLimits(cpu_seconds=7, memory_bytes=1 << 30, stack_bytes=16 << 20)
    async with VerificationPool(limits) as pool:
        await pool.verify(GOOD, 0, INFORMATION)
        pid = process_of(idle(pool)[0]).pid
        assert resource.prlimit(pid, resource.RLIMIT_AS) == (1 << 30, 1 << 30)
        assert resource.prlimit(pid, resource.RLIMIT_STACK) == (16 << 20, 16 << 20)
        assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
        soft, _ = resource.prlimit(pid, resource.RLIMIT_CPU)
        assert 7 < soft < 20, "what it has used already comes on top"
        assert os.getpriority(os.PRIO_PROCESS, pid) == max(
            NICENESS, os.getpriority(os.PRIO_PROCESS, 0)
        )


async def test_a_limit_that_is_lower_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a service manager with limits of its own: the worker serves all the same."""
    popen: Any = subprocess.Popen

    def started_with_less(command: list[str], **how: Any) -> Any:
        limited = ["sh", "-c", 'ulimit -s 4096 && ulimit -t 600 && exec "$@"', "sh", *command]
        return popen(limited, **how)

    monkeypatch.setattr("ebpfd.host.worker_process.subprocess.Popen", started_with_less)
    async with VerificationPool(VerificationLimits(prestarted=0)) as pool:
        assert (await pool.verify(GOOD, 0, INFORMATION)).rejection is None
        pid = process_of(idle(pool)[0]).pid
        assert resource.prlimit(pid, resource.RLIMIT_STACK) == (4096 << 10, 4096 << 10)
        assert resource.prlimit(pid, resource.RLIMIT_CPU)[1] == 600


async def test_too_much_processor_time_is_a_rejection() -> None:
    """The system ends the worker, whatever the daemon does."""
    async with VerificationPool(VerificationLimits(cpu_seconds=1)) as pool:
        straight = next(
            each for each in verify_hostile.bombs(number_at=16) if each.name == "straight_16000"
        )
        verdict = await soon(pool.verify(straight.object_file(), 0, INFORMATION))
        assert verdict.rejection is not None
        assert verdict.rejection.reason == (
            "the verifier gave up: it took longer than 1 s of processor time"
        )
        assert verdict.by_chance


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

    nowhere = dataclasses.replace(INFORMATION.context, size=-1)
    information = dataclasses.replace(INFORMATION, context=nowhere)
    verdict = answer(frames.Request(GOOD, 0, information))
    assert verdict.rejection is not None
