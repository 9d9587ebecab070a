"""The hash that ties a verified program to the contract it was verified against."""

import hashlib
import struct
from collections.abc import Collection, Iterable

from ebpfd.contracts.values import HelperFunctionPrototype, ProgramData, writable_ranges


def contract_digest(data: ProgramData, used_helpers: Collection[int]) -> bytes:
    """SHA-256 over what a program that calls *used_helpers* relies on.

    Covers the descriptor and the prototypes of the helpers in use, in the order of eBPF for
    Windows, then which bytes of the context may be written and which are hidden.  A helper that
    the program does not call may come, go or change, and so may the names of fields.
    """
    descriptor = data.program_info.type_descriptor
    context = descriptor.context_descriptor
    by_id = {helper.helper_id: helper for helper in data.program_info.helpers()}
    used = [by_id[helper_id] for helper_id in sorted(set(used_helpers)) if helper_id in by_id]
    digest = hashlib.sha256()
    digest.update(_text(descriptor.name))
    digest.update(struct.pack("<4i", context.size, context.data, context.end, context.meta))
    digest.update(descriptor.program_type.bytes)
    digest.update(struct.pack("<IB", descriptor.bpf_prog_type, descriptor.is_privileged))
    digest.update(struct.pack("<Q", len(used)))
    for helper in used:
        digest.update(_helper(helper))
    hidden = ((field.offset, field.size) for field in data.fields if field.hidden)
    for ranges in (writable_ranges(data), hidden):
        merged = _merged(ranges)
        digest.update(struct.pack("<Q", len(merged)))
        for start, end in merged:
            digest.update(struct.pack("<II", start, end))
    return digest.digest()


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(start, end) of what (offset, size) cover together: no matter how it is parted."""
    merged: list[tuple[int, int]] = []
    for offset, size in sorted(ranges):
        if merged and offset <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], offset + size))
        else:
            merged.append((offset, offset + size))
    return merged


def _helper(helper: HelperFunctionPrototype) -> bytes:
    types = struct.pack("<6I", helper.return_type, *helper.arguments)
    flags = b"\x01" if helper.reallocate_packet else b""
    return struct.pack("<I", helper.helper_id) + _text(helper.name) + types + flags


def _text(text: str) -> bytes:
    """Length first, so that no two sequences of texts give the same bytes."""
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded
