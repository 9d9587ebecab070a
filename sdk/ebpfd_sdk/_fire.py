"""A client's fire, as the hook's provider sees it."""

from dataclasses import dataclass

from ebpfd_api.v1 import hook_pb2
from ebpfd_sdk._batch import Columns, Packed
from ebpfd_sdk._origin import Origin, origin_of


@dataclass(frozen=True, slots=True)
class FireEvent:
    """Events that a client asks a hook to run, in the columns of a batch."""

    parameter: bytes | None
    """None: the client named none, so the choice is the hook's."""

    count: int
    contexts: bytes
    data: bytes
    data_lengths: bytes
    meta_lengths: bytes
    origin: Origin | None
    """Who caused them: whom the client names, or else the client itself, if it is known."""

    deadline_s: float | None
    """When the client gives up; None: it has not said."""

    def packed(self) -> Packed:
        """Its columns, for a lane."""
        return Packed(
            self.count,
            self.contexts,
            self.data,
            self.data_lengths,
            self.meta_lengths,
            self.origin,
        )


def event_of(fire: hook_pb2.Fire) -> FireEvent:
    """Read what a client fires."""
    return FireEvent(
        parameter=fire.parameter if fire.has_parameter else None,
        count=fire.batch.count or 1,
        contexts=fire.batch.contexts,
        data=fire.batch.data,
        data_lengths=fire.batch.data_lengths,
        meta_lengths=fire.batch.meta_lengths,
        origin=origin_of(fire),
        deadline_s=fire.deadline_ms / 1000 if fire.deadline_ms else None,
    )


def fire_return(fire_id: int, columns: Columns) -> hook_pb2.FireReturn:
    """Write what it came to."""
    return hook_pb2.FireReturn(
        fire_id=fire_id,
        result=hook_pb2.BatchResult(
            code=columns.code,
            message=columns.message,
            codes=columns.codes,
            results=columns.results,
            contexts=columns.contexts,
            data=columns.data,
            failure_result=columns.failure_result,
        ),
    )
