"""SIGHUP goes on working, whatever a configuration file said once."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ebpfd.app import Settings, SettingsError
from ebpfd.app.reload import Reload
from ebpfd.host.audit import NO_AUDIT
from ebpfd.host.quotas import QuotaGuard, Quotas
from ebpfd.host.services import Services
from tests.daemon.host.world import until

MORE = Quotas(maps=7)


@pytest.mark.parametrize(
    "error",
    [SettingsError("lisen: there is no such key"), FileNotFoundError("while it was replaced")],
)
async def test_a_file_that_cannot_be_used_is_read_again_at_the_next_signal(
    error: Exception,
) -> None:
    """Also one that goes away between two looks, as a certificate does that is replaced."""
    settings = Settings((Path("/run/ebpfd.sock"),), config=Path("/etc/ebpfd.toml"))
    better = Settings(settings.listen, quotas=MORE, config=settings.config)
    found: list[Exception | Settings] = [error, better]

    def read() -> Settings:
        new = found.pop(0)
        if isinstance(new, Exception):
            raise new
        return new

    hangup, guard = asyncio.Event(), QuotaGuard(settings.quotas)
    with capture_logs() as logged:
        async with Services() as services:
            reload = Reload(settings, read, guard, NO_AUDIT)
            services.start(reload.follow(hangup), name="reload")
            hangup.set()
            await until(lambda: bool(logged))
            assert guard.quotas == settings.quotas
            hangup.set()
            await until(lambda: guard.quotas == MORE)
    assert [line["event"] for line in logged] == ["configuration not taken", "configuration taken"]
    assert logged[0]["reason"] == str(error)
