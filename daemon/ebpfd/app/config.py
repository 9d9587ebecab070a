"""The configuration file: TOML, of which every key is known."""

import tomllib
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

from ebpfd.access import Roles
from ebpfd.app.config_roles import read_roles
from ebpfd.app.config_table import SettingsError, Table
from ebpfd.host.extensions import ExtensionSpec, Limits, Policy, Restart, module_command
from ebpfd.host.quotas import QUOTAS, Quotas

_MOST_CPUS: Final = 4096

_KEYS: Final = (
    "listen",
    "open_to",
    "tls",
    "state",
    "metrics",
    "audit",
    "local",
    "deadlines",
    "quotas",
    "roles",
    "extension",
)
_DEADLINE_KEYS: Final = ("callback_s", "drain_s", "lease_s", "helper_s", "map_s", "local_s")
_TLS_KEYS: Final = ("cert", "key", "client_ca")
_EXTENSION_KEYS: Final = (
    "name",
    "module",
    "command",
    "args",
    "env",
    "restart",
    "restart_limit",
    "restart_delay_s",
    "start_s",
    "stop_s",
    "memory",
    "nice",
    "cpus",
)


LEASE_BOUNDS_S: Final = (0.1, 86400.0)
"""A shorter one would take every extension for gone, a longer one none."""


class OpenTo(Enum):
    """Who may connect to the daemon's Unix sockets; roles say what he may do there."""

    OWNER = "owner"
    GROUP = "group"
    EVERYBODY = "everybody"

    @property
    def mode(self) -> int:
        """Of the sockets, in the file system."""
        return {OpenTo.OWNER: 0o600, OpenTo.GROUP: 0o660, OpenTo.EVERYBODY: 0o666}[self]


@dataclass(frozen=True, slots=True)
class Config:
    """What a file says; what it leaves out is None or empty."""

    listen: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None
    state: str | None = None
    metrics: str | None = None
    audit: str | None = None
    local: bool = False
    roles: Roles | None = None
    open_to: OpenTo = OpenTo.OWNER
    callback_s: float | None = None
    drain_s: float | None = None
    lease_s: float | None = None
    helper_s: float | None = None
    map_s: float | None = None
    local_s: float | None = None
    quotas: Quotas = field(default_factory=Quotas)
    extensions: tuple[ExtensionSpec, ...] = ()


def read_config(path: Path) -> Config:
    """Read a file; ``SettingsError`` names the key that cannot be used."""
    try:
        return _config(tomllib.loads(path.read_text()))
    except OSError as error:
        raise SettingsError(f"config {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # of its numbers and depths as well
        raise SettingsError(f"config {path}: this is no TOML: {error}") from None
    except SettingsError as error:
        raise SettingsError(f"config {path}: {error}") from None


def _config(content: dict[str, Any]) -> Config:
    file = Table(content, "", _KEYS)
    tls = file.table("tls", _TLS_KEYS)
    deadlines = file.table("deadlines", _DEADLINE_KEYS)
    extensions: dict[str, ExtensionSpec] = {}
    for table in file.tables("extension", _EXTENSION_KEYS):
        spec = _extension(table)
        if spec.name in extensions:
            raise table.wrong("name", f"there are two extensions {spec.name!r}")
        extensions[spec.name] = spec
    roles = read_roles(file)
    return Config(
        roles=roles,
        open_to=_open_to(file, roles),
        audit=file.text("audit"),
        listen=file.texts("listen"),
        cert=tls.text("cert"),
        key=tls.text("key"),
        client_ca=tls.text("client_ca"),
        state=file.text("state"),
        metrics=file.text("metrics"),
        local=file.flag("local"),
        callback_s=deadlines.seconds("callback_s"),
        drain_s=deadlines.seconds("drain_s"),
        lease_s=deadlines.seconds("lease_s", *LEASE_BOUNDS_S),
        helper_s=deadlines.seconds("helper_s"),
        map_s=deadlines.seconds("map_s"),
        local_s=deadlines.seconds("local_s"),
        quotas=_quotas(file.table("quotas", tuple(QUOTAS))),
        extensions=tuple(extensions.values()),
    )


def _open_to(file: Table, roles: Roles | None) -> OpenTo:
    open_to = file.choice("open_to", OpenTo) or OpenTo.OWNER
    if open_to is not OpenTo.OWNER and roles is None:
        raise file.wrong("open_to", "without [roles] whoever connects may do all: add them")
    return open_to


def _quotas(table: Table) -> Quotas:
    said = {
        name: table.amount(name, quota.least)
        if quota.in_bytes
        else table.whole(name, quota.least, quota.most)
        for name, quota in QUOTAS.items()
    }
    return Quotas(**{name: value for name, value in said.items() if value is not None})


def _extension(table: Table) -> ExtensionSpec:
    name = table.text("name")
    if name is None:
        raise table.wrong("name", "every extension needs one")
    table.check_name("name", name)
    module, command, args = table.text("module"), table.text("command"), table.texts("args")
    if module and command:
        raise table.wrong("command", "there is a module already; it is one or the other")
    if not module and not command:
        raise table.wrong("module", "an extension needs a module or a command")
    return ExtensionSpec(
        name=name,
        command=module_command(module, args) if module else (command or "", *args),
        environment=table.text_table("env"),
        limits=Limits(
            memory_bytes=table.amount("memory", 1 << 20),
            nice=table.whole("nice", 0, 19) or 0,
            cpus=table.wholes("cpus", 0, _MOST_CPUS),
        ),
        policy=_policy(table),
    )


def _policy(table: Table) -> Policy:
    default = Policy()
    limit = table.whole("restart_limit", 0, 1_000_000)
    return Policy(
        restart=table.choice("restart", Restart) or default.restart,
        restart_limit=default.restart_limit if limit is None else limit,
        restart_delay_s=table.seconds("restart_delay_s") or default.restart_delay_s,
        start_s=table.seconds("start_s") or default.start_s,
        stop_s=table.seconds("stop_s") or default.stop_s,
    )
