"""The life of one client-provider binding: two tables, and the values that a binding carries.

``STAGES`` says what may follow what in the life of the whole binding, ``DETACHES`` in the detach of
one side of it; they are the only places that do.  Both sides detach on their own once asked, so the
second table exists per side.  What a stage makes the modules do is the registrar's business.
README.md draws both.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from ebpfd.nmr.errors import OutOfTurnError
from ebpfd.nmr.identity import BindingHandle, Role
from ebpfd.nmr.registration import AttachQueue, Registration


class Stage(Enum):
    """Where a binding is in its life; a stage named for a callback lasts as long as that runs."""

    QUEUED = auto()
    CLIENT_ATTACHING = auto()
    PROVIDER_ATTACHING = auto()
    DESERTED = auto()
    ANSWERED = auto()
    READY = auto()
    CLIENT_DETACHING = auto()
    PROVIDER_DETACHING = auto()
    DRAINING = auto()
    CLIENT_CLEANUP = auto()
    PROVIDER_CLEANUP = auto()
    GONE = auto()


class Phase(Enum):
    """Where a binding is as far as its modules and those who watch are concerned."""

    ATTACHING = auto()
    READY = auto()
    DETACHING = auto()
    CLEANUP = auto()


PHASES: Final = MappingProxyType(
    {
        Stage.QUEUED: Phase.ATTACHING,
        Stage.CLIENT_ATTACHING: Phase.ATTACHING,
        Stage.PROVIDER_ATTACHING: Phase.ATTACHING,
        Stage.DESERTED: Phase.ATTACHING,
        Stage.ANSWERED: Phase.ATTACHING,
        Stage.READY: Phase.READY,
        Stage.CLIENT_DETACHING: Phase.DETACHING,
        Stage.PROVIDER_DETACHING: Phase.DETACHING,
        Stage.DRAINING: Phase.DETACHING,
        Stage.CLIENT_CLEANUP: Phase.CLEANUP,
        Stage.PROVIDER_CLEANUP: Phase.CLEANUP,
        Stage.GONE: Phase.CLEANUP,
    }
)


class Event(Enum):
    """What moves a binding from stage to stage."""

    BEGIN = auto()
    WITHDRAW = auto()
    NEST = auto()
    ANSWER = auto()
    ACCEPT = auto()
    FAIL = auto()
    UNBIND = auto()
    CLIENT_DETACH_RETURNED = auto()
    PROVIDER_DETACH_RETURNED = auto()
    DRAIN = auto()
    CLIENT_CLEANED = auto()
    PROVIDER_CLEANED = auto()


STAGES: Final = MappingProxyType(
    {
        (Stage.QUEUED, Event.BEGIN): Stage.CLIENT_ATTACHING,
        (Stage.QUEUED, Event.WITHDRAW): Stage.GONE,
        (Stage.CLIENT_ATTACHING, Event.NEST): Stage.PROVIDER_ATTACHING,
        (Stage.CLIENT_ATTACHING, Event.FAIL): Stage.CLIENT_CLEANUP,
        (Stage.PROVIDER_ATTACHING, Event.ANSWER): Stage.ANSWERED,
        # The client returned, or vanished, without waiting for the answer to its nested call.
        (Stage.PROVIDER_ATTACHING, Event.FAIL): Stage.DESERTED,
        (Stage.DESERTED, Event.ANSWER): Stage.CLIENT_CLEANUP,
        # A provider that said yes to a client which then vanished is owed its detach callback.
        (Stage.DESERTED, Event.UNBIND): Stage.CLIENT_DETACHING,
        (Stage.ANSWERED, Event.UNBIND): Stage.CLIENT_DETACHING,
        (Stage.ANSWERED, Event.ACCEPT): Stage.READY,
        (Stage.ANSWERED, Event.FAIL): Stage.CLIENT_CLEANUP,
        (Stage.READY, Event.UNBIND): Stage.CLIENT_DETACHING,
        (Stage.CLIENT_DETACHING, Event.CLIENT_DETACH_RETURNED): Stage.PROVIDER_DETACHING,
        (Stage.PROVIDER_DETACHING, Event.PROVIDER_DETACH_RETURNED): Stage.DRAINING,
        (Stage.DRAINING, Event.DRAIN): Stage.CLIENT_CLEANUP,
        (Stage.CLIENT_CLEANUP, Event.CLIENT_CLEANED): Stage.PROVIDER_CLEANUP,
        (Stage.PROVIDER_CLEANUP, Event.PROVIDER_CLEANED): Stage.GONE,
    }
)


class Detach(Enum):
    """How far one side's detach has come."""

    IDLE = auto()
    CALLED = auto()
    COMPLETED_EARLY = auto()
    PENDING = auto()
    DETACHED = auto()


