"""Who caused events, for helpers that ask who is running."""

from dataclasses import dataclass

from ebpfd_api.v1 import hook_pb2


@dataclass(frozen=True, slots=True)
class Origin:
    """A process and a thread as the daemon's host numbers them, and the user if he is known.

    ``ValueError`` if one of them is no number of 32 bits.
    """

    pid: int
    tid: int
    uid: int | None = None

    def __post_init__(self) -> None:
        for number in (self.pid, self.tid, self.uid or 0):
            if not 0 <= number < 2**32:
                raise ValueError(f"{self}: {number} is no number of 32 bits")


def words_of(origin: Origin | None) -> tuple[int, int, int | None] | None:
    """Write an origin for the engine."""
    return None if origin is None else (origin.pid, origin.tid, origin.uid)


def message_of(origin: Origin | None) -> hook_pb2.Origin | None:
    """Write an origin for the daemon."""
    if origin is None:
        return None
    return hook_pb2.Origin(pid=origin.pid, tid=origin.tid, uid=origin.uid)


def origin_of(message: hook_pb2.Fire) -> Origin | None:
    """Read whom a client's fire names."""
    if not message.HasField("origin"):
        return None
    said = message.origin
    return Origin(said.pid, said.tid, said.uid if said.HasField("uid") else None)
