"""Every kind of map against a model of dicts and deques, error codes included."""

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import ebpfd_vm

SUCCESS: Final = 0
INVALID_ARGUMENT: Final = 6
OBJECT_NOT_FOUND: Final = 7
ALREADY_EXISTS: Final = 8
NO_MEMORY: Final = 12
KEY_NOT_FOUND: Final = 19
NO_MORE_KEYS: Final = 25
OUT_OF_SPACE: Final = 29

HASH: Final = 1
ARRAY: Final = 2
PERCPU_HASH: Final = 4
LRU_HASH: Final = 8
LPM_TRIE: Final = 9
QUEUE: Final = 10
STACK: Final = 12
RINGBUF: Final = 13

ENTRIES: Final = 5
KEYS: Final = st.integers(0, 11).map(lambda number: number.to_bytes(4, "little"))
VALUES: Final = st.binary(min_size=6, max_size=6)
FLAGS: Final = st.integers(0, 3)
BOUNDED: Final = settings(max_examples=40, stateful_step_count=40, deadline=None)


def code(call: Callable[[], object]) -> int:
    """The result code of a call that may fail."""
    try:
        call()
    except ebpfd_vm.EngineError as error:
        return error.code
    return SUCCESS


def walk(live: ebpfd_vm.Map) -> dict[bytes, bytes]:
    """All entries, found key by key; each key comes once."""
    found: dict[bytes, bytes] = {}
    key: bytes | None = None
    while (end := code(partial(live.next_key, key))) == SUCCESS:
        key = live.next_key(key)
        assert key not in found
        found[key] = live.lookup(key)
    assert end == NO_MORE_KEYS
    return found


class Keyed(RuleBasedStateMachine):
    """Maps whose entries come and go: a dict, in order of use."""

    map_type = HASH
    live: ebpfd_vm.Map

    def __init__(self) -> None:
        super().__init__()
        self.live = ebpfd_vm.Map(self.map_type, 4, 6, ENTRIES)
        self.model: OrderedDict[bytes, bytes] = OrderedDict()

    def whole(self, value: bytes) -> bytes:
        """The value as users have it: one, or one for each lane."""
        if self.live.user_value_size == self.live.value_size:
            return value
        return (value + b"\0\0") * ebpfd_vm.lane_count()

    def update_code(self, key: bytes, flags: int) -> int:
        """What an update must say, judged before it changes anything."""
        if flags > 2:
            return INVALID_ARGUMENT
        if flags == 1 and key in self.model:
            return ALREADY_EXISTS
        return KEY_NOT_FOUND if flags == 2 and key not in self.model else SUCCESS

    def write(self, key: bytes, value: bytes) -> None:
        """Put into the model; a full LRU_HASH gives up what was written first."""
        if self.map_type == LRU_HASH and key not in self.model and len(self.model) == ENTRIES:
            self.model.popitem(last=False)
        self.model[key] = value
        self.model.move_to_end(key)

    @rule(key=KEYS, value=VALUES, flags=FLAGS)
    def update(self, key: bytes, value: bytes, flags: int) -> None:
        """Flags decide by what is there."""
        expected = self.update_code(key, flags)
        assert code(lambda: self.live.update(key, self.whole(value), flags)) == expected
        if expected == SUCCESS:
            self.write(key, self.whole(value))

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        """Only what is there can go."""
        expected = SUCCESS if self.model.pop(key, None) is not None else KEY_NOT_FOUND
        assert code(lambda: self.live.delete(key)) == expected

    @rule(key=KEYS)
    def take(self, key: bytes) -> None:
        """Look up and delete at once."""
        value = self.model.pop(key, None)
        if value is None:
            assert code(lambda: self.live.take(key)) == OBJECT_NOT_FOUND
        else:
            assert self.live.take(key) == value

    @rule(key=KEYS)
    def lookup(self, key: bytes) -> None:
        """Looking changes nothing, nor does it count as use."""
        if key in self.model:
            assert self.live.lookup(key) == self.model[key]
        else:
            assert code(lambda: self.live.lookup(key)) == OBJECT_NOT_FOUND

    @rule(limit=st.integers(1, 4))
    def take_some(self, limit: int) -> None:
        """A batch removes what it returns."""
        taken = self.live.take_entries(None, limit)
        assert len(taken) == min(limit, len(self.model))
        for key, value in taken:
            assert self.model.pop(key) == value

    @invariant()
    def same(self) -> None:
        """Walks, pages and the count agree with the model."""
        assert walk(self.live) == self.model
        assert dict(self.live.entries(None, 100)) == self.model
        assert self.live.count == len(self.model)


class PerCpu(Keyed):
    """A hash map with a value for each lane."""

    map_type = PERCPU_HASH


class Lru(Keyed):
    """A full map gives up the entry that was written first."""

    map_type = LRU_HASH


