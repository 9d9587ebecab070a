"""Bindings, and what is seen of the registrar, for listings and watches."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from ebpfd import nmr
from ebpfd.host.callbacks import Callback, Wait
from ebpfd.host.watch import BindingSeen, Part, PartKind, RegistrationSeen, Seen
from ebpfd.rpc.registration_codec import WIRE_ROLES
from ebpfd_api.v1 import registrar_pb2 as pb

Encode: TypeAlias = Callable[[nmr.RegistrationSnapshot], pb.Registration]
"""How a listing or a watch shows a registration."""

_STATES: Final = {
    nmr.Phase.ATTACHING: pb.BINDING_STATE_ATTACHING,
    nmr.Phase.READY: pb.BINDING_STATE_READY,
    nmr.Phase.DETACHING: pb.BINDING_STATE_DETACHING,
    nmr.Phase.CLEANUP: pb.BINDING_STATE_CLEANUP,
}
_CALLBACKS: Final = {
    Callback.ATTACH: pb.BINDING_CALLBACK_ATTACH,
    Callback.DETACH: pb.BINDING_CALLBACK_DETACH,
    Callback.CLEANUP: pb.BINDING_CALLBACK_CLEANUP,
    Callback.DRAIN: pb.BINDING_CALLBACK_DRAIN,
}
_PARTS: Final = {
    PartKind.SNAPSHOT: pb.WATCH_PART_SNAPSHOT,
    PartKind.SNAPSHOT_END: pb.WATCH_PART_SNAPSHOT_END,
    PartKind.CHANGES: pb.WATCH_PART_CHANGES,
}
_KINDS: Final = {
    None: pb.CHANGE_KIND_PRESENT,
    nmr.Change.ADDED: pb.CHANGE_KIND_ADDED,
    nmr.Change.CHANGED: pb.CHANGE_KIND_CHANGED,
    nmr.Change.GONE: pb.CHANGE_KIND_GONE,
}


def encode_binding(seen: BindingSeen, encode: Encode, waits: Sequence[Wait] = ()) -> pb.Binding:
    """A binding with both its ends, and who is waited for."""
    npi_id = seen.provider.instance.npi_id
    return pb.Binding(
        binding=seen.binding.handle,
        npi_id=npi_id.bytes if npi_id else b"",
        client=encode(seen.client),
        provider=encode(seen.provider),
        state=_STATES[seen.binding.phase],
        waits=[_encode_wait(each) for each in waits],
        overdue=seen.overdue,
    )


def encode_part(part: Part, encode: Encode) -> pb.WatchResponse:
    """A part of what a watch sees."""
    return pb.WatchResponse(
        part=_PARTS[part.kind],
        changes=[_encode_change(each, encode) for each in part.seen],
        lost=part.lost,
    )


def _encode_change(seen: Seen, encode: Encode) -> pb.WatchChange:
    kind = _KINDS[seen.change]
    match seen:
        case RegistrationSeen():
            return pb.WatchChange(kind=kind, registration=encode(seen.registration))
        case BindingSeen():
            return pb.WatchChange(kind=kind, binding=encode_binding(seen, encode))


def _encode_wait(wait: Wait) -> pb.BindingWait:
    return pb.BindingWait(
        role=WIRE_ROLES[wait.role],
        callback=_CALLBACKS[wait.callback],
        module=wait.module,
        elapsed_ms=int(wait.elapsed_s * 1000),
    )
