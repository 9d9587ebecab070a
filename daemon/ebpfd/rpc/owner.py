"""On whose behalf a call is made."""

from typing import Any, TypeAlias

import grpc

from ebpfd.objects import Users
from ebpfd_api.metadata import OWNER

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def token_of(context: _Context) -> str | None:
    """The owner's token that the call carries, if any."""
    for key, value in context.invocation_metadata() or ():
        if key == OWNER:
            return value if isinstance(value, str) else value.decode(errors="replace")
    return None


def owner_names(users: Users) -> list[str]:
    """Who has an object, for listings."""
    return sorted(each.name for each in users.owners)
