"""SIGHUP: the audit log goes on in a new file, and roles and quotas follow the configuration file.

What else the file says holds from the next start; the log names it.  A file that cannot be used
changes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Final

import structlog

from ebpfd.access import Roles
from ebpfd.app.audit import itself
from ebpfd.app.config_table import SettingsError
from ebpfd.app.quota_usage import set_quotas
from ebpfd.app.settings import Settings
from ebpfd.host.audit import Audit
from ebpfd.host.quotas import QUOTAS, QuotaGuard, Quotas

_THREADS: Final = ("helper_threads", "extension_helper_threads")
"""Quotas of which threads are made when the daemon starts."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Reload:
    """Lets a daemon that was started with *settings* follow what *read* finds later."""

    def __init__(
        self, settings: Settings, read: Callable[[], Settings], guard: QuotaGuard, audit: Audit
    ) -> None:
        self._settings = settings
        self._read = read
        self._guard = guard
        self._audit = audit

    async def follow(self, hangup: asyncio.Event) -> None:
        """Do so at each *hangup*, for ever."""
        while True:
            await hangup.wait()
            hangup.clear()
            if self._audit.file is not None:
                self._audit.file.reopen()
            if self._settings.config is not None:
                await self._reload()

    async def _reload(self) -> None:
        try:
            new = await asyncio.to_thread(self._read)
        except (SettingsError, OSError) as error:  # somebody may be replacing a certificate
            _log.error("configuration not taken", reason=str(error))
            self._audit.note("daemon.reload", itself(), "INVALID_ARGUMENT", message=str(error))
            return
        later = self._later(new)
        facts = {"roles": self._take_roles(new.roles), "quotas": self._take_quotas(new.quotas)}
        _log.info("configuration taken", **facts)
        if later:
            _log.warning("a restart is needed", changed=later)
        self._audit.note("daemon.reload", itself(), "SUCCESS", **facts)

    def _take_roles(self, new: Roles | None) -> list[str]:
        """Names of those that are others now, or gone."""
        old = self._settings.roles
        return [] if old is None or new is None else old.become(new)

    def _take_quotas(self, new: Quotas) -> dict[str, int]:
        """Those that are others now."""
        old = self._guard.quotas
        new = replace(new, **{name: getattr(old, name) for name in _THREADS})
        set_quotas(self._guard, new)
        return {name: getattr(new, name) for name in _differing(old, new, QUOTAS)}

    def _later(self, new: Settings) -> list[str]:
        """What is said otherwise now, and cannot change while the daemon runs."""
        old = self._settings
        names = [each.name for each in fields(Settings) if each.compare]
        changed = [each for each in _differing(old, new, names) if each not in ("roles", "quotas")]
        if (old.roles is None) is not (new.roles is None):
            changed.append("roles")
        threads = _differing(self._guard.quotas, new.quotas, _THREADS)
        return changed + [f"quotas.{name}" for name in threads]


def _differing(old: object, new: object, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(old, name) != getattr(new, name)]
