"""What the daemon is told of an extension that it hosts."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from ebpfd.host.extensions.life import Policy


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take.

    ``memory_bytes`` is RLIMIT_DATA: private writable memory of each process, touched or not;
    shared memory and files do not count.  For processor time there is priority and choice of
    processors; RLIMIT_CPU would kill a service for its age.
    """

    memory_bytes: int | None = None
    nice: int = 0
    """Added to the daemon's own."""

    cpus: tuple[int, ...] = ()
    """Numbers of the processors that it runs on; none: all of the daemon's."""


@dataclass(frozen=True, slots=True)
class ExtensionSpec:
    """A command with a name, and how to treat it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)


def module_command(module: str, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Run a Python module as the daemon itself is run."""
    return (sys.executable, "-m", module, *arguments)
