"""Requests of a data stream as bytes.

Protobuf takes the fields of a message in any order, and in pieces that are joined.  So it writes
what is small, and columns are joined behind that: what a caller gave is copied once, and by
nothing before that.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._origin import Origin, message_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

Target: TypeAlias = bytes
"""Who runs a message, as ``target_of`` encodes it: all messages of a lane begin with that."""

_FIELDS: Final = hook_pb2.InvokeRequest.DESCRIPTOR.fields_by_name
_BYTES: Final = 2
"""The wire type of fields with a length."""


def target_of(bindings: Sequence[int]) -> Target:
    """Encode who runs a message: one link, by its binding, or a chain of several of one hook."""
    if len(bindings) == 1:
        return hook_pb2.InvokeRequest(binding=bindings[0]).SerializeToString()
    return hook_pb2.InvokeRequest(chain=hook_pb2.Chain(bindings=bindings)).SerializeToString()


def joined_request(
    sequence: int,
    target: Target,
    count: int,
    contexts: "Iterable[Buffer]",
    contexts_bytes: int,
    data: "Iterable[Buffer]" = (),
    data_bytes: int = 0,
    data_lengths: bytes = b"",
    meta_lengths: bytes = b"",
    deadline_ms: int = 0,
    origin: Origin | None = None,
) -> bytes:
    """Build a message from the pieces of its columns, and what they take together."""
    head = target + hook_pb2.InvokeRequest(sequence=sequence, count=count).SerializeToString()
    if data_lengths or meta_lengths or deadline_ms or origin is not None:  # an event has none
        head += hook_pb2.InvokeRequest(
            data_lengths=data_lengths,
            meta_lengths=meta_lengths,
            deadline_ms=deadline_ms,
            origin=message_of(origin),
        ).SerializeToString()
    head += _CONTEXTS + _varint(contexts_bytes)
    if not data_bytes:
        message = b"".join((head, *contexts))
    else:
        tail = _DATA + _varint(data_bytes)
        message = b"".join((head, *contexts, tail, *data))
        data_bytes += len(tail)
    if len(message) != len(head) + contexts_bytes + data_bytes:
        raise ValueError("a column is no column of bytes")  # the daemon would read nonsense
    return message


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_CONTEXTS: Final = _varint(_FIELDS["contexts"].number << 3 | _BYTES)
_DATA: Final = _varint(_FIELDS["data"].number << 3 | _BYTES)
