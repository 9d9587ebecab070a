"""The links of an extension's hook."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from ebpfd_api import attachments
from ebpfd_sdk._errors import Refused
from ebpfd_sdk._links import Link
from ebpfd_sdk._policy import LinkPolicy

Filter: TypeAlias = Callable[[Link], bool]
"""Whether an event concerns a link."""


class Attachments(attachments.Attachments[Link]):
    """Who is attached to a hook, and who may be."""

    def copy(self) -> "Attachments":
        """Return those that are attached now."""
        copied = Attachments(self.capability, self.wildcards)
        copied._links = list(self._links)
        return copied

    def check(self, link: Link) -> None:
        """Raise Refused if the capability does not let *link* in beside those that are."""
        if refusal := self.refusal(link):
            raise Refused(refusal.message, status=refusal.status)

    def describe(
        self, binding: int, policy: LinkPolicy, program_id: int, program_name: str
    ) -> None:
        """Follow what a link's user wants now, and which program it has."""
        if link := self.remove(binding):
            self.add(replace(link, policy=policy, program_id=program_id, program_name=program_name))

    def has(self, binding: int) -> bool:
        """Whether a link is attached still."""
        return any(link.binding == binding for link in self._links)
