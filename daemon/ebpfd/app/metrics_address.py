"""Where metrics are served: a port of this host alone, or a socket."""

from ipaddress import ip_address
from pathlib import Path
from typing import Final

from ebpfd.app.config_table import SettingsError
from ebpfd_api.address import Endpoint

MAX_SOCKET_PATH: Final = 107
"""Bytes that the system allows for the path of a Unix socket."""


def metrics_address(said: str) -> Path | Endpoint:
    """What ``--metrics`` names, or ``SettingsError``; port 0: any that is free."""
    if said.startswith("unix:"):
        return _socket(said)
    host, colon, number = said.rpartition(":")
    if not colon or not number.isascii() or not number.isdecimal() or int(number) > 0xFFFF:
        raise SettingsError(f"metrics {said}: write HOST:PORT or unix:PATH")
    host = host.removeprefix("[").removesuffix("]")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SettingsError(
            f"metrics {said}: only 127.0.0.1, [::1] and localhost are possible, since nobody is "
            "asked there who he is: let an agent on this host pass them on"
        )
    return Endpoint(host, int(number))


def _socket(said: str) -> Path:
    if said == "unix:":
        raise SettingsError(f"metrics {said}: write HOST:PORT or unix:PATH")
    path = Path(said.removeprefix("unix:")).absolute()
    if len(str(path).encode()) > MAX_SOCKET_PATH:
        raise SettingsError(f"metrics {said}: the path is longer than {MAX_SOCKET_PATH} bytes")
    return path
