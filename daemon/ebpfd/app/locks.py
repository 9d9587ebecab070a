"""One daemon for each socket and each state directory: a second one is refused by name.

gRPC would silently take over a socket path that is in use, so a lock file beside it decides.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ebpfd.store.advice import advice_for


class InUseError(Exception):
    """What this daemon wants is not to be had."""


class HeldError(InUseError):
    """Another process has it."""


@contextmanager
def locked(path: Path, what: str, option: str) -> Generator[None]:
    """Hold the lock file *path*, in a directory of this user's, for *what*, which *option* names.

    ``HeldError`` names the holder's process.
    """
    private_directory(path.parent, option)
    with held(path, what, option):
        yield


@contextmanager
def held(path: Path, what: str, option: str) -> Generator[None]:
    """As ``locked``, in a directory that is there, whoever has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error, option) from None
    try:
        if os.geteuid() == 0:  # whoever has the directory must be able to use it as well
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise HeldError(
                f"{what} is in use by another ebpfd (pid {holder}): stop that one, "
                f"or choose another {option}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def private_directory(path: Path, option: str) -> None:
    """Make *path* if it is missing, for this user only; one of somebody else's is refused."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = path.stat()
    except OSError as error:
        raise _unusable(path, error, option) from None
    writable_by_others = owner.st_mode & 0o022 and not owner.st_mode & 0o1000
    if owner.st_uid not in (os.getuid(), 0) or writable_by_others:
        raise InUseError(
            f"{path} belongs to, or can be changed by, another user: "
            f"change that, or choose another {option}"
        )


def _unusable(path: Path, error: OSError, option: str) -> InUseError:
    why = error.strerror or str(error)
    advice = advice_for(error.errno)
    does = f"{advice}, or choose" if advice else "choose"
    return InUseError(f"{path} cannot be used: {why}: {does} another {option}")
