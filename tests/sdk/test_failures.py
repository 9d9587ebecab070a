"""Failures of an author's code in his log."""

import asyncio
import logging
import time

import pytest

from ebpfd_sdk import Integer, ProgramType
from ebpfd_sdk._failures import EVERY_S, Failures
from ebpfd_sdk._helper import Helper
from ebpfd_sdk._local_helpers import LocalHelpers
from ebpfd_vm import HelperError
from tests.sdk.conftest import Scene
from tests.sdk.parcels import PROGRAM_TYPE, Parcel
from tests.sdk.test_extension import helper_call


def test_the_first_is_told_and_then_one_a_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which says how many were not."""
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    failures = Failures("helper f")
    for _ in range(5):
        failures.note("lost")
    now_s += EVERY_S
    failures.note("lost again")
    assert [each.getMessage() for each in caplog.records] == [
        "helper f: lost",
        "helper f: lost again (and 4 times since the last report)",
    ]


async def test_a_helper_that_raises_is_told_where_its_author_looks(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """With the traceback."""
    async with scene.extension():
        await asyncio.gather(*(scene.daemon.call_helper(helper_call(0x10002)) for _ in range(3)))
    (told,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert told.getMessage() == "helper parcel_lose: LookupError: lost in the post"
    assert "raise LookupError" in caplog.text


@pytest.mark.parametrize("returned", [None, KeyError("lost")])
def test_so_is_one_of_a_program_that_runs_here(
    returned: object, caplog: pytest.LogCaptureFixture
) -> None:
    """And the reason in the trace leaves it to the engine to name the helper."""
    kind = ProgramType(PROGRAM_TYPE, Parcel)

    @kind.helper(0x10000)
    def lose() -> Integer:
        if isinstance(returned, Exception):
            raise returned
        return returned  # type: ignore[return-value]

    helper = Helper(0x10000, "lose", lose, implicit_context=False, reallocate_packet=False)
    with pytest.raises(HelperError) as failed:
        LocalHelpers({0x10000: helper}, 30)(0x10000, [], b"")
    assert "helper lose" not in str(failed.value)
    assert "helper lose: " in caplog.text
