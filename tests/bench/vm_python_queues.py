"""What it costs a caller in Python to put values into maps without keys, and to take them out."""

from collections.abc import Callable
from typing import Final

import ebpfd_vm
from tests.bench.vm_python import Plan, Row, interleaved
from tests.bench.vm_python_maps import SAMPLE, SIZES, row, together

QUEUES: Final = {"QUEUE": 10, "STACK": 12}
RINGS: Final = {"RINGBUF": 13, "PERF_EVENT_ARRAY": 14}
RING_BYTES: Final = 1 << 20
"""Room for all records of one round."""
MANY: Final = 1_000
"""Records that are written before all of them are read."""
VALUE: Final = bytes(8)


def queues(plan: Plan, *, quick: bool) -> list[Row]:
    """Values in and out, on one thread and on two; a quick run leaves out the largest."""
    sizes = SIZES[:2] if quick else SIZES
    every = [(name, number, entries) for name, number in QUEUES.items() for entries in sizes]
    return [found for one in every for found in _queue(*one, plan)]


def _queue(name: str, number: int, entries: int, plan: Plan) -> list[Row]:
    """A map that is half full: nothing is refused on the way in or missing on the way out."""
    live = ebpfd_vm.Map(number, 0, len(VALUE), entries)
    for _ in range(entries // 2):
        live.push(VALUE)
    bodies = {"loop": "pass", "peek": "peek()", "push_pop": "push(value); pop()"}
    alone = _times(bodies, {"push": live.push, "pop": live.pop, "peek": live.peek}, plan)

    def push_pop() -> None:
        live.push(VALUE)
        live.pop()

    both = {"peek": _on_two(live.peek), "push_pop": _on_two(push_pop)}
    return [
        row(name, entries=entries, source="python", ns=alone),
        row(name, entries=entries, source="python, two threads", ns=both),
    ]


def rings(plan: Plan) -> list[Row]:
    """Records of rings: each written and read at once, and many written before all are read."""
    rows: list[Row] = []
    for name, number in RINGS.items():
        live = ebpfd_vm.Map(number, 0, 0, RING_BYTES)
        names: dict[str, object] = {"write": live.write, "read": live.read}
        bodies = {"loop": "pass", "write_read": f"write(value); read(1, {RING_BYTES})"}
        alone = _times(bodies, names, plan)
        many = f"for _ in rounds: write(value)\nread({MANY}, {RING_BYTES})"
        names |= {"rounds": range(MANY), "value": VALUE}
        taken = interleaved({"many": many}, names, plan)["many"]
        alone[f"write_read of {MANY:,}"] = taken / MANY
        rows.append(row(name, entries=RING_BYTES, source="python", ns=alone))
    return rows


def _times(bodies: dict[str, str], names: dict[str, object], plan: Plan) -> dict[str, float]:
    """Nanoseconds of each statement, the loop around it among them."""
    statements = {name: f"for _ in rounds: {body}" for name, body in bodies.items()}
    taken = interleaved(statements, names | {"rounds": range(SAMPLE), "value": VALUE}, plan)
    return {name: time / SAMPLE for name, time in taken.items()}


def _on_two(operation: Callable[[], object]) -> float:
    """Wall nanoseconds of an operation while another thread does the same."""

    def work() -> None:
        for _ in range(SAMPLE):
            operation()

    return together(work) / SAMPLE
