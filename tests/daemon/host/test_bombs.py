"""Programs made to hurt a verifier cost a verdict, and nobody else anything."""

import asyncio
import dataclasses
import os
import signal

import pytest

from ebpfd.host import verification_pool
from ebpfd.host.verification import Judge
from ebpfd.host.verification_frames import Verdict
from ebpfd.host.verification_pool import VerificationLimits
from ebpfd.host.worker_process import WorkerLimits, WorkerProcess
from ebpfd.objects.chains import Batch
from tests.bench.verify_hostile import Hostile, bombs
from tests.conformance.elf import SECTION
from tests.daemon.contracts.samples import SAMPLE
from tests.daemon.host.fakes import FakeExtension
from tests.daemon.host.world import World, object_file, soon, until, world

BOMBS = list(bombs(number_at=16))
LIMITS = VerificationLimits(cpu_seconds=1, memory_bytes=512 << 20, prestarted=0)
DATA = dataclasses.replace(SAMPLE, section_prefixes=(SECTION, "sample_ext"))


async def verdict_on(w: World, content: bytes, judge: Judge) -> Verdict:
    """What *judge* says of the one program of a file."""
    (judged,) = await w.programs.verify(content, [], judge)
    return judged.verdict


@pytest.mark.parametrize("judge", [Judge.OURS, Judge.PREVAIL], ids=lambda judge: judge.value)
@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
async def test_a_bomb_ends_as_a_verdict(bomb: Hostile, judge: Judge) -> None:
    """All are safe: accepted, or the judge gave up; the next program is judged as ever."""
    async with world(LIMITS) as w:
        w.contracts.remember_program_type(DATA)
        verdict = await verdict_on(w, bomb.object_file(), judge)
        assert verdict.rejection is None or "gave up" in verdict.rejection.reason
        after = await verdict_on(w, object_file("count.o"), judge)
        assert after.rejection is None


async def test_a_bomb_that_both_judges_give_up_on_is_refused() -> None:
    """With one reason, and what the other says beside it."""
    (calls,) = (each for each in BOMBS if each.name == "calls_8_at_7")
    async with world(LIMITS) as w:
        w.contracts.remember_program_type(DATA)
        verdict = await verdict_on(w, calls.object_file(), Judge.ANY)
        assert verdict.rejection is not None
        assert verdict.decided
        assert "prevail: the verifier gave up" in verdict.rejection.detail


async def test_loads_and_hooks_go_on_while_every_worker_is_at_a_bomb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The workers stand still, so that they are at it for as long as the test wants."""
    stopped: list[WorkerProcess] = []

    def start(limits: WorkerLimits) -> WorkerProcess:
        worker = WorkerProcess(limits)
        process = worker._process  # pyright: ignore[reportPrivateUsage]
        os.kill(process.pid, signal.SIGSTOP)
        stopped.append(worker)
        return worker

    monkeypatch.setattr(verification_pool, "WorkerProcess", start)
    async with world(VerificationLimits(workers=2, prestarted=0)) as w:
        extension = FakeExtension()
        await w.provide(extension, DATA)
        judging = [
            asyncio.ensure_future(verdict_on(w, bomb.object_file(), Judge.PREVAIL))
            for bomb in BOMBS
        ]
        await until(lambda: len(stopped) == 2)
        link = await soon(w.attached("count.o"))
        done = await soon(w.invoke(link, extension, Batch(contexts=bytes(32), data=bytes(64))))
        assert done.codes == b"\0"
        assert (await soon(verdict_on(w, object_file("fnv.o"), Judge.ANY))).rejection is None
        assert not any(each.done() for each in judging)
        assert len(stopped) == 2, "what is beyond waits its turn"
        for each in judging:
            each.cancel()
        await soon(asyncio.wait(judging))
