"""What users of test runs give and get, and what programs see: the author's two functions."""

from typing import Any

import pytest

from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk import FlatContext, NativeContext
from tests.sdk.conftest import Scene
from tests.sdk.parcels import Parcel

CREATE = registrar_pb2.CONTEXT_FUNCTION_CREATE
DESTROY = registrar_pb2.CONTEXT_FUNCTION_DESTROY


def declare(scene: Scene) -> None:
    """Users give a weight as text; a program sees a parcel with a label of two bytes."""

    @scene.kind.context_create
    def create(flat: FlatContext) -> NativeContext[Parcel]:
        return NativeContext(Parcel(weight=int(flat.context)), b"no" + flat.data, 2)

    @scene.kind.context_destroy
    async def destroy(native: NativeContext[Parcel]) -> FlatContext:
        return FlatContext(b"%d" % native.context.weight, native.data[native.meta_length :])


async def call(scene: Scene, function: int, **fields: Any) -> registrar_pb2.ContextReturn:
    """Call one of the functions as the daemon does."""
    fields.setdefault("program_type", scene.kind.guid.bytes)
    asked = registrar_pb2.ContextCall(function=function, **fields)  # type: ignore[arg-type]
    answer: registrar_pb2.ContextReturn = await scene.daemon.call_context(asked)
    return answer


async def test_contexts_are_made_and_ended_by_the_author(scene: Scene) -> None:
    """Plain functions and coroutines, both ways."""
    declare(scene)
    async with scene.extension():
        made = await call(scene, CREATE, context=b"7", data=b"data")
        assert made.result == Result.SUCCESS
        assert (Parcel.unpack(made.context).weight, made.data, made.meta_length) == (
            7,
            b"nodata",
            2,
        )
        context, data = Parcel(weight=9).pack(), b"nodata"
        left = await call(scene, DESTROY, context=context, data=data, meta_length=2)
        assert (left.result, left.context, left.data) == (Result.SUCCESS, b"9", b"data")


async def test_the_daemon_learns_which_functions_there_are(scene: Scene) -> None:
    """By the dispatch table of the program type; without any it has none."""
    async with scene.extension():
        answer, _ = await scene.daemon.attach(registration=next(iter(scene.daemon.registered)))
        assert not answer.provider.HasField("dispatch")
    declare(scene)
    async with scene.extension():
        answer, _ = await scene.daemon.attach(registration=next(iter(scene.daemon.registered)))
        assert list(answer.provider.dispatch.functions) == ["context_create", "context_destroy"]


async def test_a_function_that_raises_is_an_answer(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """INVALID_ARGUMENT for what users gave, FAILED for what a program left; logged."""
    declare(scene)
    async with scene.extension():
        made = await call(scene, CREATE, context=b"heavy")
        left = await call(scene, DESTROY, context=b"short")
        strange = await call(scene, CREATE, program_type=bytes(16))
        hook = await call(scene, CREATE, program_type=scene.hook.guid.bytes)
    assert made.result == Result.INVALID_ARGUMENT
    assert made.message.startswith("program type parcel: ValueError: invalid literal")
    assert left.result == Result.FAILED
    assert (strange.result, hook.result) == (Result.INVALID_ARGUMENT, Result.INVALID_ARGUMENT)
    assert "hook passing is no program type" in hook.message
    assert "a context of a test run failed" in caplog.text


async def test_a_type_without_functions_says_so(scene: Scene) -> None:
    """The daemon does not call them; whoever does learns which one is missing."""
    async with scene.extension():
        for function, name in ((CREATE, "context_create"), (DESTROY, "context_destroy")):
            answer = await call(scene, function, context=Parcel().pack())
            assert f"it has no {name}" in answer.message
