"""The machine for as many steps as it is asked for, and how often each edge was taken.

python -m tests.daemon.nmr.long_run --steps 1000000
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ebpfd.nmr import Role, Stage
from ebpfd.nmr.binding import DETACHES, STAGES, Binding, DetachEvent, Event
from tests.daemon.nmr.machine import RegistrarMachine


@contextmanager
def counted() -> Generator[Counter[str]]:
    """Count every edge of both tables that a binding takes meanwhile; each begins at nought."""
    edges: Counter[str] = Counter()
    for (stage, event), after in STAGES.items():
        edges[f"{stage.name} --{event.name}--> {after.name}"] = 0
    for (detach, detach_event), detached in DETACHES.items():
        edges[f"{detach.name} --{detach_event.name}--> {detached.name}"] = 0
    apply, apply_detach = Binding.apply, Binding.apply_detach

    def move(binding: Binding, event: Event) -> Stage:
        before = binding.stage
        after = apply(binding, event)
        edges[f"{before.name} --{event.name}--> {after.name}"] += 1
        return after

    def move_detach(binding: Binding, role: Role, event: DetachEvent) -> None:
        side = binding.side(role)
        before = side.detach
        apply_detach(binding, role, event)
        edges[f"{before.name} --{event.name}--> {side.detach.name}"] += 1

    with patch.object(Binding, "apply", move), patch.object(Binding, "apply_detach", move_detach):
        yield edges


def main() -> None:
    """Go on until the steps are done, and print what they were."""
    parser = argparse.ArgumentParser(description="drive registrar and model side by side")
    parser.add_argument("--steps", type=int, default=1_000_000, help="at least so many")
    steps: int = parser.parse_args().steps
    chosen = settings(
        max_examples=500,
        stateful_step_count=200,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    began = time.monotonic()
    with counted() as edges:
        while RegistrarMachine.steps < steps:
            run_state_machine_as_test(RegistrarMachine, settings=chosen)
    result = {
        "steps": RegistrarMachine.steps,
        "seconds": round(time.monotonic() - began),
        "edges": edges,
        "never": [edge for edge, times in edges.items() if not times],
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
