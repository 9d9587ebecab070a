"""A daemon that goes and comes back: all is set up again without a word of the author's code."""

import asyncio
import signal
from pathlib import Path

import pytest

from ebpfd_api.ntstatus import NtStatus
from ebpfd_api.v1 import hook_pb2
from ebpfd_api.v1.contract_pb2 import LinkPolicy
from ebpfd_sdk import DaemonUnavailable, Extension, Hook, Link, Result, serve
from ebpfd_sdk._backoff import Backoff
from tests.sdk.conftest import Scene
from tests.sdk.fake_daemon import serving
from tests.sdk.parcels import Parcel, declare


def leaving(hook: Hook[Parcel]) -> asyncio.Event:
    """Set when a link of *hook* is gone."""
    gone = asyncio.Event()

    @hook.on_detach
    def tell(_: Link) -> None:
        gone.set()

    return gone


async def noticed(hook: Hook[Parcel]) -> None:
    """The extension knows that its daemon is gone, and says so to whoever invokes."""
    async with asyncio.timeout(10):
        while "the daemon is gone" not in (await hook.invoke()).message:
            pass


async def test_a_daemon_that_is_back_gets_everything_again(scene: Scene) -> None:
    """Same process, same registrations in the same order; the extension says that it is there."""
    async with scene.extension() as extension:
        process = scene.daemon.hello.process_instance
        before = [each.module_id.guid for each in scene.daemon.registered.values()]
        assert extension.connected
        scene.daemon.hang_up()
        await scene.daemon.registrations(2)
        await scene.round_trip()
        assert extension.connected
        assert before == [each.module_id.guid for each in scene.daemon.registered.values()]
        assert (process, 2) == (scene.daemon.hello.process_instance, scene.daemon.sessions)
        assert extension.offering == "program type parcel, hook passing"
    assert not extension.connected


async def test_a_lost_link_is_detached_once_nothing_of_it_is_in_flight(scene: Scene) -> None:
    """Invocations in flight get CANCELED, then on_detach runs; only then links attach anew."""
    order: list[str] = []

    @scene.hook.on_attach
    def come(link: Link) -> None:
        order.append(f"attach {link.parameter.decode()}")

    @scene.hook.on_detach
    async def gone(link: Link) -> None:
        await asyncio.sleep(0)
        order.append(f"detach {link.parameter.decode()}")

    scene.daemon.attach_on_register = [b"a"]
    async with scene.extension():
        scene.daemon.gate.clear()
        invocation = scene.hook.invoke()
        invocation.add_done_callback(lambda done: order.append(done.result().code.name))
        await scene.request(1)
        scene.daemon.hang_up()
        await scene.daemon.registrations(2)
        await scene.round_trip()
        scene.daemon.gate.set()
        assert order == ["attach a", "CANCELED", "detach a", "attach a"]
        assert Result.SUCCESS is (await scene.hook.invoke()).code
        assert len(scene.hook.links) == 1


async def test_a_detach_that_the_loss_meets_comes_to_its_end(scene: Scene) -> None:
    """The daemon asked for it, an invocation held it up: on_detach runs, and once."""
    gone: list[Link] = []
    scene.hook.on_detach(gone.append)
    async with scene.extension():
        binding, invocation, detaching = await scene.held_up()
        scene.daemon.hang_up()
        assert (await invocation).code is Result.CANCELED
        await scene.daemon.registrations(2)
        detaching.cancel()
        scene.daemon.gate.set()
    assert [binding] == [link.binding for link in gone]


async def test_an_attach_that_the_loss_meets_is_undone(scene: Scene) -> None:
    """on_attach agrees when the daemon is gone already: the link is detached at once."""
    order: list[str] = []
    decide = asyncio.Event()

    @scene.hook.on_attach
    async def prepare(link: Link) -> None:
        order.append(f"asked {link.binding}")
        scene.daemon.noted.set()
        await decide.wait()

    @scene.hook.on_detach
    def gone(link: Link) -> None:
        order.append(f"gone {link.binding}")

    async with scene.extension():
        attaching = asyncio.create_task(scene.daemon.attach())
        await scene.until(lambda: bool(order))
        binding = order[0].removeprefix("asked ")
        scene.daemon.hang_up()
        await noticed(scene.hook)
        decide.set()
        await scene.daemon.registrations(2)
        assert order == [f"asked {binding}", f"gone {binding}"]
        assert scene.hook.links == ()
        attaching.cancel()


