"""A loaded program: its code, what it was verified against, and whether it can run now."""

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from ebpfd.contracts import BtfResolvedFunction, ProgramData
from ebpfd.objects.maps import MapObject
from ebpfd.objects.rundown import Rundown
from ebpfd.objects.users import Users
from ebpfd_vm import Program as EngineProgram
from ebpfd_vm import ProgramSpec

Execution: TypeAlias = Literal["any", "jit", "interpreter"]
"""What is to run a program."""


class ProgramState(Enum):
    """Whether invocations run, which hangs on the program-information providers."""

    READY = "ready"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class RunContext:
    """A context of a test run with its data, of which ``meta_length`` bytes are metadata."""

    context: bytes = b""
    data: bytes = b""
    meta_length: int = 0


class RunContexts(Protocol):
    """What a program type has to make the contexts of test runs; ``RequestError`` if it fails."""

    async def create(self, given: RunContext) -> RunContext:
        """Make what the program sees from what the user gave."""
        ...

    async def destroy(self, left: RunContext) -> RunContext:
        """Make what the user gets from what the program left."""
        ...


@dataclass(slots=True, eq=False)
class TypeProvider:
    """The provider of a program's type, as the program sees it.

    ``rundown`` protects the provider's data: it is closed while the provider is away, and the
    provider's detach waits for what is in flight.  ``reason`` says why it is away.  Without
    ``run_contexts``, users of test runs give and get what the program sees.  ``owner`` is whoever
    provides it, of whom each has its share of what runs.
    """

    name: str = ""
    reason: str = "no extension provides its program type"
    rundown: Rundown = field(default_factory=lambda: Rundown(closed=True))
    run_contexts: RunContexts | None = None
    owner: Hashable = None


@dataclass(frozen=True, slots=True)
class ProgramSource:
    """What a program was made from, so that it can be made anew: its file, and its place there.

    ``execution`` is what its user asked for; it is reloaded by itself if ``follows_contract``.
    ``flags`` are for the hooks that it will be attached to, which define what they mean.
    """

    object_file: bytes
    index: int
    execution: Execution = "any"
    follows_contract: bool = False
    flags: int = 0


@dataclass(slots=True, eq=False)
class Program:
    """One program.  It lives while somebody has it, or it is linked, or a program array holds it.

    ``maps`` are those that it uses, ``file_maps`` all that came with its file, ``functions`` those
    that it imports, as it was verified against them.  ``judge`` is the
    verifier that accepted it.
    ``nanoseconds_per_run`` is what runs take, or before the first run of one with loops what it
    might take.
    """

    id: int
    spec: ProgramSpec
    contract: ProgramData
    contract_digest: bytes
    engine: EngineProgram
    file_name: str
    maps: tuple[MapObject, ...]
    judge: str
    provider: TypeProvider
    source: ProgramSource
    file_maps: tuple[MapObject, ...] = ()
    functions: tuple[BtfResolvedFunction, ...] = ()
    users: Users = field(default_factory=Users)
    nanoseconds_per_run: float = 0.0
    nanoseconds_of_last_runs: tuple[float, float] = (math.inf, math.inf)
    link_ids: set[int] = field(default_factory=set[int])
    holder_ids: Counter[int] = field(default_factory=Counter[int])

    def took(self, nanoseconds_per_run: float) -> None:
        """Learn from a run; one or two that are long were only interrupted by the machine."""
        last, one_before = self.nanoseconds_of_last_runs
        self.nanoseconds_per_run = min(nanoseconds_per_run, last, one_before)
        self.nanoseconds_of_last_runs = nanoseconds_per_run, last

    @property
    def may_wait(self) -> bool:
        """Whether a run may wait: for an extension's helper, or a process that shares a map."""
        if self.engine.blocking:
            return True
        return bool(self.maps) and any(each.sharers and each.may_wait for each in self.maps)

    @property
    def kept(self) -> bool:
        """Whether anybody has it."""
        return bool(self.users) or bool(self.link_ids) or bool(self.holder_ids)

    @property
    def loaded(self) -> bool:
        """Whether an owner has it, and with it the maps of its file, until it is unloaded."""
        return bool(self.users.owners)

    @property
    def name(self) -> str:
        """Name of the function in the object file."""
        return self.spec.name

    @property
    def program_type(self) -> UUID:
        """GUID of the program type."""
        return self.contract.program_type

    @property
    def state(self) -> ProgramState:
        """READY while its provider is bound."""
        return ProgramState.WAITING if self.provider.rundown.closed else ProgramState.READY
