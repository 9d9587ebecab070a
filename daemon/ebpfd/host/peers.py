"""Who is at the far end of a connection, as the system says and not as it says itself."""

import secrets
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

TOKEN_S: Final = 300.0
"""How long a token is valid; sessions and owners that began with it outlast it."""

MAX_TOKENS: Final = 16384
"""Valid at once; with more, the oldest one ends of the user who has the most."""


_CREDENTIALS: Final = struct.Struct("iII")
"""The system's ``struct ucred``."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this host as it was when it connected; pid 0: this daemon cannot see it."""

    pid: int
    uid: int
    gid: int


def process_at(connection: socket.socket) -> Process:
    """Who has connected to a Unix socket that is ours."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Process(*_CREDENTIALS.unpack(raw))


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who has shown, over TLS, to have the key of a certificate that the daemon trusts."""

    names: tuple[str, ...]
    """The subject's alternative names, or else its common name."""

    address: str
    """Where the connection comes from."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What is known for sure: a process of this host, or a certificate.

    Neither: somebody who may open the daemon's Unix socket, its owner or root.
    """

    process: Process | None = None
    certificate: Certificate | None = None


UNKNOWN: Final = Peer()


@runtime_checkable
class Connected(Protocol):
    """A module at the far end of a connection."""

    @property
    def peer(self) -> Peer:
        """Who is there."""
        ...


@dataclass(frozen=True, slots=True)
class _Grant:
    process: Process
    ends_s: float


class Tokens:
    """Which token stands for which process.

    Each ends after ``TOKEN_S``, with its process (``ended``), and with this daemon.  ``now`` is a
    clock in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._grants: dict[str, _Grant] = {}  # in the order in which they end
        self._of_users: dict[int, dict[str, None]] = {}  # by uid, in the same order

    def __len__(self) -> int:
        """How many there are."""
        return len(self._grants)

    def give(self, process: Process) -> str:
        """A new token for *process*."""
        now_s = self._now()
        while self._grants:
            oldest = next(iter(self._grants))
            if self._grants[oldest].ends_s > now_s:
                break
            self._end(oldest)
        if len(self._grants) >= MAX_TOKENS:
            # Nobody loses his because somebody else asks and asks.
            most = max(self._of_users.values(), key=len)
            self._end(next(iter(most)))
        token = secrets.token_urlsafe(32)
        self._grants[token] = _Grant(process, now_s + TOKEN_S)
        self._of_users.setdefault(process.uid, {})[token] = None
        return token

    def find(self, token: str) -> Process | None:
        """Whom *token* stands for; None: nobody, or not any more."""
        grant = self._grants.get(token)
        if grant is None or grant.ends_s <= self._now():
            return None
        return grant.process

    def ended(self, pid: int) -> None:
        """A process is no more, and its pid may soon be another one's."""
        for token in [each for each, grant in self._grants.items() if grant.process.pid == pid]:
            self._end(token)

    def _end(self, token: str) -> None:
        uid = self._grants.pop(token).process.uid
        of_user = self._of_users[uid]
        del of_user[token]
        if not of_user:
            del self._of_users[uid]
