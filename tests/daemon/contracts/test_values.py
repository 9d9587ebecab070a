"""The engine's view of a contract: what comes back of a context."""

import dataclasses

import pytest

from ebpfd.contracts import ContextDescriptor, ContextField, engine_information
from tests.daemon.contracts.samples import HELPERS, SAMPLE, helper, with_context, with_info


@pytest.mark.parametrize(
    ("context", "writable"),
    [
        (ContextDescriptor(size=32), ((0, 32),)),
        (ContextDescriptor(size=32, data=0, end=8), ((16, 16),)),
        (ContextDescriptor(size=32, data=16, end=24), ((0, 16),)),
        (ContextDescriptor(size=40, data=24, end=8, meta=32), ((0, 8), (16, 8))),
        (ContextDescriptor(size=16, data=0, end=8), ()),
    ],
    ids=str,
)
def test_without_fields_all_but_the_pointers_comes_back(
    context: ContextDescriptor, writable: tuple[tuple[int, int], ...]
) -> None:
    """In gaps between the pointers, by offset."""
    data = with_context(SAMPLE, **{each: getattr(context, each) for each in context.__slots__})
    assert engine_information(data).writable == writable


def test_with_fields_the_writable_ones_come_back() -> None:
    """But never a pointer, whatever its field says."""
    fields = (
        ContextField(name="data", offset=0, size=8, writable=True),
        ContextField(name="a", offset=16, size=4, writable=False),
        ContextField(name="b", offset=20, size=2, writable=True),
    )
    assert engine_information(dataclasses.replace(SAMPLE, fields=fields)).writable == ((20, 2),)


def test_the_engine_sees_own_helpers_and_overrides() -> None:
    """Own ones first."""
    override = helper(1, "lookup")
    information = engine_information(with_info(SAMPLE, global_helpers=(override,)))
    assert information.helpers == (*HELPERS, override)
    assert (information.name, information.is_privileged) == ("sample", False)
    assert information.context == SAMPLE.context
