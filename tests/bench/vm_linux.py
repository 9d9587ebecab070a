"""The kernel's own executor on the same programs, where ``bpf()`` is permitted.

Programs run as XDP programs through ``BPF_PROG_TEST_RUN``.  With many repetitions the system
call also waits, so thread CPU time is taken, less that of a call with two repetitions.
"""

import ctypes
import errno
import os
import platform
import statistics
import struct
import time
from pathlib import Path
from typing import Final

import ebpfd_vm

_SYSCALL: Final = {"x86_64": 321, "aarch64": 280}
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _TEST_RUN = 0, 2, 5, 10
_XDP: Final = 6
_MAP: Final = 1
"""``src`` of a ``lddw`` that names a map by its file descriptor."""
_FILL: Final = {"map0_array": (64, 1), "map1_hash": (1024, 3)}
_SAMPLES: Final = 7


class RefusedError(Exception):
    """The kernel does not let us, or refuses a program."""


class _Kernel:
    """The system call ``bpf``."""

    def __init__(self) -> None:
        self._number = _SYSCALL.get(platform.machine())
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


def _address(of: "ctypes.Array[ctypes.c_char]") -> int:
    return ctypes.addressof(of)


def programs(folder: Path, *, quick: bool) -> dict[str, float]:
    """Nanoseconds of a run, by program; `RefusedError` if there can be none at all."""
    kernel = _Kernel()
    packet = (folder / "packet.bin").read_bytes()
    times: dict[str, float] = {}
    for path in sorted((folder / "kernel").glob("*.o")):
        files: list[int] = []
        try:
            loaded = _load(kernel, path.read_bytes(), files)
            times[path.stem] = _time(kernel, loaded, packet, 2e6 if quick else 16e6)
        finally:
            for file in files:
                os.close(file)
    return times


def _load(kernel: _Kernel, data: bytes, files: list[int]) -> int:
    """The program's file descriptor; what is opened goes to *files*."""
    parsed = ebpfd_vm.parse_object(data)
    # One by one, so that those that were opened are closed if one is refused.
    for spec in parsed.maps:
        files += [_map(kernel, spec)]
    code = bytearray(parsed.programs[0].instructions)
    at = 0
    while at < len(code):
        wide = code[at] == 0x18
        if wide and code[at + 1] >> 4 == _MAP:
            (index,) = struct.unpack_from("<i", code, at + 4)
            struct.pack_into("<i", code, at + 4, files[index])
        at += 16 if wide else 8
    block = ctypes.create_string_buffer(bytes(code), len(code))
    text = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack("<IIQQ", _XDP, len(code) // 8, _address(block), _address(text))
    program, _ = kernel.bpf(_PROG_LOAD, attributes)
    files.append(program)
    return program


def _map(kernel: _Kernel, spec: ebpfd_vm.MapSpec) -> int:
    """A map with the same contents as everybody's."""
    shape = (spec.type, spec.key_size, spec.value_size, spec.max_entries)
    file, _ = kernel.bpf(_MAP_CREATE, struct.pack("<IIII", *shape))
    entries, factor = _FILL[spec.name]
    for number in range(entries):
        key = ctypes.create_string_buffer(number.to_bytes(4, "little"), 4)
        value = ctypes.create_string_buffer((number * factor).to_bytes(8, "little"), 8)
        kernel.bpf(_MAP_UPDATE, struct.pack("<IIQQQ", file, 0, _address(key), _address(value), 0))
    return file


def _time(kernel: _Kernel, program: int, packet: bytes, target_ns: float) -> float:
    """Nanoseconds of one run."""
    data = ctypes.create_string_buffer(packet, len(packet))

    def run(repeat: int) -> float:
        head = struct.pack("<IIIIQQI", program, 0, len(packet), 0, _address(data), 0, repeat)
        began = time.thread_time_ns()
        kernel.bpf(_TEST_RUN, head)
        return float(time.thread_time_ns() - began)

    fixed = statistics.median(run(2) for _ in range(5))
    repeat = 64
    while (taken := run(repeat) - fixed) < target_ns / 8:
        repeat *= 4
    repeat = max(2, int(repeat * target_ns / taken))
    return statistics.median((run(repeat) - fixed) / repeat for _ in range(_SAMPLES))
