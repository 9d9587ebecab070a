"""Who takes part: roles, handles, module ids and what a module registers.

All of it is frozen: NMR requires that a registration does not change while it lasts.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Final, NewType, TypeAlias
from uuid import UUID

from ebpfd.nmr.errors import InvalidValueError

RegistrationHandle = NewType("RegistrationHandle", int)
"""Names one registration; counts from 1 and is never reused."""

BindingHandle = NewType("BindingHandle", int)
"""Names one binding, the same for both its sides; counts from 1 and is never reused."""

Owner: TypeAlias = Hashable
"""Whatever runs a module's callbacks: the session of a process, or the daemon itself."""


class Role(Enum):
    """Which side of a contract a registration is on."""

    CLIENT = "client"
    PROVIDER = "provider"

    @property
    def opposite(self) -> "Role":
        """The role that this one binds with."""
        return Role.PROVIDER if self is Role.CLIENT else Role.CLIENT


class _Anyone(Enum):
    """The type of ``ANYONE``."""

    ANYONE = auto()


ANYONE: Final = _Anyone.ANYONE
"""Stands for a caller that needs no check, such as the daemon's own shell."""


class ModuleIdKind(IntEnum):
    """How a module id is written (``NPI_MODULEID_TYPE``)."""

    MIT_GUID = 1
    MIT_IF_LUID = 2


@dataclass(frozen=True, slots=True)
class ModuleId:
    """Identifies a module to its peers; the registrar itself never looks at it."""

    kind: ModuleIdKind
    value: UUID | int

    def __post_init__(self) -> None:
        """Refuse a value that is not of its kind."""
        if isinstance(self.value, UUID):
            fits = self.kind is ModuleIdKind.MIT_GUID
        else:
            fits = self.kind is ModuleIdKind.MIT_IF_LUID and 0 <= self.value < 1 << 64
        if not fits:
            raise InvalidValueError("module_id", self.value)

    @classmethod
    def guid(cls, value: UUID) -> "ModuleId":
        """Return the usual kind of module id."""
        return cls(ModuleIdKind.MIT_GUID, value)


@dataclass(frozen=True, slots=True)
class RegistrationInstance:
    """What a module shows of itself to its peers (``NPI_REGISTRATION_INSTANCE``)."""

    npi_id: UUID | None
    """The contract; two modules meet when theirs are equal, and ``None`` equals nothing."""

    module_id: ModuleId
    number: int = 0
    characteristics: object = None
    """Whatever the contract defines; the registrar hands it on unread."""

    def __post_init__(self) -> None:
        """Refuse a number that does not fit its 32 bits."""
        if not 0 <= self.number < 1 << 32:
            raise InvalidValueError("number", self.number)
