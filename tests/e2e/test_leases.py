"""Processes that are stopped, so that nobody answers though every connection stands."""

import asyncio
import signal
from pathlib import Path

from ebpfd_sdk import LinkState, Result
from tests.e2e.test_extension_life import attach_count, until, waiting
from tests.e2e.world import sample, world
from tests.packets import UDP

LEASE_S = 1.0


async def test_a_stopped_extension_is_gone_and_comes_back_when_it_is_continued(
    tmp_path: Path,
) -> None:
    """SIGSTOP: deregistered after its lease, its link waits; SIGCONT: registered, link bound."""
    async with world(tmp_path, "--lease", str(LEASE_S)) as w, sample(w) as extension:
        _, link_id = await attach_count(w)
        began = asyncio.get_running_loop().time()
        extension.send_signal(signal.SIGSTOP)
        await until(lambda: waiting(w))
        assert asyncio.get_running_loop().time() - began >= LEASE_S * 5 / 6
        assert {each.owner for each in await w.client.providers()} == {"daemon"}
        (lost,) = [line for line in w.log() if line["event"] == "extension lost"]
        assert (lost["reason"], lost["links_waiting"]) == ("nothing was heard of it for 1 s", 1)

        extension.send_signal(signal.SIGCONT)

        async def bound() -> bool:
            return not await waiting(w)

        await until(bound)
        (link,) = await w.client.links()
        assert (link.id, link.state) == (link_id, LinkState.ATTACHED)
        answer = await w.client.fire("sample_ext", data=UDP)
        assert (answer.code, answer.result) == (Result.SUCCESS, 0)
        assert extension.returncode is None


async def test_a_stopped_daemon_blames_nobody(tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT after the lease: sessions that are alive go on, or begin anew at once."""
    async with world(tmp_path, "--lease", str(LEASE_S)) as w, sample(w) as extension:
        _, link_id = await attach_count(w)
        w.daemon.send_signal(signal.SIGSTOP)
        assert extension.stderr is not None
        async with asyncio.timeout(20):  # the extension does not wait for it for ever
            assert b"the daemon is gone (nothing was heard" in await extension.stderr.readline()
        w.daemon.send_signal(signal.SIGCONT)
        async with asyncio.timeout(30):
            assert await extension.stderr.readline() == b"sample: connected again\n"
        (link,) = await w.client.links()
        assert (link.id, link.state, link.provider) == (link_id, LinkState.ATTACHED, "sample")
        assert not [line for line in w.log() if "nothing was heard" in str(line.get("reason"))], (
            "whoever was stopped itself has heard nobody, and must not conclude from it"
        )
