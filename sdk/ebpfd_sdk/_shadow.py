"""Shadows of links, as the daemon tells of them."""

from dataclasses import dataclass

from ebpfd_api.v1 import shadows_pb2


@dataclass(frozen=True, slots=True)
class ShadowDifference:
    """An event that a shadow made something else of: code and result of the one and the other.

    It is the *event*-th of those that were compared, from 1.
    """

    event: int
    context: bytes
    data: bytes
    code: int
    result: int
    shadow_code: int
    shadow_result: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """A program beside a link's own, and what came of it."""

    link_id: int
    program_id: int
    program_name: str
    events: int
    """Events whose results were compared."""

    differing: int
    dropped: int
    """Events that it was too slow for."""

    skipped: int
    """Events beyond its share of time."""

    share_percent: int
    """Of one processor's time, what it may take."""

    unknown: int
    """Events for which it asked the world what the link's program had not asked."""

    stopped: str
    """Why it runs no more; empty: it does."""

    recent: tuple[ShadowDifference, ...]
    """The latest events that differed, the oldest first."""


def shadow_of(message: shadows_pb2.Shadow) -> Shadow:
    """Read one."""
    return Shadow(
        link_id=message.link_id,
        program_id=message.program_id,
        program_name=message.program_name,
        events=message.events,
        differing=message.differing,
        dropped=message.dropped,
        skipped=message.skipped,
        share_percent=message.share_percent,
        unknown=message.unknown,
        stopped=message.stopped,
        recent=tuple(
            ShadowDifference(
                event=each.event,
                context=each.context,
                data=each.data,
                code=each.code,
                result=each.result,
                shadow_code=each.shadow_code,
                shadow_result=each.shadow_result,
            )
            for each in message.recent
        ),
    )