async def test_without_a_daemon_an_invocation_reaches_nobody(tmp_path: Path) -> None:
    """OBJECT_NOT_FOUND, with the reason, until the links are back; a stop waits for nothing."""
    kind, hook = declare()
    gone = leaving(hook)
    async with serving(tmp_path) as daemon:
        extension = Extension(kind, hook, address=daemon.address)
        await extension.__aenter__()
        await daemon.link()
    await gone.wait()
    answer = await hook.invoke()
    assert (answer.code, answer.message) == (
        Result.OBJECT_NOT_FOUND,
        "hook passing: nothing is attached: the daemon is gone",
    )
    assert not extension.connected
    await extension.drain()
    answer = await hook.invoke()
    assert (answer.code, answer.message) == (
        Result.CANCELED,
        "hook passing: the extension is stopping",
    )
    await extension.__aexit__(None, None, None)


async def test_what_was_chosen_for_a_lost_daemon_holds_until_it_is_back(tmp_path: Path) -> None:
    """For the events that reached the link; when all is registered again, only if it is there."""
    kind, hook = declare()
    kind.default_result = 5
    gone = leaving(hook)
    async with serving(tmp_path) as first:
        extension = Extension(kind, hook, address=first.address)
        await extension.__aenter__()
        await first.link(b"a", policy=LinkPolicy(lost=9, error=8))
    await gone.wait()

    async def results() -> list[int]:
        answers = [await hook.invoke(parameter=each) for each in (b"a", b"b")]
        batch = await hook.invoke_batch(parameter=b"a", count=2)
        assert not batch.codes
        return [*(each.result for each in answers), batch.failure_result]

    assert (await hook.invoke(parameter=b"a")).code is Result.OBJECT_NOT_FOUND
    assert await results() == [9, 5, 9]
    assert (await hook.invoke(parameter=b"a", only=lambda _: False)).result == 5
    async with serving(tmp_path) as second:
        await second.registrations(2)
        await Scene(second, kind, hook).round_trip()
        assert extension.connected
        assert await results() == [5, 5, 5]
        await second.link(b"a", policy=LinkPolicy(lost=7))
        await extension.drain()
        answer = await hook.invoke(parameter=b"a")
        assert (answer.code, answer.result) == (Result.CANCELED, 7)
        await extension.__aexit__(None, None, None)


async def test_another_daemon_at_the_address_is_as_good(tmp_path: Path) -> None:
    """The daemon ends, and another one starts where it was: attempts go on until then."""
    kind, hook = declare()
    gone = leaving(hook)
    async with serving(tmp_path) as first:
        extension = Extension(kind, hook, address=first.address)
        await extension.__aenter__()
        await first.link()
    await gone.wait()
    async with serving(tmp_path) as second:
        await second.registrations(2)
        await second.link()
        assert Result.SUCCESS is (await hook.invoke()).code
        await extension.__aexit__(None, None, None)
    assert [each for each in second.journal if each.startswith("deregistered")] == [
        "deregistered hook",
        "deregistered program type",
    ]


async def test_with_wait_the_block_begins_when_there_is_a_daemon(tmp_path: Path) -> None:
    """An extension may be started before its daemon."""
    kind, hook = declare()
    address = f"unix:{tmp_path}/ebpfd.sock"
    extension = Extension(kind, hook, address=address, wait=True)
    entering = asyncio.create_task(extension.__aenter__())
    async with serving(tmp_path) as daemon:
        await entering
        assert len(daemon.registered) == 2
        await extension.__aexit__(None, None, None)


