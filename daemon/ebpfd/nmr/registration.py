"""One module's registration and the attaches that it queued, as the registrar keeps them.

Invariant: ``bindings`` has at most one binding for each peer.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ebpfd.nmr.identity import ModuleId, Owner, RegistrationHandle, RegistrationInstance, Role

if TYPE_CHECKING:
    from ebpfd.nmr.binding import Binding


@dataclass(slots=True, eq=False)
class Registration:
    """A registered client or provider."""

    handle: RegistrationHandle
    role: Role
    instance: RegistrationInstance
    owner: Owner
    has_cleanup: bool
    wants: frozenset[ModuleId] | None = None
    """Of a client: the providers that it wants, by their module ids; ``None``: any."""

    bindings: "dict[RegistrationHandle, Binding]" = field(
        default_factory=dict["RegistrationHandle", "Binding"]
    )
    """By the handle of the peer."""

    deregistering: bool = False
    lost: bool = False
    """The owner is gone: nothing of this registration may be called."""

    answer_due: bool = False
    """``deregister`` was called and is not answered yet."""

    unsettled: int = 0
    """How many things the answer of ``deregister`` still waits for."""


@dataclass(slots=True, eq=False)
class AttachQueue:
    """Bindings whose attaches run one after the other."""

    registered: Registration | None
    """Whose ``register`` is answered at the end; ``None`` if nobody waits."""

    waiting: "deque[Binding]"
