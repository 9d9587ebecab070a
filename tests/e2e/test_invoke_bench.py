"""The bench of invocations measures what it says it does."""

import math

import pytest

from tests.bench import invoke


def test_figures_are_of_turns_and_not_of_sums() -> None:
    """A turn that the machine interrupted is one of many; a percentile is a value that was seen."""
    assert invoke.ratio([1.0, 200.0, 3.0], [1.0, 2.0, 1.0]) == 3.0
    assert invoke.percentile([float(each) for each in range(100)], 0.99) == 99.0


async def test_every_bar_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they come to is for the bench on a machine of its own."""
    monkeypatch.setattr(invoke, "MESSAGES", 8)
    bars, rows = await invoke.measured(rounds=1)
    assert {bar["name"]: (bar["bar"], bar["better"]) for bar in bars} == {
        "ping-pong / echo, stream": (1.2, "lower"),
        "ping-pong / echo, await": (1.35, "lower"),
        "64 awaits, rate / ping-pong": (25, "higher"),
        "1024 awaits, rate / ping-pong": (60, "higher"),
        "64 a message, stream: rate / burning echo": (0.8, "higher"),
        "64 a message, invoke_batch: rate / burning echo": (0.8, "higher"),
        "1024 a message, stream: rate / burning echo": (0.8, "higher"),
        "1024 a message, invoke_batch: rate / burning echo": (0.8, "higher"),
        "long batches beside it, stream: p99 / echo": (1.5, "lower"),
        "long batches beside it, await: p99 / echo": (1.5, "lower"),
        "a long program beside it, stream: p99 / echo": (1.5, "lower"),
        "a long program beside it, await: p99 / echo": (1.5, "lower"),
    }
    assert all(bar["value"] > 0 and math.isfinite(bar["value"]) for bar in bars)
    assert len(rows) == 18
