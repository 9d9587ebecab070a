"""What one call costs does not depend on how many others there are."""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from uuid import UUID

import pytest

from tests.daemon.nmr.harness import CLIENT, PROVIDER, Desk


def _crowd(size: int) -> Desk:
    """Return a desk with *size* contracts, each with a bound pair; the last is of owner 'x'."""
    desk = Desk()
    for number in range(size):
        owner = "x" if number == size - 1 else f"owner {number}"
        desk.register(PROVIDER, owner, npi_id=UUID(int=number))
        desk.register(CLIENT, f"client {number}", npi_id=UUID(int=number))
        desk.bind(number + 1)
    return desk


def _calls(step: Callable[[], object]) -> int:
    """Count the Python functions that *step* enters and the built-in ones that it calls."""
    counted = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()  # finalizers of what other tests left are no part of the step
    sys.setprofile(count)
    try:
        step()
    finally:
        sys.setprofile(before)
        gc.enable()
    return counted


@pytest.mark.parametrize("size", [50, 500])
def test_the_cost_of_a_call_is_flat(size: int) -> None:
    """A register, a listing of one contract, a deregister and a loss, in a crowd as alone."""
    costs: list[list[int]] = []
    for crowd in (1, size):
        desk = _crowd(crowd)
        last = UUID(int=crowd - 1)
        costs.append(
            [
                _calls(lambda desk=desk, last=last: desk.register(CLIENT, "y", npi_id=last)),  # type: ignore[misc]
                _calls(lambda desk=desk, last=last: desk.registrar.providers(last)),  # type: ignore[misc]
                _calls(lambda desk=desk, crowd=crowd: desk.bind(crowd + 1)),  # type: ignore[misc]
                _calls(lambda desk=desk, crowd=crowd: desk.deregister(2 * crowd + 1)),  # type: ignore[misc]
                _calls(lambda desk=desk: desk.lost("x")),  # type: ignore[misc]
            ]
        )
    assert costs[0] == costs[1]
