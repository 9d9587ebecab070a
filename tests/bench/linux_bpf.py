"""The system call ``bpf``: maps and programs of the kernel, where they are permitted.

Objects come from the engine's loader; the kernel sees the same instructions with the numbers of
its own maps in them.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import ebpfd_vm

_BPF: Final = {"x86_64": 321, "aarch64": 280}
_CAPGET: Final = {"x86_64": 125, "aarch64": 90}
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _MAP_FREEZE = 0, 2, 5, 22
_XDP: Final = 6
_LDDW: Final = 0x18
_MAP_KINDS: Final = {1, 2}
"""``src`` of a ``lddw`` that names a map, or the value of a map, by the map's file descriptor."""
_READ_ONLY: Final = 1 << 7
_CAPABILITIES_3: Final = 0x20080522
_SYS_ADMIN, _PERFMON = 21, 38


class RefusedError(Exception):
    """The kernel does not let us, or refuses a program."""


def address(of: "ctypes.Array[ctypes.c_char]") -> int:
    """Where a buffer lies."""
    return ctypes.addressof(of)


class Kernel:
    """The system call ``bpf``."""

    def __init__(self) -> None:
        self._number = _BPF.get(platform.machine())
        self._call = ctypes.CDLL(None, use_errno=True).syscall

    def bpf(self, command: int, attributes: bytes) -> tuple[int, bytes]:
        """The call's result, and its attributes as the kernel left them."""
        if self._number is None:
            raise RefusedError(f"the number of bpf() on {platform.machine()} is not known")
        block = ctypes.create_string_buffer(attributes, 128)
        result = self._call(self._number, command, block, 128)
        if result < 0:
            code = ctypes.get_errno()
            raise RefusedError(f"bpf({command}): {errno.errorcode.get(code, code)}")
        return result, block.raw

    def map(self, spec: ebpfd_vm.MapSpec) -> int:
        """A new map; constants are written and frozen, so that the verifier reads them."""
        flags = _READ_ONLY if spec.read_only else 0
        shape = (spec.type, spec.key_size, spec.value_size, spec.max_entries, flags)
        file, _ = self.bpf(_MAP_CREATE, struct.pack("<IIIII", *shape))
        if spec.initial is not None:
            self.update(file, bytes(spec.key_size), spec.initial)
        if spec.read_only:
            self.bpf(_MAP_FREEZE, struct.pack("<I", file))
        return file

    def update(self, file: int, key: bytes, value: bytes) -> None:
        """Put *value* under *key*."""
        keys = ctypes.create_string_buffer(key, len(key))
        values = ctypes.create_string_buffer(value, len(value))
        self.bpf(_MAP_UPDATE, struct.pack("<IIQQQ", file, 0, address(keys), address(values), 0))

    @contextmanager
    def maps(self, specs: Sequence[ebpfd_vm.MapSpec]) -> Generator[list[int]]:
        """Maps for all specs of an object, open for as long as the block."""
        with ExitStack() as opened:
            files: list[int] = []
            for spec in specs:
                files.append(self.map(spec))
                opened.callback(os.close, files[-1])
            yield files

    def load(self, code: bytes, log: "ctypes.Array[ctypes.c_char] | None" = None) -> int:
        """Load an XDP program; a *log* gets what the verifier counted."""
        block = ctypes.create_string_buffer(code, len(code))
        text = ctypes.create_string_buffer(b"GPL")
        attributes = struct.pack("<IIQQ", _XDP, len(code) // 8, address(block), address(text))
        if log is not None:
            attributes += struct.pack("<IIQ", LOG_STATISTICS, len(log), address(log))
        program, _ = self.bpf(_PROG_LOAD, attributes)
        return program


LOG_STATISTICS: Final = 4
"""A ``log_level``: the reason of a refusal, and counts of the verifier's work."""


def with_maps(code: bytes, files: Sequence[int]) -> bytes:
    """*code* with file descriptors in the place of indices into the object's maps."""
    changed = bytearray(code)
    at = 0
    while at < len(changed):
        wide = changed[at] == _LDDW
        if wide and changed[at + 1] >> 4 in _MAP_KINDS:
            (index,) = struct.unpack_from("<i", changed, at + 4)
            struct.pack_into("<i", changed, at + 4, files[index])
        at += 16 if wide else 8
    return bytes(changed)


@dataclass(frozen=True, slots=True)
class _Capabilities:
    """Effective, permitted and inheritable sets, each of 64 bits."""

    effective: int
    permitted: int
    inheritable: int


@contextmanager
def without_perfmon() -> Generator[None]:
    """As a user who may load programs but not see addresses: this thread lacks CAP_PERFMON.

    The kernel is stricter then: no pointer may leave a program, no byte be read that was not
    written.
    """
    get = _CAPGET.get(platform.machine())
    if get is None:
        raise RefusedError(f"the number of capget() on {platform.machine()} is not known")
    before = _capabilities(get)
    hidden = 1 << _SYS_ADMIN | 1 << _PERFMON
    _set_effective(get + 1, before, before.effective & ~hidden)
    try:
        yield
    finally:
        _set_effective(get + 1, before, before.effective)


def _capabilities(number: int) -> _Capabilities:
    head = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITIES_3, 0), 8)
    data = ctypes.create_string_buffer(24)
    _system(number, head, data)
    low, high = struct.iter_unpack("<III", data.raw)
    return _Capabilities(*(a | b << 32 for a, b in zip(low, high, strict=True)))


def _set_effective(number: int, held: _Capabilities, effective: int) -> None:
    head = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITIES_3, 0), 8)
    sets = (effective, held.permitted, held.inheritable)
    halves = [part >> shift & 0xFFFF_FFFF for shift in (0, 32) for part in sets]
    _system(number, head, ctypes.create_string_buffer(struct.pack("<6I", *halves), 24))


def _system(number: int, *arguments: "ctypes.Array[ctypes.c_char]") -> None:
    if ctypes.CDLL(None, use_errno=True).syscall(number, *arguments) != 0:
        code = ctypes.get_errno()
        raise RefusedError(f"capabilities: {errno.errorcode.get(code, code)}")
