"""What the registrar raises: a call that it refuses, named by who is to blame.

    RegistrarError
     +-- InvalidValueError     the caller passed a value that NMR does not allow
     +-- UnknownHandleError    the caller made the handle up
     +-- ForeignHandleError    the caller used the handle of another module
     +-- OutOfTurnError        the caller called too early, too often, or outside its callback
     +-- LateCallError         nobody: what the handle named has gone meanwhile; ignore it

Whenever one is raised, the registrar's state is as it was before the call.
"""

from collections.abc import Hashable
from typing import ClassVar

from ebpfd_api.ntstatus import NtStatus


class RegistrarError(Exception):
    """A call that the registrar refused without changing anything."""

    status: ClassVar[NtStatus] = NtStatus.INVALID_PARAMETER
    """What to answer to a caller that understands only status codes."""


class InvalidValueError(RegistrarError):
    """A field has a value that NMR does not allow."""

    def __init__(self, field: str, value: object) -> None:
        super().__init__(f"{field} cannot be {value!r}")
        self.field, self.value = field, value


class UnknownHandleError(RegistrarError):
    """The registrar never gave this handle out."""

    def __init__(self, handle: int) -> None:
        super().__init__(f"handle {handle} was never given out")
        self.handle = handle


class ForeignHandleError(RegistrarError):
    """The handle, or this side of it, belongs to another module."""

    def __init__(self, handle: int, caller: Hashable) -> None:
        super().__init__(f"handle {handle} does not belong to {caller!r}")
        self.handle, self.caller = handle, caller


class OutOfTurnError(RegistrarError):
    """The call does not follow from the state that the registration or binding is in."""

    status: ClassVar[NtStatus] = NtStatus.INVALID_DEVICE_STATE

    def __init__(self, handle: int, state: str, event: str) -> None:
        super().__init__(f"handle {handle}: {event} cannot follow {state}")
        self.handle, self.state, self.event = handle, state, event


class LateCallError(RegistrarError):
    """The registration, the binding or its module's process is gone; nothing is left to do."""

    def __init__(self, handle: int) -> None:
        super().__init__(f"what handle {handle} named is gone")
        self.handle = handle
