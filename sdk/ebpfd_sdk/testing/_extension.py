"""An extension as a child process, in whatever language it is written."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

from ebpfd_api.npi import HOOK, PROGRAM_INFORMATION
from ebpfd_sdk._client import Client
from ebpfd_sdk._extension_info import ExtensionState
from ebpfd_sdk._values import ChangeKind, RegistrarSnapshot, Registration, Role
from ebpfd_sdk.testing._daemon import DaemonProcess
from ebpfd_sdk.testing._process import PATIENCE_S, ChildProcess, ProcessFailedError
from ebpfd_sdk.testing._steps import until


class ExtensionProcess(ChildProcess):
    """An extension for tests, which finds its daemon by ``EBPFD_ADDRESS``.

    *command* is a module to run with this Python, or the words of any command.
    """

    def __init__(self, command: str | Sequence[str], address: str, log: Path) -> None:
        words = (sys.executable, "-m", command) if isinstance(command, str) else tuple(command)
        super().__init__("the extension", words, log, {"EBPFD_ADDRESS": address})
        self.address = address

    async def start_registered(
        self, offers: Collection[str] = (), *, timeout_s: float = PATIENCE_S
    ) -> tuple[Registration, ...]:
        """Start it, and wait until it has registered; return its registrations.

        *offers* are the modules to wait for, by name or GUID: with none, a program type and a hook.
        Where it has announced how many there are, it is waited for all of them.
        """
        async with Client(self.address) as client:
            known = {each.registration for each in await client.providers()}
            await self.start()
            registering = asyncio.create_task(_registered(client, known, offers))
            ending = asyncio.create_task(self.ended())
            try:
                await asyncio.wait(
                    (registering, ending),
                    timeout=timeout_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if registering.done():
                    return registering.result()
                wanted = ", ".join(offers) or "a program type and a hook"
                said = (
                    f"ended with exit code {self.exit_code} before it had registered {wanted}"
                    if ending.done()
                    else f"has not registered {wanted} in {timeout_s:g} s"
                )
                raise ProcessFailedError(self.failure(said))
            finally:
                registering.cancel()
                ending.cancel()
                await asyncio.wait((registering, ending))


@asynccontextmanager
async def extension(
    ebpfd: DaemonProcess | str, command: str | Sequence[str], *, offers: Collection[str] = ()
) -> AsyncGenerator[ExtensionProcess]:
    """An extension that is registered when the block begins, and killed if it outlives it.

    *ebpfd* is a daemon or its address, *command* a module or the words of a command; *offers* are
    the modules to wait for, by name or GUID: with none, a program type and a hook.
    """
    address = ebpfd if isinstance(ebpfd, str) else ebpfd.address
    with tempfile.TemporaryDirectory(prefix="ebpfd-") as folder:
        child = ExtensionProcess(command, address, Path(folder) / "extension.log")
        try:
            await child.start_registered(offers)
            yield child
        finally:
            child.kill()


async def _registered(
    client: Client, known: Collection[int], offers: Collection[str]
) -> tuple[Registration, ...]:
    """Follow the registrar until everything is there that is waited for."""
    found: dict[int, Registration] = {}
    async with aclosing(client.watch_registrar()) as events:
        async for event in events:
            if isinstance(event, RegistrarSnapshot):
                found = {each.registration: each for each in event.registrations}
            elif isinstance(subject := event.subject, Registration):
                found[subject.registration] = subject
                if event.kind is ChangeKind.GONE:
                    del found[subject.registration]
            if _enough(_own(found.values(), known), offers):
                break
        else:
            raise AssertionError("the registrar's changes have no end")
    await until(partial(_has_all, client, known))
    return _own(await client.providers(), known)


def _own(there: Iterable[Registration], known: Collection[int]) -> tuple[Registration, ...]:
    return tuple(
        each for each in there if each.role is Role.PROVIDER and each.registration not in known
    )


async def _has_all(client: Client, known: Collection[int]) -> bool:
    """Whether it has registered as much as it has announced."""
    return not any(
        each.state is ExtensionState.STARTING
        and any(provided.registration not in known for provided in each.provides)
        for each in await client.extensions()
    )


def _enough(own: Collection[Registration], offers: Collection[str]) -> bool:
    if offers:
        return set(offers) <= {
            name for each in own for name in (each.module_name, str(each.module))
        }
    return {PROGRAM_INFORMATION, HOOK} <= {each.npi for each in own}
