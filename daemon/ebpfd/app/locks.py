"""One daemon for each socket and each state directory: a second one is refused by name.

gRPC would silently take over a socket path that is in use, so a lock file beside it decides.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class InUseError(Exception):
    """Another daemon holds what this one wants."""


@contextmanager
def locked(path: Path, what: str) -> Generator[None]:
    """Hold the lock file *path* for *what*; ``InUseError`` names the holder's process."""
    private_directory(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise InUseError(
                f"{what} is in use by another ebpfd (pid {holder}): stop that one, "
                "or choose another --listen or --state"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def private_directory(path: Path) -> None:
    """Make *path* if it is missing, for this user only; one of somebody else's is refused."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = path.stat()
    except OSError as error:
        raise _unusable(path, error) from None
    writable_by_others = owner.st_mode & 0o022 and not owner.st_mode & 0o1000
    if owner.st_uid not in (os.getuid(), 0) or writable_by_others:
        raise InUseError(
            f"{path} belongs to, or can be changed by, another user: "
            "change that, or choose another --listen or --state"
        )


def _unusable(path: Path, error: OSError) -> InUseError:
    return InUseError(
        f"{path} cannot be used: {error.strerror}: choose another --listen or --state"
    )
