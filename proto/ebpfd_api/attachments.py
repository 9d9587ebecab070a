"""Who is attached to a hook: who may come in, and whom an event reaches, in which order.

The rules are those of the hook providers of eBPF for Windows, netebpfext's and the sample's.
Whoever provides a hook keeps to them: an extension through the SDK, or the daemon itself.
"""

from bisect import insort
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from ebpfd_api.attach_capability import AttachCapability
from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.result import Result

MOST_FOR_ONE_PARAMETER: Final = 16


class Attached(Protocol):
    """A link as its hook sees it."""

    @property
    def binding(self) -> int:
        """What it is invoked by."""
        ...

    @property
    def parameter(self) -> bytes:
        """Its layout is the hook's own."""
        ...

    @property
    def link_id(self) -> int:
        """Older links have lower ones."""
        ...

    @property
    def program_name(self) -> str:
        """Of the program that was attached."""
        ...

    @property
    def priority(self) -> int:
        """Of links with one parameter, those with a lower one run first."""
        ...


L = TypeVar("L", bound=Attached)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a link may not come in."""

    status: NtStatus
    message: str


def code_of_nobody(
    capability: AttachCapability, parameter: bytes | None, *, anybody: bool
) -> Result:
    """The code of an event that reaches no link; *anybody*: others are attached to its hook.

    KEY_NOT_FOUND is the sample's; netebpfext knows OBJECT_NOT_FOUND only.
    """
    keyed = capability is AttachCapability.ONE_PER_PARAMETER and parameter is not None
    return Result.KEY_NOT_FOUND if keyed and anybody else Result.OBJECT_NOT_FOUND


class Attachments(Generic[L]):
    """The links of one hook, in invocation order.

    A link whose parameter is one of *wildcards* is for the events of every parameter.
    """

    def __init__(self, capability: AttachCapability, wildcards: Collection[bytes]) -> None:
        self.capability = capability
        self.wildcards = tuple(wildcards)
        self._links: list[L] = []

    @property
    def links(self) -> tuple[L, ...]:
        """Who is attached."""
        return tuple(self._links)

    def refusal(self, link: L) -> Refusal | None:
        """Why the capability does not let *link* in beside those that are; None: it does."""
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
            return None
        other = rivals[0]
        shown = f"parameter {other.parameter.hex()}" if other.parameter else "no parameter"
        many = f" and {most - 1} others are" if most > 1 else " is"
        message = (
            f"link {other.link_id} of program {other.program_name}{many} attached with "
            f"{shown} already: detach it, or attach with another parameter"
        )
        return Refusal(self._violation, message)

    def add(self, link: L) -> None:
        """Let events reach *link*, which was not refused."""
        insort(self._links, link, key=self._order)

    def remove(self, binding: int) -> L | None:
        """Let no event reach the link any more; None: there is none."""
        for index, link in enumerate(self._links):
            if link.binding == binding:
                return self._links.pop(index)
        return None

    def matching(
        self, parameter: bytes | None, only: Callable[[L], bool] | None = None
    ) -> tuple[L, ...]:
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
        return code_of_nobody(self.capability, parameter, anybody=bool(self._links))

    @property
    def _violation(self) -> NtStatus:
        if self.capability is AttachCapability.ONE_PER_PARAMETER:
            return NtStatus.INVALID_PARAMETER
        return NtStatus.ACCESS_DENIED

    def _is_wildcard(self, link: L) -> bool:
        return link.parameter in self.wildcards

    def _of_parameter(self, link: L) -> list[L]:
        """Those that share *link*'s filter context: all wildcards have one."""
        if self._is_wildcard(link):
            return [other for other in self._links if self._is_wildcard(other)]
        return [other for other in self._links if other.parameter == link.parameter]

    def _order(self, link: L) -> tuple[bool, int, int]:
        return self._is_wildcard(link), link.priority, link.link_id
