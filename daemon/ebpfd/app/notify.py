"""Tell systemd (``Type=notify``) where we are; without systemd this does nothing."""

import asyncio
import os
import socket
from contextlib import suppress
from typing import Final

EXTENSION_S: Final = 60.0
"""What a start may take from the moment at which we have said that it takes longer."""


def notify(message: str) -> None:
    """Send *message*, for example ``READY=1``, to ``$NOTIFY_SOCKET``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    # Who has asked may be gone: that is no reason not to start or to stop.
    with (
        suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel,
    ):
        channel.setblocking(False)
        channel.sendto(message.encode(), address)


def watchdog_s() -> float | None:
    """How long we may be silent; None: nobody watches."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    if not usec.isdecimal() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 1e6 or None


async def keep_watched(within_s: float) -> None:
    """Say for ever that this loop turns, twice in each *within_s*."""
    while True:
        notify("WATCHDOG=1")
        await asyncio.sleep(within_s / 2)


async def extend_start() -> None:
    """Say until this is cancelled that the start goes on."""
    while True:
        await asyncio.sleep(EXTENSION_S / 4)
        notify(f"EXTEND_TIMEOUT_USEC={EXTENSION_S * 1e6:.0f}")
