"""Two judges and one verdict: our own decides what it can, prevail is asked about the rest.

Our own judge has hard limits in steps and memory and never recurses, so it runs on a thread of the
daemon.  Prevail has none, so it runs in a process that may be killed.  If neither accepts a
program, our own explains why; where it has given up, whoever names a place.

What a judge has said before it need not be asked again, and what several want to know at once it
is asked once.
"""

import asyncio
import hashlib
import importlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, assert_never

import msgspec

from ebpfd.contracts import EngineInformation
from ebpfd.host import verification_frames as frames
from ebpfd.host.judging import judge
from ebpfd.host.shared_work import SharedWork
from ebpfd.host.verdict_cache import VerdictCache
from ebpfd.host.verdict_key import Question, verdict_key
from ebpfd.host.verification_pool import VerificationLimits, VerificationPool
from ebpfd.host.worker_process import give_way
from ebpfd_vm import Object, ProgramSpec

QUICK_BYTES: Final = 256 << 10
"""Size of a file whose programs are hashed on the event loop: a thread would cost as much."""


class Judge(Enum):
    """Whose verdict is wanted: ANY is the one that counts, BOTH are two to compare."""

    ANY = "any"
    OURS = "ours"
    PREVAIL = "prevail"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Subject:
    """Program number ``index`` of a file; ``parsed`` is what the one loader makes of its bytes.

    ``spec`` is the program as it will run: relocated for ``context_btf``, and linked with helpers
    of its contract.  Whoever has only the bytes makes the same of them.
    """

    object_file: bytes
    parsed: Object
    index: int
    spec: ProgramSpec
    context_btf: bytes = b""


class Verifier:
    """Judges programs; each of the two judges is at work on ``limits.workers`` at most."""

    def __init__(self, limits: VerificationLimits | None = None) -> None:
        limits = limits or VerificationLimits()
        self._pool: Final = VerificationPool(limits)
        self._threads: Final = ThreadPoolExecutor(
            limits.workers, thread_name_prefix="judging", initializer=_give_way
        )
        self._cache: Final = VerdictCache()
        self._judging: Final = SharedWork[frames.Verdict]("judging")
        engine = version("ebpfd-vm")
        self._to_ours: Final = Question(judge="ours", version=engine)
        self._to_prevail: Final = Question(
            judge="prevail", version=engine, limits=limits.on_a_verdict
        )

    async def __aenter__(self) -> Self:
        """Threads are started when they are first needed, workers before."""
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget what has not begun; what our own judge still does ends by its limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._pool.__aexit__(kind, error, trace)

    async def verify(self, subject: Subject, information: EngineInformation) -> frames.Verdict:
        """The verdict that counts."""
        ours = await self._ours(subject, information)
        if ours.decided:
            return ours
        return _after_both(ours, await self._prevail(subject, information))

    async def answers(
        self, subject: Subject, information: EngineInformation
    ) -> list[tuple[bytes, bytes]]:
        """What each judge has answered about *subject*, if it is remembered: (key, answer)."""
        keys = [
            await self._key(subject, information, question)
            for question in (self._to_ours, self._to_prevail)
        ]
        return [(key, answer) for key in keys if (answer := self._cache.encoded(key)) is not None]

    def remember(self, answers: Iterable[tuple[bytes, bytes]]) -> None:
        """Take what ``answers`` gave in an earlier life, with the same build of the engine."""
        for key, answer in answers:
            self._cache.put_encoded(key, answer)

    async def opinions(
        self, subject: Subject, information: EngineInformation, wanted: Judge
    ) -> list[frames.Verdict]:
        """The verdicts of those who are *wanted*, our own first."""
        match wanted:
            case Judge.ANY:
                return [await self.verify(subject, information)]
            case Judge.OURS:
                return [await self._ours(subject, information)]
            case Judge.PREVAIL:
                return [await self._prevail(subject, information)]
            case Judge.BOTH:
                ours = await self._ours(subject, information)
                return [ours, await self._prevail(subject, information)]
            case _:
                assert_never(wanted)

    async def _ours(self, subject: Subject, information: EngineInformation) -> frames.Verdict:
        async def ask() -> frames.Verdict:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, judge, subject.spec, subject.parsed.maps, information, "ours"
            )

        return await self._remembered(subject, information, self._to_ours, ask)

    async def _prevail(self, subject: Subject, information: EngineInformation) -> frames.Verdict:
        def ask() -> Coroutine[Any, Any, frames.Verdict]:
            return self._pool.verify(
                subject.object_file, subject.index, information, subject.context_btf
            )

        return await self._remembered(subject, information, self._to_prevail, ask)

    async def _remembered(
        self,
        subject: Subject,
        information: EngineInformation,
        question: Question,
        ask: Callable[[], Coroutine[Any, Any, frames.Verdict]],
    ) -> frames.Verdict:
        """The answer to *question* from the cache, from whoever is asking already, or anew."""
        key = await self._key(subject, information, question)

        async def ask_and_remember() -> frames.Verdict:
            verdict = await ask()
            self._cache.put(key, verdict)
            return verdict

        return self._cache.get(key) or await self._judging.result(key, ask_and_remember)

    async def _key(
        self, subject: Subject, information: EngineInformation, question: Question
    ) -> bytes:
        weighed = (subject.spec, subject.parsed.maps, information, question)
        if len(subject.object_file) <= QUICK_BYTES:
            return verdict_key(*weighed)
        return await asyncio.to_thread(verdict_key, *weighed)


def engine_identity() -> bytes:
    """SHA-256 of the engine as it is installed: answers of one build are not another one's."""
    library = importlib.import_module("ebpfd_vm._native").__file__
    assert library is not None, "it is a file"
    with Path(library).open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _give_way() -> None:
    """Lower the priority of this thread, where threads have one of their own."""
    if sys.platform == "linux":
        give_way(threading.get_native_id())


def _after_both(ours: frames.Verdict, second: frames.Verdict) -> frames.Verdict:
    """The verdict on what *ours* has left undecided; it tells the effort of both."""
    duration_ns = ours.duration_ns + second.duration_ns
    cached = ours.cached and second.cached
    if _has_the_word(ours.rejection, second.rejection):
        return msgspec.structs.replace(
            second,
            steps=ours.steps,
            states=ours.states,
            proved_loops=ours.proved_loops,
            duration_ns=duration_ns,
            cached=cached,
        )
    return msgspec.structs.replace(
        ours,
        decided=True,
        rejection=_with_remark(ours.rejection, second),
        duration_ns=duration_ns,
        by_chance=second.by_chance,
        cached=cached,
    )


def _has_the_word(ours: frames.Rejection | None, second: frames.Rejection | None) -> bool:
    """Whether the second judge accepts, or names a place where our own has given up."""
    if ours is None or second is None:
        return second is None
    return ours.explanation is None and second.pc is not None


def _with_remark(
    rejection: frames.Rejection | None, second: frames.Verdict
) -> frames.Rejection | None:
    """Our own rejection, with what the second judge says in its detail."""
    if rejection is None or second.rejection is None:
        return rejection
    said = f"{second.judge}: {second.rejection.reason}"
    detail = "\n".join(filter(None, (rejection.detail, said)))
    return msgspec.structs.replace(rejection, detail=detail)
