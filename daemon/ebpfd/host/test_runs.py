"""``bpf_prog_test_run``: a program run on a context that the caller gives.

All repetitions use one context, so what the program changes accumulates.  They run on a thread, in
slices, so that a caller that hangs up ends them, and others get a turn.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ebpfd.errors import RequestError
from ebpfd.host.invocation import Executor
from ebpfd.objects import Program
from ebpfd.objects.programs import RunContext
from ebpfd_api.result import Result
from ebpfd_vm import EngineError

SLICE_NS: Final = 20_000_000
"""How long one slice should take."""

_Slice: TypeAlias = tuple[int, int, bytes, bytes, int]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The last run's code and result, the context and data after it, the average time of a run."""

    code: int
    result: int
    context: bytes
    data: bytes
    duration_ns: int


async def test_run(
    program: Program, executor: Executor, context: bytes, data: bytes, meta_length: int, repeat: int
) -> RunOutcome:
    """Run *program* *repeat* times; an empty context means zeros.

    If its type makes contexts itself, it makes one, once, from what is given, and what is
    answered from that.
    """
    with executor.guard.place("test_runs", "wait for some"):
        for told in tuple(executor.when_tested):
            told(program)
        return await _test_run(program, executor, RunContext(context, data, meta_length), repeat)


async def _test_run(
    program: Program, executor: Executor, given: RunContext, repeat: int
) -> RunOutcome:
    if not program.provider.rundown.acquire():
        message = f"program {program.id} ({program.name}) cannot run: {program.provider.reason}"
        raise RequestError(Result.INVALID_ARGUMENT, message)
    try:
        contexts = program.provider.run_contexts
        if contexts is None:
            return await _run_in_slices(program, executor, given, repeat)
        made = await contexts.create(given)
        try:
            _check_size(program, made)
            outcome = await _run_in_slices(program, executor, made, repeat)
        except BaseException:
            with suppress(RequestError):
                await contexts.destroy(made)
            raise
        left = await contexts.destroy(RunContext(outcome.context, outcome.data, made.meta_length))
        return replace(outcome, context=left.context, data=left.data)
    except EngineError as error:
        raise RequestError(Result(error.code), error.message) from None
    finally:
        program.provider.rundown.release()
        executor.trace.collect()


def _check_size(program: Program, made: RunContext) -> None:
    size = program.contract.context.size
    if len(made.context) != size:
        message = f"context_create made a context of {len(made.context)} bytes, not {size}"
        raise RequestError(Result.INVALID_ARGUMENT, message)


async def _run_in_slices(
    program: Program, executor: Executor, given: RunContext, repeat: int
) -> RunOutcome:
    context = given.context or bytes(program.contract.context.size)
    data, meta_length = given.data, given.meta_length
    left, total_ns, step = repeat, 0, 1
    while True:
        run, times = program.engine.test_run, min(step, left)
        code, result, context, data, elapsed = await _finished(
            executor.on_thread(program, run, context, data, meta_length, times)
        )
        total_ns += elapsed
        left -= times
        if left == 0 or code != Result.SUCCESS:
            runs = repeat - left
            return RunOutcome(code, result, context, data, total_ns // runs)
        if program.provider.rundown.closed:
            message = f"its extension left, or it was unloaded, after {repeat - left} runs"
            raise RequestError(Result.CANCELED, message)
        step = max(1, SLICE_NS * (repeat - left) // max(total_ns, 1))


async def _finished(run: asyncio.Future[_Slice]) -> _Slice:
    """Await a thread to its end even when cancelled: the rundown must not be released before."""
    try:
        return await asyncio.shield(run)
    except asyncio.CancelledError:
        await asyncio.wait([run])
        raise
