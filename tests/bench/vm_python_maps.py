"""What an operation on a map with keys costs a caller in Python, on one thread and on two."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import ebpfd_vm
from tests.bench.vm_python import Plan, Row, interleaved, program

TYPES: Final = {
    "HASH": 1,
    "ARRAY": 2,
    "PROG_ARRAY": 3,
    "PERCPU_HASH": 4,
    "PERCPU_ARRAY": 5,
    "HASH_OF_MAPS": 6,
    "ARRAY_OF_MAPS": 7,
    "LRU_HASH": 8,
    "LPM_TRIE": 9,
    "LRU_PERCPU_HASH": 11,
}
"""Types with keys: 4 bytes, before which those of LPM_TRIE have a length in bits."""
INDEXED: Final = frozenset({"ARRAY", "PROG_ARRAY", "PERCPU_ARRAY", "ARRAY_OF_MAPS"})
FIXED: Final = frozenset({"ARRAY", "PERCPU_ARRAY"})
"""Types whose entries never go."""
OF_MAPS: Final = frozenset({"HASH_OF_MAPS", "ARRAY_OF_MAPS"})
INNER: Final = (2, 4, 8, 1)
"""What all maps in maps are: arrays with one value."""
SIZES: Final = (1 << 10, 1 << 16, 1 << 20)
SPREAD: Final = 0x9E3779B1
"""What spreads numbers over the 32 bits of a key; odd, so that no two meet."""
SAMPLE: Final = 20_000
"""Keys of a map that are used, drawn at random from all of them."""

Put: TypeAlias = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class _Subject:
    """A live map, and how an entry comes into it."""

    name: str
    live: ebpfd_vm.Map
    update: Callable[..., None]
    value: bytes | ebpfd_vm.Map | ebpfd_vm.Program
    call: str
    """The update of a key, as a statement."""

    @classmethod
    def of(cls, name: str, entries: int, verdict: Path) -> "_Subject":
        """An empty map; maps and programs are put into it with the number 1."""
        template = INNER if name in OF_MAPS else None
        size = 4 if name in OF_MAPS or name == "PROG_ARRAY" else 8
        live = ebpfd_vm.Map(TYPES[name], len(_key(name, 0)), size, entries, inner=template)
        if name in OF_MAPS:
            return cls(name, live, live.set_map, ebpfd_vm.Map(*INNER), "update(key, value, 1)")
        if name == "PROG_ARRAY":
            return cls(name, live, live.set_program, program(verdict), "update(key, value, 1)")
        return cls(name, live, live.update, bytes(live.user_value_size), "update(key, value)")

    def put(self) -> Put:
        """A function that updates one key."""
        update, value = self.update, self.value
        if isinstance(value, bytes):
            return lambda key: update(key, value)
        return lambda key: update(key, value, 1)


def maps(verdict: Path, plan: Plan, *, quick: bool) -> list[Row]:
    """Operations on maps, on one thread and on two; a quick run leaves out the largest."""
    rows: list[Row] = []
    for name in TYPES:
        for entries in SIZES[:2] if quick else SIZES:
            try:
                subject = _Subject.of(name, entries, verdict)
            except ebpfd_vm.EngineError as refused:
                rows.append(row(name, reason=str(refused)))
                break
            keys = [_key(name, index) for index in range(entries)]
            put = subject.put()
            for key in keys:
                put(key)
            random.Random(entries).shuffle(keys)
            some = keys[:SAMPLE]
            alone, both = _operations(subject, some, plan), _on_two(subject, some)
            rows += [
                row(name, entries=entries, source="python", ns=alone),
                row(name, entries=entries, source="python, two threads", ns=both),
            ]
    return rows


def row(name: str, *, source: str = "python", **more: object) -> Row:
    """One row of the table of map prices."""
    return {"table": "maps", "type": name, "from": source} | more


def _key(name: str, index: int) -> bytes:
    number = index if name in INDEXED else index * SPREAD & 0xFFFFFFFF
    whole = number.to_bytes(4, "little")
    return (32).to_bytes(4, "little") + whole if name == "LPM_TRIE" else whole


def _operations(subject: _Subject, keys: Sequence[bytes], plan: Plan) -> dict[str, float]:
    """Nanoseconds of each operation, the loop over the keys among them."""
    live = subject.live
    reads = {"loop": "pass", "lookup": "lookup(key)", "next_key": "next_key(key)"}
    changes = {"update": subject.call}
    if subject.name not in FIXED:
        changes["delete_insert"] = f"delete(key); {subject.call}"
    keys = [key for key in keys if _has_next(live, key)]
    names: dict[str, object] = {
        "keys": keys,
        "value": subject.value,
        "lookup": live.lookup,
        "update": subject.update,
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


def _on_two(subject: _Subject, keys: Sequence[bytes]) -> dict[str, float]:
    """Wall nanoseconds of an operation while another thread does the same."""
    lookup, put = subject.live.lookup, subject.put()

    def lookups() -> None:
        for key in keys:
            lookup(key)

    def updates() -> None:
        for key in keys:
            put(key)

    return {"lookup": together(lookups) / len(keys), "update": together(updates) / len(keys)}


def together(work: Callable[[], None]) -> float:
    """Wall nanoseconds until two threads have both done *work*, per thread."""
    threads = [threading.Thread(target=work) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - began) * 1e9
