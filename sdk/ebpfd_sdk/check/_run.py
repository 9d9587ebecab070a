"""Both halves of the conformance run."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from ebpfd_sdk._client import Client
from ebpfd_sdk.check._daemon_checks import real
from ebpfd_sdk.check._daemon_scene import DaemonScene
from ebpfd_sdk.check._options import Options
from ebpfd_sdk.check._report import Outcome, Report
from ebpfd_sdk.check._wire_life import life
from ebpfd_sdk.check._wire_scene import WireScene
from ebpfd_sdk.check._wire_words import words
from ebpfd_sdk.testing import ExtensionProcess, daemon
from ebpfd_sdk.testing._registrar import scripted_registrar


async def check_extension(
    options: Options, note: Callable[[Outcome], None] = lambda _: None
) -> Report:
    """Make all checks of an extension; *note* hears of each as it ends."""
    report = Report()

    def keep(outcome: Outcome) -> None:
        report.outcomes.append(outcome)
        note(outcome)

    with tempfile.TemporaryDirectory(prefix="ebpfd-") as folder:
        await check_wire(options, Path(folder), keep)
        await check_real(options, Path(folder), keep)
    return report


async def check_wire(options: Options, folder: Path, note: Callable[[Outcome], None]) -> None:
    """Make the checks at a registrar without a daemon."""
    async with scripted_registrar(folder) as (registrar, address):
        child = ExtensionProcess(options.words(address), address, folder / "wire.log")
        try:
            await child.start()
            await words.then(life).run(WireScene(options, child, registrar), note)
        finally:
            child.kill()


async def check_real(options: Options, folder: Path, note: Callable[[Outcome], None]) -> None:
    """Make the checks at the installed daemon."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        child = ExtensionProcess(options.words(ebpfd.address), ebpfd.address, folder / "real.log")
        try:
            await real.run(DaemonScene(options, ebpfd, client, child), note)
        finally:
            child.kill()
