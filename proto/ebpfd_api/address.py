"""Where a daemon listens when nobody says otherwise."""

import os
from pathlib import Path


def default_address() -> str:
    """``$EBPFD_ADDRESS``, else a Unix socket in a directory that only this user can enter."""
    if address := os.environ.get("EBPFD_ADDRESS"):
        return address
    return f"unix:{runtime_directory() / 'ebpfd.sock'}"


def hello_path(socket_path: str) -> str:
    """Where the daemon that serves on a Unix socket tells processes who they are (peer.proto)."""
    return f"{socket_path}.hello"


def runtime_directory() -> Path:
    """``$XDG_RUNTIME_DIR/ebpfd``; ``/run/ebpfd`` for root; else a private one below ``/tmp``."""
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "ebpfd"
    uid = os.getuid()
    return Path("/run/ebpfd") if uid == 0 else Path(f"/tmp/ebpfd-{uid}")  # noqa: S108 (checked for its owner before use)
