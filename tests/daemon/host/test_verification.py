"""Two judges, one verdict: who is asked when, and what is told of it."""

import asyncio
import dataclasses
import os
import sys
import threading
from typing import Any

import msgspec
import pytest

from ebpfd.contracts import engine_information
from ebpfd.host import verification
from ebpfd.host import verification_frames as frames
from ebpfd.host.judging import judge
from ebpfd.host.verification import Judge, Subject, Verifier
from ebpfd.host.verification_frames import Verdict
from ebpfd.host.verification_pool import VerificationLimits, VerificationPool
from ebpfd.host.worker_process import NICENESS
from ebpfd_api.result import Result
from ebpfd_vm import parse_object
from tests.daemon.contracts.samples import SAMPLE
from tests.daemon.host.world import object_file, soon

INFORMATION = engine_information(SAMPLE)


def subject(name: str) -> Subject:
    """The first program of a file."""
    content = object_file(name)
    parsed = parse_object(content)
    return Subject(content, parsed, 0, parsed.programs[0])


ONLY_OURS, ONLY_PREVAIL = subject("fnv.o"), subject("divisor.o")
NULL, UNKNOWN = subject("unsafe/null_map_value.o"), subject("unsafe/unknown_helper.o")
LEAK = subject("leak.o")


def ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a worker fails the test."""

    async def ask(*_: object) -> Verdict:
        raise AssertionError("prevail was asked")

    monkeypatch.setattr(VerificationPool, "verify", ask)


@pytest.mark.parametrize(
    ("judged", "name"),
    [(ONLY_OURS, "ebpfd"), (NULL, "ebpfd"), (UNKNOWN, "precheck")],
    ids=["safe", "shown to fail", "impossible"],
)
async def test_what_our_own_judge_decides_costs_no_process(
    monkeypatch: pytest.MonkeyPatch, judged: Subject, name: str
) -> None:
    """Whether it accepts or refuses; nobody else is asked."""
    ours_alone(monkeypatch)
    async with Verifier() as verifier:
        verdict = await verifier.verify(judged, INFORMATION)
    assert verdict.judge.split()[0] == name
    assert verdict.decided


async def test_a_loop_that_our_own_judge_proves_has_a_worst_case() -> None:
    """1500 rounds of seven instructions, and what is around them."""
    async with Verifier() as verifier:
        verdict = await verifier.verify(ONLY_OURS, INFORMATION)
    assert verdict.rejection is None
    assert verdict.worst_case == 10_509
    assert verdict.proved_loops == 1
    assert 0 < verdict.steps < 100
    assert verdict.states > 0


async def test_what_our_own_judge_leaves_open_prevail_may_accept() -> None:
    """It proves no end, so there is no worst case; our effort is told, and the time of both."""
    async with Verifier() as verifier:
        ours, second = await verifier.opinions(ONLY_PREVAIL, INFORMATION, Judge.BOTH)
        verdict = await verifier.verify(ONLY_PREVAIL, INFORMATION)
    assert (ours.decided, ours.judge.split()[0]) == (False, "ebpfd")
    assert (second.rejection, second.steps) == (None, 0)
    assert (verdict.rejection, verdict.decided, verdict.worst_case) == (None, True, None)
    assert verdict.judge == second.judge
    assert verdict.judge.startswith("prevail ")
    assert verdict.steps == ours.steps > 0
    assert verdict.duration_ns > 0


async def test_what_both_refuse_is_told_in_one_voice() -> None:
    """The verdict is our own judge's; alone it would have left the program undecided."""
    async with Verifier() as verifier:
        (ours,) = await verifier.opinions(LEAK, INFORMATION, Judge.OURS)
        (verdict,) = await verifier.opinions(LEAK, INFORMATION, Judge.ANY)
    assert (ours.decided, verdict.decided) == (False, True)
    assert verdict.judge == ours.judge
    assert ours.rejection is not None
    assert verdict.rejection is not None
    assert verdict.rejection.pc == ours.rejection.pc
    assert verdict.rejection.source == ours.rejection.source
    assert verdict.rejection.explanation == ours.rejection.explanation
    assert "\nprevail " in verdict.rejection.detail


