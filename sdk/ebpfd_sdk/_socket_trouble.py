"""Why this user may not open a daemon's socket, and who can change that."""

import os
import pwd
from pathlib import Path


def socket_trouble(path: str) -> tuple[str, str]:
    """What is wrong with the socket at *path*, which the system refused to open, and what to do."""
    return (
        f"user {_user(os.getuid())} may not open this socket{_whose(path)}",
        "whoever runs the daemon lets others in with `open_to` in its configuration",
    )


def _whose(path: str) -> str:
    """Its owner, as far as this user may know it."""
    try:
        owner = Path(path).stat().st_uid
    except OSError:  # in a folder that is closed, too
        return ""
    return f" of user {_user(owner)}"


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
