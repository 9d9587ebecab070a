"""The NTSTATUS values that NMR speaks; a module may answer with any other, which counts as failure.

Numbers are those of Windows, so they travel unchanged; only ``SUCCESS`` means success.
"""

from enum import IntEnum


class Status(IntEnum):
    """The status codes that the registrar itself or the modules of eBPF for Windows use."""

    SUCCESS = 0x00000000
    PENDING = 0x00000103
    INVALID_PARAMETER = 0xC000000D
    NO_MEMORY = 0xC0000017
    ACCESS_DENIED = 0xC0000022
    INSUFFICIENT_RESOURCES = 0xC000009A
    DEVICE_NOT_READY = 0xC00000A3
    NOT_SUPPORTED = 0xC00000BB
    INVALID_DEVICE_STATE = 0xC0000184
    NOINTERFACE = 0xC00002B9
