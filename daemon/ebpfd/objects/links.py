"""The life of a link, as in eBPF for Windows.

    INITIAL -attach-> ATTACHING -attached-> ATTACHED -detach-> DETACHING -detached-> DETACHED
                          '-------------refused------------------^

``TRANSITIONS`` is the only place that says what may follow what.  A link whose hook provider has
gone stays ATTACHED; ``binding`` is then 0.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from ebpfd.objects.breaker import Breaker, BreakerRule, BreakerState
from ebpfd.objects.elsewhere import Elsewhere
from ebpfd.objects.outcomes import Outcomes, outcomes_of
from ebpfd.objects.programs import Program
from ebpfd.objects.users import Users
from ebpfd_api.failure import Failure, Policy, failure_of
from ebpfd_vm import Tally


class LinkState(Enum):
    """Where a link is in its life."""

    INITIAL = "initial"
    ATTACHING = "attaching"
    ATTACHED = "attached"
    DETACHING = "detaching"
    DETACHED = "detached"


class LinkEvent(Enum):
    """What moves a link."""

    ATTACH = "attach"
    ATTACHED = "attached"
    REFUSED = "refused"
    DETACH = "detach"
    DETACHED = "detached"


TRANSITIONS: Final = MappingProxyType(
    {
        (LinkState.INITIAL, LinkEvent.ATTACH): LinkState.ATTACHING,
        (LinkState.ATTACHING, LinkEvent.ATTACHED): LinkState.ATTACHED,
        (LinkState.ATTACHING, LinkEvent.REFUSED): LinkState.DETACHING,
        (LinkState.ATTACHED, LinkEvent.DETACH): LinkState.DETACHING,
        (LinkState.DETACHING, LinkEvent.DETACHED): LinkState.DETACHED,
    }
)


class IllegalTransitionError(Exception):
    """A link was asked for a step that its state does not allow."""

    def __init__(self, state: LinkState, event: LinkEvent) -> None:
        super().__init__(f"a link that is {state.value} cannot {event.value}")
        self.state = state
        self.event = event


@dataclass(slots=True, eq=False)
class Link:
    """A program attached to a hook with a parameter.

    ``binding`` names the binding with the hook's provider, 0 while there is none; it runs once the
    hook has ``taken`` it, a moment later.  A ``wildcard`` is for events of every parameter, as its
    provider says.  ``flags`` are the link's own, for its hook; None: those of the program.
    ``policy`` is for events that find something in their way.  One without a user is to be
    detached.  ``tally`` counts what runs, ``others`` the events that did not come as far and the
    answers that were lost.
    """

    id: int
    program: Program
    attach_type: UUID
    parameter: bytes = b""
    flags: int | None = None
    priority: int = 0
    policy: Policy = field(default_factory=dict[Failure, int])
    state: LinkState = LinkState.INITIAL
    binding: int = 0
    taken: bool = False
    provider: str = ""
    link_type: int = 0
    bpf_attach_type: int = 0
    wildcard: bool = False
    users: Users = field(default_factory=Users)
    tally: Tally = field(default_factory=Tally)
    elsewhere: Elsewhere | None = None
    why_remote: str = "ebpfd runs without --local"
    others: Counter[Failure] = field(default_factory=Counter[Failure])
    breaker: Breaker | None = None
    broken: int = 0
    """Events that the breaker has refused."""

    queued: int = 0
    """Batches that have a place here: they wait for their turn, or run on a thread."""

    in_turn: int = 0
    """Of those, batches whose turn has come."""

    @property
    def running(self) -> int:
        """Batches that run now, wherever that is."""
        return self.in_turn + (self.elsewhere.running if self.elsewhere else 0)

    @property
    def in_flight(self) -> int:
        """Batches that run, or wait for their turn."""
        return self.queued - self.in_turn + self.running

    @property
    def waits(self) -> bool:
        """Whether it is attached, but its hook is away, or has not taken it yet."""
        return self.state is LinkState.ATTACHED and not self.taken

    @property
    def left_alone(self) -> bool:
        """Whether its breaker is broken, or tries one batch."""
        return self.breaker is not None and self.breaker.state is not BreakerState.WHOLE

    @property
    def where(self) -> str:
        """Where its events run, and why not in the process of its hook."""
        if self.elsewhere is not None:
            return f"local: in process {self.elsewhere.process_id}"
        return f"remote: {self.why_remote}"

    @property
    def prog_attach_flags(self) -> int:
        """What its hook is shown when it binds, and defines the meaning of."""
        return self.program.source.flags if self.flags is None else self.flags

    @property
    def breaker_rule(self) -> BreakerRule | None:
        """When it is left alone; None: never."""
        return self.breaker.rule if self.breaker else None

    def result_of(self, code: int) -> int:
        """What its hook does with an event that ended with *code*, which is not SUCCESS."""
        fixed = self.policy.get(failure_of(code))
        return self.program.contract.default_result if fixed is None else fixed

    @property
    def outcomes(self) -> Outcomes:
        """What its events have come to so far."""
        return outcomes_of(self.tally, self.others, self.broken)

    def apply(self, event: LinkEvent) -> LinkState:
        """Move along *event*, or raise and leave the state untouched."""
        try:
            self.state = TRANSITIONS[self.state, event]
        except KeyError:
            raise IllegalTransitionError(self.state, event) from None
        return self.state


def invocation_order(link: Link) -> tuple[bool, int, int]:
    """Sort key of the links of one hook: a specific parameter, then priority, then attach order."""
    return link.wildcard, link.priority, link.id
