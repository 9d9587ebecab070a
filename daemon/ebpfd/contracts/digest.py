"""The hash that ties a verified program to the contract it was verified against."""

import hashlib
import struct
from collections.abc import Collection

from ebpfd.contracts.values import HelperFunctionPrototype, ProgramData


def contract_digest(data: ProgramData, used_helpers: Collection[int]) -> bytes:
    """SHA-256 over what a program that calls *used_helpers* relies on.

    Covers the descriptor and the prototypes of the helpers in use, in the order of eBPF for
    Windows, then the rights on the context's fields.  A helper that the program does not call may
    come, go or change.
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
    for field in data.fields:
        digest.update(_text(field.name))
        digest.update(struct.pack("<IIB", field.offset, field.size, field.writable))
    return digest.digest()


def _helper(helper: HelperFunctionPrototype) -> bytes:
    types = struct.pack("<6I", helper.return_type, *helper.arguments)
    flags = b"\x01" if helper.reallocate_packet else b""
    return struct.pack("<I", helper.helper_id) + _text(helper.name) + types + flags


def _text(text: str) -> bytes:
    """Length first, so that no two sequences of texts give the same bytes."""
    encoded = text.encode()
    return struct.pack("<I", len(encoded)) + encoded
