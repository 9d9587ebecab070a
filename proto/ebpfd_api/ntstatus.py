"""NTSTATUS: what the calls and callbacks of NMR return."""

from enum import IntEnum


class NtStatus(IntEnum):
    """The values that NMR and its modules use in eBPF for Windows."""

    SUCCESS = 0x0
    PENDING = 0x103
    INVALID_PARAMETER = 0xC000000D
    NO_MEMORY = 0xC0000017
    ACCESS_DENIED = 0xC0000022
    INSUFFICIENT_RESOURCES = 0xC000009A
    DEVICE_NOT_READY = 0xC00000A3
    IO_TIMEOUT = 0xC00000B5
    """Not of NMR, which waits for ever: a callback did not return in time."""

    NOT_SUPPORTED = 0xC00000BB
    INVALID_DEVICE_STATE = 0xC0000184
    NOINTERFACE = 0xC00002B9


def ntstatus_name(status: int) -> str:
    """The name of *status*, or its number if we have no name for it."""
    return NtStatus(status).name if status in NtStatus._value2member_map_ else f"status {status:#x}"
