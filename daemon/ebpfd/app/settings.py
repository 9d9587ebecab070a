"""What a daemon is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ebpfd.host.callbacks import Deadlines
from ebpfd_api.address import default_address

MAX_SOCKET_PATH: Final = 107
"""Bytes that the system allows for the path of a Unix socket."""


class SettingsError(Exception):
    """A setting that cannot be used; the message names it and says what can."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a daemon listens, where it keeps its state (None: nowhere), how long it waits."""

    listen: tuple[Path, ...]
    state: Path | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)

    @classmethod
    def parse(
        cls, listen: tuple[str, ...], state: str | None, deadlines: Deadlines | None = None
    ) -> "Settings":
        """Settings from the words of a command line."""
        addresses = listen or (default_address(),)
        return cls(
            listen=tuple(_socket_path(address) for address in addresses),
            state=Path(state).absolute() if state else None,
            deadlines=deadlines or Deadlines(),
        )


def _socket_path(address: str) -> Path:
    if not address.startswith("unix:") or address == "unix:":
        raise SettingsError(f"--listen {address}: only unix:PATH is possible")
    path = Path(address.removeprefix("unix:")).absolute()
    if len(str(path).encode()) > MAX_SOCKET_PATH:
        raise SettingsError(
            f"--listen {address}: the path is longer than {MAX_SOCKET_PATH} bytes, "
            "which is all that the system allows for a socket"
        )
    return path
