"""A daemon that is killed and started again, with an extension and a client that stay."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from ebpfd.cli import children
from ebpfd_sdk import Client, DaemonUnavailable, LinkState, Result
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


async def attached(client: Client, link_id: int) -> None:
    """Wait until a link that outlived its daemon is bound again."""
    async with asyncio.timeout(30):
        while True:
            with suppress(DaemonUnavailable):
                found = {each.id: each.state for each in await client.links()}
                if found[link_id] is LinkState.ATTACHED:
                    return


async def test_an_extension_outlives_the_daemon(tmp_path: Path) -> None:
    """SIGKILL to the daemon, twice: extension, client and link go on with the next one.

    The extension's process is never touched, and is there a second after the daemon serves.
    """
    address = f"unix:{tmp_path / 'ebpfd.sock'}"
    async with Client(address) as client:
        async with children.daemon(address, tmp_path) as first:
            sample = children.extension(SAMPLE, address)
            process = await sample.__aenter__()
            await registered(client)
            program = (await client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            link = await program.attach("sample_ext")
            first.kill()
            await first.wait()
        for _ in range(2):
            async with children.daemon(address, tmp_path) as daemon:
                served = time.monotonic()
                await attached(client, link.id)
                assert time.monotonic() - served < 10, "back-off is bounded by a second"
                answer = await client.fire("sample_ext", data=UDP)
                assert (answer.code, answer.result) == (Result.SUCCESS, 0)
                daemon.kill()
                await daemon.wait()
        assert process.returncode is None
        await sample.__aexit__(None, None, None)