async def test_our_own_judge_explains_itself() -> None:
    """What kind of mistake, what led to it, and what was known of the register."""
    async with Verifier() as verifier:
        refused = (await verifier.verify(subject("unsafe/out_of_bounds.o"), INFORMATION)).rejection
    assert refused is not None
    told = refused.explanation
    assert told is not None
    assert (told.kind, told.obligation) == ("past-data", "1 byte at offset 8 of the packet")
    assert told.fact == "8 bytes are proved to exist on this path, by line 9"
    (step,) = told.path
    assert (step.way, step.text, step.taken, step.times) == (
        "branch",
        "data + 8 <= data_end",
        False,
        1,
    )
    assert step.source is not None
    assert step.next is not None
    assert (step.source.line, step.next.line) == (9, 11)
    assert step.source.text == "    if (packet + 8 > end)", "columns count the indentation"
    assert [register for register, _ in told.registers] == [2]
    assert told.history[0].change == "written"


async def test_what_an_input_shows_to_fail_is_refused_with_that_input() -> None:
    """Nobody else need be asked: the interpreter has tried it."""
    async with Verifier() as verifier:
        refused = (await verifier.verify(NULL, INFORMATION)).rejection
    assert refused is not None
    assert refused.explanation is not None
    witness = refused.explanation.witness
    assert witness is not None
    assert (witness.pc, witness.code) == (refused.pc, Result.INVALID_POINTER)
    assert witness.outcome == "it reads 8 bytes at NULL"
    assert witness.notes == ["values has nothing under the key 4*00"]
    assert len(witness.context) == INFORMATION.context.size


@pytest.mark.parametrize(
    ("explains", "names_a_place", "judge"),
    [(True, True, "ours"), (False, True, "prevail"), (True, False, "ours"), (False, False, "ours")],
)
async def test_whoever_has_something_to_say_explains(
    monkeypatch: pytest.MonkeyPatch, explains: bool, names_a_place: bool, judge: str
) -> None:
    """Our own judge, unless it has only given up, and prevail has found a place."""
    explanation = frames.Explanation(kind="maybe-null") if explains else None
    ours = Verdict("ours", frames.Rejection("a", explanation=explanation), False, steps=7)
    second = Verdict("prevail", frames.Rejection("b", 3 if names_a_place else None))

    def judged(*_: object) -> Verdict:
        return ours

    async def answer(*_: object) -> Verdict:
        return second

    monkeypatch.setattr(verification, "judge", judged)
    monkeypatch.setattr(VerificationPool, "verify", answer)
    async with Verifier() as verifier:
        verdict = await verifier.verify(LEAK, INFORMATION)
    assert (verdict.judge, verdict.decided, verdict.steps) == (judge, True, 7)
    assert verdict.rejection is not None
    assert verdict.rejection.detail == ("prevail: b" if judge == "ours" else "")


async def test_a_second_judge_that_does_not_answer_is_no_acceptance() -> None:
    """Late, it leaves our own judge's explanation, and a line that says so."""
    async with Verifier(VerificationLimits(seconds=0.001)) as verifier:
        verdict = await soon(verifier.verify(ONLY_PREVAIL, INFORMATION))
    assert verdict.rejection is not None
    assert verdict.judge.startswith("ebpfd ")
    assert "took longer than 0.001 s" in verdict.rejection.detail


@pytest.mark.parametrize(
    ("wanted", "judges"),
    [
        (Judge.ANY, ["ebpfd"]),
        (Judge.OURS, ["ebpfd"]),
        (Judge.PREVAIL, ["prevail"]),
        (Judge.BOTH, ["ebpfd", "prevail"]),
    ],
)
async def test_whose_opinion_is_wanted(wanted: Judge, judges: list[str]) -> None:
    """One verdict for each judge that is asked, our own first."""
    async with Verifier() as verifier:
        verdicts = await verifier.opinions(ONLY_OURS, INFORMATION, wanted)
    assert [each.judge.split()[0] for each in verdicts] == judges
    assert [each.rejection is None for each in verdicts] == [each == "ebpfd" for each in judges]


async def test_a_contract_that_makes_no_sense_is_a_rejection() -> None:
    """As in a worker: no error that ends the daemon's call."""
    nowhere = dataclasses.replace(INFORMATION.context, size=-1)
    wrong = dataclasses.replace(INFORMATION, context=nowhere)
    async with Verifier() as verifier:
        verdict = await verifier.verify(ONLY_OURS, wrong)
    assert (verdict.judge, verdict.decided) == ("loader", True)
    assert verdict.rejection is not None


