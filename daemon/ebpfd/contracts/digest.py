"""The hash that ties a verified program to the contract it was verified against."""

import hashlib
import struct
from collections.abc import Collection, Iterable

from ebpfd.contracts.values import (
    BtfResolvedFunction,
    HelperFunctionPrototype,
    ProgramData,
    writable_ranges,
)


def contract_digest(
    data: ProgramData,
    used_helpers: Collection[int],
    functions: Collection[BtfResolvedFunction] = (),
    *,
    relocatable: bool = False,
) -> bytes:
    """SHA-256 over what a program that calls *used_helpers* and *functions* relies on.

    Covers the descriptor and the prototypes of the helpers and functions in use, in the order of
    eBPF for Windows, with the code of those that are linked into programs, then which bytes of the
    context may be written and which are hidden.  A helper that the program does not call may come,
    go or change, and so may the names of fields; only to a *relocatable* program, whose
    instructions come from them, do the types of the context matter.

    Of general helpers it covers those that the type overrides.  Unlike in eBPF for Windows an
    override weighs even if its prototype is the engine's own: that hash binds addresses anew when
    a provider returns, but our code is made for who serves a helper, the engine or an extension.
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
    if functions:
        digest.update(struct.pack("<Q", len(functions)))
    for function in sorted(functions, key=lambda each: (each.module.bytes, each.name)):
        digest.update(function.module.bytes + _callable(function))
    if relocatable:
        digest.update(struct.pack("<Q", len(data.context_btf)) + data.context_btf)
    for merged in context_rights(data):
        digest.update(struct.pack("<Q", len(merged)))
        for start, end in merged:
            digest.update(struct.pack("<II", start, end))
    return digest.digest()


def context_rights(data: ProgramData) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(start, end) of the context's bytes that programs may write, and that they may not read."""
    hidden = ((field.offset, field.size) for field in data.fields if field.hidden)
    return _merged(writable_ranges(data)), _merged(hidden)


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
    # Nothing for one that is served: digests are older than code.
    code = b"\x02" + struct.pack("<I", len(helper.code)) + helper.code if helper.code else b""
    return struct.pack("<I", helper.helper_id) + _callable(helper) + code


def _callable(function: HelperFunctionPrototype | BtfResolvedFunction) -> bytes:
    types = struct.pack("<6I", function.return_type, *function.arguments)
    flags = b"\x01" if function.reallocate_packet else b""
    return _text(function.name) + types + flags


def _text(text: str) -> bytes:
    """Length first, so that no two sequences of texts give the same bytes."""
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded
