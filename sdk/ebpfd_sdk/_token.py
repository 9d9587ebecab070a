"""What this process is known by on a daemon's Unix socket: a token, got when it is needed."""

import asyncio
from typing import Final

from ebpfd_api.address import hello_path

HELLO_S: Final = 2.0
"""A daemon that does not greet by then knows nothing of tokens."""

RENEWED: Final = 2 / 3
"""Of its time, after which a token is replaced: a call must not meet its end."""


class TokenSource:
    """Tokens for one connection, each for some minutes.

    Without a hello socket there are none, and this process is not known to the daemon.
    """

    def __init__(self, socket_path: str) -> None:
        self._path = hello_path(socket_path)
        self._token = ""
        self._renew_s = 0.0
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        """The token for a call that is made now; empty: there is none."""
        async with self._asking:
            loop = asyncio.get_running_loop()
            if not self._token or loop.time() >= self._renew_s:
                self._token, lasts_s = await _ask(self._path)
                self._renew_s = loop.time() + lasts_s * RENEWED
        return self._token

    def refused(self, token: str) -> None:
        """Use *token* no more: the daemon that gave it is gone, or forgot it."""
        if token == self._token:
            self._token = ""


async def _ask(path: str) -> tuple[str, float]:
    try:
        async with asyncio.timeout(HELLO_S):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                token, seconds = (await reader.read()).decode("ascii").split()
            finally:
                writer.close()
        return token, float(seconds)
    except (OSError, ValueError):  # a TimeoutError is an OSError
        return "", 0.0
