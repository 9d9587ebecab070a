"""``run``: a whole extension in one call, from connecting to SIGTERM."""

import asyncio
import inspect
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final, TypeAlias

from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._errors import DeclarationError, EbpfdError
from ebpfd_sdk._extension import Extension
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._provider import Declaration
from ebpfd_sdk._tasks import logger

Main: TypeAlias = Callable[[Extension], Awaitable[None]]

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def run(
    *declarations: Declaration | Main,
    main: Main | None = None,
    address: str | None = None,
    certificates: Certificates | None = None,
    name: str | None = None,
    wait: bool = False,
    reconnect: bool = True,
) -> None:
    """Connect, register, run *main*, serve until SIGTERM or SIGINT, then leave in good order.

    *main* may be the last positional argument.  When it returns, the extension goes on serving,
    unless it called ``extension.stop()``; what it raises ends the extension.  *certificates*,
    *wait* and *reconnect* are those of ``Extension``.
    """
    declared = [each for each in declarations if isinstance(each, Declaration)]
    mains = [each for each in declarations if not isinstance(each, Declaration)]
    if main is not None:
        mains.append(main)
    for each in mains:
        _check_main(each)
    if len(mains) > 1:
        named = ", ".join(getattr(each, "__name__", repr(each)) for each in mains)
        raise TypeError(f"run() takes one main function, not {named}")
    _warn_of_missing_types(declared)
    extension = Extension(
        *declared,
        address=address,
        certificates=certificates,
        name=name,
        wait=wait,
        reconnect=reconnect,
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(serve(extension, *mains))
        except EbpfdError as error:
            _say(f"{extension.name}: {error}")
            sys.exit(1)


def _check_main(given: object) -> None:
    """Refuse what is neither a declaration nor a function, before anything is connected."""
    if inspect.iscoroutine(given):
        given.close()
        raise TypeError(f"run() takes the main function itself: {given.__name__}, without ()")
    if isinstance(given, type):
        name = given.__name__
        raise TypeError(f"run() takes declarations, not {name}, a class: ProgramType(GUID, {name})")
    if not callable(given):
        wrong = type(given).__name__
        raise TypeError(f"run() takes declarations and one main function, not {wrong}")


def _warn_of_missing_types(declared: Sequence[Declaration]) -> None:
    """Say what was probably forgotten; it may as well be another extension's."""
    for each in declared:
        if isinstance(each, Hook) and (missing := each.missing(declared)):
            logger.warning(
                "hook %s: its program type %s is not given to run(): no program can be loaded "
                "for it, unless another extension registers that type",
                each.name,
                missing,
            )


async def serve(extension: Extension, main: Main | None = None) -> None:
    """Do what ``run`` does, on a loop that is running."""
    loop = asyncio.get_running_loop()
    # A signal asks to leave, also while we register: the daemon may stop us as soon as we have.
    # A second one ends the process as ever.
    for number in SIGNALS:
        loop.add_signal_handler(number, _leave, extension)
    try:
        async with extension:
            if not extension.connected:  # it was told to stop while it waited for a daemon
                return
            offering = extension.offering
            _say(f"{extension.name}: connected to {extension.address}, offering {offering}")
            await _serve(extension, main)
    finally:
        _restore_signals()


async def _serve(extension: Extension, main: Main | None) -> None:
    stopped = asyncio.create_task(extension.stopped(), name="stop")
    if main is None:
        await stopped
        return
    work = asyncio.ensure_future(_begun(main, extension))
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await stopped
        else:
            # What main waits for is answered before it is told to end.
            await extension.drain()
            # An answer that is there may not have reached its caller yet: that takes a turn.
            await asyncio.sleep(0)
            await _end(work)
            if not work.cancelled() and (error := work.exception()):
                logger.error("main failed while stopping", exc_info=error)
            await stopped
    finally:
        await _end(work)
        await _end(stopped)


def _begun(main: Main, extension: Extension) -> Awaitable[None]:
    work = main(extension)
    if not inspect.isawaitable(work):
        raise DeclarationError("main is no coroutine function: write `async def main(extension):`")
    return work


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _leave(extension: Extension) -> None:
    _restore_signals()
    extension.stop()


def _restore_signals() -> None:
    for number in SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Prefer uvloop, which is optional, to asyncio's own loop."""
    if find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
