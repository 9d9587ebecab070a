"""Map types of an extension's own: the daemon keeps the entries, the extension decides on them.

    class Ports(CustomMap):
        def update(self, key: bytes, value: bytes) -> None:
            if value == bytes(2):
                raise Refused("port 0 is no port")

    ports = CustomMapType(MapType.SAMPLE_HASH_MAP, Ports, name="ports")

Each map of the type is an instance.  Methods may be plain functions or coroutines, and those that
a class does not define are not called: they cost nothing.
"""

from collections.abc import Awaitable
from typing import TypeAlias, TypeVar
from uuid import UUID

from ebpfd_api.custom_map import MapOperation

_Value = TypeVar("_Value")
Later: TypeAlias = _Value | Awaitable[_Value]
"""A value, or a coroutine of it."""


class CustomMap:
    """One map of a custom type: derive a class, and define what it wants to know of.

    A method that does not agree raises Refused, whose *result* the user gets; a program that
    writes an element gets it negated.
    """

    id: int
    """For the service of maps."""

    key_size: int
    """Bytes."""

    value_size: int
    """Bytes of a value as users see it."""

    stored_value_size: int
    """Bytes of a value as it is stored; known when *create* has returned."""

    max_entries: int
    restored: bool
    """It has entries already: the extension that provided it before was lost.

    If only the connection was, its instance is the same as before, and *create* is not called.
    """

    def create(self) -> Later[int | None]:
        """Take a new map, and say how many bytes a value is stored in if not in *value_size*."""
        return None

    def destroy(self) -> Later[None]:
        """Forget the map: every element of it was deleted before."""

    def associate(self, program_type: UUID) -> Later[None]:
        """Let programs of this type use the map."""

    def find(self, key: bytes, stored: bytes) -> Later[bytes | None]:
        """Show a value: what is returned, if the type updates the original value."""
        raise NotImplementedError

    def update(self, key: bytes, value: bytes) -> Later[bytes | None]:
        """Take a value: what is returned is stored, if the type updates the original value.

        A value that is not stored after all is deleted again.
        """
        raise NotImplementedError

    def delete(self, key: bytes, stored: bytes, operation: MapOperation) -> Later[None]:
        """Forget a value that is not stored any more: deleted, replaced, or gone with the map."""
        raise NotImplementedError

    def before_delete(self, key: bytes, stored: bytes, operation: MapOperation) -> Later[None]:
        """Forget a value that is about to be deleted, or refuse: the older form of *delete*.

        Nobody heeds a refusal if *operation* says UPDATE or MAP_CLEANUP.
        """
        raise NotImplementedError
