"""What is attached to a hook: who is in, and whom an invocation reaches.

The rules are those of the sample extension of eBPF for Windows: one link for each distinct
parameter; no parameter means the link that came first.
"""

from dataclasses import dataclass
from typing import Generic

from ebpfd_api.result import Result
from ebpfd_api.v1 import registrar_pb2
from ebpfd_sdk._answer import C
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._lane import Lane


@dataclass(frozen=True, slots=True)
class Link:
    """A program that somebody attached, or wants to attach, to a hook."""

    binding: int
    parameter: bytes
    """Its layout is the hook's own."""

    flags: int
    link_id: int
    program_id: int
    program_name: str


class LinkTable(Generic[C]):
    """The links of one hook, in the order in which they were attached."""

    def __init__(self) -> None:
        self._lanes: dict[bytes, Lane[C]] = {}
        self._links: dict[int, Link] = {}

    @property
    def links(self) -> tuple[Link, ...]:
        """Who is attached."""
        return tuple(self._links.values())

    def check(self, link: Link) -> None:
        """Refuse a second link with the same parameter."""
        for other in self._links.values():
            if other.parameter == link.parameter:
                shown = f"parameter {link.parameter.hex()}" if link.parameter else "no parameter"
                raise Refused(
                    f"link {other.link_id} of program {other.program_name} is attached with "
                    f"{shown} already: detach it, or attach with another parameter"
                )

    def add(self, link: Link, lane: Lane[C]) -> None:
        """Let invocations reach the link."""
        self._links[link.binding] = link
        self._lanes[link.parameter] = lane

    def remove(self, binding: int) -> tuple[Link, Lane[C]] | None:
        """Let no further invocation reach the link."""
        link = self._links.pop(binding, None)
        return None if link is None else (link, self._lanes.pop(link.parameter))

    def find(self, parameter: bytes | None) -> Lane[C] | Result:
        """Find whom an invocation reaches, or the code that says why nobody."""
        if not self._lanes:
            return Result.OBJECT_NOT_FOUND
        if parameter is None:
            return next(iter(self._lanes.values()))
        return self._lanes.get(parameter, Result.KEY_NOT_FOUND)

    def lanes(self) -> tuple[Lane[C], ...]:
        """All of them, in order."""
        return tuple(self._lanes.values())


def link_of(callback: registrar_pb2.AttachCallback) -> Link:
    """Read who wants to attach."""
    said = callback.peer.characteristics.extension_data
    return Link(
        binding=callback.binding,
        parameter=said.data,
        flags=said.prog_attach_flags,
        link_id=said.link_id,
        program_id=said.program_id,
        program_name=said.program_name,
    )
