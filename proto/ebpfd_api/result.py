"""``ebpf_result``: what an operation came to, numbered as in eBPF for Windows."""

from enum import IntEnum


class Result(IntEnum):
    """Result codes; a helper returns them negated to a program."""

    SUCCESS = 0
    VERIFICATION_FAILED = 1
    JIT_COMPILATION_FAILED = 2
    PROGRAM_LOAD_FAILED = 3
    INVALID_FD = 4
    INVALID_OBJECT = 5
    INVALID_ARGUMENT = 6
    OBJECT_NOT_FOUND = 7
    OBJECT_ALREADY_EXISTS = 8
    FILE_NOT_FOUND = 9
    ALREADY_PINNED = 10
    NOT_PINNED = 11
    NO_MEMORY = 12
    PROGRAM_TOO_LARGE = 13
    RPC_EXCEPTION = 14
    ALREADY_INITIALIZED = 15
    ELF_PARSING_FAILED = 16
    FAILED = 17
    OPERATION_NOT_SUPPORTED = 18
    KEY_NOT_FOUND = 19
    ACCESS_DENIED = 20
    BLOCKED_BY_POLICY = 21
    ARITHMETIC_OVERFLOW = 22
    EXTENSION_FAILED_TO_LOAD = 23
    INSUFFICIENT_BUFFER = 24
    NO_MORE_KEYS = 25
    KEY_ALREADY_EXISTS = 26
    NO_MORE_TAIL_CALLS = 27
    PENDING = 28
    OUT_OF_SPACE = 29
    CANCELED = 30
    INVALID_POINTER = 31
    TIMEOUT = 32
    STALE_ID = 33
    INVALID_STATE = 34


def result_name(code: int) -> str:
    """The name of *code*, or ``RESULT_<code>`` for one that we do not know."""
    return Result(code).name if code in Result._value2member_map_ else f"RESULT_{code}"
