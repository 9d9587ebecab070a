"""When the daemon's certificate expires: Prometheus always hears it, the log near its end."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from ebpfd.app.tls import TlsListener
from ebpfd.host.one_look import OneLook
from ebpfd.host.services import Services
from ebpfd_api.validity import earliest_end

LOOK_S: Final = 3600.0
WARN_S: Final = 14 * 86400.0
"""From so long before its end on, the log says so."""

AGAIN_S: Final = 86400.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CertificateExpiry:
    """Looks at the certificate in the file *cert*, if there is one, now and then."""

    def __init__(self, cert: Path | None) -> None:
        self._cert = cert
        self._file = None if cert is None else OneLook(partial(_content, cert))
        self._warned_s = float("-inf")
        self.at_s: float | None = None
        """Since the epoch; None: not known."""

    async def keep_watched(self) -> None:
        """Look for ever, if there is anything to look at."""
        while self._file is not None:
            await self.look_now()
            await asyncio.sleep(LOOK_S)

    async def look_now(self) -> None:
        """Look, if there is anything to look at: the file may be a new one."""
        if self._file is not None:
            self.look(await self._file.found(), time.time())

    def look(self, pem: bytes, now_s: float) -> None:
        """Take notice of what the file has *now_s*."""
        end = earliest_end(pem)
        if end is None:
            return
        self.at_s = end.timestamp()
        left_s = self.at_s - now_s
        if 0 < left_s < WARN_S and now_s - self._warned_s >= AGAIN_S:
            self._warned_s = now_s
            _log.warning(
                "the certificate expires soon",
                cert=str(self._cert),
                expires=f"{end:%Y-%m-%d %H:%M} UTC",
                days=int(left_s / 86400),
            )


def watched_expiry(tls: TlsListener | None, services: Services) -> CertificateExpiry:
    """The same of *tls*, looked at as long as *services* run."""
    expiry = CertificateExpiry(None if tls is None else tls.cert)
    services.start(expiry.keep_watched(), name="certificate")
    return expiry


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # somebody is replacing it, or the next handshake says so
