"""The fires of one client: beside each other, in order where it matters, and none is left over."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest

from ebpfd.host.quotas import Quotas
from ebpfd.rpc import fire_stream
from ebpfd_api.metadata import TOKEN
from ebpfd_api.result import Result
from ebpfd_api.v1 import hook_pb2 as hook
from tests.daemon.host.world import until
from tests.daemon.rpc.wire import Module, Wire, serving

Fires: TypeAlias = "grpc.aio.StreamStreamCall[hook.FireRequest, hook.FireResponse]"

NAMED = hook.AttachType(name="sample_ext")
NOBODYS = hook.AttachType(guid=bytes(16))
NEVER_MS = 2**32 - 1


async def fired(call: Fires, **request: Any) -> None:
    """Send one fire."""
    request.setdefault("hook", NAMED)
    await call.write(hook.FireRequest(**request))


async def answer(call: Fires) -> tuple[int, int]:
    """The sequence and the code of the next answer."""
    response = await call.read()
    assert isinstance(response, hook.FireResponse)
    return response.sequence, response.result.code


async def listening(w: Wire) -> Module:
    """An extension that provides the hook, and answers what the test says."""
    module = await w.module()
    await module.provide()
    await module.open_data()
    return module


async def handed(module: Module) -> hook.Fire:
    """The next fire that the extension gets."""
    assert module.data is not None
    message = await module.data.read()
    assert isinstance(message, hook.InvokeResponse)
    return message.fire


async def answered(module: Module, fires: Iterable[hook.Fire], code: int = 0) -> None:
    """Let the extension answer *fires*."""
    assert module.data is not None
    for fire in fires:
        returned = hook.FireReturn(fire_id=fire.fire_id, result=hook.BatchResult(code=code))
        await module.data.write(hook.InvokeRequest(fire_return=returned))


def busy() -> int:
    """How many fires are not answered."""
    return sum(task.get_name().startswith("fire ") for task in asyncio.all_tasks())


async def test_a_fire_that_waits_for_its_hook_keeps_no_other_waiting(tmp_path: Path) -> None:
    """Each ends by its own deadline, counted from when it is read, or at once without one."""
    async with serving(tmp_path) as w:
        module = await listening(w)
        module.call.cancel()
        await until(lambda: w.daemon.sessions.all() == [])
        call = w.hooks.Fire()
        for sequence, deadline_ms in enumerate((NEVER_MS, 10, 0)):
            await fired(call, sequence=sequence, deadline_ms=deadline_ms)
        await fired(call, sequence=3, hook=NOBODYS)
        answers = {await answer(call) for _ in range(3)}
        assert answers == {(each, Result.OBJECT_NOT_FOUND) for each in (1, 2, 3)}
        call.cancel()


async def test_answers_come_back_when_they_are_there(tmp_path: Path) -> None:
    """The extension has all the fires at once, and answers the last one first."""
    async with serving(tmp_path) as w:
        module, call = await listening(w), w.hooks.Fire()
        for sequence in range(1, 5):
            await fired(call, sequence=sequence, parameter=b"%d" % sequence)
        there = {fire.parameter: fire for fire in [await handed(module) for _ in range(4)]}
        for sequence in (4, 2, 3, 1):
            await answered(module, [there[b"%d" % sequence]], code=5)
            assert await answer(call) == (sequence, 5)


async def test_an_extension_gets_the_fires_of_one_parameter_in_their_order(tmp_path: Path) -> None:
    """Whether they wait for it or not, and although it answers none of them."""
    async with serving(tmp_path) as w:
        module = await w.module()
        await module.provide()
        call = w.hooks.Fire()
        for number in range(1, 100):
            batch = hook.Batch(count=number)
            await fired(call, parameter=b"%d" % (number % 3), batch=batch, deadline_ms=NEVER_MS)
            if number == 50:
                await until(lambda: busy() == 50)
                await module.open_data()
        fires = [await handed(module) for _ in range(1, 100)]
        for parameter in (b"0", b"1", b"2"):
            counts = [fire.batch.count for fire in fires if fire.parameter == parameter]
            assert counts == sorted(counts)
            assert len(counts) == 33
        call.cancel()


async def test_a_fire_names_its_origin_or_is_its_callers(tmp_path: Path) -> None:
    """Of one who has no token nothing is known: then the extension hears of none."""
    async with serving(tmp_path) as w:
        module = await listening(w)
        reader, writer = await asyncio.open_unix_connection(f"{tmp_path / 'ebpfd.sock'}.hello")
        token = (await reader.read()).decode().split()[0]
        writer.close()
        named, root = hook.Origin(pid=7, tid=8), hook.Origin(pid=7, tid=8, uid=0)
        me = hook.Origin(pid=os.getpid(), tid=os.getpid(), uid=os.getuid())
        for call, default in (
            (w.hooks.Fire(), None),
            (w.hooks.Fire(metadata=((TOKEN, token),)), me),
        ):
            for origin in (None, named, root):
                await fired(call, origin=origin)
                fire = await handed(module)
                wanted = origin or default
                assert fire.HasField("origin") is (wanted is not None)
                assert wanted in (None, fire.origin)
            call.cancel()


async def test_who_hangs_up_leaves_no_fire_behind(tmp_path: Path) -> None:
    """Neither one that waits for its hook or its turn, nor one that the extension has."""
    async with serving(tmp_path, quotas=Quotas(fires=5)) as w:
        module = await w.module()
        await module.provide()
        for has_stream in (False, True):
            if has_stream:
                await module.open_data()
            call = w.hooks.Fire()
            for _ in range(5):
                await fired(call, deadline_ms=NEVER_MS)
            if has_stream:
                assert len([await handed(module) for _ in range(5)]) == 5
            await until(lambda: busy() == 5)
            call.cancel()
            await until(lambda: busy() == 0)
        call = w.hooks.Fire()
        for sequence in range(5):
            await fired(call, sequence=sequence)
        await answered(module, [await handed(module) for _ in range(5)])
        assert [await answer(call) for _ in range(5)] == [(each, 0) for each in range(5)]


async def test_who_sends_no_more_still_gets_his_answers(tmp_path: Path) -> None:
    """Then the call ends well."""
    async with serving(tmp_path) as w:
        module, call = await listening(w), w.hooks.Fire()
        for sequence in (1, 2):
            await fired(call, sequence=sequence)
        fires = [await handed(module) for _ in range(2)]
        await call.done_writing()
        await answered(module, fires)
        assert [await answer(call) for _ in fires] == [(1, 0), (2, 0)]
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("bound", "most"), [("MAX_UNANSWERED", 3), ("MAX_UNANSWERED_BYTES", 3 << 10)]
)
async def test_a_stream_is_not_read_while_too_much_of_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """In number and in bytes; another client's is, and each answer lets one more in."""
    monkeypatch.setattr(fire_stream, bound, most)
    async with serving(tmp_path) as w:
        module, call, other = await listening(w), w.hooks.Fire(), w.hooks.Fire()
        batch = hook.Batch(data=bytes(1 << 10))
        for sequence in range(8):
            await fired(call, sequence=sequence, deadline_ms=NEVER_MS, batch=batch)
        there = [await handed(module) for _ in range(3)]
        await fired(other, sequence=9, hook=NOBODYS)
        assert await answer(other) == (9, Result.OBJECT_NOT_FOUND)
        for sequence in range(8):
            await until(lambda: busy() <= 3)  # a write may end a moment after it was read
            await answered(module, [there.pop(0)])
            assert await answer(call) == (sequence, 0)
            if sequence < 5:
                there.append(await handed(module))


async def test_a_fire_that_meets_a_bug_is_answered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And those beside it go on."""
    async with serving(tmp_path) as w:
        module, call = await listening(w), w.hooks.Fire()
        await fired(call, sequence=1)
        fire = await handed(module)

        def broken(*_: Any) -> None:
            raise ZeroDivisionError("so")

        with monkeypatch.context() as patched:
            patched.setattr(fire_stream, "decode_batch", broken)
            await fired(call, sequence=2)
            response = await call.read()
        assert isinstance(response, hook.FireResponse)
        assert (response.sequence, response.result.code, response.result.message) == (
            2,
            Result.FAILED,
            "ZeroDivisionError: so",
        )
        await answered(module, [fire])
        assert await answer(call) == (1, 0)
