"""Where a daemon listens when nobody says otherwise."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TLS: Final = re.compile(r"tls:(\[[0-9A-Fa-f:.]+\]|[^\[\]:/\s]+):([0-9]{1,5})")
_MOST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port of TCP."""

    host: str
    """A name or an address, without brackets."""

    port: int

    def __str__(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def tls_endpoint(address: str) -> Endpoint | None:
    """Where ``tls:HOST:PORT`` leads; None: it is no such address.  IPv6 stands in brackets."""
    match = _TLS.fullmatch(address)
    if match is None or int(match[2]) > _MOST_PORT:
        return None
    return Endpoint(match[1].strip("[]"), int(match[2]))


def default_address() -> str:
    """``$EBPFD_ADDRESS``, else a Unix socket in a directory that only this user can enter."""
    if address := os.environ.get("EBPFD_ADDRESS"):
        return address
    return own_address()


def own_address() -> str:
    """A Unix socket in a directory that only this user can enter."""
    return f"unix:{runtime_directory() / 'ebpfd.sock'}"


def hello_path(socket_path: str) -> str:
    """Where the daemon that serves on a Unix socket tells processes who they are (peer.proto)."""
    return f"{socket_path}.hello"


def local_path(socket_path: str) -> str:
    """Where that daemon hands programs over to processes that run them, if it does."""
    return f"{socket_path}.local"


def runtime_directory() -> Path:
    """``$XDG_RUNTIME_DIR/ebpfd``; ``/run/ebpfd`` for root; else a private one below ``/tmp``."""
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "ebpfd"
    uid = os.getuid()
    return Path("/run/ebpfd") if uid == 0 else Path(f"/tmp/ebpfd-{uid}")  # noqa: S108 (checked for its owner before use)
