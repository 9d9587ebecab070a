"""What a daemon is told when it starts."""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ebpfd.access import Roles
from ebpfd.app.config import Config, OpenTo, read_config
from ebpfd.app.config_table import SettingsError
from ebpfd.app.extension_words import hosted_extensions
from ebpfd.app.metrics_address import metrics_address
from ebpfd.app.tls import OutOfTimeError, TlsListener
from ebpfd.host.callbacks import Deadlines
from ebpfd.host.extensions import ExtensionSpec
from ebpfd.host.quotas import Quotas
from ebpfd_api.address import Endpoint, default_address, hello_path, own_address, tls_endpoint

__all__ = ["Settings", "SettingsError"]

MAX_SOCKET_PATH: Final = 107 - len(hello_path(""))
"""Bytes of a socket's path: the hello socket beside it may have as many as the system allows."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a daemon listens, where it keeps its state (None: nowhere), how long it waits, what
    its users may have, whom it hosts, and where it shows its metrics (None: nowhere).
    """

    listen: tuple[Path, ...]
    """Unix sockets, one at least: of the operator here, and of extensions that it hosts."""

    state: Path | None = None
    deadlines: Deadlines = field(default_factory=Deadlines)
    quotas: Quotas = field(default_factory=Quotas)
    extensions: tuple[ExtensionSpec, ...] = ()
    metrics: Path | Endpoint | None = None
    tls: TlsListener | None = None
    local: bool = False
    """Whether extensions of the daemon's own user may run programs themselves."""

    audit: Path | None = None
    """The file of the audit log; None: there is none."""

    roles: Roles | None = None
    """Who may do what; None: who may connect may do all."""

    open_to: OpenTo = OpenTo.OWNER
    config: Path | None = field(default=None, compare=False)
    """The file that said some of this."""

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
        cert: str | None = None,
        key: str | None = None,
        client_ca: str | None = None,
        config: str | None = None,
        metrics: str | None = None,
        audit: str | None = None,
        local: bool = False,
    ) -> "Settings":
        """Settings from the words of a command line, which win over those of the file *config*.

        Extensions of both are hosted, those of the file first.
        """
        file = Config() if config is None else read_config(Path(config))
        addresses = listen or file.listen or (default_address(),)
        state, usual = state or file.state, Deadlines()
        metrics, audit = metrics or file.metrics, audit or file.audit
        files = {"cert": cert, "key": key, "client-ca": client_ca}
        endpoints = tuple(_endpoint(each) for each in addresses if each.startswith("tls:"))
        if endpoints or not listen:  # those of the file are for where it listens
            said = {"cert": file.cert, "key": file.key, "client-ca": file.client_ca}
            files = {name: path or said[name] for name, path in files.items()}
        unix = [each for each in addresses if not each.startswith("tls:")]
        return cls(
            listen=tuple(map(_socket_path, unix or [own_address()])),
            tls=_tls(endpoints, files),
            state=Path(state).absolute() if state else None,
            deadlines=Deadlines(
                callback_s=callback_s or file.callback_s or usual.callback_s,
                drain_s=drain_s or file.drain_s or usual.drain_s,
                lease_s=lease_s or file.lease_s or usual.lease_s,
                helper_s=file.helper_s or usual.helper_s,
                map_s=file.map_s or usual.map_s,
                local_s=file.local_s or usual.local_s,
            ),
            quotas=file.quotas,
            extensions=hosted_extensions(extensions, file.extensions),
            metrics=metrics_address(metrics) if metrics else None,
            audit=Path(audit).absolute() if audit else None,
            local=local or file.local,
            roles=file.roles,
            open_to=file.open_to,
            config=Path(config).absolute() if config else None,
        )


def _tls(endpoints: tuple[Endpoint, ...], files: dict[str, str | None]) -> TlsListener | None:
    paths = {name: Path(path).absolute() for name, path in files.items() if path}
    if not endpoints:
        for name in paths:
            message = f"{name}: it is for tls:HOST:PORT, which is not among --listen: add that"
            raise SettingsError(message)
        return None
    for name in files:
        if name not in paths:
            raise SettingsError(
                f"listen tls:{endpoints[0]}: there is no --{name}: over TCP a daemon and its "
                "clients prove to each other who they are: give --cert, --key and --client-ca"
            )
    listener = TlsListener(endpoints, paths["cert"], paths["key"], paths["client-ca"])
    with suppress(OutOfTimeError):  # the local service must not depend on it
        listener.configuration()
    return listener


def _endpoint(address: str) -> Endpoint:
    endpoint = tls_endpoint(address)
    if endpoint is None:
        message = f"listen {address}: this is not tls:HOST:PORT; an IPv6 address is in brackets"
        raise SettingsError(message)
    return endpoint


def _socket_path(address: str) -> Path:
    if not address.startswith("unix:") or address == "unix:":
        raise SettingsError(f"listen {address}: only unix:PATH and tls:HOST:PORT are possible")
    path = Path(address.removeprefix("unix:")).absolute()
    if len(str(path).encode()) > MAX_SOCKET_PATH:
        raise SettingsError(
            f"listen {address}: the path is longer than {MAX_SOCKET_PATH} bytes, "
            "which is all that there is room for beside the socket's own '.hello'"
        )
    return path