async def test_a_refusal_on_return_is_tried_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """What the daemon does not take now it may take later: the log says why, once."""
    async with scene.extension() as extension:
        scene.daemon.refuse = NtStatus.INVALID_PARAMETER
        scene.daemon.hang_up()
        await scene.until(lambda: scene.daemon.sessions >= 4)
        assert not extension.connected
        scene.daemon.refuse = NtStatus.SUCCESS
        await scene.daemon.registrations(2)
    lines = [record.message for record in caplog.records]
    assert sum("because the test says so" in line for line in lines) == 1


async def test_a_hosted_extension_does_not_wait_for_another_daemon(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that hosts it starts it anew, and one that is killed leaves nobody behind."""
    monkeypatch.setenv("EBPFD_EXTENSION", "parcel")
    async with scene.extension() as extension:
        scene.daemon.hang_up()
        async with asyncio.timeout(10):
            with pytest.raises(DaemonUnavailable):
                await extension.stopped()


async def test_a_signal_ends_the_wait_for_a_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is registered, so there is nothing to leave."""
    waiting = asyncio.Event()

    def an_hour(_: Backoff) -> float:
        waiting.set()
        return 3600.0

    monkeypatch.setattr(Backoff, "delay_s", an_hour)
    extension = Extension(*declare(), address=f"unix:{tmp_path / 'nobody.sock'}", wait=True)
    served = asyncio.create_task(serve(extension))
    async with asyncio.timeout(30):
        await waiting.wait()
        signal.raise_signal(signal.SIGTERM)
        await served
    assert not extension.connected


async def test_the_token_of_the_last_session_is_shown(scene: Scene) -> None:
    """So that the daemon ends a session of this process that it still believes in."""
    async with scene.extension():
        assert scene.daemon.hello.resume_token == b""
        for number in (1, 2):
            scene.daemon.hang_up()
            await scene.daemon.registrations(2)
            assert b"token %d" % number == scene.daemon.hello.resume_token


async def test_a_daemon_that_is_silent_is_as_good_as_gone(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing came for a whole lease, not even a question: the extension connects anew."""
    scene.daemon.lease_ms = 60
    async with scene.extension():
        assert "lease" in scene.daemon.hello.capabilities
        await scene.until(lambda: scene.daemon.sessions == 2)
        scene.daemon.lease_ms = 0
        await scene.daemon.registrations(2)
    assert "nothing was heard of it for 0.06 s" in caplog.text


async def test_a_loss_while_all_registers_ends_the_attempt(scene: Scene) -> None:
    """The call is not answered, and the lease ends: it would else be waited for for ever."""
    scene.daemon.lease_ms = 60
    scene.daemon.calls.clear()
    async with asyncio.timeout(10):
        with pytest.raises(DaemonUnavailable, match=r"nothing was heard of it for 0\.06 s"):
            await scene.extension().__aenter__()
    assert scene.daemon.held == 1


async def test_a_loss_while_all_deregisters_is_the_end(scene: Scene) -> None:
    """Nobody waits for answers that cannot come any more."""
    extension = await scene.extension().__aenter__()
    scene.daemon.calls.clear()
    leaving = asyncio.create_task(extension.__aexit__(None, None, None))
    await scene.until(lambda: scene.daemon.held == 1)
    scene.daemon.end_stream()
    async with asyncio.timeout(10):
        await leaving


async def test_a_fire_that_the_loss_meets_holds_nobody_up(scene: Scene) -> None:
    """Its answer has nowhere to go, so nobody waits until that is written."""
    async with scene.extension(reconnect=False) as extension:
        await scene.daemon.link()
        scene.daemon.gate.clear()
        fire = hook_pb2.Fire(attach_type=scene.hook.guid.bytes, batch=hook_pb2.Batch(count=1))
        fired = asyncio.create_task(scene.daemon.fire(fire))
        await scene.request(1)
        scene.daemon.hang_up()
        with pytest.raises(DaemonUnavailable):
            await extension.stopped()
        async with asyncio.timeout(10):
            await extension.drain()
        fired.cancel()
