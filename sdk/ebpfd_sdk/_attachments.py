"""Who is attached to a hook: who may come in, and whom an event reaches, in which order.

The rules are those of the hook providers of eBPF for Windows, netebpfext's and the sample's.
Nothing here waits or knows of messages.
"""

from bisect import insort
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, TypeAlias

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._links import Link
from ebpfd_sdk._policy import LinkPolicy

MOST_FOR_ONE_PARAMETER: Final = 16

Filter: TypeAlias = Callable[[Link], bool]
"""Whether an event concerns a link."""


class Attachments:
    """The links of one hook, in invocation order.

    A link whose parameter is one of *wildcards* is for the events of every parameter.
    """

    def __init__(self, capability: AttachCapability, wildcards: Collection[bytes]) -> None:
        self.capability = capability
        self.wildcards = tuple(wildcards)
        self._links: list[Link] = []

    @property
    def links(self) -> tuple[Link, ...]:
        """Who is attached."""
        return tuple(self._links)

    def check(self, link: Link) -> None:
        """Raise Refused if the capability does not let *link* in beside those that are."""
        match self.capability:
            case AttachCapability.SINGLE_ATTACH:
                rivals, most = self._links, 1
            case AttachCapability.SINGLE_ATTACH_PER_HOOK if self._is_wildcard(link):
                rivals, most = self._links, 1
            case AttachCapability.MULTI_ATTACH_WITH_WILDCARD:
                rivals, most = self._of_parameter(link), MOST_FOR_ONE_PARAMETER
            case _:
                rivals, most = self._of_parameter(link), 1
        if len(rivals) < most:
            return
        other = rivals[0]
        shown = f"parameter {other.parameter.hex()}" if other.parameter else "no parameter"
        many = f" and {most - 1} others are" if most > 1 else " is"
        raise Refused(
            f"link {other.link_id} of program {other.program_name}{many} attached with "
            f"{shown} already: detach it, or attach with another parameter",
            status=self._violation,
        )

    def add(self, link: Link) -> None:
        """Let events reach *link*, which was checked."""
        insort(self._links, link, key=self._order)

    def set_policy(self, binding: int, policy: LinkPolicy) -> None:
        """Follow what a link's user wants now; else it stays what its author has seen attach."""
        for index, link in enumerate(self._links):
            if link.binding == binding:
                self._links[index] = replace(link, policy=policy)

    def remove(self, binding: int) -> Link | None:
        """Let no event reach the link any more; None: there is none."""
        for index, link in enumerate(self._links):
            if link.binding == binding:
                return self._links.pop(index)
        return None

    def matching(self, parameter: bytes | None, only: Filter | None = None) -> tuple[Link, ...]:
        """Whom an event reaches, in invocation order: the links of its parameter and wildcards.

        Without a parameter it reaches wildcards, and of ONE_PER_PARAMETER the link that is first.
        """
        if parameter is None and self.capability is AttachCapability.ONE_PER_PARAMETER:
            found = self._links[:1]
        else:
            found = [
                link
                for link in self._links
                if link.parameter == parameter or self._is_wildcard(link)
            ]
        return tuple(found if only is None else filter(only, found))

    def nobody(self, parameter: bytes | None) -> Result:
        """The code of an event that reaches no link."""
        unkeyed = self.capability is not AttachCapability.ONE_PER_PARAMETER or parameter is None
        return Result.OBJECT_NOT_FOUND if unkeyed or not self._links else Result.KEY_NOT_FOUND

    @property
    def _violation(self) -> NtStatus:
        if self.capability is AttachCapability.ONE_PER_PARAMETER:
            return NtStatus.INVALID_PARAMETER
        return NtStatus.ACCESS_DENIED

    def _is_wildcard(self, link: Link) -> bool:
        return link.parameter in self.wildcards

    def _of_parameter(self, link: Link) -> list[Link]:
        """Those that share *link*'s filter context: all wildcards have one."""
        if self._is_wildcard(link):
            return [other for other in self._links if self._is_wildcard(other)]
        return [other for other in self._links if other.parameter == link.parameter]

    def _order(self, link: Link) -> tuple[bool, int, int]:
        return self._is_wildcard(link), link.priority, link.link_id
