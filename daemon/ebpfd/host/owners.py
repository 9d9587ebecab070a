"""Clients that hold objects, known by tokens, and what becomes of theirs at their end."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence

import structlog

from ebpfd.errors import RequestError
from ebpfd.host.links import Links
from ebpfd.host.peers import UNKNOWN, Peer
from ebpfd.objects import DAEMON, Objects, Owner
from ebpfd_api.result import Result

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Owners:
    """Who holds, and with which token."""

    def __init__(self, *, objects: Objects, links: Links) -> None:
        self._objects = objects
        self._links = links
        self._owners: dict[str, Owner] = {}
        self._peers: dict[Owner, Peer] = {}
        self.when_ended: Callable[[Owner, Peer, Sequence[int]], None] | None = None
        """Told who has ended, who that was, and the ids of links and programs that go with him."""

        self.closed = asyncio.Event()
        """Set when the daemon stops: then every owner ends."""

    def all(self) -> Iterable[Owner]:
        """Those that hold now, in the order in which they began."""
        return tuple(self._owners.values())

    def __len__(self) -> int:
        return len(self._owners)

    def begin(self, name: str, peer: Peer = UNKNOWN) -> str:
        """The token of a new owner, which *peer* has begun."""
        token = secrets.token_hex(16)
        owner = self._owners[token] = Owner(name or "a client")
        self._peers[owner] = peer
        return token

    def peer_of(self, owner: Owner) -> Peer:
        """Who began it."""
        return self._peers.get(owner, UNKNOWN)

    def find(self, token: str | None) -> Owner:
        """Whose call it is: the daemon's own without a token; INVALID_STATE if that has ended."""
        if token is None:
            return DAEMON
        owner = self._owners.get(token)
        if owner is None:
            message = "this client holds no more, so nothing can be made for it: open a new one"
            raise RequestError(Result.INVALID_STATE, message)
        return owner

    async def end(self, token: str) -> None:
        """End an owner, if it is still there; returns when all that goes with it has gone."""
        owner = self._owners.pop(token, None)
        if owner is None:
            return
        peer = self._peers.pop(owner)
        left = self._objects.end(owner)
        if self.when_ended is not None:
            self.when_ended(owner, peer, [each.id for each in left])
        _log.info("owner ended", owner=owner.name, detaches_or_unloads=[each.id for each in left])
        await self._links.end_unkept(left)
