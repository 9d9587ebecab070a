"""A daemon that is killed and started again, with an extension and a client that stay."""

import asyncio
import time
from pathlib import Path

from ebpfd.cli import children
from ebpfd_sdk import Client, DaemonUnavailable, Result
from tests.e2e.world import PROGRAMS, SAMPLE
from tests.packets import UDP


async def providers(client: Client) -> list[str]:
    """Who provides something, of those that are no part of the daemon."""
    try:
        return [each.owner for each in await client.providers() if each.owner != "daemon"]
    except DaemonUnavailable:
        return []


async def registered(client: Client) -> None:
    """Wait until the sample extension is there with its program type and its hook."""
    async with asyncio.timeout(30):
        while await providers(client) != ["sample", "sample"]:
            pass


async def test_an_extension_outlives_the_daemon(tmp_path: Path) -> None:
    """SIGKILL to the daemon, three times: extension and client go on with the next one.

    The extension's process is never touched, and is there a second after the daemon serves.
    """
    address = f"unix:{tmp_path / 'ebpfd.sock'}"
    async with Client(address) as client:
        async with children.daemon(address, tmp_path) as first:
            sample = children.extension(SAMPLE, address)
            process = await sample.__aenter__()
            await registered(client)
            first.kill()
            await first.wait()
        for _ in range(2):
            async with children.daemon(address, tmp_path) as daemon:
                served = time.monotonic()
                await registered(client)
                assert time.monotonic() - served < 10, "back-off is bounded by a second"
                program = (await client.load(PROGRAMS / "count.o"))["count_by_protocol"]
                await program.attach("sample_ext")
                answer = await client.fire("sample_ext", data=UDP)
                assert (answer.code, answer.result) == (Result.SUCCESS, 0)
                daemon.kill()
                await daemon.wait()
        assert process.returncode is None
        await sample.__aexit__(None, None, None)
