"""What an operation on a map costs a caller in Python, on one thread and on two."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import ebpfd_vm
from tests.bench.vm_python import Plan, Row, interleaved

TYPES: Final = {
    "HASH": 1,
    "ARRAY": 2,
    "PERCPU_HASH": 4,
    "PERCPU_ARRAY": 5,
    "LRU_HASH": 8,
    "LRU_PERCPU_HASH": 11,
}
"""Types whose keys are 4 bytes."""
INDEXED: Final = frozenset({"ARRAY", "PERCPU_ARRAY"})
SIZES: Final = (1 << 10, 1 << 16, 1 << 20)
SPREAD: Final = 0x9E3779B1
"""What spreads numbers over the 32 bits of a key; odd, so that no two meet."""
SAMPLE: Final = 20_000
"""Keys of a map that are used, drawn at random from all of them."""


def maps(plan: Plan, *, quick: bool) -> list[Row]:
    """Operations on maps, on one thread and on two; a quick run leaves out the largest."""
    rows: list[Row] = []
    for name, number in TYPES.items():
        for entries in SIZES[:2] if quick else SIZES:
            try:
                live = ebpfd_vm.Map(number, 4, 8, entries)
            except ebpfd_vm.EngineError as refused:
                rows.append(_row(name, reason=str(refused)))
                break
            keys = [_key(name, index) for index in range(entries)]
            value = bytes(live.user_value_size)
            for key in keys:
                live.update(key, value)
            random.Random(entries).shuffle(keys)
            some = keys[:SAMPLE]
            rows += [
                _row(
                    name, entries=entries, source="python", ns=_operations(name, live, some, plan)
                ),
                _row(name, entries=entries, source="python, two threads", ns=_on_two(live, some)),
            ]
    return rows


def _row(name: str, *, source: str = "python", **more: object) -> Row:
    return {"table": "maps", "type": name, "from": source} | more


def _key(name: str, index: int) -> bytes:
    number = index if name in INDEXED else index * SPREAD & 0xFFFFFFFF
    return number.to_bytes(4, "little")


def _operations(
    name: str, live: ebpfd_vm.Map, keys: Sequence[bytes], plan: Plan
) -> dict[str, float]:
    """Nanoseconds of each operation, the loop over the keys among them."""
    reads = {"loop": "pass", "lookup": "lookup(key)", "next_key": "next_key(key)"}
    changes = {"update": "update(key, value)"}
    if name not in INDEXED:
        changes["delete_insert"] = "delete(key); update(key, value)"
    keys = [key for key in keys if _has_next(live, key)]
    names: dict[str, object] = {
        "keys": keys,
        "value": bytes(live.user_value_size),
        "lookup": live.lookup,
        "update": live.update,
        "delete": live.delete,
        "next_key": live.next_key,
    }
    times: dict[str, float] = {}
    # Changes come last: they may make another key the one that has no next.
    for bodies in (reads, changes):
        statements = {name: f"for key in keys: {body}" for name, body in bodies.items()}
        taken = interleaved(statements, names, plan)
        times |= {name: time / len(keys) for name, time in taken.items()}
    return times


def _has_next(live: ebpfd_vm.Map, key: bytes) -> bool:
    """Whether *key* is not the last one."""
    try:
        live.next_key(key)
    except ebpfd_vm.EngineError:
        return False
    return True


def _on_two(live: ebpfd_vm.Map, keys: Sequence[bytes]) -> dict[str, float]:
    """Wall nanoseconds of an operation while another thread does the same."""
    value = bytes(live.user_value_size)

    def lookups() -> None:
        for key in keys:
            live.lookup(key)

    def updates() -> None:
        for key in keys:
            live.update(key, value)

    return {"lookup": _together(lookups) / len(keys), "update": _together(updates) / len(keys)}


def _together(work: Callable[[], None]) -> float:
    """Wall nanoseconds until two threads have both done *work*, per thread."""
    threads = [threading.Thread(target=work) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - began) * 1e9
