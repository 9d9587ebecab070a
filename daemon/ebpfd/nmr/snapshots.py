"""Frozen pictures of registrations and bindings, for whoever lists or watches them.

A picture never changes, and holding one keeps nothing alive but the modules' own values.
"""

from dataclasses import dataclass

from ebpfd.nmr.binding import Binding, Detach, Stage
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
