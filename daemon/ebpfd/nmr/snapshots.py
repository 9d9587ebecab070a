"""Frozen pictures of registrations and bindings, for whoever lists or watches them.

A picture never changes, and holding one keeps nothing alive but the modules' own values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from ebpfd.nmr.binding import PHASES, Binding, Detach, Phase, Stage
from ebpfd.nmr.identity import (
    BindingHandle,
    Owner,
    RegistrationHandle,
    RegistrationInstance,
    Role,
)
from ebpfd.nmr.registration import Registration


@dataclass(frozen=True, slots=True)
class RegistrationSnapshot:
    """A registration as it was at one moment."""

    handle: RegistrationHandle
    role: Role
    instance: RegistrationInstance
    owner: Owner
    deregistering: bool
    binding_count: int

    @classmethod
    def of(cls, registration: Registration) -> "RegistrationSnapshot":
        """Picture *registration*."""
        return cls(
            handle=registration.handle,
            role=registration.role,
            instance=registration.instance,
            owner=registration.owner,
            deregistering=registration.deregistering,
            binding_count=len(registration.bindings),
        )


@dataclass(frozen=True, slots=True)
class BindingSnapshot:
    """A binding as it was at one moment."""

    handle: BindingHandle
    client: RegistrationHandle
    provider: RegistrationHandle
    stage: Stage
    client_detach: Detach
    provider_detach: Detach
    client_context: object
    client_dispatch: object
    provider_context: object
    provider_dispatch: object

    @property
    def phase(self) -> Phase:
        """Where the binding is, in fewer words."""
        return PHASES[self.stage]

    @classmethod
    def of(cls, binding: Binding) -> "BindingSnapshot":
        """Picture *binding*."""
        return cls(
            handle=binding.handle,
            client=binding.client.handle,
            provider=binding.provider.handle,
            stage=binding.stage,
            client_detach=binding.client_side.detach,
            provider_detach=binding.provider_side.detach,
            client_context=binding.client_side.context,
            client_dispatch=binding.client_side.dispatch,
            provider_context=binding.provider_side.context,
            provider_dispatch=binding.provider_side.dispatch,
        )


class Change(Enum):
    """What became of a registration or a binding."""

    ADDED = auto()
    CHANGED = auto()
    """A registration deregisters, or a binding is in another phase."""

    GONE = auto()


Observer: TypeAlias = Callable[[Change, RegistrationSnapshot | BindingSnapshot], None]
"""Is told of each change as it happens, within the call that causes it; it must only take note."""
