"""What the engine tells of a verdict gets to the wire: no field is lost on the way by its name."""

from typing import Any

import pytest
from msgspec.structs import fields

import ebpfd_vm
from ebpfd.host import verification_frames as frames
from ebpfd_api.v1 import programs_pb2, status_pb2


def told_by(kind: type) -> set[str]:
    """Fields of a class of the engine."""
    return {name for name in dir(kind) if not name.startswith("_")}


def named(struct: Any) -> set[str]:
    """Fields of the daemon's value."""
    return {field.name for field in fields(struct)}


def on_the_wire(message: Any) -> set[str]:
    """Fields of a message."""
    return {field.name for field in message.DESCRIPTOR.fields}


@pytest.mark.parametrize(
    ("engine", "value", "message"),
    [
        (ebpfd_vm.SourceLine, frames.Source, status_pb2.SourceLine),
        (ebpfd_vm.PathStep, frames.PathStep, status_pb2.PathStep),
        (ebpfd_vm.RegisterEvent, frames.RegisterEvent, status_pb2.RegisterEvent),
        (ebpfd_vm.Witness, frames.Witness, status_pb2.Witness),
    ],
    ids=lambda each: each.__name__,
)
def test_parts_of_an_explanation_are_alike_everywhere(
    engine: type, value: Any, message: Any
) -> None:
    """In the engine, in the daemon and on the wire."""
    assert told_by(engine) == named(value) == on_the_wire(message)


def test_a_rejection_is_flat_on_the_wire() -> None:
    """With its explanation, and who is meant."""
    assert told_by(ebpfd_vm.Rejection) == named(frames.Rejection)
    assert told_by(ebpfd_vm.Explanation) == named(frames.Explanation)
    flat = named(frames.Rejection) - {"explanation"} | named(frames.Explanation)
    assert on_the_wire(status_pb2.Rejection) == flat | {"program", "section", "judge"}


def test_a_verdict_keeps_all_but_what_benches_ask() -> None:
    """Whether it is an acceptance is told by its rejection."""
    ours = named(frames.Verdict)
    assert told_by(ebpfd_vm.Verdict) - ours == {"accepted", "peak_bytes"}
    assert ours - told_by(ebpfd_vm.Verdict) == {"by_chance", "cached"}
    assert ours - on_the_wire(programs_pb2.Verdict) == {"by_chance"}