class DetachEvent(Enum):
    """What moves one side's detach."""

    CALL = auto()
    SKIP = auto()
    RETURN_SUCCESS = auto()
    RETURN_PENDING = auto()
    COMPLETE = auto()


DETACHES: Final = MappingProxyType(
    {
        (Detach.IDLE, DetachEvent.CALL): Detach.CALLED,
        (Detach.IDLE, DetachEvent.SKIP): Detach.DETACHED,
        (Detach.CALLED, DetachEvent.RETURN_SUCCESS): Detach.DETACHED,
        (Detach.CALLED, DetachEvent.RETURN_PENDING): Detach.PENDING,
        # The last call drained on another thread before the callback had returned.
        (Detach.CALLED, DetachEvent.COMPLETE): Detach.COMPLETED_EARLY,
        (Detach.COMPLETED_EARLY, DetachEvent.RETURN_PENDING): Detach.DETACHED,
        # NMR forbids to complete and return SUCCESS; refusing it would leave the binding stuck.
        (Detach.COMPLETED_EARLY, DetachEvent.RETURN_SUCCESS): Detach.DETACHED,
        (Detach.PENDING, DetachEvent.COMPLETE): Detach.DETACHED,
    }
)


@dataclass(slots=True)
class Side:
    """What one module brought to the binding, and how far its detach has come."""

    context: object = None
    dispatch: object = None
    detach: Detach = Detach.IDLE


@dataclass(slots=True, eq=False)
class Binding:
    """One client bound, or being bound, to one provider."""

    handle: BindingHandle
    client: Registration
    provider: Registration
    stage: Stage = Stage.QUEUED
    client_side: Side = field(default_factory=Side)
    provider_side: Side = field(default_factory=Side)
    queue: AttachQueue | None = None
    """What goes on when this attach has ended."""

    began_at: int = 0
    """When its attach began, in the order of attaches; 0 if it never did."""

    accepted: bool = False
    """The provider said yes."""

    succeeded: bool = False
    """Both said yes: the binding was ready once."""

    leaving: bool = False
    """A side deregisters or is lost: unbind as soon as the attach has ended."""

    waiter: Registration | None = None
    """Whose ``deregister`` waits for the detach callbacks of this binding."""

    def registration(self, role: Role) -> Registration:
        """Return the registration on the side of *role*."""
        return self.client if role is Role.CLIENT else self.provider

    def side(self, role: Role) -> Side:
        """Return what the module of *role* brought."""
        return self.client_side if role is Role.CLIENT else self.provider_side

    def callable(self, role: Role) -> bool:
        """Whether detach and cleanup callbacks of that side are called at all."""
        return self.side(role).context is not None and not self.registration(role).lost

    @property
    def detached(self) -> bool:
        """Whether both sides have completed their detach."""
        return self.client_side.detach is self.provider_side.detach is Detach.DETACHED

    def require(self, event: Event) -> None:
        """Raise unless *event* may follow, and change nothing."""
        if (self.stage, event) not in STAGES:
            raise OutOfTurnError(self.handle, self.stage.name, event.name)

    def apply(self, event: Event) -> Stage:
        """Move along *event*, or raise and leave the stage untouched."""
        self.require(event)
        self.stage = STAGES[self.stage, event]
        return self.stage

    def apply_detach(self, role: Role, event: DetachEvent) -> None:
        """Move one side's detach along *event*, or raise and leave it untouched."""
        side = self.side(role)
        after = DETACHES.get((side.detach, event))
        if after is None:
            raise OutOfTurnError(self.handle, f"{role.name} {side.detach.name}", event.name)
        side.detach = after
