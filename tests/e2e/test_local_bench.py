"""The bench of local runs measures what it says it does."""

import math

import pytest

from tests.bench import local


async def test_every_bar_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they come to is for the bench on a machine of its own."""
    for name in ("CALLS", "AWAITS", "BATCHES"):
        monkeypatch.setattr(local, name, 20)
    bars, rows = await local.measured(rounds=1)
    assert {bar["name"]: (bar["bar"], bar["better"]) for bar in bars} == {
        "invoke_now / len(b)": (10, "lower"),
        "invoke_now, shared map / len(b)": (10, "lower"),
        "invoke_batch of 1000 / the engine alone": (2, "lower"),
    }
    assert all(bar["value"] > 0 and math.isfinite(bar["value"]) for bar in bars)
    assert len(rows) == 8
