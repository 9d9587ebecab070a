"""Tell systemd (``Type=notify``) where we are; without systemd this does nothing."""

import os
import socket
from contextlib import suppress


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
        channel.sendto(message.encode(), address)
