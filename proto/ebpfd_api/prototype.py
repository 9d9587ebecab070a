"""Types of helper arguments and results, numbered as in eBPF for Windows."""

from enum import IntEnum


class ArgumentType(IntEnum):
    """``ebpf_argument_type``.  A memory pointer is followed by a size that bounds it."""

    DONTCARE = 0
    ANYTHING = 1
    CONST_SIZE = 2
    CONST_SIZE_OR_ZERO = 3
    PTR_TO_CTX = 4
    PTR_TO_MAP = 5
    PTR_TO_MAP_OF_PROGRAMS = 6
    PTR_TO_MAP_KEY = 7
    PTR_TO_MAP_VALUE = 8
    PTR_TO_READABLE_MEM = 9
    PTR_TO_READABLE_MEM_OR_NULL = 10
    PTR_TO_WRITABLE_MEM = 11
    PTR_TO_STACK = 12
    PTR_TO_STACK_OR_NULL = 13
    PTR_TO_CTX_OR_NULL = 14
    PTR_TO_WRITABLE_MEM_OR_NULL = 15
    PTR_TO_BTF_ID_SOCK_COMMON = 17
    PTR_TO_SPIN_LOCK = 18
    PTR_TO_SOCK_COMMON = 19
    PTR_TO_BTF_ID = 20
    PTR_TO_LONG = 21
    PTR_TO_INT = 22
    PTR_TO_CONST_STR = 23
    PTR_TO_FUNC = 24
    CONST_ALLOC_SIZE_OR_ZERO = 25
    PTR_TO_ALLOC_MEM = 26
    PTR_TO_TIMER = 27
    PTR_TO_PERCPU_BTF_ID = 28
    PTR_TO_READONLY_MEM = 29
    PTR_TO_READONLY_MEM_OR_NULL = 30
    PTR_TO_UNINIT_MAP_VALUE = 31
    CONST_PTR_TO_MAP = 32
    UNSUPPORTED = 33


class ReturnType(IntEnum):
    """``ebpf_return_type``."""

    INTEGER = 0
    PTR_TO_MAP_VALUE_OR_NULL = 1
    INTEGER_OR_NO_RETURN_IF_SUCCEED = 2
    UNSUPPORTED = 3
    PTR_TO_SOCK_COMMON_OR_NULL = 4
    PTR_TO_SOCKET_OR_NULL = 5
    PTR_TO_TCP_SOCKET_OR_NULL = 6
    PTR_TO_ALLOC_MEM_OR_NULL = 7
    PTR_TO_BTF_ID_OR_NULL = 8
    PTR_TO_MEM_OR_BTF_ID_OR_NULL = 9
    PTR_TO_BTF_ID = 10
    PTR_TO_MEM_OR_BTF_ID = 11
