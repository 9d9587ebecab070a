"""What a program may do with the fields of its context, as its extension declares it."""

import struct
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from ebpfd_sdk import Program, VerificationFailed
from tests.e2e.world import World, script, world

HERE = Path(__file__).parent
OBJECT = HERE / "programs" / "doors.o"
CONTEXT = struct.pack("<16xIII4x", 7, 8, 9)
"""Answer, visitor and key."""


def guarded(w: World) -> AbstractAsyncContextManager[None]:
    """The extension as its own process."""
    return script(w, HERE / "guarded_extension.py")


async def loaded(w: World, name: str) -> Program:
    """One program of the file."""
    return (await w.client.load(OBJECT, programs=[name]))[name]


async def left(program: Program) -> tuple[int, int, int, int]:
    """Its result, and the three fields as they come back."""
    run = await program.test_run(context=CONTEXT)
    return (run.result, *struct.unpack_from("<III", run.context, 16))


async def test_a_writable_field_comes_back(tmp_path: Path) -> None:
    """What programs write there."""
    async with world(tmp_path) as w, guarded(w):
        assert await left(await loaded(w, "writes")) == (0, 9, 8, 9)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("writes_read_only", "read-only-context", "the field visitor"),
        ("lets_write", "wrong-argument", "must point to the stack"),
        ("lets_write_read_only", "wrong-argument", "must point to the stack"),
        ("reads_hidden", "hidden-context", "the field key"),
    ],
)
async def test_what_the_rights_do_not_allow_is_refused_by_name(
    tmp_path: Path, name: str, kind: str, says: str
) -> None:
    """No helper gets to write the context as memory either; no other judge is asked."""
    async with world(tmp_path) as w, guarded(w):
        with pytest.raises(VerificationFailed) as caught:
            await loaded(w, name)
        (rejection,) = caught.value.rejections
        assert (rejection.kind, rejection.judge.split()[0]) == (kind, "ebpfd")
        assert says in rejection.reason


async def test_helpers_see_what_is_hidden(tmp_path: Path) -> None:
    """It is the extension's own."""
    async with world(tmp_path) as w, guarded(w):
        assert (await left(await loaded(w, "asks_for_hidden")))[0] == 9
