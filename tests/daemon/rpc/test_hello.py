"""Hello: versions and capabilities, and a process that comes back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebpfd.host.callbacks import Deadlines
from ebpfd.rpc.hello import CAPABILITIES, OtherProtocolError, agree
from ebpfd_api import protocol
from ebpfd_api.metadata import SESSION
from ebpfd_api.npi import HOOK
from ebpfd_api.v1 import hook_pb2_grpc, links_pb2
from ebpfd_api.v1 import registrar_pb2 as reg
from tests.daemon.rpc.wire import Module, Wire, serving

MINORS = st.integers(0, 2**32 - 1)
OFFERS = st.lists(st.sampled_from(["lease", "teleport", "", "Lease"]))


@given(MINORS, OFFERS)
def test_both_keep_to_what_both_know(minor: int, offered: list[str]) -> None:
    """A newer minor is no reason to refuse, nor is a capability that nobody here knows."""
    hello = reg.Hello(protocol_version=1, protocol_minor=minor, capabilities=offered)
    terms = agree(hello, "0")
    assert terms.minor == min(minor, protocol.MINOR)
    assert set(terms.capabilities) == set(offered) & set(CAPABILITIES)
    assert terms.leased == ("lease" in offered)


@given(MINORS.filter(lambda each: each != protocol.MAJOR), MINORS)
def test_another_major_is_refused(major: int, minor: int) -> None:
    """Older or newer; the message says what to do."""
    hello = reg.Hello(protocol_version=major, protocol_minor=minor)
    with pytest.raises(OtherProtocolError, match=rf"{major} is not 1: use an SDK .* ebpfd 7\.8"):
        agree(hello, "7.8")


async def test_the_welcome_names_the_terms(tmp_path: Path) -> None:
    """Who offers a lease has one; who does not may be silent, as modules of the first days were."""
    async with serving(tmp_path, deadlines=Deadlines(lease_s=7.5)) as w:
        plain, newer = Module(w.channel), Module(w.channel)
        said = await plain.hello()
        assert (said.protocol_version, said.protocol_minor, said.lease_ms) == (1, 0, 0)
        assert list(said.capabilities) == []
        said = await newer.hello(protocol_minor=99, capabilities=["teleport", "lease"])
        assert (said.protocol_version, said.protocol_minor, said.lease_ms) == (1, 1, 7500)
        assert list(said.capabilities) == ["lease"]


async def test_a_silent_module_that_promised_otherwise_is_gone(tmp_path: Path) -> None:
    """It is asked, and then its session ends with the reason; who promised nothing stays."""
    async with serving(tmp_path, deadlines=Deadlines(lease_s=0.3)) as w:
        silent, free = Module(w.channel), await w.module("free")
        await silent.hello("silent", capabilities=["lease"])
        await silent.provide(hooks=False)
        assert (await silent.next("heartbeat")).heartbeat.ask
        assert await silent.ended() is grpc.StatusCode.ABORTED
        assert await silent.call.details() == "nothing was heard of it for 0.3 s"
        assert [each.name for each in w.daemon.sessions.all()] == [free.name]
        assert w.daemon.registrar.providers(HOOK) == []
        assert len(w.daemon.registrar.providers()) == 1, "the daemon's own"


async def link_of(w: Wire) -> links_pb2.Link:
    """The one link."""
    (link,) = (await w.links.List(links_pb2.LinksListRequest())).links
    return link


async def test_the_same_process_takes_the_place_of_its_old_session(tmp_path: Path) -> None:
    """At once, with its registrations; the old session ends with the reason, and is of no use."""
    process = uuid4().bytes
    async with serving(tmp_path) as w:
        old, new = Module(w.channel), Module(w.channel)
        welcome = await old.hello("sample", process_instance=process)
        await old.provide()
        attached = await w.attach("count.o", old)
        await new.hello("sample", process_instance=process, resume_token=welcome.resume_token)
        assert await old.ended() is grpc.StatusCode.ABORTED
        assert "another session of the same process" in (await old.call.details() or "")
        assert len(w.daemon.sessions.all()) == 1
        await new.provide()
        link = await link_of(w)
        assert (link.id, link.binding) == (attached.id, new.bindings[-1])

        late = hook_pb2_grpc.HookStub(w.channel).Invoke(metadata=((SESSION, old.session_id),))
        assert await late.code() is grpc.StatusCode.UNAUTHENTICATED
        left = [each.owner for each in w.daemon.registrar.providers(HOOK)]
        assert left == w.daemon.sessions.all()


@pytest.mark.parametrize("wrong", ["token", "process", "no token"])
async def test_nobody_else_can(tmp_path: Path, wrong: str) -> None:
    """Another process with the same module ids is a second provider: it waits for the first."""
    process = uuid4().bytes
    async with serving(tmp_path) as w:
        first, second = Module(w.channel), Module(w.channel)
        token = (await first.hello(process_instance=process)).resume_token
        await first.provide()
        attached = await w.attach("count.o", first)
        await second.hello(
            process_instance=uuid4().bytes if wrong == "process" else process,
            resume_token={"token": b"guess", "no token": b""}.get(wrong, token),
        )
        await second.provide()
        assert len(w.daemon.sessions.all()) == 2
        assert (await link_of(w)).binding == attached.binding
        first.call.cancel()
        await second.during(until(lambda: len(w.daemon.sessions.all()) == 1))
        await second.during(_bound_to(w, second))


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until it is so."""
    while not condition():  # noqa: ASYNC110 (what happens in the daemon, not in events of ours)
        await asyncio.sleep(0)


async def _bound_to(w: Wire, module: Module) -> None:
    while (await link_of(w)).binding not in module.bindings:
        pass
