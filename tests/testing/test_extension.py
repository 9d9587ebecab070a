"""Extensions as processes, programs attached, records collected."""

import signal
import sys
from pathlib import Path

import pytest

from ebpfd_extensions.sample.extension import SampleContext
from ebpfd_sdk import Client, EbpfdError, LinkState, MapType, Result
from ebpfd_sdk.testing import (
    ExtensionProcess,
    ProcessFailedError,
    attached,
    collect,
    constant_program,
    daemon,
    extension,
    until,
)
from tests.e2e.world import PROGRAMS, SAMPLE
from tests.packets import UDP

E2E = Path(__file__).parents[1] / "e2e"
FUNCTIONS = E2E / "function_extension.py"
FUNCTIONS_ID = "8f6c1f83-ce4c-4b58-8b91-654a29e23b7c"
EVENTS = "sample_ext"


async def test_an_extension_is_registered_when_the_block_begins() -> None:
    """A module's name is enough; when the block ends, the process is gone."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        async with extension(ebpfd, SAMPLE) as child:
            owners = {each.owner for each in await client.providers()}
            assert owners == {"daemon", "sample"}
        assert child.exit_code == -signal.SIGKILL


async def test_any_command_will_do_when_it_says_what_it_offers() -> None:
    """Functions are neither a program type nor a hook: they are waited for by GUID."""
    async with daemon() as ebpfd:
        command = (sys.executable, str(FUNCTIONS), ebpfd.address)
        async with extension(ebpfd, command, offers=[FUNCTIONS_ID]) as child:
            assert child.running


async def test_one_that_dies_comes_back_and_is_bound_again() -> None:
    """Killed and started again: its links wait meanwhile, under their ids."""
    async with (
        daemon() as ebpfd,
        Client(ebpfd.address) as client,
        extension(ebpfd, SAMPLE) as child,
        attached(client, PROGRAMS / "count.o", EVENTS) as here,
    ):

        async def is_in(state: LinkState) -> bool:
            (link,) = await client.links()
            assert link.id == here.link.id
            return link.state is state

        child.kill()
        await until(lambda: is_in(LinkState.WAITING))
        await child.start_registered()
        await until(lambda: is_in(LinkState.ATTACHED))


async def test_one_that_ends_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The command, how it ended and what it printed."""
    async with daemon() as ebpfd:
        with pytest.raises(ProcessFailedError, match=r"exit code 3 before (.|\n)*oh no"):
            async with extension(ebpfd, (sys.executable, "-c", "print('oh no'); exit(3)")):
                pass
        with pytest.raises(ProcessFailedError, match=r"No such file or directory: /no/such"):
            async with extension(ebpfd, ("/no/such",)):
                pass
        idle = ExtensionProcess(("sleep", "60"), ebpfd.address, tmp_path / "log")
        with pytest.raises(ProcessFailedError, match=r"not registered a program type and a hook"):
            await idle.start_registered(timeout_s=0.2)
        idle.kill()


async def test_a_program_is_attached_for_as_long_as_the_block_lasts() -> None:
    """Afterwards neither link nor program is left."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client, extension(ebpfd, SAMPLE):
        object_ = constant_program("sample_ext", 7)
        async with attached(client, object_, EVENTS, parameter=b"\x01") as here:
            answer = await client.fire(EVENTS, parameter=b"\x01")
            assert (answer.code, answer.result) == (Result.SUCCESS, 7)
            assert here.link.parameter == b"\x01"
        assert await client.links() == ()
        assert await client.programs() == ()


async def test_one_that_is_detached_meanwhile_is_no_trouble() -> None:
    """The block's end finds nothing to do."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client, extension(ebpfd, SAMPLE):
        async with attached(client, constant_program("sample_ext"), EVENTS) as here:
            await here.link.detach()
        assert await client.programs() == ()


async def test_what_cannot_attach_is_not_left_loaded() -> None:
    """The hook does not exist, so the program goes again."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client, extension(ebpfd, SAMPLE):
        with pytest.raises(EbpfdError):
            async with attached(client, constant_program("sample_ext"), "no such hook"):
                pass
        assert await client.programs() == ()


async def test_records_are_collected_as_they_come() -> None:
    """As many as were asked for, also those that come later."""
    async with (
        daemon() as ebpfd,
        Client(ebpfd.address) as client,
        extension(ebpfd, SAMPLE),
        attached(client, E2E / "programs" / "records.o", EVENTS) as here,
    ):
        for number in range(3):
            await client.fire(EVENTS, context=SampleContext(uint32_data=number), data=UDP)
        records = await collect(here.program.maps["reports"], 3)
        assert len(records) == 3


async def test_records_that_do_not_come_are_counted() -> None:
    """The failure says how many there were."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client:
        ring = await client.create_map(MapType.RINGBUF, 0, 0, 4096, name="ring")
        with pytest.raises(AssertionError, match="map ring: 0 of 2 records"):
            await collect(ring, 2, timeout_s=0.1)


@pytest.mark.parametrize("result", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_a_program_without_a_compiler_returns_what_it_is_told(result: int) -> None:
    """Any u32, run by the type's own provider."""
    async with daemon() as ebpfd, Client(ebpfd.address) as client, extension(ebpfd, SAMPLE):
        loaded = await client.load(constant_program("sample_ext/any", result, name="told"))
        assert (await loaded["told"].test_run()).result == result
