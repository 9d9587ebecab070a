"""What a daemon is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ebpfd.app.config import Config, read_config
from ebpfd.app.config_table import SettingsError
from ebpfd.app.extension_words import hosted_extensions
from ebpfd.app.metrics_address import Port, metrics_address
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.extensions import ExtensionSpec
from ebpfd_api.address import default_address, hello_path

__all__ = ["Settings", "SettingsError"]

MAX_SOCKET_PATH: Final = 107 - len(hello_path(""))
"""Bytes of a socket's path: the hello socket beside it may have as many as the system allows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a daemon listens, where it keeps its state (None: nowhere), how long it waits, whom it
    hosts, and where it shows its metrics (None: nowhere).
    """

    listen: tuple[Path, ...]
    state: Path | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    extensions: tuple[ExtensionSpec, ...] = ()
    metrics: Path | Port | None = None

    @classmethod
    def parse(
        cls,
        listen: tuple[str, ...],
        state: str | None,
        *,
        callback_s: float | None = None,
        drain_s: float | None = None,
        lease_s: float | None = None,
        extensions: tuple[str, ...] = (),
        config: str | None = None,
        metrics: str | None = None,
    ) -> "Settings":
        """Settings from the words of a command line, which win over those of the file *config*.

        Extensions of both are hosted, those of the file first.
        """
        file = Config() if config is None else read_config(Path(config))
        addresses = listen or file.listen or (default_address(),)
        state, usual = state or file.state, Deadlines()
        metrics = metrics or file.metrics
        return cls(
            listen=tuple(_socket_path(address) for address in addresses),
            state=Path(state).absolute() if state else None,
            deadlines=Deadlines(
                callback_s=callback_s or file.callback_s or usual.callback_s,
                drain_s=drain_s or file.drain_s or usual.drain_s,
                lease_s=lease_s or file.lease_s or usual.lease_s,
                helper_s=file.helper_s or usual.helper_s,
            ),
            extensions=hosted_extensions(extensions, file.extensions),
            metrics=metrics_address(metrics) if metrics else None,
        )


def _socket_path(address: str) -> Path:
    if not address.startswith("unix:") or address == "unix:":
        raise SettingsError(f"listen {address}: only unix:PATH is possible")
    path = Path(address.removeprefix("unix:")).absolute()
    if len(str(path).encode()) > MAX_SOCKET_PATH:
        raise SettingsError(
            f"listen {address}: the path is longer than {MAX_SOCKET_PATH} bytes, "
            "which is all that there is room for beside the socket's own '.hello'"
        )
    return path
