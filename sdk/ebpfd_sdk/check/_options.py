"""What the person who runs the checks says of the extension."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """How to check an extension."""

    command: str | Sequence[str]
    """A module to run with this Python, or the words of a command; ``{address}`` in a word stands
    for the daemon's, which is in ``EBPFD_ADDRESS`` as well."""

    parameters: tuple[bytes, ...] = (b"",)
    """Attach parameters that its hooks take."""

    bad_parameters: tuple[bytes, ...] = ()
    """Attach parameters that its hooks refuse."""

    offers: tuple[str, ...] = ()
    """Modules to wait for, by name or GUID; none: a program type and a hook."""

    context: bytes = b""
    """Of the events that are fired; empty: zeros."""

    data: bytes = b""
    """Of the events that are fired."""

    timeout_s: float = 30.0
    """For each thing that the extension has to do."""

    def words(self, address: str) -> str | tuple[str, ...]:
        """The command, for a daemon at *address*."""
        if isinstance(self.command, str):
            return self.command
        return tuple(each.replace("{address}", address) for each in self.command)