async def test_the_loop_goes_on_while_our_own_judge_is_at_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It judges on as many threads as it may; what waits for one can still be given up."""
    judging, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(*arguments: Any) -> Verdict:
        loop.call_soon_threadsafe(judging.set)
        go.wait()
        return judge(*arguments)

    monkeypatch.setattr(verification, "judge", slow)
    async with Verifier(VerificationLimits(workers=1)) as verifier:
        first = asyncio.ensure_future(verifier.verify(ONLY_OURS, INFORMATION))
        await soon(judging.wait())
        second = asyncio.ensure_future(verifier.verify(NULL, INFORMATION))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(second)
        go.set()
        assert (await soon(first)).rejection is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness")
async def test_our_own_judge_gives_way_to_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads alone have a low priority."""
    seen: list[int] = []

    def look(*arguments: Any) -> Verdict:
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return judge(*arguments)

    monkeypatch.setattr(verification, "judge", look)
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    async with Verifier() as verifier:
        await verifier.verify(ONLY_OURS, INFORMATION)
    assert seen == [max(mine, NICENESS)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine


class CountedJudging:
    """Both real judges, and how often each was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ours = self.prevail = 0
        verify = VerificationPool.verify

        def ours(*arguments: Any) -> Verdict:
            self.ours += 1
            return judge(*arguments)

        async def prevail(pool: VerificationPool, *arguments: Any) -> Verdict:
            self.prevail += 1
            return await verify(pool, *arguments)

        monkeypatch.setattr(verification, "judge", ours)
        monkeypatch.setattr(VerificationPool, "verify", prevail)


def told(verdict: Verdict) -> Verdict:
    """*verdict* without what says whether it was given before."""
    return msgspec.structs.replace(verdict, cached=False)


@pytest.mark.parametrize(
    ("judged", "asked"),
    [(ONLY_OURS, (1, 0)), (NULL, (1, 0)), (ONLY_PREVAIL, (1, 1)), (LEAK, (1, 1))],
    ids=["safe", "unsafe", "prevail accepts", "both refuse"],
)
async def test_what_was_asked_before_is_answered_from_memory(
    monkeypatch: pytest.MonkeyPatch, judged: Subject, asked: tuple[int, int]
) -> None:
    """Whoever has decided; the verdict says so, and is the same in all else."""
    counted = CountedJudging(monkeypatch)
    async with Verifier() as verifier:
        first = await verifier.verify(judged, INFORMATION)
        parsed = parse_object(judged.object_file)
        anew = Subject(judged.object_file, parsed, judged.index, parsed.programs[judged.index])
        second = await verifier.verify(anew, INFORMATION)
    assert (first.cached, second.cached) == (False, True)
    assert told(second) == first
    assert (counted.ours, counted.prevail) == asked


async def test_the_judges_share_what_they_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """One opinion that was wanted alone is a part of the verdict that counts."""
    counted = CountedJudging(monkeypatch)
    async with Verifier() as verifier:
        (ours,) = await verifier.opinions(ONLY_PREVAIL, INFORMATION, Judge.OURS)
        verdict = await verifier.verify(ONLY_PREVAIL, INFORMATION)
        both = await verifier.opinions(ONLY_PREVAIL, INFORMATION, Judge.BOTH)
    assert (ours.cached, verdict.cached) == (False, False), "prevail was asked anew"
    assert [each.cached for each in both] == [True, True]
    assert (counted.ours, counted.prevail) == (1, 1)


async def test_another_contract_is_another_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was safe under one is judged again under the next."""
    counted = CountedJudging(monkeypatch)
    async with Verifier() as verifier:
        await verifier.verify(ONLY_OURS, INFORMATION)
        narrower = dataclasses.replace(INFORMATION, writable=())
        assert not (await verifier.verify(ONLY_OURS, narrower)).cached
    assert counted.ours == 2


async def test_what_hangs_on_chance_is_asked_again() -> None:
    """A late judge may be in time when the machine has less to do."""
    async with Verifier(VerificationLimits(seconds=0.001)) as verifier:
        first = await soon(verifier.verify(ONLY_PREVAIL, INFORMATION))
        again = await soon(verifier.verify(ONLY_PREVAIL, INFORMATION))
    assert (first.by_chance, again.by_chance) == (True, True)
    assert (first.cached, again.cached) == (False, False)


async def test_what_several_want_to_know_at_once_is_judged_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They wait for one judging."""
    counted = CountedJudging(monkeypatch)
    async with Verifier() as verifier:
        asking = (verifier.verify(ONLY_PREVAIL, INFORMATION) for _ in range(8))
        verdicts = await soon(asyncio.gather(*asking))
    assert {each.rejection for each in verdicts} == {None}
    assert (counted.ours, counted.prevail) == (1, 1)


async def test_a_large_file_is_hashed_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """And found again all the same."""
    monkeypatch.setattr(verification, "QUICK_BYTES", 0)
    async with Verifier() as verifier:
        assert not (await verifier.verify(ONLY_OURS, INFORMATION)).cached
        assert (await verifier.verify(ONLY_OURS, INFORMATION)).cached
