"""An extension: registered with a daemon for as long as its block lasts, whatever that daemon does.

A daemon that goes takes the links with it: each is detached here as well.  When it is back, all is
registered again and links that waited for it attach again, without a word of the author's code.
"""

import asyncio
import os
from contextlib import suppress
from types import TracebackType
from typing import Self

from ebpfd_api.address import default_address
from ebpfd_sdk._backoff import Backoff
from ebpfd_sdk._certificates import Certificates
from ebpfd_sdk._errors import DaemonUnavailable, DeclarationError, EbpfdError
from ebpfd_sdk._hook import Hook
from ebpfd_sdk._presence import Presence
from ebpfd_sdk._provider import Declaration
from ebpfd_sdk._tasks import logger


class Extension:
    """Program types and hooks, registered with a daemon for as long as the block lasts.

    With *wait* the block begins when there is a daemon, or on a stop; without, DaemonUnavailable is
    raised when there is none, for that may be a wrong address.  Once connected, a lost daemon is
    waited for, unless *reconnect* is False: then ``stopped`` raises.  The extension of a daemon
    that hosts it does neither: it does not outlive that daemon, which starts it anew.

    *certificates* are for an address ``tls:HOST:PORT``.
    """

    def __init__(
        self,
        *declarations: Declaration,
        address: str | None = None,
        certificates: Certificates | None = None,
        name: str | None = None,
        wait: bool = False,
        reconnect: bool = True,
    ) -> None:
        if not declarations:
            raise DeclarationError("an extension declares a program type or a hook at least")
        if all(each.hosted for each in declarations):
            problem = "the daemon hosts all that it declares: Client.create_hook needs no extension"
            raise DeclarationError(f"{declarations[0].name}: {problem}")
        # A hook is of no use before its program type is known.
        self._declarations = sorted(declarations, key=lambda each: isinstance(each, Hook))
        # A daemon that hosts this process has a name for it.
        hosted = os.environ.get("EBPFD_EXTENSION")
        self.name = hosted or name or declarations[0].name
        self._address = address
        self._certificates = certificates
        self._wait = wait and not hosted
        self._reconnect = reconnect and not hosted
        self._presence: Presence | None = None
        self._resume_token = b""
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._connected = False
        self._lost: DaemonUnavailable | None = None

    @property
    def address(self) -> str:
        """Where the daemon is, or is expected."""
        return self._address or default_address()

    @property
    def connected(self) -> bool:
        """Whether everything is registered with a daemon now."""
        return self._connected

    @property
    def offering(self) -> str:
        """What is registered, in words."""
        providers = self._presence.providers if self._presence else []
        return ", ".join(provider.label for provider in providers)

    def stop(self) -> None:
        """Ask the extension to leave; whoever waits in ``stopped`` does the leaving."""
        self._stopping.set()

    async def stopped(self) -> None:
        """Wait until somebody asks to stop; raise DaemonUnavailable if the daemon is given up."""
        await self._stopping.wait()
        if self._lost:
            raise self._lost

    async def drain(self) -> None:
        """Refuse new invocations, and wait for the answers to those that were started."""
        await self._keep_no_longer()
        if self._presence is not None:
            await self._presence.drain("the extension is stopping")

    async def __aenter__(self) -> Self:
        self._stopping.clear()
        self._lost = None
        self._presence = await (self._connect() if self._wait else self._enter())
        if self._presence is not None:
            self._keeper = asyncio.create_task(self._keep(self._presence), name="reconnect")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._keep_no_longer()
        if self._presence is not None:
            await self._presence.leave()
        self._connected = False

    async def _enter(self) -> Presence:
        presence = Presence(self.name, self._declarations, self._resume_token)
        try:
            await presence.enter(self.address, self._certificates)
        finally:
            self._resume_token = presence.resume_token
        self._connected = True
        return presence

    async def _connect(self) -> Presence | None:
        """Try until there is a daemon that takes everything, and log each reason once.

        None: it was asked to stop before that.
        """
        backoff, reasons = Backoff(), set[str]()
        while not self._stopping.is_set():
            try:
                return await self._enter()
            except EbpfdError as error:
                reason = str(error)
                if reason not in reasons:
                    reasons.add(reason)
                    logger.warning("%s: trying again: %s", self.name, reason)
            with suppress(TimeoutError):
                async with asyncio.timeout(backoff.delay_s()):
                    await self._stopping.wait()
        return None

    async def _keep(self, presence: Presence) -> None:
        """Be registered for as long as the block lasts."""
        while True:
            lost = await presence.lost()
            self._connected = False
            await presence.abandon()
            if not self._reconnect:
                for provider in presence.providers:
                    provider.close("the daemon is gone")
                self._lost = lost
                self._stopping.set()
                return
            logger.warning("%s: the daemon is gone (%s): waiting for it", self.name, lost.reason)
            await presence.leave()
            await asyncio.sleep(Backoff().delay_s())
            again = await self._connect()
            if again is None:
                return
            presence = self._presence = again
            logger.warning("%s: connected again", self.name)

    async def _keep_no_longer(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper})
