"""A daemon for tests: it serves, it comes back, it leaves nothing behind."""

import asyncio
import signal
import sys

import pytest

from ebpfd_sdk import Client, Extension
from ebpfd_sdk.testing import DaemonProcess, NotInstalledError, ProcessFailedError, daemon
from ebpfd_sdk.testing._daemon import find_daemon
from ebpfd_sdk.testing.fixtures import ebpfd
from tests.sdk.parcels import declare

__all__ = ["ebpfd"]


async def test_a_daemon_serves_while_the_block_lasts() -> None:
    """One that is asked answers; afterwards its process and its files are gone."""
    async with daemon() as running, Client(running.address) as client:
        assert running.running
        assert {each.owner for each in await client.providers()} == {"daemon"}
        assert "serving" in " ".join(each["event"] for each in running.log())
    assert not running.folder.exists()
    assert running.exit_code == -signal.SIGKILL


def test_it_needs_no_event_loop() -> None:
    """A plain function may have one."""
    with daemon() as running:
        assert running.running
    assert not running.running


async def test_it_is_stopped_and_comes_back_at_the_same_address() -> None:
    """Stopped in good order, killed, and each time started again."""
    async with daemon() as running:
        assert await running.stop() == 0
        await running.start()
        running.kill()
        assert running.exit_code == -signal.SIGKILL
        await running.start()
        async with Client(running.address) as client:
            assert await client.providers()


async def test_two_at_once_do_not_know_each_other() -> None:
    """What registers with one is not seen at the other."""
    async with (
        daemon() as one,
        daemon() as other,
        Client(other.address) as client,
        Extension(*declare(), address=one.address),
    ):
        assert {each.owner for each in await client.providers()} == {"daemon"}


async def test_options_reach_the_daemon_and_a_wrong_one_is_told() -> None:
    """The failure has the daemon's own last words."""
    with pytest.raises(ProcessFailedError, match=r"exit code 2; it said:(.|\n)*--nonsense"):
        async with daemon("--nonsense"):
            pass


async def test_it_cannot_run_twice() -> None:
    """A second start is refused; what is there runs on."""
    async with daemon() as running:
        with pytest.raises(ProcessFailedError, match="the daemon runs already"):
            await running.start()
        assert running.running


async def test_the_fixture_is_what_clients_and_extensions_find(ebpfd: DaemonProcess) -> None:
    """Neither is told an address."""
    async with Extension(*declare()) as extension, Client() as client:
        assert extension.address == client.address == ebpfd.address
        assert extension.name in {each.owner for each in await client.providers()}


def nowhere(_name: str) -> None:
    """Find no module."""


def elsewhere(name: str) -> str:
    """Find every command."""
    return f"/opt/bin/{name}"


def test_without_a_daemon_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither module nor command: the message has the command that helps."""
    monkeypatch.setattr("ebpfd_sdk.testing._daemon.find_spec", nowhere)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotInstalledError, match="`pip install ebpfd`"):
        find_daemon()
    with pytest.raises(NotInstalledError), daemon():
        pass


def test_the_command_on_path_is_the_second_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of the Python that runs the tests comes first."""
    assert find_daemon() == (sys.executable, "-m", "ebpfd")
    monkeypatch.setattr("ebpfd_sdk.testing._daemon.find_spec", nowhere)
    monkeypatch.setattr("shutil.which", elsewhere)
    assert find_daemon() == ("/opt/bin/ebpfd",)


async def test_who_waits_too_long_is_told() -> None:
    """``wait`` has a limit, and says what the process said."""
    async with daemon() as running:
        with pytest.raises(ProcessFailedError, match="the daemon has not ended after 0 s"):
            await running.wait(0)
        ending = asyncio.create_task(running.ended())
        running.kill()
        await ending
