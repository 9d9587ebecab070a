"""The one JSON object that a benchmark prints."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from typing import Literal, TypedDict


class Bar(TypedDict):
    """A figure with what it must reach."""

    name: str
    value: float
    bar: float
    better: Literal["lower", "higher"]
    holds: bool


def bar(name: str, value: float, limit: float, better: Literal["lower", "higher"]) -> Bar:
    """A bar and whether it holds."""
    holds = value <= limit if better == "lower" else value >= limit
    return Bar(name=name, value=round(value, 3), bar=limit, better=better, holds=holds)


def emit(bench: str, bars: Sequence[Bar], rows: Sequence[object]) -> None:
    """Print the report on standard output."""
    machine = {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
    }
    report = {"bench": bench, "bars": list(bars), "rows": list(rows), "machine": machine}
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")
