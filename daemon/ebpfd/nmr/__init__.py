"""The Network Module Registrar: introduces modules by contract, and parts them in order.

``Registrar`` is a pure state machine; README.md draws its states and lists its rules.
"""

from ebpfd.nmr.binding import Detach, Phase, Stage
from ebpfd.nmr.effects import (
    Answer,
    BindingGone,
    BindingReady,
    Callback,
    ClientAttachProvider,
    ClientAttachProviderReturned,
    ClientCleanupBindingContext,
    ClientDetachProvider,
    DeregisterCompleted,
    DeregisterReturned,
    Effect,
    ProviderAttachClient,
    ProviderCleanupBindingContext,
    ProviderDetachClient,
    RegisterReturned,
)
from ebpfd.nmr.errors import (
    ForeignHandleError,
    InvalidValueError,
    LateCallError,
    OutOfTurnError,
    RegistrarError,
    UnknownHandleError,
)
from ebpfd.nmr.identity import (
    ANYONE,
    BindingHandle,
    ModuleId,
    ModuleIdKind,
    Owner,
    RegistrationHandle,
    RegistrationInstance,
    Role,
)
from ebpfd.nmr.registrar import Registrar
from ebpfd.nmr.snapshots import BindingSnapshot, Change, Observer, RegistrationSnapshot

__all__ = [
    "ANYONE",
    "Answer",
    "BindingGone",
    "BindingHandle",
    "BindingReady",
    "BindingSnapshot",
    "Callback",
    "Change",
    "ClientAttachProvider",
    "ClientAttachProviderReturned",
    "ClientCleanupBindingContext",
    "ClientDetachProvider",
    "DeregisterCompleted",
    "DeregisterReturned",
    "Detach",
    "Effect",
    "ForeignHandleError",
    "InvalidValueError",
    "LateCallError",
    "ModuleId",
    "ModuleIdKind",
    "Observer",
    "OutOfTurnError",
    "Owner",
    "Phase",
    "ProviderAttachClient",
    "ProviderCleanupBindingContext",
    "ProviderDetachClient",
    "RegisterReturned",
    "Registrar",
    "RegistrarError",
    "RegistrationHandle",
    "RegistrationInstance",
    "RegistrationSnapshot",
    "Role",
    "Stage",
    "UnknownHandleError",
]
