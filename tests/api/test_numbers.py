"""Numbers and GUIDs that cross the wire: those of eBPF for Windows, and they stay."""

from uuid import UUID

from ebpfd_api import npi
from ebpfd_api.result import Result


def test_npis_are_those_of_windows() -> None:
    """Ours and theirs match on these; the general helpers have a module of their own."""
    found = {name: value for name, value in vars(npi).items() if isinstance(value, UUID)}
    assert found == {
        "PROGRAM_INFORMATION": UUID("2934ad50-2154-44b6-9622-6c528c068411"),
        "HOOK": UUID("5d564054-2736-406d-8b22-12bcffaf0a9f"),
        "MAP_INFORMATION": UUID("3c2b0f4e-8b0e-4e5e-8e1b-7f4b1f0e1f0e"),
        "BTF_RESOLVED_FUNCTIONS": UUID("8cf35ce4-7cf4-4407-883e-59b4e73dbe4f"),
        "GENERAL_HELPERS_MODULE": UUID("8d2a1d3f-9ce6-473d-b48e-17aa5c5581fe"),
    }


def test_result_codes_are_those_of_windows() -> None:
    """All 35 of ``ebpf_result_t``; helpers return them negated."""
    assert {each.name: each.value for each in Result} == {
        "SUCCESS": 0,
        "VERIFICATION_FAILED": 1,
        "JIT_COMPILATION_FAILED": 2,
        "PROGRAM_LOAD_FAILED": 3,
        "INVALID_FD": 4,
        "INVALID_OBJECT": 5,
        "INVALID_ARGUMENT": 6,
        "OBJECT_NOT_FOUND": 7,
        "OBJECT_ALREADY_EXISTS": 8,
        "FILE_NOT_FOUND": 9,
        "ALREADY_PINNED": 10,
        "NOT_PINNED": 11,
        "NO_MEMORY": 12,
        "PROGRAM_TOO_LARGE": 13,
        "RPC_EXCEPTION": 14,
        "ALREADY_INITIALIZED": 15,
        "ELF_PARSING_FAILED": 16,
        "FAILED": 17,
        "OPERATION_NOT_SUPPORTED": 18,
        "KEY_NOT_FOUND": 19,
        "ACCESS_DENIED": 20,
        "BLOCKED_BY_POLICY": 21,
        "ARITHMETIC_OVERFLOW": 22,
        "EXTENSION_FAILED_TO_LOAD": 23,
        "INSUFFICIENT_BUFFER": 24,
        "NO_MORE_KEYS": 25,
        "KEY_ALREADY_EXISTS": 26,
        "NO_MORE_TAIL_CALLS": 27,
        "PENDING": 28,
        "OUT_OF_SPACE": 29,
        "CANCELED": 30,
        "INVALID_POINTER": 31,
        "TIMEOUT": 32,
        "STALE_ID": 33,
        "INVALID_STATE": 34,
    }