class Trie(RuleBasedStateMachine):
    """Prefixes of two bytes: a dict of cut-off prefixes."""

    PREFIXES: Final = st.tuples(
        st.integers(0, 18), st.sampled_from([b"\0\0", b"\xff\xff", b"\xaa\x00", b"\xaa\x55"])
    )

    def __init__(self) -> None:
        super().__init__()
        self.live = ebpfd_vm.Map(LPM_TRIE, 6, 6, ENTRIES)
        self.model: dict[tuple[int, int], bytes] = {}

    @staticmethod
    def cut(bits: int, data: bytes) -> tuple[int, int]:
        """A prefix without what stands behind it."""
        return bits, int.from_bytes(data, "big") >> (16 - bits)

    @staticmethod
    def key(bits: int, data: bytes) -> bytes:
        """A prefix as the map takes it."""
        return bits.to_bytes(4, "little") + data

    @rule(prefix=PREFIXES, value=VALUES)
    def update(self, prefix: tuple[int, bytes], value: bytes) -> None:
        """A prefix longer than the data is refused."""
        expected = INVALID_ARGUMENT if prefix[0] > 16 else SUCCESS
        assert code(lambda: self.live.update(self.key(*prefix), value)) == expected
        if expected == SUCCESS:
            self.model[self.cut(*prefix)] = value

    @rule(prefix=PREFIXES)
    def delete(self, prefix: tuple[int, bytes]) -> None:
        """Only the exact prefix goes."""
        if prefix[0] > 16:
            expected = INVALID_ARGUMENT
        else:
            there = self.model.pop(self.cut(*prefix), None) is not None
            expected = SUCCESS if there else KEY_NOT_FOUND
        assert code(lambda: self.live.delete(self.key(*prefix))) == expected

    @rule(prefix=PREFIXES)
    def lookup(self, prefix: tuple[int, bytes]) -> None:
        """The longest prefix that is not longer than asked for."""
        lengths = range(min(prefix[0], 16), -1, -1)
        cuts = (self.cut(bits, prefix[1]) for bits in lengths)
        found = next((self.model[cut] for cut in cuts if cut in self.model), None)
        if found is None:
            assert code(lambda: self.live.lookup(self.key(*prefix))) == KEY_NOT_FOUND
        else:
            assert self.live.lookup(self.key(*prefix)) == found

    @invariant()
    def same(self) -> None:
        """Every prefix is met once."""
        assert len(walk(self.live)) == len(self.model) == self.live.count


class Queue(RuleBasedStateMachine):
    """Values first in, first out: a deque."""

    map_type = QUEUE

    def __init__(self) -> None:
        super().__init__()
        self.live = ebpfd_vm.Map(self.map_type, 0, 6, ENTRIES)
        self.model: deque[bytes] = deque()

    @rule(value=VALUES, flags=st.integers(0, 5))
    def push(self, value: bytes, flags: int) -> None:
        """A full map refuses, or gives up its oldest value if told so."""
        full = len(self.model) == ENTRIES
        expected = OUT_OF_SPACE if full and not flags & 2 else SUCCESS
        assert code(lambda: self.live.push(value, flags)) == expected
        if expected == SUCCESS:
            if full:
                self.model.popleft()
            self.model.append(value)

    @rule()
    def pop(self) -> None:
        """The next value leaves the map, if there is one."""
        if not self.model:
            assert code(self.live.pop) == code(self.live.peek) == OBJECT_NOT_FOUND
            return
        value = self.model.popleft() if self.map_type == QUEUE else self.model.pop()
        assert self.live.peek() == value
        assert self.live.pop() == value

    @invariant()
    def same(self) -> None:
        """The count is that of the model."""
        assert self.live.count == len(self.model)


class Stack(Queue):
    """Values last in, first out."""

    map_type = STACK


class Ring(RuleBasedStateMachine):
    """Records in order, in a ring of a page: a deque and what room is left."""

    SIZE: Final = 4096

    def __init__(self) -> None:
        super().__init__()
        self.live = ebpfd_vm.Map(RINGBUF, 0, 0, self.SIZE)
        self.model: deque[bytes] = deque()
        self.lost = 0

    @staticmethod
    def taken(data: bytes) -> int:
        """Bytes that a record takes with its header and padding."""
        return (8 + len(data) + 7) // 8 * 8

    @rule(size=st.sampled_from([0, 1, 7, 8, 9, 700, 1500, 4088, 4089]), byte=st.integers(0, 255))
    def write(self, size: int, byte: int) -> None:
        """A record has a length that fits, and then needs room."""
        data = bytes([byte]) * size
        used = sum(map(self.taken, self.model))
        if not 1 <= size <= self.SIZE - 8:
            expected = INVALID_ARGUMENT
        elif used + self.taken(data) > self.SIZE:
            expected = NO_MEMORY
            self.lost += 1
        else:
            expected = SUCCESS
            self.model.append(data)
        assert code(lambda: self.live.write(data)) == expected

    @rule(limit=st.integers(0, 4))
    def read(self, limit: int) -> None:
        """Records come once, in order, no more than asked for."""
        records, lost = self.live.read(limit, 1 << 20)
        expected = [self.model.popleft() for _ in range(min(limit, len(self.model)))]
        assert [data for _, data in records] == expected
        assert lost == [self.lost]
        assert self.live.arm() is (not self.model)


for _machine in (Keyed, PerCpu, Lru, Trie, Queue, Stack, Ring):
    _machine.TestCase.settings = BOUNDED

TestKeyed = Keyed.TestCase
TestPerCpu = PerCpu.TestCase
TestLru = Lru.TestCase
TestTrie = Trie.TestCase
TestQueue = Queue.TestCase
TestStack = Stack.TestCase
TestRing = Ring.TestCase
