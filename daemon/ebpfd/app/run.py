"""Run a daemon until it is told to stop."""

import asyncio
import resource
import signal

import structlog
import uvloop

from ebpfd.app.daemon import running
from ebpfd.app.notify import notify
from ebpfd.app.settings import Settings

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    _allow_files()
    uvloop.run(_serve(settings))


def _allow_files() -> None:
    """Each map in a file takes two descriptors: as many as the system lets this user have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as daemon:
        if (log := daemon.audit.file) is not None:
            loop.add_signal_handler(signal.SIGHUP, log.reopen)
        _log.info("serving", listen=daemon.addresses)
        await _first(daemon.hosted.settled, stop)
        if not stop.is_set():
            notify("READY=1")
            await stop.wait()
        notify("STOPPING=1")
        _log.info("stopping")
    _log.info("stopped")


async def _first(*events: asyncio.Event) -> None:
    """Wait for one of *events*."""
    waiting = [asyncio.create_task(event.wait(), name="event") for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
