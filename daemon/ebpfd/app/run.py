"""Run a daemon until it is told to stop."""

import asyncio
import resource
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import structlog
import uvloop

from ebpfd.app.daemon import Daemon, running
from ebpfd.app.notify import extend_start, keep_watched, notify, watchdog_s
from ebpfd.app.refusal import NotStartedError, refusal
from ebpfd.app.reload import Reload
from ebpfd.app.settings import Settings
from ebpfd.host.services import Services

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def run(settings: Settings, read: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT; ``NotStartedError`` says why it does not.

    At SIGHUP *read* says what the settings are then.
    """
    _allow_files()
    uvloop.run(_serve(settings, read))


def _allow_files() -> None:
    """Each map in a file takes two descriptors: as many as the system lets this user have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve(settings: Settings, read: Callable[[], Settings]) -> None:
    stop, hangup = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # At once: by itself it would end the daemon without a word.
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    async with AsyncExitStack() as stack:
        daemon = await _started(stack, settings)
        services = await stack.enter_async_context(Services())
        if (within_s := watchdog_s()) is not None:
            services.start(keep_watched(within_s), name="watchdog")
        reload = Reload(settings, read, daemon.guard, daemon.audit)
        services.start(reload.follow(hangup), name="reload")
        _log.info("serving", listen=daemon.addresses, **_setting_facts(settings))
        async with Services() as starting:
            starting.start(extend_start(), name="start that takes longer")
            await _first(daemon.hosted.settled, stop)
        if not stop.is_set():
            notify("READY=1")
            await stop.wait()
        notify("STOPPING=1")
        _log.info("stopping")
    _log.info("stopped")


async def _started(stack: AsyncExitStack, settings: Settings) -> Daemon:
    try:
        return await stack.enter_async_context(running(settings))
    except Exception as error:
        if (why := refusal(error)) is None:
            raise
        raise NotStartedError(why) from error


def _setting_facts(settings: Settings) -> dict[str, object]:
    """What an operator wants to know of a daemon that he did not start himself."""
    return {
        "version": version("ebpfd"),
        "state": _text(settings.state),
        "config": _text(settings.config),
        "audit": _text(settings.audit),
        "roles": settings.roles is not None,
        "local": settings.local,
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


async def _first(*events: asyncio.Event) -> None:
    """Wait for one of *events*."""
    waiting = [asyncio.create_task(event.wait(), name="event") for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
