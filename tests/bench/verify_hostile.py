"""Small programs that are hard to judge, made of instruction bytes.

Most are of the kind that once took a verifier seconds, gigabytes or its stack.  Each is safe to
run and ends; what is asked of a judge is that it decides, quickly and in little memory.  The same
bytes serve every program type: nothing but registers, stack and calls.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import ebpfd_vm
from tests.conformance.elf import object_file

_MOV, _ADD, _MUL, _AND, _XOR, _RSH = 0xB7, 0x07, 0x27, 0x57, 0xA7, 0x77
_ADD_X, _MOV_X, _XOR_X = 0x0F, 0xBF, 0xAF
_JA, _JEQ, _JLT, _JSLT, _JNE = 0x05, 0x15, 0xA5, 0xC5, 0x55
_STORE, _LOAD, _CALL, _EXIT = 0x7B, 0x79, 0x85, 0x95
_LOCAL: Final = 1
"""``src`` of a call of a function of the same program."""
_FRAME: Final = 10
_WORD: Final = 0x61
_STACK_SLOTS: Final = 64


def _slot(opcode: int, dst: int = 0, src: int = 0, offset: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", opcode, src << 4 | dst, offset, imm)


_END: Final = _slot(_EXIT)


@dataclass(frozen=True, slots=True)
class Hostile:
    """A program, and the slots where its functions begin."""

    name: str
    code: bytes
    functions: tuple[int, ...] = (0,)
    slow: bool = False
    """Whether even Linux takes most of a minute."""

    def salted(self, salt: int) -> "Hostile":
        """The same behind an instruction that makes it another program for each *salt*."""
        first = _slot(_MOV, 9, imm=salt)
        functions = (0, *(start + 1 for start in self.functions[1:]))
        return replace(self, code=first + self.code, functions=functions)

    def object_file(self) -> bytes:
        """The program as an object, which has no maps."""
        return object_file(self.code, self.functions)

    def parsed(self) -> ebpfd_vm.Object:
        """The object, parsed."""
        return ebpfd_vm.parse_object(self.object_file())


def programs(*, number_at: int) -> Iterator[Hostile]:
    """All of them; the context has 32 bits from outside at *number_at*."""
    number = _slot(_WORD, 6, 1, number_at)
    yield Hostile("straight_4000", _straight(4_000, number))
    yield Hostile("straight_60000", _straight(60_000, number))
    yield Hostile("jumps_10000", _jumps(10_000))
    yield Hostile("branches_1000", _branches(1_000, number))
    yield Hostile("branches_kept_30", _branches_kept(30, number))
    yield Hostile("slots_kept_30", _slots_kept(30, number))
    yield Hostile("nested_12", _nested(12))
    yield Hostile("nested_1000", _nested(1_000))
    yield Hostile("nested_apart_8", _nested_apart(8))
    yield Hostile("loops_1000", _loops(1_000))
    yield Hostile("open_exit_100000", _open_exit(100_000, number))
    yield Hostile("walk_1000000", _walk(1_000_000))
    yield Hostile("two_heads_500", _two_heads(500, number))
    yield Hostile("spilled_512", _spilled(200, number))
    for levels in (4, 5, 7):
        code, functions = _calls(levels, 8)
        yield Hostile(f"calls_8_at_{levels}", code, functions, slow=levels > 5)


def bombs(*, number_at: int) -> Iterator[Hostile]:
    """Those that took the second judge minutes, gigabytes or its stack."""
    number = _slot(_WORD, 6, 1, number_at)
    yield Hostile("nested_12", _nested(12))
    yield Hostile("nested_1000", _nested(1_000))
    yield Hostile("straight_16000", _straight(16_000, number))
    yield Hostile("branches_4000", _branches(4_000, number))
    code, functions = _calls(7, 8)
    yield Hostile("calls_8_at_7", code, functions, slow=True)


def _straight(count: int, number: bytes) -> bytes:
    """Arithmetic on five registers, whose values nobody can know."""
    start = [number, *(_slot(_MOV_X, register, 6) for register in range(5))]
    step = (_ADD, _XOR, _ADD_X, _XOR_X, _RSH)
    body: list[bytes] = []
    for at in range(count - len(start) - 1):
        opcode, dst, src = step[at % 5], at % 5, (at + 2) % 5
        uses_register = opcode in {_ADD_X, _XOR_X}
        body.append(_slot(opcode, dst, src if uses_register else 0, imm=0 if uses_register else 3))
    return b"".join([*start, *body, _END])


def _jumps(count: int) -> bytes:
    """Each instruction is a jump to the next one."""
    return b"".join([_slot(_MOV, 0), *[_slot(_JA)] * count, _END])


def _branches(count: int, number: bytes) -> bytes:
    """Diamonds in a row: the paths double at each, unless they are seen to be alike."""
    diamond = [_slot(_MUL, 6, imm=69069), _slot(_JSLT, 6, offset=1, imm=7), _slot(_ADD, 0, imm=1)]
    return b"".join([number, _slot(_MOV, 0), *diamond * count, _END])


def _branches_kept(count: int, number: bytes) -> bytes:
    """Diamonds that leave another bit each in a number, which decides a branch at the end."""
    body = [
        part
        for bit in range(count)
        for part in (
            _slot(_MOV_X, 2, 6),
            _slot(_RSH, 2, imm=bit),
            _slot(_AND, 2, imm=1),
            _slot(_JEQ, 2, offset=1),
            _slot(_ADD, 7, imm=1 << bit),
        )
    ]
    last = [_slot(_MOV, 0), _slot(_JNE, 7, offset=1, imm=77), _slot(_MOV, 0, imm=1), _END]
    return b"".join([number, _slot(_MOV, 7), *body, *last])


def _slots_kept(count: int, number: bytes) -> bytes:
    """The same, with a stack slot for each."""
    body = [
        part
        for at in range(count)
        for part in (
            _slot(_MOV, 3),
            _slot(_MOV_X, 2, 6),
            _slot(_RSH, 2, imm=at),
            _slot(_AND, 2, imm=1),
            _slot(_JEQ, 2, offset=1),
            _slot(_MOV, 3, imm=1),
            _slot(_STORE, _FRAME, 3, -8 * (at + 1)),
        )
    ]
    used = [
        part
        for at in range(count)
        for part in (
            _slot(_LOAD, 3, _FRAME, -8 * (at + 1)),
            _slot(_JEQ, 3, offset=1),
            _slot(_ADD, 0, imm=1),
        )
    ]
    return b"".join([number, _slot(_MOV, 0), *body, *used, _END])


def _nested(levels: int) -> bytes:
    """Loops inside of loops, which share one counter."""
    heads = [_slot(_ADD, 0, imm=1)] * levels
    tails = [
        _slot(_JLT, 0, offset=-2 * (level + 1), imm=levels + 100 * (level + 1))
        for level in range(levels)
    ]
    return b"".join([_slot(_MOV, 0), *heads, *tails, _END])


def _nested_apart(levels: int) -> bytes:
    """Loops inside of loops, each with a counter on the stack and four rounds: 4 ** levels."""
    heads = [
        part
        for level in range(levels)
        for part in (_slot(_MOV, 2), _slot(_STORE, _FRAME, 2, -8 * (level + 1)))
    ]
    code = [_slot(_MOV, 0), *heads]
    body_of = {level: 1 + 2 * (level + 1) for level in range(levels)}
    code.append(_slot(_ADD, 0, imm=1))
    for level in reversed(range(levels)):
        slot = -8 * (level + 1)
        code += [
            _slot(_LOAD, 2, _FRAME, slot),
            _slot(_ADD, 2, imm=1),
            _slot(_STORE, _FRAME, 2, slot),
        ]
        code.append(_slot(_JLT, 2, offset=body_of[level] - len(code) - 1, imm=4))
    return b"".join([*code, _END])


def _loops(count: int) -> bytes:
    """Loops one behind the other."""
    loop = [_slot(_MOV, 2), _slot(_ADD, 0, imm=1), _slot(_ADD, 2, imm=1), _slot(_JLT, 2, 0, -3, 50)]
    return b"".join([_slot(_MOV, 0), *loop * count, _END])


def _open_exit(rounds: int, number: bytes) -> bytes:
    """A loop with an exit that nobody can decide: each round leaves a path open."""
    body = [_slot(_ADD, 0, imm=1), _slot(_JEQ, 6, offset=2, imm=9), _slot(_ADD, 6, imm=7)]
    back = _slot(_JLT, 0, offset=-4, imm=rounds)
    return b"".join([number, _slot(_MOV, 0), *body, back, _END])


def _walk(rounds: int) -> bytes:
    """A counted loop, as long as the budget of an invocation allows."""
    rounds = rounds // 2 - 4
    return b"".join([_slot(_MOV, 0), _slot(_ADD, 0, imm=1), _slot(_JLT, 0, 0, -2, rounds), _END])


def _two_heads(pairs: int, number: bytes) -> bytes:
    """Cycles with two ways in, one behind the other: no loop has a head of its own."""
    cycle = [
        _slot(_MOV, 2),
        _slot(_JEQ, 6, offset=1, imm=1),
        _slot(_ADD, 0, imm=1),
        _slot(_ADD, 2, imm=1),
        _slot(_JLT, 2, offset=-3, imm=5),
    ]
    return b"".join([number, _slot(_MOV, 0), *cycle * pairs, _END])


def _spilled(diamonds: int, number: bytes) -> bytes:
    """A full stack of unknown numbers, carried through a row of diamonds."""
    fill = [
        part
        for at in range(_STACK_SLOTS)
        for part in (_slot(_ADD, 6, imm=3), _slot(_STORE, _FRAME, 6, -8 * (at + 1)))
    ]
    body = [
        part
        for at in range(diamonds)
        for part in (
            _slot(_LOAD, 2, _FRAME, -8 * (at % _STACK_SLOTS + 1)),
            _slot(_JSLT, 2, offset=2, imm=at),
            _slot(_ADD, 2, imm=1),
            _slot(_STORE, _FRAME, 2, -8 * ((at * 7) % _STACK_SLOTS + 1)),
        )
    ]
    return b"".join([number, *fill, *body, _slot(_MOV, 0), _END])


def _calls(levels: int, fan_out: int) -> tuple[bytes, tuple[int, ...]]:
    """Functions that call the next one several times each: the calls multiply level by level."""
    leaf = [_slot(_MOV, 0, imm=1), _END]
    size = fan_out + 1
    starts = [level * size for level in range(levels + 1)]
    code: list[bytes] = []
    for level in range(levels):
        target = starts[level + 1]
        for _ in range(fan_out):
            code.append(_slot(_CALL, 0, _LOCAL, 0, target - len(code) - 1))
        code.append(_END)
    code += leaf
    return b"".join(code), tuple(starts)
