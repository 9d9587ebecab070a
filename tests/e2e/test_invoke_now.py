"""Events that run at once, in a hook's own process: this one, which is the extension."""

import asyncio
import inspect
from pathlib import Path

import pytest

from ebpfd.cli import children
from ebpfd_extensions.sample.extension import SampleContext, events, sample
from ebpfd_sdk import Client, EbpfdError, Extension, Result
from tests.e2e.test_reconnect import attached
from tests.e2e.world import PATIENCE_S, PROGRAMS, World, world

CONTEXT = SampleContext().pack()
DROP = 1
NOT_HERE = Result.OPERATION_NOT_SUPPORTED


def _code() -> Result:
    """What an event comes to that is not run here."""
    with pytest.raises(EbpfdError) as refused:
        events.invoke_now(CONTEXT)
    assert not inspect.isbuiltin(events.invoke_now)
    return refused.value.code


async def test_all_that_ran_is_counted_on_both_sides(tmp_path: Path) -> None:
    """By the engine's function, in the long way and in a batch."""
    async with world(tmp_path, "--local") as w, Extension(sample, events, address=w.address):
        before = events.counters
        link = await (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"].attach(
            events.guid
        )
        assert inspect.isbuiltin(events.invoke_now)
        assert {events.invoke_now(CONTEXT) for _ in range(1000)} == {DROP}
        assert events.invoke_now(SampleContext()) == DROP
        assert (await events.invoke(CONTEXT)).result == DROP
        assert set((await events.invoke_batch(CONTEXT * 20)).numbers) == {DROP}
        counters = events.counters
        assert counters.invocations - before.invocations == 1022
        assert counters.messages_sent == before.messages_sent
        shown = await w.ctl_json("link", "show", str(link.id))
        assert (shown["runs"], shown["outcomes"]["success"]) == (1022, 1022)
        await link.detach()
        assert _code() is Result.OBJECT_NOT_FOUND
        assert events.counters == counters


async def test_a_link_that_is_taken_back_is_run_here_when_it_comes_again(tmp_path: Path) -> None:
    """Whoever has kept the function is told the same, and goes on."""
    async with world(tmp_path, "--local") as w, Extension(sample, events, address=w.address):
        old, new = [
            (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"] for _ in range(2)
        ]
        link = await old.attach(events.guid)
        kept = events.invoke_now
        assert kept(CONTEXT) == DROP
        for choice in ("5", "0"):  # a breaker is the daemon's to keep
            await w.ctl_json("link", "set-policy", str(link.id), "--break-after", choice)
            if choice == "5":
                with pytest.raises(EbpfdError, match="has taken it back; await invoke instead"):
                    kept(CONTEXT)
                assert _code() is NOT_HERE
                assert (await events.invoke(CONTEXT)).result == DROP
        await _here_again(w, link.id)
        assert [kept(CONTEXT), events.invoke_now(CONTEXT)] == [DROP, DROP]
        assert inspect.isbuiltin(events.invoke_now)
        assert (await w.client.program(old.id)).counters.runs == 4
        await w.ctl_json("link", "replace", str(link.id), str(new.id))
        await _here_again(w, link.id)
        assert [kept(CONTEXT), events.invoke_now(CONTEXT)] == [DROP, DROP]
        assert (await w.client.program(old.id)).counters.runs == 4
        assert (await w.client.program(new.id)).counters.runs == 2


async def _here_again(w: World, link: int) -> None:
    """Wait until the daemon has handed the program over, and the hook has taken it."""
    async with asyncio.timeout(PATIENCE_S):
        while not (await w.ctl_json("link", "show", str(link)))["where"].startswith("local"):
            pass
        while not inspect.isbuiltin(events.invoke_now):
            await w.client.links()


async def test_of_several_links_the_first_is_run(tmp_path: Path) -> None:
    """The sample's hook takes one for each parameter; an event without one is the first's."""
    async with world(tmp_path, "--local") as w, Extension(sample, events, address=w.address):
        programs = [
            (await w.client.load(PROGRAMS / "count.o"))["count_by_protocol"] for _ in range(2)
        ]
        first, _ = [
            await each.attach(events.guid, parameter=parameter)
            for each, parameter in zip(programs, (b"a", b"b"), strict=True)
        ]
        assert events.invoke_now(CONTEXT) == DROP
        assert events.invoke_now(CONTEXT, parameter=b"b") == DROP
        await first.detach()
        assert events.invoke_now(CONTEXT) == DROP
        assert inspect.isbuiltin(events.invoke_now)
        runs = [(await w.client.program(each.id)).counters.runs for each in programs]
        assert runs == [1, 2]


async def test_it_goes_on_with_the_next_daemon(tmp_path: Path) -> None:
    """While there is none, nothing runs."""
    address = f"unix:{tmp_path / 'ebpfd.sock'}"
    async with Client(address) as client:
        async with children.daemon(address, tmp_path, "--local") as first:
            extension = Extension(sample, events, address=address)
            await extension.__aenter__()
            program = (await client.load(PROGRAMS / "count.o"))["count_by_protocol"]
            link = await program.attach(events.guid)
            kept = events.invoke_now
            assert kept(CONTEXT) == DROP
            first.kill()
            await first.wait()
        async with asyncio.timeout(60):
            while extension.connected:
                await events.invoke(CONTEXT)
        assert _code() is Result.OBJECT_NOT_FOUND
        with pytest.raises(EbpfdError, match="nothing is attached"):
            kept(CONTEXT)
        async with children.daemon(address, tmp_path, "--local"):
            await attached(client, link.id)
            assert [kept(CONTEXT), events.invoke_now(CONTEXT)] == [DROP, DROP]
            assert inspect.isbuiltin(events.invoke_now)
            await extension.__aexit__(None, None, None)
