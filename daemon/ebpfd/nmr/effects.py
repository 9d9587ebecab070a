"""What the registrar wants done: every call returns a list of these, to be done in order.

Those that name a callback are run by *owner* and reported back, each with the method named in its
docstring; the others only inform.  The registrar never waits: between an effect and its report
anything else may happen.
"""

from dataclasses import dataclass
from typing import TypeAlias

from ebpfd.nmr.identity import BindingHandle, Owner, RegistrationHandle, RegistrationInstance
from ebpfd_api.ntstatus import NtStatus


@dataclass(frozen=True, slots=True)
class ClientAttachProvider:
    """Offer a provider to a client; ends with ``client_attach_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    provider_instance: RegistrationInstance


@dataclass(frozen=True, slots=True)
class ProviderAttachClient:
    """Ask a provider to take a client; ends with ``provider_attach_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    client_instance: RegistrationInstance
    client_context: object
    client_dispatch: object


@dataclass(frozen=True, slots=True)
class ClientAttachProviderReturned:
    """Answer the ``client_attach_provider`` that a client made inside its attach callback."""

    binding: BindingHandle
    owner: Owner
    status: int
    provider_context: object
    provider_dispatch: object


@dataclass(frozen=True, slots=True)
class ClientDetachProvider:
    """Ask a client to make no new calls; ends with ``detach_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    context: object


@dataclass(frozen=True, slots=True)
class ProviderDetachClient:
    """Ask a provider to make no new calls; ends with ``detach_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    context: object


@dataclass(frozen=True, slots=True)
class ClientCleanupBindingContext:
    """Let a client free its binding context; ends with ``cleanup_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    context: object


@dataclass(frozen=True, slots=True)
class ProviderCleanupBindingContext:
    """Let a provider free its binding context; ends with ``cleanup_returned``."""

    binding: BindingHandle
    registration: RegistrationHandle
    owner: Owner
    context: object


@dataclass(frozen=True, slots=True)
class RegisterReturned:
    """Answer ``register``: every attach that it queued has ended, well or not."""

    registration: RegistrationHandle
    status: NtStatus
    owner: Owner


@dataclass(frozen=True, slots=True)
class DeregisterReturned:
    """Answer ``deregister``: ``SUCCESS`` if every binding is gone, else ``PENDING``."""

    registration: RegistrationHandle
    status: NtStatus
    owner: Owner


@dataclass(frozen=True, slots=True)
class DeregisterCompleted:
    """The last binding of a deregistered registration is gone, and the registration with it."""

    registration: RegistrationHandle
    owner: Owner


@dataclass(frozen=True, slots=True)
class BindingReady:
    """Both sides attached; may be followed at once by the detach of a deregistration."""

    binding: BindingHandle


@dataclass(frozen=True, slots=True)
class BindingGone:
    """A binding, ready once or not, has ended; its handle means nothing any more."""

    binding: BindingHandle


Callback: TypeAlias = (
    ClientAttachProvider
    | ProviderAttachClient
    | ClientDetachProvider
    | ProviderDetachClient
    | ClientCleanupBindingContext
    | ProviderCleanupBindingContext
)
"""An effect that a module runs, and whose end must be reported."""

Answer: TypeAlias = ClientAttachProviderReturned | RegisterReturned | DeregisterReturned
"""An effect that answers a call of a module."""

Effect: TypeAlias = Callback | Answer | DeregisterCompleted | BindingReady | BindingGone
